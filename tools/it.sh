#!/bin/sh
# Runs `cargo test` with everything set up that the tests from the outside need. Arguments go to cargo.
. "$(dirname -- "$0")/lib.sh"

"$root/tools/setup.sh" tests
. "$root/tools/env.sh"
cd "$root"
# Most tests wait: for a poll, for the end of a session, for a browser. Where there are few processors, more of them than that
# may wait at once.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
threads=$((cores * 5 < 16 ? cores * 5 : 16))
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$((threads > cores ? threads : cores))}"
exec cargo test --locked "$@"
