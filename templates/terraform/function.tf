module "{{ function.role }}" {
  source = "./modules/lambda"

  name = "{{ function.name }}"
  description = "{{ function.description }}"
{%- if function.package == "image" %}
  image_uri = local.artifacts.{{ function.role }}
{%- elif function.archive %}
  s3_bucket = "{{ function.archive.bucket }}"
  s3_key = "{{ function.archive.key }}"
{%- if function.archive.object_version %}
  s3_object_version = "{{ function.archive.object_version }}"
{%- endif %}
  s3_sha256 = "{{ function.archive.sha256 }}"
{%- else %}
  zip = local.artifacts.{{ function.role }}
{%- endif %}
  architecture = "{{ architecture }}"
  memory_mebibytes = {{ function.memory_mebibytes }}
  timeout_secs = {{ function.timeout_secs }}
{%- if function.reserved_concurrency is number %}
  reserved_concurrency = {{ function.reserved_concurrency }}
{%- endif %}
{%- if function.makes_log_group %}
  log_retention_days = {{ function.log_retention_days }}
{%- else %}
  log_group_name = "{{ function.log_group }}"
{%- endif %}
{%- if account.permissions_boundary %}
  permissions_boundary = "{{ account.permissions_boundary }}"
{%- endif %}
{%- if account.role_path != "/" %}
  role_path = "{{ account.role_path }}"
{%- endif %}
{%- if account.keys.logs %}
  kms_key_arn = "{{ account.keys.logs }}"
{%- endif %}
{%- if operations.logging %}
  logging = { format = "JSON"
{%- if operations.logging.level %}, application_log_level = "{{ operations.logging.level }}"{% endif -%}
{%- if operations.logging.system_level %}, system_log_level = "{{ operations.logging.system_level }}"{% endif %} }
{%- endif %}
{%- if operations.tracing %}
  tracing = true
{%- endif %}
{%- if has_canary %}
  canary = lookup(var.canary, "{{ function.role }}", null)
{%- endif %}
{%- if gateway %}

  # Only this API may call it, and there is no URL beside it.
  url = false
{%- elif function.invoke_mode == "RESPONSE_STREAM" %}

  # Holds for every request through the URL: a program that answers in one piece breaks behind it.
{%- else %}

  # Holds for every request through the URL: a program that streams breaks behind it.
{%- endif %}
{%- if gateway and function.role == "stream" %}
  rest_api_source_arn = "${aws_api_gateway_rest_api.front.execution_arn}/{{ gateway.stage }}/*/api/v2/*"
{%- elif gateway %}
  rest_api_source_arn = "${aws_api_gateway_rest_api.front.execution_arn}/{{ gateway.stage }}/*"
{%- else %}
  invoke_mode = "{{ function.invoke_mode }}"
{%- endif %}
{%- if gateway %}
{%- elif distribution %}

  # Nobody else may call the URL.
  distribution_arn = aws_cloudfront_distribution.front.arn
{%- else %}
  public = true

  # The only place that answers cross-origin requests: the program stays silent about it on Lambda.
  cors = {
    allow_origins = {{ cors.allow_origins | hcl(indent=4) }}
    allow_credentials = {{ cors.allow_credentials }}
    allow_methods = {{ function.cors_methods | hcl(indent=4) }}
    allow_headers = {{ cors.allow_headers | hcl(indent=4) }}
    expose_headers = {{ cors.expose_headers | hcl(indent=4) }}
    max_age_secs = {{ cors.max_age_secs }}
  }
{%- endif %}

{%- if function.live_urls %}

  environment = merge(
    # Known only after apply.
{%- for pair in function.live_urls %}
{%- if gateway %}
    { {{ pair[0] }} = local.api_url },
{%- else %}
    { {{ pair[0] }} = trimsuffix(module.{{ pair[1] }}.url, "/") },
{%- endif %}
{%- endfor %}
    {{ function.environment | hcl(indent=4) }},
  )
{%- else %}

  environment = {{ function.environment | hcl(indent=2) }}
{%- endif %}
{%- if instances and function.role == "stream" %}

  # An environment serves many streams; its network is that of the instances.
  instances = {
    capacity_provider_arn = aws_lambda_capacity_provider.stream.arn
    concurrency = {{ instances.concurrency }}
    memory_gibibytes_per_vcpu = {{ instances.memory_gibibytes_per_vcpu }}
  }
{%- endif %}
{%- if function.vpc %}

  # From here DynamoDB can be reached through a gateway endpoint (free of charge) in the routes of these subnets, or not
  # at all unless there is a NAT gateway.
  vpc = {
    subnet_ids = {{ function.vpc.subnet_ids | hcl(indent=4) }}
    security_group_ids = {{ function.vpc.security_group_ids | hcl(indent=4) }}
  }
{%- endif %}
{% if function.configurations or function.goodbyes %}
  # The newest items through the index, and of the users table the rows that are named here.
{%- else %}
  # Reads only: the newest items through the index. `auth.mode` is `off`, so there are no users.
{%- endif %}
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # A scan of a few rows says why there is nothing to show, where there is not: it finds labels that nobody has named.
        Sid = "ReadItemsThroughIndex"
        Effect = "Allow"
        Action = ["dynamodb:Query", "dynamodb:Scan"]
        Resource = ["${ {{- items.address -}} .arn}/index/{{ items.index.name }}"]
      },
{%- if function.configurations %}
      # Users' rows and nothing else of this table.
      {
        Sid = "Configurations"
        Effect = "Allow"
        Action = {{ function.configurations.actions | hcl(indent=8) }}
        Resource = [{{ users.address }}.arn]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["{{ function.configurations.keys }}"] }
          # Without keys the line above would hold for any row.
          Null = { "dynamodb:LeadingKeys" = "false" }
        }
      },
{%- endif %}
{%- if function.goodbyes %}
      # Goodbyes and nothing else of this table: rows whose keys begin with the word for streams.
      {
        Sid = "Goodbyes"
        Effect = "Allow"
        Action = ["{{ function.goodbyes.action }}"]
        Resource = [{{ users.address }}.arn]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["{{ function.goodbyes.keys }}"] }
          # Without keys the line above would hold for any row.
          Null = { "dynamodb:LeadingKeys" = "false" }
        }
      },
{%- endif %}
{%- if function.hours %}
      # Old hours that instances leave for one another: a cache of the items, and a table that nothing else is in.
      {
        Sid = "SharedHours"
        Effect = "Allow"
        Action = {{ function.hours | hcl(indent=8) }}
        Resource = [{{ hours.address }}.arn]
      },
{%- endif %}
{%- if function.history %}
      # Sums of old hours, and a table that nothing else is in.
      {
        Sid = "History"
        Effect = "Allow"
        Action = {{ function.history | hcl(indent=8) }}
        Resource = [{{ history.address }}.arn]
      },
{%- endif %}
{%- if function.table_keys %}
      # For DynamoDB alone, and so of no more than what may be read there: the keys that tables are encrypted with.
      {
        Sid = "DecryptTables"
        Effect = "Allow"
        Action = ["kms:Decrypt"]
        Resource = {{ function.table_keys | hcl(indent=8) }}
        Condition = { StringEquals = { "kms:ViaService" = "dynamodb.{{ region }}.amazonaws.com" } }
      },
{%- endif %}
{%- if session_keys %}
      # The secret of session tokens is one code of each key, and codes are all that can be had of it.
      {
        Sid = "DeriveSessionSecrets"
        Effect = "Allow"
        Action = ["kms:GenerateMac"]
        Resource = [for key in aws_kms_key.session : key.arn]
        Condition = { StringEquals = { "kms:MacAlgorithm" = "HMAC_SHA_256" } }
      },
{%- endif %}
{%- if function.vpc %}
      # Lambda makes the function's network interfaces with the function's own role, and refuses one that may not touch
      # every interface, subnet and security group.
      {
        Sid = "MakeNetworkInterfaces"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = ["arn:{{ partition }}:ec2:{{ region }}:*:*/*"]
      },
      {
        Sid = "FindNetworkInterfaces"
        Effect = "Allow"
        Action = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
        # EC2 narrows these two to no resource.
        Resource = ["*"]
      },
      # All of that is for Lambda: the program that runs under the role has no business with the network.
      {
        Sid = "RefuseToProgram"
        Effect = "Deny"
        Action = ["ec2:*"]
        Resource = ["*"]
        Condition = {
          ArnLike = { "lambda:SourceFunctionArn" = "arn:{{ partition }}:lambda:{{ region }}:*:function:{{ function.name }}" }
        }
      },
{%- endif %}
    ]
  })
}
