#!/bin/sh
# Opens the page in a real browser: starts `local` on free ports, runs tests/browser/smoke.mjs, stops `local`.
# Screenshots go to target/screenshots.
. "$(dirname -- "$0")/lib.sh"
. "$root/tools/local-env.sh"

start_seconds_max=30

"$root/tools/setup.sh" chromium node
prepare_local
cargo build -q --locked -p lambda --bin local

ports=$(node tools/net.mjs ports 2)
export DASHBOARD_PORT="${ports% *}" STREAM_PORT="${ports#* }" STORE=memory
page=http://127.0.0.1:$DASHBOARD_PORT/

log=$(mktemp)
cargo run -q --locked -p lambda --bin local >"$log" 2>&1 &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -f "$log"
}
trap stop EXIT
trap 'exit 130' INT TERM

if ! node tools/net.mjs wait "$server" "$start_seconds_max" "${page}health" "http://127.0.0.1:$STREAM_PORT/health"; then
  cat "$log" >&2
  die 'the local server did not start'
fi

export TOOLS_NODE_MODULES="$tools/node/node_modules"
if ! node tests/browser/smoke.mjs "$page" target/screenshots; then
  tail -n 20 "$log" >&2
  die 'the page does not work in the browser'
fi
