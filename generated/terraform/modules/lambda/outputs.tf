# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/outputs.tf 303dcb86a88930d6]

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "version" {
  description = "Version that the alias `live` points to."
  value       = aws_lambda_alias.live.function_version
}

output "qualified_arn" {
  description = "ARN of that version."
  value       = aws_lambda_function.this.qualified_arn
}

output "alias_name" {
  description = "Name of the alias, the qualifier of permissions and event sources."
  value       = aws_lambda_alias.live.name
}

output "alias_arn" {
  description = "ARN of the alias: what event sources and permissions are for."
  value       = aws_lambda_alias.live.arn
}

output "invoke_arn" {
  description = "ARN with which API Gateway invokes the alias."
  value       = aws_lambda_alias.live.invoke_arn
}

# Providers have an attribute for it in later versions only.
output "streaming_invoke_arn" {
  description = "ARN with which API Gateway invokes the alias and passes on what it streams."
  value       = replace(replace(aws_lambda_alias.live.invoke_arn, "path/2015-03-31", "path/2021-11-15"), "/invocations$/", "response-streaming-invocations")
}

output "url" {
  description = "URL of the alias `live`; null where there is none."
  value       = one(aws_lambda_function_url.this[*].function_url)
}

output "url_host" {
  description = "Host of that URL, as an origin of CloudFront; null where there is none."
  value       = one([for url in aws_lambda_function_url.this[*].function_url : trimsuffix(trimprefix(url, "https://"), "/")])
}

output "role_name" {
  description = "Name of the function's role, to attach policies to."
  value       = aws_iam_role.this.name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "log_group_name" {
  description = "Name of the log group."
  value       = local.log_group_name
}

output "log_group_arn" {
  description = "ARN of the log group."
  value       = local.log_group_arn
}
