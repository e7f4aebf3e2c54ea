# What this configuration promises, checked without an account: `terraform init -backend=false`, then `terraform test`.
# Every answer of AWS is made up here, so only what the configuration decides by itself is compared.
{%- if page_urls and gateway %}
mock_provider "aws" {
  # Known only after apply; here it must be known before.
  mock_resource "aws_api_gateway_rest_api" {
    override_during = plan
    defaults = { id = "checked", execution_arn = "arn:aws:execute-api:us-east-1:123456789012:checked" }
  }
}
{%- elif page_urls %}
mock_provider "aws" {
  # Known only after apply; here it must be known before.
  mock_resource "aws_lambda_function_url" {
    override_during = plan
    defaults = { function_url = "https://checked.lambda-url.us-east-1.on.aws/" }
  }
}
{%- else %}
mock_provider "aws" {}
{%- endif %}
{%- if distribution and distribution.cloudfront_provider %}

mock_provider "aws" {
  alias = "us_east_1"
}
{%- endif %}

{%- for table in tables %}
{%- if table.import or not table.create %}

# As its owner has it, or the plan would end.
override_{% if table.import %}resource{% else %}data{% endif %} {
  target = {{ table.address }}

  values = {
    name = "{{ table.name }}"
    hash_key = {{ table.hash_key | hcl }}
    range_key = {{ table.range_key | hcl }}
{%- if table.index and not table.import %}

    # Every attribute that a version of the provider has of an index.
    global_secondary_index = [{
      name = "{{ table.index.name }}"
      hash_key = {{ table.index.hash_key | hcl }}
      range_key = {{ table.index.range_key | hcl }}
      projection_type = "ALL"
      non_key_attributes = []
      read_capacity = 0
      write_capacity = 0
      on_demand_throughput = []
      warm_throughput = []
      key_schema = []
    }]
{%- endif %}
  }
}
{%- endif %}
{%- endfor %}

# Artifacts that nobody packaged: a plan looks at their names only.
variables {
{%- for variable in references %}
{%- if variable.is_used and variable.package == "zip" %}
  {{ variable.name }} = { path = "{{ variable.role }}.zip", sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }
{%- elif variable.is_used %}
  {{ variable.name }} = "registry.invalid/{{ variable.role }}@sha256:0000000000000000000000000000000000000000000000000000000000000000"
{%- endif %}
{%- endfor %}
}

run "names" {
  command = plan
{%- for function in functions %}

  assert {
    condition = output.{{ function.role }}_function_name == "{{ function.name }}"
    error_message = "The {{ function.role }} function has another name: its URL, role and log would start anew."
  }

  assert {
    condition = output.{{ function.role }}_log_group_name == "{{ function.log_group }}"
    error_message = "The {{ function.role }} function would write to a log that nobody made, and that is kept for ever."
  }
{%- endfor %}
{%- for table in tables %}

  assert {
    condition = output.{{ table.label }}_table_name == "{{ table.name }}"
    error_message = "The functions would read another table of {{ table.label }}."
  }
{%- endfor %}
}
{%- for table in tables %}
{%- if table.create %}

run "table_of_{{ table.label }}" {
  command = plan

  assert {
    condition = aws_dynamodb_table.{{ table.label }}.deletion_protection_enabled == {{ table.deletion_protection }}
    error_message = "Whether the table of {{ table.label }} can be deleted is not what deploy.toml says."
  }

  assert {
    condition = one(aws_dynamodb_table.{{ table.label }}.point_in_time_recovery).enabled == {{ table.point_in_time_recovery }}
    error_message = "Whether the table of {{ table.label }} can be restored is not what deploy.toml says."
  }
{%- if table.index %}

  assert {
    condition = one(aws_dynamodb_table.{{ table.label }}.global_secondary_index).name == "{{ table.index.name }}"
    error_message = "The functions ask the index `{{ table.index.name }}`, and there is none of that name."
  }

  # A column that is missing here is missing in every event; one too many costs at every write.
  assert {
    condition = toset(one(aws_dynamodb_table.{{ table.label }}.global_secondary_index).non_key_attributes) == toset({{ table.index.projection | hcl(indent=4) }})
    error_message = "The index carries other columns than the functions read."
  }
{%- endif %}
}
{%- endif %}
{%- endfor %}
{%- if operations.alarms %}

