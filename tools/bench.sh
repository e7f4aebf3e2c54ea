#!/bin/sh
# Benchmarks: `window` measures what the window of the stream function costs, `cold` what a start does beside other people's, `peers` what a stream does, `delivery` how long
# a row takes to many clients, `page` how soon a new tab shows numbers. Arguments after the name go to the program.
. "$(dirname -- "$0")/lib.sh"

usage() {
  say 'usage: just bench [--quick]   all of these, one after the other; what peers says is kept, as with --record, unless it is quick'
  say '       just bench window [--quick] [--check] [--json] [--rows ROWS,…] [--filters FILTERS]'
  say '       just bench window --instructions [ROWS]'
  say '       just bench window --engine [ROWS] [--seconds SECONDS]'
  say '       just bench window --engine ROWS --starts TIMES [--group FOLDER [--share SHARE]]'
  say '       just bench cold [--quick] [--rows ROWS] [--rounds N] [NAME,…]'
  say '       just bench cold --instructions [ROWS,…]'
  say '       just bench delivery [--clients N] [--poll-interval MS] [--seconds SECONDS]'
  say '       just bench peers [NAME…] [--quick] [--clients N] [--rounds N] [--scenarios bulk,single,idle,shared] …'
  say '       just bench peers --record   keeps the figures in bench/results and docs'
  say '       just bench page [TABS [LATENCY_MS]]'
  exit 2
}

# Cargo says where a program lies: PROFILE PACKAGE PROGRAM.
build() {
  cargo build -q --profile "$1" --locked -p "$2" --bin "$3" --message-format=json-render-diagnostics |
    sed -n "/\"name\":\"$3\"/s/.*\"executable\":\"\([^\"]*\)\".*/\\1/p" | tail -n 1
}

# Valgrind counts instructions exactly, whoever else uses the machine. Only Debian's is installed here.
need_valgrind() {
  has valgrind && return
  if has apt-get && [ "$(id -u)" = 0 ]; then
    quietly apt-get update -q && quietly apt-get install -q -y --no-install-recommends valgrind || true
  fi
  has valgrind || die '--instructions needs valgrind on PATH'
}

# Instructions of a whole run: ROWS POLLS NEW_ROWS.
counted() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" --rows "$1" --polls "$2" --new-rows "$3" 2>&1 |
    sed -n 's/.*Collected : *\([0-9]*\).*/\1/p'
}

# What 200 polls more take is what polls take: loading, and the polls that fill the late interval, are in both. Making up the rows
# that a poll reads is in it too, as reading them from a table would be.
instructions() {
  need_valgrind
  printf '| instructions of a poll | %s rows |\n| --- | ---: |\n' "$1"
  for new_rows in 0 1 60; do
    few=$(counted "$1" 150 "$new_rows")
    many=$(counted "$1" 350 "$new_rows")
    printf '| %s new rows | %s |\n' "$new_rows" $(((many - few) / 200))
  done
}

# Both programs in one folder, in the profile that is deployed: that is how peers finds them.
peers() {
  case " $* " in
    *' --quick '*) "$root/tools/setup.sh" varnish ;;
    *) "$root/tools/setup.sh" peers nchan durable-streams varnish ;;
  esac
  . "$root/tools/env.sh"
  [ -n "$(build release lambda local)" ] || die 'cargo did not build the program local'
  [ -n "$(build release bench_peers axum-sse)" ] || die 'cargo did not build the program axum-sse'
  [ -n "$(build release bench_peers bare)" ] || die 'cargo did not build the program bare'
  program=$(build release bench_peers peers)
  [ -n "$program" ] || die 'cargo did not build the program peers'
  # `--record` alone means this repository.
  for argument in "$@"; do
    shift
    [ "$argument" != --record ] || argument=--record=$root
    set -- "$@" "$argument"
  done
  exec "$program" "$@"
}

