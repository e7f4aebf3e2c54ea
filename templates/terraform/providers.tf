provider "aws" {
  region = "{{ region }}"
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

  # On the provider, so that no resource can be forgotten.
  default_tags {
    tags = {{ tags | hcl(indent=4) }}
  }
}
