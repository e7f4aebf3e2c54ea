# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/bootstrap/versions.tf ec8332692f66f245]

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}
