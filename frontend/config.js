// Rendered by infragen from deploy.toml. Do not edit: change deploy.toml or templates/ and run `./justw render`.
// An empty base URL means same origin. The URLs of Lambda functions are known only after apply, then this writes the
// whole file with them: `terraform -chdir=generated/terraform output -raw config_js > frontend/config.js`
window.CONFIG = Object.freeze({
  "API_BASE_URL": "",
  "SSE_BASE_URL": "",
  "ENVIRONMENT": "dev",
  "LABELS": [
    "positive",
    "neutral",
    "negative"
  ],
  "UPDATE_EVENT": "sentiment_update",
  "HEARTBEAT_INTERVAL_MS": 15000
});
