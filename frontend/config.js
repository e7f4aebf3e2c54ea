// Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [frontend/config.js 72b646632fa0074b]
// An empty base URL means same origin. The URLs of Lambda functions are known only after apply; `infragen page` then leaves
// the page with them in dist/page, and `terraform -chdir=generated/terraform output -raw config_js` prints this file with them.
window.CONFIG = Object.freeze({
  "API_BASE_URL": "",
  "SSE_BASE_URL": "",
  "ENVIRONMENT": "dev",
  "LABELS": [
    "positive",
    "neutral",
    "negative"
  ],
  "LABEL_KEYS": [
    "positive",
    "neutral",
    "negative"
  ],
  "UPDATE_EVENT": "sentiment_update",
  "HEARTBEAT_INTERVAL_MS": 15000,
  "POLL_INTERVAL_MS": 5000,
  "WINDOW_MS": 86400000,
  "AUTH_MODE": "off",
  "SIGNED_REQUESTS": false
});