run "alarms" {
  command = plan
{%- for function in functions %}

  assert {
    condition = aws_cloudwatch_metric_alarm.{{ function.role }}_errors.dimensions.FunctionName == "{{ function.name }}"
    error_message = "Nobody would hear that the {{ function.role }} function fails."
  }
{%- endfor %}
}
{%- endif %}
{%- if distribution %}

run "bucket" {
  command = plan

  assert {
    condition = aws_s3_bucket_public_access_block.page.block_public_policy && aws_s3_bucket_public_access_block.page.restrict_public_buckets
    error_message = "The page's bucket could be made public: then it is read past the distribution and its firewall."
  }
}

run "distribution" {
  command = plan

  # Anything else holds events back until a block is full, or gives one viewer's answer to another.
{%- if distribution.segment_secs %}
  assert {
    condition = alltrue([for behavior in aws_cloudfront_distribution.front.ordered_cache_behavior : !behavior.compress])
    error_message = "What the functions answer must not be compressed."
  }

  assert {
    condition = alltrue([
      for behavior in aws_cloudfront_distribution.front.ordered_cache_behavior : behavior.cache_policy_id == local.caching_disabled
      if !contains([
{%- for behavior in distribution.behaviors %}
{%- if behavior.is_shared %}
        "{{ behavior.pattern }}",
{%- endif %}
{%- endfor %}
      ], behavior.path_pattern)
    ])
    error_message = "What the functions answer must not be cached, but for the streams that viewers share."
  }

  # Without either CloudFront asks for each viewer anew.
  assert {
    condition = aws_cloudfront_cache_policy.segments.min_ttl >= 1 && aws_cloudfront_cache_policy.segments.parameters_in_cache_key_and_forwarded_to_origin[0].cookies_config[0].cookie_behavior == "none"
    error_message = "Segments must be kept for a second at least, and no cookie may be in their key."
  }
{%- else %}
  assert {
    condition = alltrue([for behavior in aws_cloudfront_distribution.front.ordered_cache_behavior : !behavior.compress && behavior.cache_policy_id == local.caching_disabled])
    error_message = "What the functions answer must be neither compressed nor cached."
  }
{%- endif %}

  assert {
    condition = aws_cloudfront_distribution.front.ordered_cache_behavior[*].path_pattern == tolist([
{%- for behavior in distribution.behaviors %}
      "{{ behavior.pattern }}",
{%- endfor %}
    ])
    error_message = "CloudFront takes the first pattern that fits: another order sends requests to the wrong function."
  }

  assert {
    condition = aws_cloudfront_origin_access_control.functions.signing_behavior == "always"
    error_message = "CloudFront must sign what it asks of the functions, or they answer 403."
  }
}
{%- endif %}
{%- if gateway %}

run "api" {
  command = plan

  # In one piece at its end, or not at all: that is no stream.
  assert {
    condition = alltrue([for integration in [
{%- for resource in gateway.resources %}
{%- if resource.is_stream %}
      aws_api_gateway_integration.{{ resource.name }},
{%- endif %}
{%- endfor %}
    ] : integration.response_transfer_mode == "STREAM" && integration.timeout_milliseconds == {{ gateway.stream_timeout_ms }}])
    error_message = "The API must pass on what the stream function writes, for as long as it may run."
  }

  assert {
    condition = one(aws_api_gateway_method_settings.front.settings).throttling_rate_limit == {{ gateway.requests_per_second }}
    error_message = "Nothing would bound what strangers can cause."
  }
}
{%- endif %}
{%- if page_urls %}

run "page" {
  command = plan
{%- for pair in page_urls %}

  assert {
{%- if gateway %}
    condition = strcontains(output.config_js, "\"{{ pair[0] }}\":\"${local.api_url}\"")
{%- else %}
    condition = strcontains(output.config_js, "\"{{ pair[0] }}\":\"https://checked.lambda-url.us-east-1.on.aws\"")
{%- endif %}
    error_message = "config.js lacks the URL of the {{ pair[1] }} function, and the page would ask its own origin."
  }
{%- endfor %}
}
{%- endif %}
