# An archive on this machine, on a runtime of Lambda: it reads a table, logs JSON, and is called by a schedule beside its URL.
terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "archive" {
  description = "Path of the zip archive."
  type        = string
  default     = "function.zip"
}

resource "aws_dynamodb_table" "rows" {
  name         = "example-zip"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

module "function" {
  source = "../.."

  name         = "example-zip"
  zip          = { path = var.archive, sha256 = filebase64sha256(var.archive) }
  runtime      = "nodejs22.x"
  handler      = "index.handler"
  architecture = "arm64"

  memory_mebibytes = 128
  timeout_secs     = 60
  logging          = { format = "JSON", application_log_level = "INFO", system_log_level = "WARN" }

  environment = { TABLE = aws_dynamodb_table.rows.name }
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["dynamodb:Query"], Resource = [aws_dynamodb_table.rows.arn] }]
  })

  invoke_mode = "RESPONSE_STREAM"
  public      = true
}

# What the module does not know of is given through its outputs: a policy to the role, a permission to the alias.
resource "aws_iam_role_policy" "more" {
  name = "more"
  role = module.function.role_name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = [aws_dynamodb_table.rows.arn] }]
  })
}

resource "aws_lambda_permission" "schedule" {
  statement_id  = "Schedule"
  action        = "lambda:InvokeFunction"
  function_name = module.function.function_name
  qualifier     = module.function.alias_name
  principal     = "scheduler.amazonaws.com"
  source_arn    = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/example-zip"
}

output "function" {
  description = "Everything that the module says of the function."
  value       = module.function
}
