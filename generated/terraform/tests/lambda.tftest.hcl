# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/tests/lambda.tftest.hcl 0b6d11fae2c127ed]

# What the module promises for any function, checked without an account: `terraform init -backend=false`, then
# `terraform test`.
mock_provider "aws" {}

variables {
  name               = "checked"
  description        = "A function that is only planned."
  architecture       = "arm64"
  memory_mebibytes   = 128
  timeout_secs       = 60
  log_retention_days = 14
  environment        = { NAME = "value" }
  policy             = "{}"
  invoke_mode        = "RESPONSE_STREAM"
  zip                = { path = "checked.zip", sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }
  public             = true

  cors = {
    allow_origins     = ["https://example.com"]
    allow_credentials = false
    allow_methods     = ["GET"]
    allow_headers     = ["authorization"]
    expose_headers    = ["retry-after"]
    max_age_secs      = 60
  }
}

run "zip" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  assert {
    condition     = aws_lambda_function.this.package_type == "Zip" && aws_lambda_function.this.filename == "checked.zip"
    error_message = "Without an image the function must be the archive."
  }

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.handler == "bootstrap"
    error_message = "An archive runs on the bare runtime, which starts the program `bootstrap`."
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.name == "live"
    error_message = "The URL must stand before an alias that can point back to an older version."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this[0].name == "/aws/lambda/checked" && aws_cloudwatch_log_group.this[0].retention_in_days == 14
    error_message = "The log must be the function's own, and end some day."
  }
}

run "image" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  variables {
    zip       = null
    image_uri = "registry.invalid/checked@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }

  assert {
    condition     = aws_lambda_function.this.package_type == "Image" && aws_lambda_function.this.image_uri == var.image_uri
    error_message = "With an image the function must be that image."
  }

  # Lambda refuses an image with either.
  assert {
    condition     = aws_lambda_function.this.runtime == null && aws_lambda_function.this.handler == null
    error_message = "An image brings its own runtime."
  }
}

run "url" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  assert {
    condition     = one(aws_lambda_function_url.this).invoke_mode == "RESPONSE_STREAM" && one(aws_lambda_function_url.this).qualifier == "live"
    error_message = "The URL must answer as it was told, from the alias."
  }

  assert {
    condition     = one(aws_lambda_function_url.this).authorization_type == "NONE" && one(one(aws_lambda_function_url.this).cors).allow_origins == toset(["https://example.com"])
    error_message = "The URL is public, and pages of the named origins only may read its answers."
  }

  # Callers get 403 with one of the two only.
  assert {
    condition     = one(aws_lambda_permission.url).action == "lambda:InvokeFunctionUrl" && one(aws_lambda_permission.url).principal == "*"
    error_message = "The permission for the URL is missing."
  }

  assert {
    condition = jsondecode(one(aws_cloudformation_stack.permission).template_body).Resources.InvokeFunctionThroughUrl.Properties == {
      Action                = "lambda:InvokeFunction"
      FunctionName          = "checked:live"
      InvokedViaFunctionUrl = true
      Principal             = "*"
    }
    error_message = "The permission for the function behind the URL is missing, or holds without the URL too."
  }
}

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
    public           = false
    distribution_arn = null
  }

  expect_failures = [var.distribution_arn]
}
