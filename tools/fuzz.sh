#!/bin/sh
# Fuzzes what reads foreign bytes, two targets at a time: `tools/fuzz.sh SECONDS [TARGET...]` for each target.
# It begins with fuzz/corpus and what earlier runs found, and keeps what is new in .tools. `tools/fuzz.sh keep [TARGET...]`
# puts the smallest set with the same coverage into fuzz/corpus, to be committed; `tools/fuzz.sh build` only compiles.
. "$(dirname -- "$0")/lib.sh"

[ $# -gt 0 ] || die 'usage: tools/fuzz.sh SECONDS|keep|build [TARGET...]'
cd "$root"
what=$1
shift
[ $# -gt 0 ] || set -- cursor decoder event head hour query rest row token

"$root/tools/setup.sh" fuzz
# The dependencies are those of the tests, compiled already; what is instrumented runs a little quicker than tests need to.
quick=profile.dev.package
quietly env RUSTC_WORKSPACE_WRAPPER="$root/tools/fuzz-rustc.sh" cargo build --locked -p fuzz --bins \
  --config "$quick.contract.opt-level=1" --config "$quick.lambda.opt-level=1" --config "$quick.fuzz.opt-level=1" ||
  die 'the fuzz targets do not compile'
programs=${CARGO_TARGET_DIR:-$root/target}/debug
for name in "$@"; do
  [ -x "$programs/$name" ] || die "no such target, or it did not compile: $name"
done
[ "$what" != build ] || exit 0

# One slow input is a fault too: ten seconds for what a request may cost.
limits='-timeout=10 -rss_limit_mb=1024 -max_len=4096'

run() {
  found=$tools/fuzz/$1
  mkdir -p "$found" "fuzz/corpus/$1" "fuzz/artifacts/$1"
  # shellcheck disable=SC2086 # the limits are words
  if "$programs/$1" -max_total_time="$what" $limits -artifact_prefix="fuzz/artifacts/$1/" "$found" "fuzz/corpus/$1" \
    >"$tools/fuzz/$1.log" 2>&1; then
    printf '%s: %s\n' "$1" "$(grep '^Done ' "$tools/fuzz/$1.log")"
  else
    tail -n 40 "$tools/fuzz/$1.log"
    printf '%s: a fault; run it again with %s FILE\n' "$1" "${programs#"$root/"}/$1"
    return 1
  fi
}

keep() {
  rm -rf "$tools/fuzz/$1.kept"
  mkdir -p "$tools/fuzz/$1.kept" "$tools/fuzz/$1"
  # shellcheck disable=SC2086 # the limits are words
  quietly "$programs/$1" -merge=1 $limits "$tools/fuzz/$1.kept" "fuzz/corpus/$1" "$tools/fuzz/$1"
  rm -rf "fuzz/corpus/$1"
  mv "$tools/fuzz/$1.kept" "fuzz/corpus/$1"
}

if [ "$what" = keep ]; then
  for name in "$@"; do keep "$name"; done
  exit
fi
failed=0
while [ $# -gt 0 ]; do
  run "$1" &
  first=$!
  if [ $# -gt 1 ]; then
    shift
    run "$1" || failed=1
  fi
  wait "$first" || failed=1
  shift
done
exit "$failed"
