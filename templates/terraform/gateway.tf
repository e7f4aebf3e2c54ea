locals {
{%- if gateway.domain %}
  api_url = "https://{{ gateway.domain.name }}"
{%- elif gateway.vpc_endpoints %}
  # The API by way of its first endpoint: a name that leads to it wherever it is asked, with private DNS or without.
  api_url = "https://${aws_api_gateway_rest_api.front.id}-{{ gateway.vpc_endpoints | first }}.execute-api.{{ region }}.{{ gateway.dns_suffix }}/{{ gateway.stage }}"
{%- else %}
  # Not of the stage: the functions know this address, and the stage needs the functions.
  api_url = "https://${aws_api_gateway_rest_api.front.id}.execute-api.{{ region }}.{{ gateway.dns_suffix }}/{{ gateway.stage }}"
{%- endif %}
}

# REST and stream under one address, in the place of the functions' own URLs: nobody goes around it.
resource "aws_api_gateway_rest_api" "front" {
  name = "{{ gateway.name }}"
  description = "{{ names.base }}: REST and stream"
{%- if gateway.domain %}

  # By its domain only.
  disable_execute_api_endpoint = true
{%- endif %}

  endpoint_configuration {
{%- if gateway.vpc_endpoints %}
    types = ["PRIVATE"]
    vpc_endpoint_ids = {{ gateway.vpc_endpoints | hcl(indent=4) }}
{%- else %}
    # An edge-optimised one ends a stream that is silent for 30 seconds, and its own CloudFront cannot be set.
    types = ["REGIONAL"]
{%- endif %}
  }

  lifecycle {
    create_before_destroy = true
  }
}
{%- if gateway.vpc_endpoints %}

# Without a policy nobody reaches a private API, and without its second statement every endpoint of the account's.
resource "aws_api_gateway_rest_api_policy" "front" {
  rest_api_id = aws_api_gateway_rest_api.front.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid = "AskFromVpc"
        Effect = "Allow"
        Principal = "*"
        Action = "execute-api:Invoke"
        Resource = "${aws_api_gateway_rest_api.front.execution_arn}/*"
      },
      {
        Sid = "RefuseOtherEndpoints"
        Effect = "Deny"
        Principal = "*"
        Action = "execute-api:Invoke"
        Resource = "${aws_api_gateway_rest_api.front.execution_arn}/*"
        Condition = { StringNotEquals = { "aws:SourceVpce" = {{ gateway.vpc_endpoints | hcl(indent=8) }} } }
      },
    ]
  })
}
{%- endif %}

# Whatever is no stream: the REST API, and what is not there.
resource "aws_api_gateway_resource" "rest" {
  rest_api_id = aws_api_gateway_rest_api.front.id
  parent_id = aws_api_gateway_rest_api.front.root_resource_id
  path_part = "{proxy+}"
}
{%- for resource in gateway.resources %}

resource "aws_api_gateway_resource" "{{ resource.name }}" {
  rest_api_id = aws_api_gateway_rest_api.front.id
{%- if resource.parent %}
  parent_id = aws_api_gateway_resource.{{ resource.parent }}.id
{%- else %}
  parent_id = aws_api_gateway_rest_api.front.root_resource_id
{%- endif %}
  path_part = "{{ resource.part }}"
}
{%- endfor %}

