# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/rest_api.tf e7b8f1c054c3e57f]

# In the place of the URL's two permissions: one, for the API that calls the alias, and nobody else's.
resource "aws_lambda_permission" "rest_api" {
  count = var.url ? 0 : 1

  statement_id  = "InvokeFunctionThroughApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = var.rest_api_source_arn

  # See the alias.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}
