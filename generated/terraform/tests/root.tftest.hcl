# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/tests/root.tftest.hcl 5ce0c690f9369303]

# What this configuration promises, checked without an account: `terraform init -backend=false`, then `terraform test`.
# Every answer of AWS is made up here, so only what the configuration decides by itself is compared.
mock_provider "aws" {
  # Known only after apply; here it must be known before.
  mock_resource "aws_lambda_function_url" {
    override_during = plan
    defaults        = { function_url = "https://checked.lambda-url.us-east-1.on.aws/" }
  }
}

# Artifacts that nobody packaged: a plan looks at their names only.
variables {
  stream_zip    = { path = "stream.zip", sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }
  dashboard_zip = { path = "dashboard.zip", sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }
}

run "names" {
  command = plan

  assert {
    condition     = output.stream_function_name == "sse-streaming-dev-stream"
    error_message = "The stream function has another name: its URL, role and log would start anew."
  }

  assert {
    condition     = output.stream_log_group_name == "/aws/lambda/sse-streaming-dev-stream"
    error_message = "The stream function would write to a log that nobody made, and that is kept for ever."
  }

  assert {
    condition     = output.dashboard_function_name == "sse-streaming-dev-dashboard"
    error_message = "The dashboard function has another name: its URL, role and log would start anew."
  }

  assert {
    condition     = output.dashboard_log_group_name == "/aws/lambda/sse-streaming-dev-dashboard"
    error_message = "The dashboard function would write to a log that nobody made, and that is kept for ever."
  }

  assert {
    condition     = output.items_table_name == "sse-streaming-dev-items"
    error_message = "The functions would read another table of items."
  }

  assert {
    condition     = output.users_table_name == "sse-streaming-dev-users"
    error_message = "The functions would read another table of users."
  }
}

run "table_of_items" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.items.deletion_protection_enabled == true
    error_message = "Whether the table of items can be deleted is not what deploy.toml says."
  }

  assert {
    condition     = one(aws_dynamodb_table.items.point_in_time_recovery).enabled == true
    error_message = "Whether the table of items can be restored is not what deploy.toml says."
  }

  assert {
    condition     = one(aws_dynamodb_table.items.global_secondary_index).name == "by_sentiment"
    error_message = "The functions ask the index `by_sentiment`, and there is none of that name."
  }

  # A column that is missing here is missing in every event; one too many costs at every write.
  assert {
    condition     = toset(one(aws_dynamodb_table.items.global_secondary_index).non_key_attributes) == toset(["confidence", "matched_tickers", "score", "source", "status"])
    error_message = "The index carries other columns than the functions read."
  }
}

run "table_of_users" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.users.deletion_protection_enabled == true
    error_message = "Whether the table of users can be deleted is not what deploy.toml says."
  }

  assert {
    condition     = one(aws_dynamodb_table.users.point_in_time_recovery).enabled == true
    error_message = "Whether the table of users can be restored is not what deploy.toml says."
  }
}

run "alarms" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.stream_errors.dimensions.FunctionName == "sse-streaming-dev-stream"
    error_message = "Nobody would hear that the stream function fails."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.dashboard_errors.dimensions.FunctionName == "sse-streaming-dev-dashboard"
    error_message = "Nobody would hear that the dashboard function fails."
  }
}

run "page" {
  command = plan

  assert {
    condition     = strcontains(output.config_js, "\"API_BASE_URL\":\"https://checked.lambda-url.us-east-1.on.aws\"")
    error_message = "config.js lacks the URL of the dashboard function, and the page would ask its own origin."
  }

  assert {
    condition     = strcontains(output.config_js, "\"SSE_BASE_URL\":\"https://checked.lambda-url.us-east-1.on.aws\"")
    error_message = "config.js lacks the URL of the stream function, and the page would ask its own origin."
  }
}
