# What the module promises for any function, checked without an account: `terraform init -backend=false`, then
# `terraform test`.
mock_provider "aws" {}

variables {
  name = "checked"
  description = "A function that is only planned."
  architecture = "{{ architecture }}"
  memory_mebibytes = 128
  timeout_secs = 60
  log_retention_days = 14
  environment = { NAME = "value" }
  policy = "{}"
{%- if not gateway %}
  invoke_mode = "RESPONSE_STREAM"
{%- endif %}
  zip = { path = "checked.zip", sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }
{%- if gateway %}
  url = false
  rest_api_source_arn = "arn:aws:execute-api:us-east-1:123456789012:checked/live/*"
{%- elif distribution %}
  distribution_arn = "arn:aws:cloudfront::123456789012:distribution/CHECKED"
{%- else %}
  public = true

  cors = {
    allow_origins = ["https://example.com"]
    allow_credentials = false
    allow_methods = ["GET"]
    allow_headers = ["authorization"]
    expose_headers = ["retry-after"]
    max_age_secs = 60
  }
{%- endif %}
}

run "zip" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  assert {
    condition = aws_lambda_function.this.package_type == "Zip" && aws_lambda_function.this.filename == "checked.zip"
    error_message = "Without an image the function must be the archive."
  }

  assert {
    condition = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.handler == "bootstrap"
    error_message = "An archive runs on the bare runtime, which starts the program `bootstrap`."
  }

  assert {
    condition = aws_lambda_function.this.publish && aws_lambda_alias.live.name == "live"
    error_message = "The URL must stand before an alias that can point back to an older version."
  }

  assert {
    condition = aws_cloudwatch_log_group.this[0].name == "/aws/lambda/checked" && aws_cloudwatch_log_group.this[0].retention_in_days == 14
    error_message = "The log must be the function's own, and end some day."
  }
}

run "image" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  variables {
    zip = null
    image_uri = "registry.invalid/checked@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }

  assert {
    condition = aws_lambda_function.this.package_type == "Image" && aws_lambda_function.this.image_uri == var.image_uri
    error_message = "With an image the function must be that image."
  }

  # Lambda refuses an image with either.
  assert {
    condition = aws_lambda_function.this.runtime == null && aws_lambda_function.this.handler == null
    error_message = "An image brings its own runtime."
  }
}

{% if gateway -%}
run "api" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  assert {
    condition = length(aws_lambda_function_url.this) == 0 && length(aws_lambda_permission.url) == 0
    error_message = "A URL beside the API would be a second door."
  }

  assert {
    condition = one(aws_lambda_permission.rest_api).principal == "apigateway.amazonaws.com" && one(aws_lambda_permission.rest_api).source_arn == var.rest_api_source_arn
    error_message = "Only this API may call the function."
  }
}
{%- else -%}
run "url" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  assert {
    condition = one(aws_lambda_function_url.this).invoke_mode == "RESPONSE_STREAM" && one(aws_lambda_function_url.this).qualifier == "live"
    error_message = "The URL must answer as it was told, from the alias."
  }
{%- if distribution %}

  assert {
    condition = one(aws_lambda_function_url.this).authorization_type == "AWS_IAM"
    error_message = "A URL that asks for no signature lets everybody past the distribution."
  }

  # CloudFront gets 403 with one of the two only.
  assert {
    condition = [for permission in flatten([aws_lambda_permission.url, aws_lambda_permission.function]) : permission.action] == ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
    error_message = "A URL needs two permissions."
  }

  assert {
    condition = alltrue([for permission in flatten([aws_lambda_permission.url, aws_lambda_permission.function]) : permission.principal == "cloudfront.amazonaws.com" && permission.source_arn == var.distribution_arn])
    error_message = "Only this distribution may call the function."
  }
{%- else %}

  assert {
    condition = one(aws_lambda_function_url.this).authorization_type == "NONE" && one(one(aws_lambda_function_url.this).cors).allow_origins == toset(["https://example.com"])
    error_message = "The URL is public, and pages of the named origins only may read its answers."
  }

  # Callers get 403 with one of the two only.
  assert {
    condition = one(aws_lambda_permission.url).action == "lambda:InvokeFunctionUrl" && one(aws_lambda_permission.url).principal == "*"
    error_message = "The permission for the URL is missing."
  }
{%- if has_invoked_via_function_url %}

  assert {
    condition = one(aws_lambda_permission.function).action == "lambda:InvokeFunction" && one(aws_lambda_permission.function).invoked_via_function_url
    error_message = "The permission for the function behind the URL is missing, or holds without the URL too."
  }
{%- else %}

  assert {
    condition = jsondecode(one(aws_cloudformation_stack.permission).template_body).Resources.InvokeFunctionThroughUrl.Properties == {
      Action = "lambda:InvokeFunction"
      FunctionName = "checked:live"
      InvokedViaFunctionUrl = true
      Principal = "*"
    }
    error_message = "The permission for the function behind the URL is missing, or holds without the URL too."
  }
{%- endif %}
{%- endif %}
}

{%- endif %}

run "both_packages" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  variables {
    image_uri = "registry.invalid/checked@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }

  expect_failures = [var.zip]
}

run "nobody_may_call" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  variables {
{%- if gateway %}
    rest_api_source_arn = null
{%- else %}
    public = false
    distribution_arn = null
{%- endif %}
  }

{%- if gateway %}

  expect_failures = [var.rest_api_source_arn]
{%- else %}

  expect_failures = [var.distribution_arn]
{%- endif %}
}
