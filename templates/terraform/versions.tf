terraform {
  required_version = "{{ terraform.required_version }}"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      version = "{{ terraform.aws_provider }}"
    }
  }
{%- if state_bucket %}

  # The lock is a file beside the state: no table is needed.
  backend "s3" {
    bucket = "{{ state_bucket }}"
    key = "{{ names.state_key }}"
    region = "{{ region }}"
    encrypt = true
    use_lockfile = true
  }
{%- endif %}
}