# The function as it is deployed, and what others would start; DynamoDB Local has the rows.
cold() {
  rows=10000 rounds=9 names='' sizes=''
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) rows=600 rounds=1 ;;
      --instructions)
        sizes=${2:-0,10000,50000}
        [ $# -lt 2 ] || shift
        ;;
      --rows) rows=${2:?--rows takes a number} && shift ;;
      --rounds) rounds=${2:?--rounds takes a number} && shift ;;
      -*) usage ;;
      *) names=$1 ;;
    esac
    shift
  done
  if [ -n "$sizes" ]; then
    need_valgrind
    "$root/tools/setup.sh" java dynamodb
  else
    "$root/tools/setup.sh" java dynamodb research web-adapter
  fi
  . "$root/tools/env.sh"
  ours=$(build release lambda stream)
  [ -n "$ours" ] || die 'cargo did not build the program stream'
  [ -n "$(build release bench_peers constant)" ] || die 'cargo did not build the program constant'
  program=$(build bench-engine bench_engine engine)
  [ -n "$program" ] || die 'cargo did not build the program engine'
  if [ -n "$sizes" ]; then
    exec "$program" --dynamodb-local "$tools/dynamodb-local" --instructions "$sizes" --folder "$(dirname -- "$ours")"
  fi
  exec "$program" --dynamodb-local "$tools/dynamodb-local" "$rows" --cold "$rounds" --folder "$(dirname -- "$ours")" \
    ${names:+--programs "$names"}
}

# From a row that is written to the last of many clients of the program `server`.
delivery() {
  clients=1000
  if [ "${1:-}" = --clients ]; then
    clients=${2:?--clients takes a number} && shift 2
  fi
  "$root/tools/setup.sh" java dynamodb
  . "$root/tools/env.sh"
  ours=$(build release lambda server)
  [ -n "$ours" ] || die 'cargo did not build the program server'
  program=$(build bench-engine bench_engine engine)
  [ -n "$program" ] || die 'cargo did not build the program engine'
  exec "$program" --dynamodb-local "$tools/dynamodb-local" --delivery "$clients" --folder "$(dirname -- "$ours")" "$@"
}

# The page of the program that is deployed, in a browser.
page() {
  "$root/tools/setup.sh" chromium node
  LOCAL_PROGRAM=$(build release lambda local)
  [ -n "$LOCAL_PROGRAM" ] || die 'cargo did not build the program local'
  export LOCAL_PROGRAM
  exec node tests/browser/paint.mjs "$@"
}

# Every one, whatever another one says. Nothing else should run meanwhile.
all() {
  has_failed=0
  for name in window cold delivery peers page; do
    case $name${1:-} in
      delivery--quick) arguments='--clients 200 --seconds 10' ;;
      page--quick) arguments=3 ;;
      *--quick) arguments=--quick ;;
      peers) arguments=--record ;;
      *) arguments= ;;
    esac
    say "== just bench $name${arguments:+ $arguments}"
    # shellcheck disable=SC2086 # words of their own
    "$root/tools/bench.sh" "$name" $arguments || has_failed=1
  done
  exit "$has_failed"
}

case ${1:-} in
  window) shift ;;
  '' | --quick)
    [ $# -le 1 ] || usage
    all "$@"
    ;;
  cold | delivery | page | peers)
    cd "$root"
    "$@"
    ;;
  *) usage ;;
esac
cd "$root"
if [ "${1:-}" = --engine ]; then
  shift
  "$root/tools/setup.sh" java dynamodb
  program=$(build bench-engine bench_engine engine)
  [ -n "$program" ] || die 'cargo did not build the program engine'
  exec "$program" --dynamodb-local "$tools/dynamodb-local" "$@"
fi
# In the profile in which it is deployed.
program=$(build release bench window)
[ -n "$program" ] || die 'cargo did not build the program window'
if [ "${1:-}" = --instructions ]; then
  [ $# -le 2 ] || usage
  instructions "${2:-100000}"
  exit
fi
exec "$program" "$@"
