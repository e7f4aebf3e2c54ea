#!/bin/sh
# Applies a rendered root: `terraform.sh terraform|bootstrap [ENVIRONMENT] [ARGUMENTS OF terraform apply]`. It asks before it
# changes anything, and then leaves the page with the live URLs.
. "$(dirname -- "$0")/lib.sh"

usage='usage: terraform.sh terraform|bootstrap [ENVIRONMENT] [ARGUMENTS OF terraform apply]'
kind=${1:-}
case $kind in
  terraform | bootstrap) shift ;;
  *) die "$usage" ;;
esac
cd "$root"
folder=generated
case ${1:-} in
  '' | -*) ;;
  *)
    environment=$1
    shift
    base=$(infragen query project.environment)
    [ "$environment" = "$base" ] || folder=generated/$environment
    [ -d "$folder" ] || die "deploy.toml has no environment \`$environment\`: write [env.$environment] into it, and render"
    ;;
esac
if [ "$kind" = bootstrap ] && ! [ -d "$folder/bootstrap" ]; then
  say "bootstrap: nothing to make for ${environment:-this manifest}: another environment makes what it needs"
  exit 0
fi
folder=$folder/$kind
[ -d "$folder" ] || die "$folder is not there; render it first"
terraform=$(terraform_program)
config_line=$("$root/tools/terraform-config.sh" --unless-configured)
if [ -n "$config_line" ]; then
  export "${config_line?}"
fi
"$terraform" -chdir="$folder" init -input=false
"$terraform" -chdir="$folder" apply "$@"
exec "$root/tools/page.sh" "$folder"
