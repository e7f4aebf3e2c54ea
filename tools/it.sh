#!/bin/sh
# Runs `cargo test` with everything set up that the tests from the outside need. Arguments go to cargo.
. "$(dirname -- "$0")/lib.sh"

"$root/tools/setup.sh" java terraform python moto checkov schemathesis dynamodb node chromium firefox curl faketime peers web-adapter
. "$root/tools/env.sh"
cd "$root"
exec cargo test --locked "$@"
