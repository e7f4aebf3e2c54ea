# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/monitoring.tf 38c671e2b4da2231]

# One page that answers, from the top: is it used, is it well, is the data there, what does it cost.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "sse-streaming-dev"

  dashboard_body = jsonencode({
    # Minutes matter while somebody looks for a fault; the console offers days.
    start = "-PT3H"
    widgets = [
      {
        type   = "metric"
        x      = 0
        y      = 0
        width  = 12
        height = 6
        properties = {
          title  = "Streams open"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Maximum"
          period = 60
          # An instance serves one stream.
          metrics = [
            ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", module.stream.function_name, { label = "open at once" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 0
        width  = 12
        height = 6
        properties = {
          title  = "Streams opened and ended"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 60
          metrics = [
            ["sse-streaming-dev", "StreamsOpened", { label = "opened" }],
            ["sse-streaming-dev", "StreamsReturned", { label = "opened by a client that came back" }],
            ["sse-streaming-dev", "StreamsResumed", { label = "went on where the client had been" }],
            ["sse-streaming-dev", "StreamsReset", { label = "began anew for a client with a cursor" }],
            ["sse-streaming-dev", "StreamsEnded", { label = "ended by the function" }],
            ["sse-streaming-dev", "StreamsRefused", { label = "refused" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 6
        width  = 12
        height = 6
        properties = {
          title  = "Errors and throttles of the stream function"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 300
          metrics = [
            ["AWS/Lambda", "Invocations", "FunctionName", module.stream.function_name],
            ["AWS/Lambda", "Errors", "FunctionName", module.stream.function_name],
            ["AWS/Lambda", "Throttles", "FunctionName", module.stream.function_name],
          ]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 12
        width  = 12
        height = 6
        properties = {
          title  = "Duration of the stream function, ms"
          region = "us-east-1"
          view   = "timeSeries"
          period = 300
          metrics = [
            ["AWS/Lambda", "Duration", "FunctionName", module.stream.function_name, { stat = "Average" }],
            ["AWS/Lambda", "Duration", "FunctionName", module.stream.function_name, { stat = "Maximum" }],
          ]
          annotations = {
            horizontal = [{ label = "timeout", value = 180000 }]
          }
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 6
        width  = 12
        height = 6
        properties = {
          title  = "Errors and throttles of the dashboard function"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 300
          metrics = [
            ["AWS/Lambda", "Invocations", "FunctionName", module.dashboard.function_name],
            ["AWS/Lambda", "Errors", "FunctionName", module.dashboard.function_name],
            ["AWS/Lambda", "Throttles", "FunctionName", module.dashboard.function_name],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 12
        width  = 12
        height = 6
        properties = {
          title  = "Duration of the dashboard function, ms"
          region = "us-east-1"
          view   = "timeSeries"
          period = 300
          metrics = [
            ["AWS/Lambda", "Duration", "FunctionName", module.dashboard.function_name, { stat = "Average" }],
            ["AWS/Lambda", "Duration", "FunctionName", module.dashboard.function_name, { stat = "Maximum" }],
          ]
          annotations = {
            horizontal = [{ label = "timeout", value = 30000 }]
          }
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 18
        width  = 12
        height = 6
        properties = {
          title  = "Read units of the tables"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 300
          metrics = [
            ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", aws_dynamodb_table.items.name, "GlobalSecondaryIndexName", "by_sentiment", { label = "items, through the index" }],
            ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", aws_dynamodb_table.users.name, { label = "users" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 18
        width  = 12
        height = 6
        properties = {
          title  = "Data that does not arrive"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 300
          metrics = [
            ["sse-streaming-dev", "RowsSkipped", { label = "rows skipped" }],
            ["sse-streaming-dev", "PollsFailed", { label = "reads failed" }],
            ["AWS/DynamoDB", "ReadThrottleEvents", "TableName", aws_dynamodb_table.items.name, "GlobalSecondaryIndexName", "by_sentiment", { label = "reads of the index throttled" }],
            ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", aws_dynamodb_table.items.name, "GlobalSecondaryIndexName", "by_sentiment", { label = "writes to the index throttled" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 24
        width  = 12
        height = 6
        properties = {
          title   = "Seconds that are billed, by hour"
          region  = "us-east-1"
          view    = "timeSeries"
          stacked = true
          stat    = "Sum"
          period  = 3600
          metrics = [
            [{ expression = "stream / 1000", label = "stream" }],
            ["AWS/Lambda", "Duration", "FunctionName", module.stream.function_name, { id = "stream", visible = false }],
            [{ expression = "dashboard / 1000", label = "dashboard" }],
            ["AWS/Lambda", "Duration", "FunctionName", module.dashboard.function_name, { id = "dashboard", visible = false }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 24
        width  = 12
        height = 6
        properties = {
          title  = "Seconds that nobody watched, by hour, at most"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 3600
          metrics = [
            [{ expression = "IF(ended > returned, (ended - returned) * 120, 0)", label = "wasted" }],
            ["sse-streaming-dev", "StreamsEnded", { id = "ended", visible = false }],
            ["sse-streaming-dev", "StreamsReturned", { id = "returned", visible = false }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 30
        width  = 12
        height = 6
        properties = {
          title  = "From row to viewer, ms"
          region = "us-east-1"
          view   = "timeSeries"
          period = 60
          metrics = [
            ["sse-streaming-dev", "Lag", { stat = "p50", label = "half of the updates, at most" }],
            ["sse-streaming-dev", "Lag", { stat = "p99", label = "99 of 100" }],
            ["sse-streaming-dev", "PollDuration", { stat = "p99", label = "99 of 100 reads of the table" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 30
        width  = 12
        height = 6
        properties = {
          title  = "Events written"
          region = "us-east-1"
          view   = "timeSeries"
          stat   = "Sum"
          period = 60
          metrics = [
            ["sse-streaming-dev", "EventsSent", { label = "events" }],
            ["sse-streaming-dev", "LateUpdates", { label = "updates of rows that appeared late" }],
          ]
        }
      },
    ]
  })
}
