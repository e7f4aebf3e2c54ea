# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/terraform/modules/lambda/url.tf b1aa7dc8b6d85f1a]

resource "aws_lambda_function_url" "this" {
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  # checkov:skip=CKV_AWS_258:The page is public and a browser cannot sign; callers of what is not public are checked by the program.
  authorization_type = "NONE"
  invoke_mode        = var.invoke_mode

  cors {
    allow_origins     = var.cors.allow_origins
    allow_credentials = var.cors.allow_credentials
    allow_methods     = var.cors.allow_methods
    allow_headers     = var.cors.allow_headers
    expose_headers    = var.cors.expose_headers
    max_age           = var.cors.max_age_secs
  }
}

# A public URL needs two permissions: one for the URL, one for the function behind it.
resource "aws_lambda_permission" "url" {
  # checkov:skip=CKV_AWS_301:A public URL is what it is for; the function itself cannot be called past it.
  statement_id           = "InvokeFunctionUrl"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = "*"
  function_url_auth_type = "NONE"
}

# Without its condition the second one would open the function to direct calls by everybody.
# Providers before 6.28.0 cannot express that condition, CloudFormation can: hence a stack with one resource.
resource "aws_cloudformation_stack" "permission" {
  # checkov:skip=CKV_AWS_124:Terraform makes the stack and reports how that went; it changes at no other time.
  name = "${var.name}-url-permission"

  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Lets everybody invoke ${var.name}, through its URL only."
    Resources = {
      InvokeFunctionThroughUrl = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          Action                = "lambda:InvokeFunction"
          FunctionName          = "${aws_lambda_function.this.function_name}:${aws_lambda_alias.live.name}"
          InvokedViaFunctionUrl = true
          Principal             = "*"
        }
      }
    }
  })
}
