# One address that asks too often gets 403 until it asks less. A stream counts once, when it opens.
resource "aws_wafv2_web_acl" "front" {
{%- if distribution.cloudfront_provider %}
  provider = {{ distribution.cloudfront_provider }}
{% endif %}
  name = "{{ names.base }}-front"
  description = "Blocks addresses that ask too often."
  scope = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name = "rate"
    priority = 1

    action {
      block {}
    }

    statement {
      rate_based_statement {
        aggregate_key_type = "IP"
        evaluation_window_sec = 300
        limit = {{ distribution.rate_limit }}
      }
    }

    visibility_config {
      metric_name = "{{ names.base }}-rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled = true
    }
  }

  visibility_config {
    metric_name = "{{ names.base }}-front"
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled = true
  }
}
