{%- for table in tables %}
{%- if not loop.first %}
{% endif %}
{%- if table.create %}
resource "aws_dynamodb_table" "{{ table.label }}" {
{%- if not table.kms_key_arn %}
  # checkov:skip=CKV_AWS_119:DynamoDB encrypts with a key of its own; a key of one's own costs a dollar a month, and every call that must ask for it.
{%- endif %}
{%- if not table.point_in_time_recovery %}
  # checkov:skip=CKV_AWS_28:{{ table.why_unrecovered }}
{%- endif %}
  name = "{{ table.name }}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key = "{{ table.hash_key }}"
  range_key = "{{ table.range_key }}"
  deletion_protection_enabled = {{ table.deletion_protection }}
{% for attribute in table.key_attributes %}
  attribute {
    name = "{{ attribute.name }}"
    type = "{{ attribute.kind }}"
  }
{% endfor %}
{%- if table.index %}
  # Carries exactly what the functions read beside the keys: a poll never touches the table itself, and columns that
  # nobody streams cost nothing here.
  global_secondary_index {
    name = "{{ table.index.name }}"
{%- if has_index_key_schema %}
    projection_type = "INCLUDE"
    non_key_attributes = {{ table.index.projection | hcl(indent=4) }}

    key_schema {
      attribute_name = "{{ table.index.hash_key }}"
      key_type = "HASH"
    }

    key_schema {
      attribute_name = "{{ table.index.range_key }}"
      key_type = "RANGE"
    }
{%- else %}
    hash_key = "{{ table.index.hash_key }}"
    range_key = "{{ table.index.range_key }}"
    projection_type = "INCLUDE"
    non_key_attributes = {{ table.index.projection | hcl(indent=4) }}
{%- endif %}
  }
{% endif %}
{%- if table.ttl_attribute %}
  ttl {
    attribute_name = "{{ table.ttl_attribute }}"
    enabled = true
  }
{% endif %}
{%- if table.kms_key_arn %}
  server_side_encryption {
    enabled = true
    kms_key_arn = "{{ table.kms_key_arn }}"
  }
{% endif %}
  point_in_time_recovery {
    enabled = {{ table.point_in_time_recovery }}
  }
}
{%- else %}
# `create = false`: somebody else owns this table; it is used as it is.
data "aws_dynamodb_table" "{{ table.label }}" {
  name = "{{ table.name }}"
}
{%- endif %}
{%- endfor %}
