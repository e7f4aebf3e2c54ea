# CloudFront takes its certificate and its firewall from this region only, and hands out lines of its log here.
provider "aws" {
  alias = "us_east_1"
  region = "us-east-1"
{%- if account.account_ids %}

  # Any other account is refused before anything is planned.
  allowed_account_ids = {{ account.account_ids | hcl(indent=2) }}
{%- endif %}
{%- if account.assume_role %}

  assume_role {
    role_arn = "{{ account.assume_role.role_arn }}"
{%- if account.assume_role.external_id %}
    external_id = "{{ account.assume_role.external_id }}"
{%- endif %}
    session_name = "{{ account.assume_role.session_name }}"
  }
{%- endif %}

  default_tags {
    tags = {{ tags | hcl(indent=4) }}
  }
}
