# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/url.tf a37b1994f3f5db7c]

resource "aws_lambda_function_url" "this" {
  # checkov:skip=CKV_AWS_258:The page is public and a browser cannot sign; callers of what is not public are checked by the program.
  count = var.url ? 1 : 0

  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  invoke_mode   = var.invoke_mode

  # CloudFront signs what it asks; no browser can.
  authorization_type = var.public ? "NONE" : "AWS_IAM"

  dynamic "cors" {
    for_each = var.cors == null ? [] : [var.cors]

    content {
      allow_origins     = cors.value.allow_origins
      allow_credentials = cors.value.allow_credentials
      allow_methods     = cors.value.allow_methods
      allow_headers     = cors.value.allow_headers
      expose_headers    = cors.value.expose_headers
      max_age           = cors.value.max_age_secs
    }
  }

  # See the alias.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}

# A URL needs two permissions, for everybody as for CloudFront: one for the URL, one for the function behind it, which is
# in function_permission.tf.
resource "aws_lambda_permission" "url" {
  # checkov:skip=CKV_AWS_301:A public URL is what it is for; the function itself cannot be called past it.
  count = var.url ? 1 : 0

  statement_id           = "InvokeFunctionUrl"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = var.public ? "*" : "cloudfront.amazonaws.com"
  source_arn             = var.distribution_arn
  function_url_auth_type = var.public ? "NONE" : null

  # See the alias.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}
