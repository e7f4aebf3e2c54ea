# The EC2 instances under the stream function: Lambda starts, patches and stops them, and runs several from the first
# deployment on, whether anybody watches or not. Containers on them do not shield functions from each other: nothing but
# the stream function belongs here.
resource "aws_lambda_capacity_provider" "stream" {
  name = "{{ instances.name }}"

  # From these subnets the functions must reach DynamoDB (a gateway endpoint is free of charge) and CloudWatch Logs.
  vpc_config {
    subnet_ids = {{ instances.vpc.subnet_ids | hcl(indent=4) }}
    security_group_ids = {{ instances.vpc.security_group_ids | hcl(indent=4) }}
  }

  permissions_config {
    capacity_provider_operator_role_arn = aws_iam_role.operator.arn
  }

  instance_requirements {
    architectures = ["{{ architecture }}"]
  }

  # The limit of what all of it can cost.
  capacity_provider_scaling_config {
    scaling_mode = "Auto"
    max_vcpu_count = {{ instances.max_vcpus }}
  }

  # Lambda starts instances at once: by then it must be allowed to, and its log be there.
  depends_on = [
    aws_cloudwatch_log_group.instances,
    aws_iam_role_policy_attachment.operator,
  ]
}

# With this role Lambda starts and stops the instances; the function's own role is another.
resource "aws_iam_role" "operator" {
  name = "{{ instances.operator_role }}"
{%- if account.role_path != "/" %}
  path = "{{ account.role_path }}"
{%- endif %}
{%- if account.permissions_boundary %}
  permissions_boundary = "{{ account.permissions_boundary }}"
{%- endif %}

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = "sts:AssumeRole"
        Principal = { Service = "lambda.amazonaws.com" }
      },
    ]
  })
}

# AWS keeps this policy up to date with what Lambda needs, and lets it touch instances of Lambda's own only.
resource "aws_iam_role_policy_attachment" "operator" {
  role = aws_iam_role.operator.name
  policy_arn = "arn:{{ partition }}:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"
}

# What Lambda does with the instances. Created before it does: Lambda would keep the log for ever.
resource "aws_cloudwatch_log_group" "instances" {
{%- if not account.keys.logs %}
  # checkov:skip=CKV_AWS_158:CloudWatch encrypts logs with a key of its own; there are no secrets in them.
{%- endif %}
  # checkov:skip=CKV_AWS_338:`log_retention_days` in deploy.toml says how long the log is needed.
  name = "/aws/lambda/capacity-provider/{{ instances.name }}"
  retention_in_days = {{ stream.log_retention_days }}
{%- if account.keys.logs %}
  kms_key_id = "{{ account.keys.logs }}"
{%- endif %}
}
