# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/bootstrap/versions.tf f9a47d28d431e15a]

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }
}
