#!/bin/sh
# Leaves the page open in Chromium for so many minutes, 20 updates a second: `tools/soak.sh 30`. Prints figures each minute; fails
# when memory grows, or when an update is missed or comes twice.
. "$(dirname -- "$0")/lib.sh"

case ${1:-} in
  '' | *[!0-9]* | 0) die 'usage: tools/soak.sh MINUTES' ;;
esac
"$root/tools/setup.sh" java chromium node dynamodb
. "$root/tools/browser-env.sh"
exec node tests/browser/soak.mjs "$1"
