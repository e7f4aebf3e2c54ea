# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/function_permission.tf e2611b390d0f139f]

# The second permission of the URL, as a provider before 6.28.0 can express it; for newer ones there is another file.
resource "aws_lambda_permission" "function" {
  count = var.url && !var.public ? 1 : 0

  statement_id  = "InvokeFunctionThroughUrl"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "cloudfront.amazonaws.com"
  source_arn    = var.distribution_arn

  # See the alias.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}

# Given to everybody, it would open the function to direct calls, but for the condition that they come through the URL. Such
# a provider has no word for it, CloudFormation has: hence a stack with one resource.
resource "aws_cloudformation_stack" "permission" {
  # checkov:skip=CKV_AWS_124:Terraform makes the stack and reports how that went; it changes at no other time.
  count = var.url && var.public ? 1 : 0

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

  # See the alias.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}
