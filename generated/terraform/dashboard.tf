# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/dashboard.tf 0684b8f27921bf96]

module "dashboard" {
  source = "./modules/lambda"

  name               = "sse-streaming-dev-dashboard"
  description        = "Live dashboards over server-sent events"
  zip                = local.artifacts.dashboard
  architecture       = "arm64"
  memory_mebibytes   = 256
  timeout_secs       = 30
  log_retention_days = 14

  # Holds for every request through the URL: a program that streams breaks behind it.
  invoke_mode = "BUFFERED"
  public      = true

  # The only place that answers cross-origin requests: the program stays silent about it on Lambda.
  cors = {
    allow_origins     = ["*"]
    allow_credentials = false
    allow_methods     = ["DELETE", "GET", "POST", "PUT"]
    allow_headers = [
      "authorization",
      "baggage",
      "cache-control",
      "content-type",
      "if-none-match",
      "last-event-id",
      "pragma",
      "sentry-trace",
      "traceparent",
      "tracestate",
      "x-amzn-trace-id",
      "x-requested-with",
    ]
    expose_headers = [
      "authorization",
      "content-type",
      "date",
      "etag",
      "last-event-id",
      "link",
      "location",
      "retry-after",
    ]
    max_age_secs = 3600
  }

  environment = merge(
    # Known only after apply.
    { SSE_URL = trimsuffix(module.stream.url, "/") },
    {
      AUTH_AUDIENCE             = "-"
      AUTH_AUDIENCE_CLAIM       = "aud"
      AUTH_COOKIE               = "session"
      AUTH_ISSUER               = "-"
      AUTH_JWKS_URL             = "-"
      AUTH_MODE                 = "off"
      AUTH_PRIVATE              = "false"
      AUTH_SESSION_KEYS         = "-"
      AUTH_SESSION_LIFETIME     = "720h"
      DATA_CONFIDENCE_ATTRIBUTE = "confidence"
      DATA_IDENTITY             = "key-and-time"
      DATA_INDEX                = "by_sentiment"
      DATA_KEY_ATTRIBUTE        = "source_id"
      DATA_LABELS               = "positive,neutral,negative"
      DATA_LABEL_ATTRIBUTE      = "sentiment"
      DATA_LABEL_TYPE           = "text"
      DATA_SCORE_ATTRIBUTE      = "score"
      DATA_SHOW                 = "-"
      DATA_SOURCE_ATTRIBUTE     = "source"
      DATA_STATUS_ATTRIBUTE     = "status"
      DATA_STATUS_READY         = "analyzed"
      DATA_TAGS_ATTRIBUTE       = "matched_tickers"
      DATA_TAGS_MAX             = "200"
      DATA_TIME_ATTRIBUTE       = "timestamp"
      DATA_TIME_FORMAT          = "rfc3339"
      DATA_TIME_ZONE            = "-"
      DATA_TITLE_ATTRIBUTE      = "-"
      DATA_UPDATE_EVENT         = "sentiment_update"
      DATA_URL_ATTRIBUTE        = "-"
      DATA_WINDOW               = "24h"
      ENVIRONMENT               = "dev"
      HISTORY_KEEP              = "-"
      HISTORY_TABLE             = "-"
      HOURS_TABLE               = "-"
      METRICS                   = "totals"
      METRICS_NAMESPACE         = "sse-streaming-dev"
      SENTIMENTS_TABLE          = "sse-streaming-dev-items"
      SSE_CLIENT_ADDRESS        = "connection"
      SSE_GOODBYE               = "false"
      SSE_LATE_INTERVAL         = "1m"
      SSE_LATE_WINDOW           = "10m"
      SSE_POLL_INTERVAL         = "5s"
      SSE_RECONCILE_INTERVAL    = "1h"
      SSE_REPLAY_EVENTS         = "500"
      SSE_REPLAY_WINDOW         = "15m"
      TRACING                   = "false"
      USERS_TABLE               = "sse-streaming-dev-users"
    },
  )

  # Reads only: the newest items through the index. `auth.mode` is `off`, so there are no users.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # A scan of a few rows says why there is nothing to show, where there is not: it finds labels that nobody has named.
        Sid      = "ReadItemsThroughIndex"
        Effect   = "Allow"
        Action   = ["dynamodb:Query", "dynamodb:Scan"]
        Resource = ["${aws_dynamodb_table.items.arn}/index/by_sentiment"]
      },
    ]
  })
}
