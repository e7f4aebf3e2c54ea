# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/terraform/modules/lambda/outputs.tf 3d8bf9fb7c4f70d8]

output "url" {
  description = "URL of the alias `live`."
  value       = aws_lambda_function_url.this.function_url
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "version" {
  description = "Version that the alias `live` points to."
  value       = aws_lambda_alias.live.function_version
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}
