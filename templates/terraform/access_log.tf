# A line for each request, with the address of whoever asked and the path, and without query, cookies and headers: a token may stand in
# each of them.
resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338:`front.access_log_retention_days` in deploy.toml says how long the log is needed.
{%- if not account.keys.logs %}
  # checkov:skip=CKV_AWS_158:Without `aws.kms.logs` CloudWatch encrypts logs with a key of its own.
{%- endif %}
{%- if access_log.provider %}
  provider = {{ access_log.provider | safe }}
{%- endif %}
  name = "{{ access_log.group }}"
  retention_in_days = {{ access_log.retention_days }}
{%- if account.keys.logs %}
  kms_key_id = "{{ account.keys.logs }}"
{%- endif %}
}
{%- if distribution %}

# CloudFront hands out lines in us-east-1 only.
resource "aws_cloudwatch_log_delivery_source" "access" {
{%- if access_log.provider %}
  provider = {{ access_log.provider | safe }}
{%- endif %}
  name = "{{ names.base }}"
  log_type = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.front.arn
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
{%- if access_log.provider %}
  provider = {{ access_log.provider | safe }}
{%- endif %}
  name = "{{ names.base }}"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = aws_cloudwatch_log_group.access.arn
  }
}

resource "aws_cloudwatch_log_delivery" "access" {
{%- if access_log.provider %}
  provider = {{ access_log.provider | safe }}
{%- endif %}
  delivery_source_name = aws_cloudwatch_log_delivery_source.access.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access.arn
  record_fields = {{ access_log.fields | hcl(indent=2) }}
}
{%- endif %}
