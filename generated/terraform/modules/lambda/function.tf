# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/function.tf 92a63061a16c0d19]

locals {
  # Asked of the archives: an image's address is often known only after apply, and the kind of package must be before.
  is_image = var.zip == null && var.s3_key == null

  log_group_name = var.log_group_name == null ? one(aws_cloudwatch_log_group.this[*].name) : one(data.aws_cloudwatch_log_group.existing[*].name)
  log_group_arn  = var.log_group_name == null ? one(aws_cloudwatch_log_group.this[*].arn) : one(data.aws_cloudwatch_log_group.existing[*].arn)
  # Said in full, as Lambda has it where nothing is said: the provider takes what is left out for what is there, so that nothing would ever be
  # taken back, and a level that is left out for one that is to go.
  log_format = try(var.logging.format, "Text")
  is_json    = local.log_format == "JSON"
}

# Created before the function: Lambda would make it by itself at the first line, and keep the log for ever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_158:Without `kms_key_arn` CloudWatch encrypts logs with a key of its own; there are no secrets in them.
  # checkov:skip=CKV_AWS_338:`log_retention_days` in deploy.toml says how long the log is needed.
  count = var.log_group_name == null ? 1 : 0

  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Of one that exists, how long lines are kept and with which key is its owner's business.
data "aws_cloudwatch_log_group" "existing" {
  count = var.log_group_name == null ? 0 : 1

  name = var.log_group_name

  lifecycle {
    postcondition {
      condition     = self.log_group_class != "INFREQUENT_ACCESS"
      error_message = "The log group `${var.log_group_name}` is of the class INFREQUENT_ACCESS, in which CloudWatch makes no metrics of lines."
    }
  }
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_50:`operations.tracing` in deploy.toml decides.
  # checkov:skip=CKV_AWS_116:Dead letters are of asynchronous invocations; a URL waits for its answer.
  # checkov:skip=CKV_AWS_117:DynamoDB is reached without a VPC, and a URL does not stream from one; `dashboard.vpc` in deploy.toml is for those who must.
  # checkov:skip=CKV_AWS_173:There are no secrets in the environment; without `kms_key_arn` Lambda encrypts it with a key of its own.
  # checkov:skip=CKV_AWS_272:Packages are pinned by digest or hash, which the plan shows; Lambda cannot check signatures of images.
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  # An image brings its own runtime; a zip archive runs on the bare one unless another is named.
  package_type      = local.is_image ? "Image" : "Zip"
  image_uri         = var.image_uri
  s3_bucket         = var.s3_bucket
  s3_key            = var.s3_key
  s3_object_version = var.s3_object_version
  filename          = var.zip == null ? null : var.zip.path
  source_code_hash  = var.zip == null ? var.s3_sha256 : var.zip.sha256
  runtime           = local.is_image ? null : var.runtime
  handler           = local.is_image ? null : var.handler
  layers            = var.layers

  architectures                  = [var.architecture]
  memory_size                    = var.memory_mebibytes
  timeout                        = var.timeout_secs
  reserved_concurrent_executions = var.reserved_concurrency

  # Every change becomes a numbered version that the alias can point back to.
  publish = true

  # Lambda keeps no key for an environment that is empty, and every plan would give it again.
  kms_key_arn = length(var.environment) == 0 ? null : var.kms_key_arn

  dynamic "environment" {
    for_each = length(var.environment) == 0 ? [] : [var.environment]

    content {
      variables = environment.value
    }
  }

  dynamic "image_config" {
    for_each = var.image_config == null ? [] : [var.image_config]

    content {
      command           = image_config.value.command
      entry_point       = image_config.value.entry_point
      working_directory = image_config.value.working_directory
    }
  }

  dynamic "ephemeral_storage" {
    for_each = var.ephemeral_storage_mebibytes == null ? [] : [var.ephemeral_storage_mebibytes]

    content {
      size = ephemeral_storage.value
    }
  }

  logging_config {
    log_format            = local.log_format
    application_log_level = local.is_json ? coalesce(try(var.logging.application_log_level, null), "INFO") : null
    system_log_level      = local.is_json ? coalesce(try(var.logging.system_log_level, null), "INFO") : null
    log_group             = local.log_group_name
  }

  # Lambda decides which invocations are traced: one a second, and a twentieth of the others.
  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # A function that starts before it may read or log fails its first requests. Its log group is the one of this name.
  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.access,
    aws_iam_role_policy.logs,
    aws_iam_role_policy.traces,
  ]
}

# Lambda takes whatever lies under a key. The alias waits for this, so that other bytes are not asked for anything.
data "aws_lambda_function" "archive" {
  count = var.s3_sha256 == null ? 0 : 1

  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_function.this.version

  lifecycle {
    postcondition {
      condition     = self.code_sha256 == var.s3_sha256
      error_message = "The archive s3://${var.s3_bucket}/${var.s3_key} has another SHA-256 than `s3_sha256`: ${self.code_sha256}."
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version behind the URL."
  function_name    = aws_lambda_function.this.function_name
  function_version = var.canary == null ? aws_lambda_function.this.version : var.canary.version

  dynamic "routing_config" {
    for_each = var.canary == null ? [] : [var.canary.weight]

    content {
      additional_version_weights = { (aws_lambda_function.this.version) = routing_config.value }
    }
  }

  depends_on = [data.aws_lambda_function.archive]

  # Another kind of package replaces the function, and with a function goes all that hangs on it: alias, URL and permissions.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}
