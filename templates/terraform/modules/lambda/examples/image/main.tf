# A container image that streams: a public URL, for pages of one other origin.
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

variable "image_uri" {
  description = "Container image, pinned by digest: repository@sha256:hex."
  type        = string
}

module "function" {
  source = "../.."

  name         = "example-image"
  description  = "Streams out of a container image."
  image_uri    = var.image_uri
  image_config = { command = ["serve"] }
  architecture = "arm64"

  memory_mebibytes     = 256
  timeout_secs         = 900
  reserved_concurrency = 20

  invoke_mode = "RESPONSE_STREAM"
  public      = true
  cors = {
    allow_origins     = ["https://www.example.com"]
    allow_credentials = false
    allow_methods     = ["GET"]
    allow_headers     = ["last-event-id"]
    expose_headers    = ["retry-after"]
    max_age_secs      = 3600
  }
}

output "function" {
  description = "Everything that the module says of the function."
  value       = module.function
}
