#!/bin/sh
# rustc for `cargo fuzz`: instruments our own crates and nothing else. It finds more, because what is new to it is new in
# our code, and the AWS SDK takes minutes less to compile.
rustc=$1
shift
case " $* " in
  *' --crate-name stream_core '* | *' --crate-name lambda '* | *' --crate-name contract '* | *' fuzz_targets/'*) exec "$rustc" "$@" ;;
esac
for argument; do
  shift
  case $argument in
    -Cpasses=sancov-module | -Cllvm-args=*sanitizer-coverage* | -Ccodegen-units=1) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "$rustc" "$@"
