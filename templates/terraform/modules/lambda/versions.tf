terraform {
  required_version = "{{ terraform.required_version }}"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      version = "{{ terraform.aws_provider }}"
    }
  }
}
