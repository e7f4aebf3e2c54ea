#!/bin/sh
# Opens the page in real browsers: all scenarios of tests/browser, or those whose names begin with an argument; `--list` names
# them. Screenshots go to target/screenshots.
. "$(dirname -- "$0")/lib.sh"

"$root/tools/setup.sh" java chromium firefox node dynamodb
. "$root/tools/browser-env.sh"
exec node tests/browser/run.mjs "$@"
