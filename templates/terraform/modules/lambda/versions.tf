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
