# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/versions.tf f3f5faa1ed2615b7]

# Lower bounds only: what stands above is for the root that calls this module to say.
terraform {
  # Rules between inputs.
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}
