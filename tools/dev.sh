#!/bin/sh
# Starts both functions and the page on this machine, until Ctrl-C. Arguments go to the program `local`.
. "$(dirname -- "$0")/lib.sh"
. "$root/tools/local-env.sh"

prepare_local
export DASHBOARD_PORT="${DASHBOARD_PORT:-8080}" STREAM_PORT="${STREAM_PORT:-8081}" STORE="${STORE:-memory}"
# Both replace their own process, so that Ctrl-C and kill reach the server itself.
exec cargo run -q --locked -p lambda --bin local -- "$@"
