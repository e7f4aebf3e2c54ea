#!/bin/sh
# Renders, and then packages what Terraform needs beside: what is missing, or older than its sources. With `--check` or `--diff`
# nothing is written, and nothing packaged. `infragen render` by itself renders and does nothing else.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
cargo run -q --locked -p infragen -- render "$@"
for argument in "$@"; do
  case $argument in
    --check | --diff) exit 0 ;;
  esac
done
exec "$root/tools/package.sh"
