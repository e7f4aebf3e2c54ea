# Created before the function: Lambda would make it by itself at the first line, and keep the log for ever.
resource "aws_cloudwatch_log_group" "this" {
  name = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description = var.description
  role = aws_iam_role.this.arn

  # An image brings its own runtime; a zip archive runs on the bare one.
  package_type = var.image_uri != null ? "Image" : "Zip"
  image_uri = var.image_uri
  filename = var.image_uri != null ? null : var.zip.path
  source_code_hash = var.image_uri != null ? null : var.zip.sha256
  runtime = var.image_uri != null ? null : "provided.al2023"
  handler = var.image_uri != null ? null : "bootstrap"

  architectures = [var.architecture]
  memory_size = var.memory_mebibytes
  timeout = var.timeout_secs
  reserved_concurrent_executions = var.reserved_concurrency

  # Every change becomes a numbered version that the alias can point back to.
  publish = true

  environment {
    variables = var.environment
  }
{%- if operations.tracing %}

  # Lambda decides which invocations are traced: one a second, and a twentieth of the others.
  tracing_config {
    mode = "Active"
  }
{%- endif %}
{%- if dashboard.vpc %}

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }
{%- endif %}
{%- if instances %}

  # Each published version gets environments of its own on the instances; the alias moves when the new ones are there.
  dynamic "capacity_provider_config" {
    for_each = var.instances == null ? [] : [var.instances]

    content {
      lambda_managed_instances_capacity_provider_config {
        capacity_provider_arn = capacity_provider_config.value.capacity_provider_arn
        per_execution_environment_max_concurrency = capacity_provider_config.value.concurrency
        execution_environment_memory_gib_per_vcpu = capacity_provider_config.value.memory_gibibytes_per_vcpu
      }
    }
  }

  # The first instances take their time.
  timeouts {
    create = "30m"
    update = "30m"
  }
{%- endif %}

  # A function that starts before it may read or log fails its first requests. Its log group is the one of this name.
  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.access,
    aws_iam_role_policy.logs,
{%- if operations.tracing %}
    aws_iam_role_policy.traces,
{%- endif %}
  ]
}

resource "aws_lambda_alias" "live" {
  name = "live"
  description = "The version behind the URL."
  function_name = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
