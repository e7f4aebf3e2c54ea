# An archive in a network, with a layer. It answers in one piece: a URL does not stream from a network.
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

variable "layer_arn" {
  description = "Version of the layer."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets that the function runs in."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of its network interfaces."
  type        = list(string)
}

module "function" {
  source = "../.."

  name             = "example-vpc"
  zip              = { path = var.archive, sha256 = filebase64sha256(var.archive) }
  runtime          = "python3.13"
  handler          = "index.handler"
  layers           = [var.layer_arn]
  architecture     = "x86_64"
  memory_mebibytes = 128
  timeout_secs     = 10
  vpc              = { subnet_ids = var.subnet_ids, security_group_ids = var.security_group_ids }
  invoke_mode      = "BUFFERED"
  public           = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Lambda makes the network interfaces with the function's own role.
      {
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = ["*"]
      },
      # The program itself has no business with the network.
      {
        Effect    = "Deny"
        Action    = ["ec2:*"]
        Resource  = ["*"]
        Condition = { ArnLike = { "lambda:SourceFunctionArn" = "arn:aws:lambda:*:*:function:example-vpc" } }
      },
    ]
  })
}

output "function" {
  description = "Everything that the module says of the function."
  value       = module.function
}
