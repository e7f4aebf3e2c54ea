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
    key = "{{ state_key }}"
    region = "{{ terraform.state_region }}"
    encrypt = true
    use_lockfile = true
{%- if terraform.state_key %}
    kms_key_id = "{{ terraform.state_key }}"
{%- endif %}
{%- if account.account_ids %}
    allowed_account_ids = {{ account.account_ids | hcl(indent=4) }}
{%- endif %}
{%- if account.assume_role %}

    assume_role = {
      role_arn = "{{ account.assume_role.role_arn }}"
{%- if account.assume_role.external_id %}
      external_id = "{{ account.assume_role.external_id }}"
{%- endif %}
      session_name = "{{ account.assume_role.session_name }}"
    }
{%- endif %}
  }
{%- endif %}
}
