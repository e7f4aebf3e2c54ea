{%- set own = operations.metrics -%}
# One page that answers, from the top: is it used, is it well, is the data there, what does it cost.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "{{ names.base }}"

  dashboard_body = jsonencode({
    # Minutes matter while somebody looks for a fault; the console offers days.
    start = "-PT3H"
    widgets = [
      {
        type = "metric"
        x = 0
        y = 0
        width = 12
        height = 6
        properties = {
{%- if instances %}
          title = "Streams open in the fullest environment"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Maximum"
          period = 300
          metrics = [
            ["AWS/Lambda", "ExecutionEnvironmentConcurrency", "CapacityProviderName", aws_lambda_capacity_provider.stream.name, "FunctionName", module.stream.function_name, "Resource", "${module.stream.function_name}:${module.stream.version}", { label = "open at once" }],
            ["AWS/Lambda", "ExecutionEnvironmentConcurrencyLimit", "CapacityProviderName", aws_lambda_capacity_provider.stream.name, "FunctionName", module.stream.function_name, "Resource", "${module.stream.function_name}:${module.stream.version}", { label = "at most" }],
          ]
{%- else %}
          title = "Streams open"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Maximum"
          period = 60
          # An instance serves one stream.
          metrics = [
            ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", module.stream.function_name, { label = "open at once" }],
          ]
{%- endif %}
        }
      },
{%- if own %}
      {
        type = "metric"
        x = 12
        y = 0
        width = 12
        height = 6
        properties = {
          title = "Streams opened and ended"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Sum"
          period = 60
          metrics = [
            ["{{ own.namespace }}", "{{ own.opened }}", { label = "opened" }],
            ["{{ own.namespace }}", "{{ own.returned }}", { label = "opened by a client that came back" }],
            ["{{ own.namespace }}", "{{ own.resumed }}", { label = "went on where the client had been" }],
            ["{{ own.namespace }}", "{{ own.reset }}", { label = "began anew for a client with a cursor" }],
            ["{{ own.namespace }}", "{{ own.ended }}", { label = "ended by the function" }],
            ["{{ own.namespace }}", "{{ own.refused }}", { label = "refused" }],
          ]
        }
      },
{%- endif %}
{%- for function in functions %}
      {
        type = "metric"
        x = {{ loop.index0 * 12 }}
        y = 6
        width = 12
        height = 6
        properties = {
          title = "Errors and throttles of the {{ function.role }} function"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Sum"
          period = 300
          metrics = [
            ["AWS/Lambda", "Invocations", "FunctionName", module.{{ function.role }}.function_name],
            ["AWS/Lambda", "Errors", "FunctionName", module.{{ function.role }}.function_name],
            ["AWS/Lambda", "Throttles", "FunctionName", module.{{ function.role }}.function_name],
          ]
        }
      },
      {
        type = "metric"
        x = {{ loop.index0 * 12 }}
        y = 12
        width = 12
        height = 6
        properties = {
          title = "Duration of the {{ function.role }} function, ms"
          region = "{{ region }}"
          view = "timeSeries"
          period = 300
          metrics = [
            ["AWS/Lambda", "Duration", "FunctionName", module.{{ function.role }}.function_name, { stat = "Average" }],
            ["AWS/Lambda", "Duration", "FunctionName", module.{{ function.role }}.function_name, { stat = "Maximum" }],
          ]
          annotations = {
            horizontal = [{ label = "timeout", value = {{ function.timeout_secs * 1000 }} }]
          }
        }
      },
{%- endfor %}
      {
        type = "metric"
        x = 0
        y = 18
        width = 12
        height = 6
        properties = {
          title = "Read units of the tables"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Sum"
          period = 300
          metrics = [
            ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", {{ items.address }}.name, "GlobalSecondaryIndexName", "{{ items.index.name }}", { label = "items, through the index" }],
            ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", {{ users.address }}.name, { label = "users" }],
          ]
        }
      },
      {
        type = "metric"
        x = 12
        y = 18
        width = 12
        height = 6
        properties = {
          title = "Data that does not arrive"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Sum"
          period = 300
          metrics = [
{%- if own %}
            ["{{ own.namespace }}", "{{ own.rows_skipped }}", { label = "rows skipped" }],
            ["{{ own.namespace }}", "{{ own.polls_failed }}", { label = "reads failed" }],
{%- endif %}
            ["AWS/DynamoDB", "ReadThrottleEvents", "TableName", {{ items.address }}.name, "GlobalSecondaryIndexName", "{{ items.index.name }}", { label = "reads of the index throttled" }],
            ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", {{ items.address }}.name, "GlobalSecondaryIndexName", "{{ items.index.name }}", { label = "writes to the index throttled" }],
          ]
        }
      },
      {
        type = "metric"
        x = 0
        y = 24
        width = 12
        height = 6
        properties = {
          title = "Seconds that are billed, by hour"
          region = "{{ region }}"
          view = "timeSeries"
          stacked = true
          stat = "Sum"
          period = 3600
          metrics = [
{%- for function in functions %}
            [{ expression = "{{ function.role }} / 1000", label = "{{ function.role }}" }],
            ["AWS/Lambda", "Duration", "FunctionName", module.{{ function.role }}.function_name, { id = "{{ function.role }}", visible = false }],
{%- endfor %}
          ]
        }
      },
{%- if own %}
      {
        type = "metric"
        x = 12
        y = 24
        width = 12
        height = 6
        properties = {
          title = "Seconds that nobody watched, by hour, at most"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Sum"
          period = 3600
          metrics = [
            [{ expression = "IF(ended > returned, (ended - returned) * {{ operations.session_secs }}, 0)", label = "wasted" }],
            ["{{ own.namespace }}", "{{ own.ended }}", { id = "ended", visible = false }],
            ["{{ own.namespace }}", "{{ own.returned }}", { id = "returned", visible = false }],
          ]
        }
      },
      {
        type = "metric"
        x = 0
        y = 30
        width = 12
        height = 6
        properties = {
          title = "From row to viewer, ms"
          region = "{{ region }}"
          view = "timeSeries"
          period = 60
          metrics = [
            ["{{ own.namespace }}", "{{ own.lag }}", { stat = "p50", label = "half of the updates, at most" }],
            ["{{ own.namespace }}", "{{ own.lag }}", { stat = "p99", label = "99 of 100" }],
            ["{{ own.namespace }}", "{{ own.poll_duration }}", { stat = "p99", label = "99 of 100 reads of the table" }],
          ]
        }
      },
      {
        type = "metric"
        x = 12
        y = 30
        width = 12
        height = 6
        properties = {
          title = "Events written"
          region = "{{ region }}"
          view = "timeSeries"
          stat = "Sum"
          period = 60
          metrics = [
            ["{{ own.namespace }}", "{{ own.events }}", { label = "events" }],
            ["{{ own.namespace }}", "{{ own.late }}", { label = "updates of rows that appeared late" }],
          ]
        }
      },
{%- endif %}
    ]
  })
}
