{% if distribution -%}
output "url_host" {
  description = "Host of the URL of the alias `live`, as an origin of CloudFront."
  value = trimsuffix(trimprefix(aws_lambda_function_url.this.function_url, "https://"), "/")
}
{%- else -%}
output "url" {
  description = "URL of the alias `live`."
  value = aws_lambda_function_url.this.function_url
}
{%- endif %}

output "function_name" {
  description = "Name of the function."
  value = aws_lambda_function.this.function_name
}

output "version" {
  description = "Version that the alias `live` points to."
  value = aws_lambda_alias.live.function_version
}

output "log_group_name" {
  description = "Name of the log group."
  value = aws_cloudwatch_log_group.this.name
}
