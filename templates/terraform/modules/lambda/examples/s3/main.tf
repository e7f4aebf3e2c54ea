# An archive that was uploaded before: encrypted with a key of its own, and under a boundary for roles.
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

data "aws_caller_identity" "this" {}

resource "aws_s3_bucket" "code" {
  bucket_prefix = "example-s3-"
}

resource "aws_s3_bucket_versioning" "code" {
  bucket = aws_s3_bucket.code.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "archive" {
  bucket      = aws_s3_bucket.code.id
  key         = "function.zip"
  source      = var.archive
  source_hash = filemd5(var.archive)

  # Without versions it would have none to name.
  depends_on = [aws_s3_bucket_versioning.code]
}

resource "aws_kms_key" "this" {
  description             = "Environment and log of example-s3."
  deletion_window_in_days = 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Action    = ["kms:*"]
        Resource  = ["*"]
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Action    = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = ["*"]
        Principal = { Service = "logs.us-east-1.amazonaws.com" }
        Condition = {
          ArnEquals = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:us-east-1:${data.aws_caller_identity.this.account_id}:log-group:/aws/lambda/example-s3"
          }
        }
      },
    ]
  })
}

resource "aws_iam_policy" "boundary" {
  name = "example-s3-boundary"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:*", "xray:*"], Resource = ["*"] }]
  })
}

module "function" {
  source = "../.."

  name              = "example-s3"
  s3_bucket         = aws_s3_bucket.code.id
  s3_key            = aws_s3_object.archive.key
  s3_object_version = aws_s3_object.archive.version_id
  s3_sha256         = filebase64sha256(var.archive)
  architecture      = "x86_64"

  memory_mebibytes            = 512
  ephemeral_storage_mebibytes = 1024
  timeout_secs                = 30
  log_retention_days          = 30
  tracing                     = true

  environment          = { GREETING = "hello" }
  kms_key_arn          = aws_kms_key.this.arn
  permissions_boundary = aws_iam_policy.boundary.arn
  role_path            = "/functions/"

  invoke_mode = "BUFFERED"
  public      = true
}

output "function" {
  description = "Everything that the module says of the function."
  value       = module.function
}
