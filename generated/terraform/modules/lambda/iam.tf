# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/iam.tf b89c83880b68743a]

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "lambda.amazonaws.com" }
      },
    ]
  })
}

# Instead of AWSLambdaBasicExecutionRole, which may write to every log group of the account.
resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "WriteOwnLog"
        Effect = "Allow"
        Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
        # The streams of this group: IAM wants them written this way.
        Resource = ["${local.log_group_arn}:*"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "access" {
  count = var.policy == null ? 0 : 1

  name   = "access"
  role   = aws_iam_role.this.id
  policy = var.policy
}

resource "aws_iam_role_policy" "traces" {
  count = var.tracing ? 1 : 0

  name = "traces"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "WriteTraces"
        Effect = "Allow"
        Action = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        # X-Ray has no resource that these two could be narrowed to.
        Resource = ["*"]
      },
    ]
  })
}
