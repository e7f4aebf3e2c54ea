#!/bin/sh
# Applies what is rendered: `apply.sh [ENVIRONMENT] [ARGUMENTS OF terraform apply]`. It asks before it changes anything, and then
# leaves the page with the live URLs.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
folder=generated environment=
case ${1:-} in
  '' | -*) ;;
  *)
    environment=$1
    shift
    base=$(infragen query project.environment)
    if [ "$environment" = "$base" ]; then environment=; else folder=generated/$environment; fi
    [ -d "$folder" ] || die "deploy.toml has no environment \`$environment\`: write [env.$environment] into it, and render"
    ;;
esac
folder=$folder/terraform
[ -d "$folder" ] || die "$folder is not there; render it first"
terraform=$(terraform_program)
config_line=$("$root/tools/terraform-config.sh" --unless-configured)
if [ -n "$config_line" ]; then
  export "${config_line?}"
fi
if grep -q 'backend "s3"' "$folder/versions.tf"; then
  # A state that is still here goes into its bucket; Terraform refuses where what is there is another one, or newer.
  here=$folder/terraform.tfstate
  if [ -s "$here" ]; then
    mv "$here" "$here.moving"
    trap '[ ! -e "$here.moving" ] || mv "$here.moving" "$here"' EXIT
  fi
  "$terraform" -chdir="$folder" init -input=false -reconfigure
  if [ -e "$here.moving" ]; then
    "$terraform" -chdir="$folder" state push terraform.tfstate.moving
    mv "$here.moving" "$here.moved"
  fi
else
  "$terraform" -chdir="$folder" init -input=false
fi
"$terraform" -chdir="$folder" apply "$@"
# What is destroyed has no page.
case " $* " in *' -destroy '*) exit 0 ;; esac
infragen ${environment:+--env "$environment"} page
