{%- set topic = operations.alarms.topic -%}
{%- if topic and topic.email -%}
# Where alarms go. AWS sends the address a message first, and nothing more before somebody follows the link in it.
resource "aws_sns_topic" "alarms" {
{%- if not account.keys.topic %}
  # checkov:skip=CKV_AWS_26:CloudWatch may not publish to a topic under the key that AWS manages, and a key of one's own costs more than all these alarms; their text holds names and numbers only.
{%- endif %}
  name = "{{ names.base }}-alarms"
{%- if account.keys.topic %}
  kms_master_key_id = "{{ account.keys.topic }}"
{%- endif %}
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol = "email"
  endpoint = "{{ topic.email }}"
}

locals {
  alarm_topics = [aws_sns_topic.alarms.arn]
}
{%- elif topic -%}
# Where alarms go: a topic that somebody else owns, and that must let CloudWatch publish.
locals {
  alarm_topics = ["{{ topic.arn }}"]
}
{%- else -%}
# Nobody is told: neither `operations.email` nor `operations.topic_arn` is set in deploy.toml. The alarms show in the
# console only.
{%- endif %}
{%- for function in operations.alarms.functions %}

resource "aws_cloudwatch_metric_alarm" "{{ function.role }}_errors" {
  alarm_name = "{{ function.name }}-errors"
  alarm_description = "Invocations of the {{ function.role }} function failed: its log says why."
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  dimensions = { FunctionName = module.{{ function.role }}.function_name }
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ operations.alarms.errors }}
  # No invocation, no error.
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}

resource "aws_cloudwatch_metric_alarm" "{{ function.role }}_throttles" {
  alarm_name = "{{ function.name }}-throttles"
{%- if instances and function.role == "stream" %}
  alarm_description = "Lambda refused invocations of the stream function: its instances were full, and more than `max_vcpus` allows are never started."
{%- elif function.is_stopped %}
  alarm_description = "Lambda refused invocations of the {{ function.role }} function, as it was told to: it is stopped by `{{ function.role }}.reserved_concurrency = 0` in deploy.toml."
{%- elif function.reserved_concurrency %}
  alarm_description = "Lambda refused invocations of the {{ function.role }} function: its reserve of {{ function.reserved_concurrency }} instances was used up."
{%- else %}
  alarm_description = "Lambda refused invocations of the {{ function.role }} function: the account's share of instances was used up."
{%- endif %}
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions = { FunctionName = module.{{ function.role }}.function_name }
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ operations.alarms.throttles }}
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}
{% if function.role == "stream" %}
# A stream lasts as long as its session: only what goes on after that is near the timeout for a wrong reason.
{%- endif %}
resource "aws_cloudwatch_metric_alarm" "{{ function.role }}_duration" {
  alarm_name = "{{ function.name }}-duration"
  alarm_description = "An invocation of the {{ function.role }} function came near its timeout of {{ function.timeout_secs }} s, at which Lambda cuts it off."
  namespace = "AWS/Lambda"
  metric_name = "Duration"
  dimensions = { FunctionName = module.{{ function.role }}.function_name }
  statistic = "Maximum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  # Milliseconds.
  threshold = {{ function.duration_millis }}
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}
{%- if function.concurrency %}

resource "aws_cloudwatch_metric_alarm" "{{ function.role }}_concurrency" {
  alarm_name = "{{ function.name }}-concurrency"
  alarm_description = "The {{ function.role }} function comes near its reserve of {{ function.reserved_concurrency }} instances, beyond which Lambda refuses invocations."
  namespace = "AWS/Lambda"
  metric_name = "ConcurrentExecutions"
  dimensions = { FunctionName = module.{{ function.role }}.function_name }
  statistic = "Maximum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ function.concurrency }}
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}
{%- endif %}
{%- endfor %}

# On the index, which is what both functions query: the table's own metric leaves its indexes out.
resource "aws_cloudwatch_metric_alarm" "items_throttles" {
  alarm_name = "{{ names.base }}-items-throttles"
  alarm_description = "DynamoDB throttles reads of the index {{ items.index.name }}: streams go on without new data."
  namespace = "AWS/DynamoDB"
  metric_name = "ReadThrottleEvents"
  dimensions = {
    TableName = {{ items.address }}.name
    GlobalSecondaryIndexName = "{{ items.index.name }}"
  }
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ operations.alarms.table_throttles }}
  # DynamoDB reports throttling only when there is some.
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}

resource "aws_cloudwatch_metric_alarm" "users_throttles" {
  alarm_name = "{{ names.base }}-users-throttles"
  alarm_description = "DynamoDB throttles reads of saved configurations: their streams answer 503."
  namespace = "AWS/DynamoDB"
  metric_name = "ReadThrottleEvents"
  dimensions = { TableName = {{ users.address }}.name }
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ operations.alarms.table_throttles }}
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}
{%- if operations.metrics %}

resource "aws_cloudwatch_metric_alarm" "skipped_rows" {
  alarm_name = "{{ names.base }}-skipped-rows"
  alarm_description = "Rows of the items table do not parse and are missing from every stream: the log names them."
  namespace = "{{ operations.metrics.namespace }}"
  metric_name = "{{ operations.metrics.rows_skipped }}"
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ operations.alarms.skipped_rows }}
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}
}

# Lambda never says that a viewer left, and bills the stream to its end. A client that still watches comes back when the
# function ends its stream; the difference are those that did not, each of which wasted a session at most.
resource "aws_cloudwatch_metric_alarm" "zombie_seconds" {
  alarm_name = "{{ names.base }}-zombie-seconds"
  alarm_description = "Streams stay open that nobody watches: a shorter `max_session` bounds what each of them costs."
  evaluation_periods = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold = {{ operations.alarms.zombie_seconds }}
  treat_missing_data = "notBreaching"
{%- if topic %}
  alarm_actions = local.alarm_topics
  ok_actions = local.alarm_topics
{%- endif %}

  metric_query {
    id = "zombie_seconds"
    label = "Seconds wasted in an hour, at most"
    expression = "IF(ended > returned, (ended - returned) * {{ operations.session_secs }}, 0)"
    return_data = true
  }

  metric_query {
    id = "ended"

    metric {
      namespace = "{{ operations.metrics.namespace }}"
      metric_name = "{{ operations.metrics.ended }}"
      stat = "Sum"
      period = 3600
    }
  }

  metric_query {
    id = "returned"

    metric {
      namespace = "{{ operations.metrics.namespace }}"
      metric_name = "{{ operations.metrics.returned }}"
      stat = "Sum"
      period = 3600
    }
  }
}
{%- endif %}
