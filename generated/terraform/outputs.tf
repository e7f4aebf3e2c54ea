# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/outputs.tf 8b4acd5bfb959228]

output "stream_url" {
  description = "Base URL of the stream function, without a slash at the end."
  value       = trimsuffix(module.stream.url, "/")
}

output "stream_function_name" {
  description = "Name of the stream function."
  value       = module.stream.function_name
}

output "stream_function_version" {
  description = "Version of the stream function that the alias `live` points to."
  value       = module.stream.version
}

output "stream_log_group_name" {
  description = "Log group of the stream function."
  value       = module.stream.log_group_name
}

output "dashboard_url" {
  description = "Base URL of the dashboard function, without a slash at the end."
  value       = trimsuffix(module.dashboard.url, "/")
}

output "dashboard_function_name" {
  description = "Name of the dashboard function."
  value       = module.dashboard.function_name
}

output "dashboard_function_version" {
  description = "Version of the dashboard function that the alias `live` points to."
  value       = module.dashboard.version
}

output "dashboard_log_group_name" {
  description = "Log group of the dashboard function."
  value       = module.dashboard.log_group_name
}

output "items_table_name" {
  description = "Name of the table of items."
  value       = aws_dynamodb_table.items.name
}

output "users_table_name" {
  description = "Name of the table of users."
  value       = aws_dynamodb_table.users.name
}

output "estimated_monthly_usd" {
  description = "What a month costs in US dollars with the viewers and items that deploy.toml expects; `infragen cost` says how."
  value       = 42.66
}

output "region" {
  description = "Region that functions and tables are in."
  value       = "us-east-1"
}

# The URLs are known only after apply, so the page's configuration is an output as well.
locals {
  page = {
    AUTH_MODE             = "off"
    ENVIRONMENT           = "dev"
    HEARTBEAT_INTERVAL_MS = 15000
    LABELS                = ["positive", "neutral", "negative"]
    LABEL_KEYS            = ["positive", "neutral", "negative"]
    POLL_INTERVAL_MS      = 5000
    SIGNED_REQUESTS       = false
    UPDATE_EVENT          = "sentiment_update"
    WINDOW_MS             = 86400000
    API_BASE_URL          = trimsuffix(module.dashboard.url, "/")
    SSE_BASE_URL          = trimsuffix(module.stream.url, "/")
  }

  config_js = "// Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`.\nwindow.CONFIG = Object.freeze(${jsonencode(local.page)});\n"
}

output "config_js" {
  description = "Whole text of config.js with the live URLs."
  value       = local.config_js
}
