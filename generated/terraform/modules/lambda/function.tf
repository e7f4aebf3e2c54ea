# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/terraform/modules/lambda/function.tf bd40c944632a61a2]

# Created before the function: Lambda would make it by itself at the first line, and keep the log for ever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_158:CloudWatch encrypts logs with a key of its own; there are no secrets in them.
  # checkov:skip=CKV_AWS_338:`log_retention_days` in deploy.toml says how long the log is needed.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_50:`operations.tracing` in deploy.toml decides.
  # checkov:skip=CKV_AWS_116:Dead letters are of asynchronous invocations; a URL waits for its answer.
  # checkov:skip=CKV_AWS_117:DynamoDB is reached without a VPC, and a URL does not stream from one; `dashboard.vpc` in deploy.toml is for those who must.
  # checkov:skip=CKV_AWS_173:There are no secrets in the environment; Lambda encrypts it with a key of its own.
  # checkov:skip=CKV_AWS_272:Packages are pinned by digest or hash, which the plan shows; Lambda cannot check signatures of images.
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  # An image brings its own runtime; a zip archive runs on the bare one.
  package_type     = var.image_uri != null ? "Image" : "Zip"
  image_uri        = var.image_uri
  filename         = var.image_uri != null ? null : var.zip.path
  source_code_hash = var.image_uri != null ? null : var.zip.sha256
  runtime          = var.image_uri != null ? null : "provided.al2023"
  handler          = var.image_uri != null ? null : "bootstrap"

  architectures                  = [var.architecture]
  memory_size                    = var.memory_mebibytes
  timeout                        = var.timeout_secs
  reserved_concurrent_executions = var.reserved_concurrency

  # Every change becomes a numbered version that the alias can point back to.
  publish = true

  environment {
    variables = var.environment
  }

  # A function that starts before it may read or log fails its first requests. Its log group is the one of this name.
  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.access,
    aws_iam_role_policy.logs,
  ]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version behind the URL."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
