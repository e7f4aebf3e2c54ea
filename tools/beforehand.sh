#!/bin/sh
# Compiles what tests compile otherwise while others wait for them: the static program of tests/image/runs.rs, and the fuzz targets.
# A compiler has no time that it could miss, so that it stands back behind whatever else there is.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
# As that test has it compiled, or it does so once more.
nice -n 10 env PROFILE=dev CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_STRIP=true \
  tools/programs.sh "$(host_architecture)" musl stream
nice -n 10 tools/fuzz.sh build
