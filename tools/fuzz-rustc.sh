#!/bin/sh
# rustc for the fuzz targets: instruments our own crates for libFuzzer and nothing else. It finds more, because what is new to
# it is new in our code. Without a sanitizer it needs no nightly compiler, and the crates have no unsafe code that one could
# watch. Cargo runs it for members of the workspace only, and does not know these flags: touch the sources after changing them.
rustc=$1
shift
# One unit for each crate: what its passes mark is not inlined from another.
exec "$rustc" "$@" -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth \
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
