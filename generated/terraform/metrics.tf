# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml or templates/ and run `./justw render`.

# What only the functions know, counted by CloudWatch in the lines that they log: nothing on their way to a client waits
# for it. Every name of a metric is billed as one (the first ten of an account are free).

# Streams that began.
resource "aws_cloudwatch_log_metric_filter" "streams_opened" {
  name           = "sse-streaming-dev-streams-opened"
  log_group_name = module.stream.log_group_name
  pattern        = "{ $.message = \"stream opened\" }"

  metric_transformation {
    namespace = "sse-streaming-dev"
    name      = "StreamsOpened"
    value     = "1"
    unit      = "Count"
    # A minute with other lines only is a zero and no gap.
    default_value = "0"
  }
}

# Streams of clients that came back: they presented a cursor.
resource "aws_cloudwatch_log_metric_filter" "streams_returned" {
  name           = "sse-streaming-dev-streams-returned"
  log_group_name = module.stream.log_group_name
  pattern        = "{ $.message = \"stream opened\" && $.returned IS TRUE }"

  metric_transformation {
    namespace = "sse-streaming-dev"
    name      = "StreamsReturned"
    value     = "1"
    unit      = "Count"
    # A minute with other lines only is a zero and no gap.
    default_value = "0"
  }
}

# Streams that the function ended: a client that still watches comes back within seconds.
resource "aws_cloudwatch_log_metric_filter" "streams_ended" {
  name           = "sse-streaming-dev-streams-ended"
  log_group_name = module.stream.log_group_name
  pattern        = "{ $.message = \"stream closed\" && $.reason != \"client_left\" }"

  metric_transformation {
    namespace = "sse-streaming-dev"
    name      = "StreamsEnded"
    value     = "1"
    unit      = "Count"
    # A minute with other lines only is a zero and no gap.
    default_value = "0"
  }
}

# Rows that do not parse: each counts once for each instance that came across it.
resource "aws_cloudwatch_log_metric_filter" "stream_rows_skipped" {
  name           = "sse-streaming-dev-stream-rows-skipped"
  log_group_name = module.stream.log_group_name
  pattern        = "{ $.message = \"row skipped\" }"

  metric_transformation {
    namespace = "sse-streaming-dev"
    name      = "RowsSkipped"
    value     = "1"
    unit      = "Count"
    # A minute with other lines only is a zero and no gap.
    default_value = "0"
  }
}

# Rows that do not parse: each counts once for each instance that came across it.
resource "aws_cloudwatch_log_metric_filter" "dashboard_rows_skipped" {
  name           = "sse-streaming-dev-dashboard-rows-skipped"
  log_group_name = module.dashboard.log_group_name
  pattern        = "{ $.message = \"row skipped\" }"

  metric_transformation {
    namespace = "sse-streaming-dev"
    name      = "RowsSkipped"
    value     = "1"
    unit      = "Count"
    # A minute with other lines only is a zero and no gap.
    default_value = "0"
  }
}
