# One address that asks too often gets 403 until it asks less. A stream counts once, when it opens.
resource "aws_wafv2_web_acl" "front" {
  # checkov:skip=CKV_AWS_192:The functions are Rust programs: there is no Log4j to attack.
  # checkov:skip=CKV2_AWS_31:Samples of blocked requests are in the console; a log of every address needs a reason and a period of its own.
{%- if firewall.provider %}
  provider = {{ firewall.provider }}
{% endif %}
  name = "{{ names.base }}-front"
  description = "Blocks addresses that ask too often."
  scope = "{{ firewall.scope }}"

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
        limit = {{ firewall.limit }}
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
