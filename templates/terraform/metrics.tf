# What only the functions know, counted by CloudWatch in the lines that they log: nothing on their way to a client waits
# for it. Every name of a metric is billed as one (the first ten of an account are free).
{%- for filter in operations.filters %}

# {{ filter.comment | safe }}
resource "aws_cloudwatch_log_metric_filter" "{{ filter.label }}" {
  name = "{{ filter.name }}"
  log_group_name = module.{{ filter.role }}.log_group_name
  pattern = "{{ filter.pattern }}"

  metric_transformation {
    namespace = "{{ names.base }}"
    name = "{{ filter.metric }}"
    value = "1"
    unit = "Count"
    # A minute with other lines only is a zero and no gap.
    default_value = "0"
  }
}
{%- endfor %}
