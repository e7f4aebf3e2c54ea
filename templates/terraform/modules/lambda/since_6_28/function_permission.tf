# The second permission of the URL. Without its condition it would open the function to direct calls by everybody.
resource "aws_lambda_permission" "function" {
  # checkov:skip=CKV_AWS_301:Everybody may call it, through the public URL only.
  count = var.url ? 1 : 0

  statement_id             = "InvokeFunctionThroughUrl"
  action                   = "lambda:InvokeFunction"
  function_name            = aws_lambda_function.this.function_name
  qualifier                = aws_lambda_alias.live.name
  principal                = var.public ? "*" : "cloudfront.amazonaws.com"
  source_arn               = var.distribution_arn
  invoked_via_function_url = true

  # See the alias.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}
