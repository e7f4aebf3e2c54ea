#!/bin/sh
# `deploy.sh deploy|bootstrap [ENVIRONMENT] [ARGUMENTS]`: that command of `infragen`. Terraform finds its provider where this machine has
# it.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
command=${1:?'usage: deploy.sh deploy|bootstrap [ENVIRONMENT] [ARGUMENTS]'}
shift
case ${1:-} in
  '' | -*) ;;
  *)
    environment=$1
    shift
    set -- --env "$environment" "$@"
    ;;
esac
config_line=$("$root/tools/terraform-config.sh" --unless-configured)
if [ -n "$config_line" ]; then
  export "${config_line?}"
fi
exec cargo run -q --locked -p infragen -- "$command" "$@"