# Every method, preflights too: the program answers other origins, and nobody beside it.
resource "aws_api_gateway_method" "rest" {
  # checkov:skip=CKV_AWS_59:The program knows who may ask what: tokens come in places that an authorizer of API Gateway does not look at.
  # checkov:skip=CKV2_AWS_53:The program checks what it is asked, and says what is wrong with it.
  rest_api_id = aws_api_gateway_rest_api.front.id
  resource_id = aws_api_gateway_resource.rest.id
  http_method = "ANY"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "rest" {
  rest_api_id = aws_api_gateway_rest_api.front.id
  resource_id = aws_api_gateway_resource.rest.id
  http_method = aws_api_gateway_method.rest.http_method
  type = "AWS_PROXY"
  integration_http_method = "POST"
  uri = module.dashboard.invoke_arn
  timeout_milliseconds = {{ gateway.answer_timeout_ms }}
}
{%- for resource in gateway.resources %}
{%- if resource.is_stream %}

resource "aws_api_gateway_method" "{{ resource.name }}" {
  # checkov:skip=CKV_AWS_59:An EventSource can send neither a key nor a signature; the program looks for a token where one can be.
  # checkov:skip=CKV2_AWS_53:The program checks what it is asked, and says what is wrong with it.
  rest_api_id = aws_api_gateway_rest_api.front.id
  resource_id = aws_api_gateway_resource.{{ resource.name }}.id
  http_method = "ANY"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "{{ resource.name }}" {
  rest_api_id = aws_api_gateway_rest_api.front.id
  resource_id = aws_api_gateway_resource.{{ resource.name }}.id
  http_method = aws_api_gateway_method.{{ resource.name }}.http_method
  type = "AWS_PROXY"
  integration_http_method = "POST"
  uri = module.stream.streaming_invoke_arn

  # What the program writes is passed on as it comes. The stream ends by itself before this time does.
  response_transfer_mode = "STREAM"
  timeout_milliseconds = {{ gateway.stream_timeout_ms }}
}
{%- endif %}
{%- endfor %}

# A deployment is what the API was at one moment: another one is needed for whatever changes above.
resource "aws_api_gateway_deployment" "front" {
  rest_api_id = aws_api_gateway_rest_api.front.id

  triggers = {
    content = sha256(jsonencode([
      aws_api_gateway_resource.rest,
      aws_api_gateway_method.rest,
      aws_api_gateway_integration.rest,
{%- for resource in gateway.resources %}
      aws_api_gateway_resource.{{ resource.name }},
{%- if resource.is_stream %}
      aws_api_gateway_method.{{ resource.name }},
      aws_api_gateway_integration.{{ resource.name }},
{%- endif %}
{%- endfor %}
{%- if gateway.vpc_endpoints %}
      aws_api_gateway_rest_api_policy.front.policy,
{%- endif %}
    ]))
  }

  # The stage goes over to the new one before the old one goes.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "front" {
  # checkov:skip=CKV_AWS_120:Answers are live, and a stream cannot be cached.
  # checkov:skip=CKV2_AWS_4:The functions log what goes wrong, and with which request.
  # checkov:skip=CKV2_AWS_51:A browser has no certificate of ours.
{%- if not access_log %}
  # checkov:skip=CKV_AWS_76:`front.access_log` in deploy.toml writes one: a log of every address needs a reason and a period of its own.
{%- endif %}
{%- if not operations.tracing %}
  # checkov:skip=CKV_AWS_73:`operations.tracing` in deploy.toml decides.
{%- endif %}
{%- if not firewall %}
  # checkov:skip=CKV2_AWS_29:`front.rate_limit` in deploy.toml makes a firewall, for about six dollars a month.
{%- else %}
  # checkov:skip=CKV2_AWS_77:The functions are Rust programs: there is no Log4j to attack.
{%- endif %}
  rest_api_id = aws_api_gateway_rest_api.front.id
  deployment_id = aws_api_gateway_deployment.front.id
  stage_name = "{{ gateway.stage }}"
{%- if operations.tracing %}
  xray_tracing_enabled = true
{%- endif %}
{%- if access_log %}

  # Neither query nor headers: a token may stand in both.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn

    format = jsonencode({
      request_id = "$context.requestId"
      lambda_request_id = "$context.integration.requestId"
      time = "$context.requestTimeEpoch"
      address = "$context.identity.sourceIp"
      method = "$context.httpMethod"
      path = "$context.path"
      status = "$context.status"
      milliseconds = "$context.responseLatency"
      bytes = "$context.responseLength"
    })
  }
{%- endif %}
}

# Above these, of all clients together, the API answers 429 by itself, which costs nothing: the bound on what strangers can cause.
resource "aws_api_gateway_method_settings" "front" {
  # checkov:skip=CKV_AWS_225:Answers are live, and a stream cannot be cached.
  # checkov:skip=CKV_AWS_308:There is no cache.
  rest_api_id = aws_api_gateway_rest_api.front.id
  stage_name = aws_api_gateway_stage.front.stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit = {{ gateway.requests_per_second }}
    throttling_burst_limit = {{ gateway.burst }}
  }
}
{%- if firewall %}

resource "aws_wafv2_web_acl_association" "front" {
  resource_arn = aws_api_gateway_stage.front.arn
  web_acl_arn = aws_wafv2_web_acl.front.arn
}
{%- endif %}
