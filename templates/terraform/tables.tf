{%- for table in tables %}
{%- if not loop.first %}
{% endif %}
{%- if table.import %}
# It exists, with its rows: Terraform takes it over. The block does nothing once it has.
import {
  to = aws_dynamodb_table.{{ table.label }}
  id = "{{ table.name }}"
}

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
  hash_key = {{ table.hash_key | hcl }}
  range_key = {{ table.range_key | hcl }}
  deletion_protection_enabled = {{ table.deletion_protection }}
{% for attribute in table.key_attributes %}
  attribute {
    name = {{ attribute.name | hcl }}
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
      attribute_name = {{ table.index.hash_key | hcl }}
      key_type = "HASH"
    }

    key_schema {
      attribute_name = {{ table.index.range_key | hcl }}
      key_type = "RANGE"
    }
{%- else %}
    hash_key = {{ table.index.hash_key | hcl }}
    range_key = {{ table.index.range_key | hcl }}
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
{% elif not table.import %}
  # AWS's own key. Left out, a table would keep the key that it had.
  server_side_encryption {
    enabled = false
  }
{% endif %}
  point_in_time_recovery {
    enabled = {{ table.point_in_time_recovery }}
  }
{%- else %}
# `create = false`: somebody else owns this table; it is used as it is. One that was made here before is let go, with its rows.
removed {
  from = aws_dynamodb_table.{{ table.label }}

  lifecycle {
    destroy = false
  }
}

data "aws_dynamodb_table" "{{ table.label }}" {
  name = "{{ table.name }}"
{%- endif %}
{%- if table.import or not table.create %}

  # What it lacks is said by the plan, and not by a stream that shows nothing.
  lifecycle {
{%- if table.import %}
    # Whoever made it decided these; without `import` they become what deploy.toml says, which the plan shows.
    ignore_changes = [
      hash_key,
      range_key,
      attribute,
      global_secondary_index,
      local_secondary_index,
      billing_mode,
      read_capacity,
      write_capacity,
      on_demand_throughput,
      replica,
      stream_enabled,
      stream_view_type,
      table_class,
      tags,
{%- if table.index %}
      # Rows that expire there are not ours to keep.
      ttl,
{%- endif %}
    ]

{%- endif %}
{%- set keys = "`" ~ table.name ~ "` has other keys than deploy.toml says: it needs the hash key `" ~ table.hash_key ~ "`" %}
{%- if table.needs_range_key %}
{%- set keys = keys ~ " and the range key `" ~ table.range_key ~ "`" %}
{%- endif %}
{%- set keys = keys ~ "." %}
    postcondition {
      condition = self.hash_key == {{ table.hash_key | hcl }}{% if table.needs_range_key %} && self.range_key == {{ table.range_key | hcl }}{% endif %}
      error_message = {{ keys | hcl }}
    }
{%- if table.index %}
{%- set index = "`" ~ table.name ~ "` has no index `" ~ table.index.name ~ "` with the hash key `" ~ table.index.hash_key ~ "`" %}
{%- set index = index ~ " and the range key `" ~ table.index.range_key ~ "`, which the functions read." %}

    postcondition {
      condition = anytrue([for index in self.global_secondary_index : index.name == "{{ table.index.name }}" && index.hash_key == {{ table.index.hash_key | hcl }} && index.range_key == {{ table.index.range_key | hcl }}])
      error_message = {{ index | hcl }}
    }

    postcondition {
      condition = alltrue([for index in self.global_secondary_index : index.projection_type == "ALL" || length(setsubtract({{ table.index.projection | hcl(indent=6) }}, index.non_key_attributes)) == 0 if index.name == "{{ table.index.name }}"])
      error_message = "The index `{{ table.index.name }}` of `{{ table.name }}` lacks columns that deploy.toml maps: `infragen doctor` says which, and what to do."
    }
{%- endif %}
  }
{%- endif %}
}
{%- endfor %}
