# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/alarms.tf c5bc4bdd29d55957]

# Nobody is told: neither `operations.email` nor `operations.topic_arn` is set in deploy.toml. The alarms show in the
# console only.

resource "aws_cloudwatch_metric_alarm" "stream_errors" {
  alarm_name          = "sse-streaming-dev-stream-errors"
  alarm_description   = "Invocations of the stream function failed: its log says why."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = module.stream.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  # No invocation, no error.
  treat_missing_data = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "stream_throttles" {
  alarm_name          = "sse-streaming-dev-stream-throttles"
  alarm_description   = "Lambda refused invocations of the stream function: the account's share of instances was used up."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = module.stream.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
}

# A stream lasts as long as its session: only what goes on after that is near the timeout for a wrong reason.
resource "aws_cloudwatch_metric_alarm" "stream_duration" {
  alarm_name          = "sse-streaming-dev-stream-duration"
  alarm_description   = "An invocation of the stream function came near its timeout of 180 s, at which Lambda cuts it off."
  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = module.stream.function_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  # Milliseconds.
  threshold          = 162000
  treat_missing_data = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "dashboard_errors" {
  alarm_name          = "sse-streaming-dev-dashboard-errors"
  alarm_description   = "Invocations of the dashboard function failed: its log says why."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = module.dashboard.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  # No invocation, no error.
  treat_missing_data = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "dashboard_throttles" {
  alarm_name          = "sse-streaming-dev-dashboard-throttles"
  alarm_description   = "Lambda refused invocations of the dashboard function: the account's share of instances was used up."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = module.dashboard.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "dashboard_duration" {
  alarm_name          = "sse-streaming-dev-dashboard-duration"
  alarm_description   = "An invocation of the dashboard function came near its timeout of 30 s, at which Lambda cuts it off."
  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = module.dashboard.function_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  # Milliseconds.
  threshold          = 27000
  treat_missing_data = "notBreaching"
}

# On the index, which is what both functions query: the table's own metric leaves its indexes out.
resource "aws_cloudwatch_metric_alarm" "items_throttles" {
  alarm_name        = "sse-streaming-dev-items-throttles"
  alarm_description = "DynamoDB throttles reads of the index by_sentiment: streams go on without new data."
  namespace         = "AWS/DynamoDB"
  metric_name       = "ReadThrottleEvents"
  dimensions = {
    TableName                = aws_dynamodb_table.items.name
    GlobalSecondaryIndexName = "by_sentiment"
  }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  # DynamoDB reports throttling only when there is some.
  treat_missing_data = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "users_throttles" {
  alarm_name          = "sse-streaming-dev-users-throttles"
  alarm_description   = "DynamoDB throttles reads of saved configurations: their streams answer 503."
  namespace           = "AWS/DynamoDB"
  metric_name         = "ReadThrottleEvents"
  dimensions          = { TableName = aws_dynamodb_table.users.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "skipped_rows" {
  alarm_name          = "sse-streaming-dev-skipped-rows"
  alarm_description   = "Rows of the items table do not parse and are missing from every stream: the log names them."
  namespace           = "sse-streaming-dev"
  metric_name         = "RowsSkipped"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
}

# Lambda never says that a viewer left, and bills the stream to its end. A client that still watches comes back when the
# function ends its stream; the difference are those that did not, each of which wasted a session at most.
resource "aws_cloudwatch_metric_alarm" "zombie_seconds" {
  alarm_name          = "sse-streaming-dev-zombie-seconds"
  alarm_description   = "Streams stay open that nobody watches: a shorter `max_session` bounds what each of them costs."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 3600
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "zombie_seconds"
    label       = "Seconds wasted in an hour, at most"
    expression  = "IF(ended > returned, (ended - returned) * 120, 0)"
    return_data = true
  }

  metric_query {
    id = "ended"

    metric {
      namespace   = "sse-streaming-dev"
      metric_name = "StreamsEnded"
      stat        = "Sum"
      period      = 3600
    }
  }

  metric_query {
    id = "returned"

    metric {
      namespace   = "sse-streaming-dev"
      metric_name = "StreamsReturned"
      stat        = "Sum"
      period      = 3600
    }
  }
}
