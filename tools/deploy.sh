#!/bin/sh
# `infragen deploy`, with the arguments as they are. Terraform finds its provider where this machine has it.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
config_line=$("$root/tools/terraform-config.sh" --unless-configured)
if [ -n "$config_line" ]; then
  export "${config_line?}"
fi
exec cargo run -q --locked -p infragen -- deploy "$@"
