#!/bin/sh
# Runs the tests of what is rendered and of images, which go beside others: first it compiles what they and later steps would compile
# otherwise while others wait for them, the static program of tests/image/runs.rs and the fuzz targets.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
# As that test has it compiled, or it does so once more.
env PROFILE=dev CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_STRIP=true \
  tools/programs.sh "$(host_architecture)" musl stream
tools/fuzz.sh build
# Each waits half of its time for another one.
export RUST_TEST_THREADS=5
exec tools/it.sh --workspace --no-fail-fast -- render:: image::
