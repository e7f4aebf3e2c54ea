#!/bin/sh
# Applies a rendered root: `terraform.sh FOLDER [ARGUMENTS OF terraform apply]`. It asks before it changes anything,
# and then leaves the page with the live URLs.
. "$(dirname -- "$0")/lib.sh"

[ $# -gt 0 ] || die 'usage: terraform.sh FOLDER [ARGUMENTS OF terraform apply]'
folder=$1
shift
has terraform || die 'needs terraform on PATH'
cd "$root"
[ -d "$folder" ] || die "$folder is not there; render it first"
config_line=$("$root/tools/terraform-config.sh" --unless-configured)
if [ -n "$config_line" ]; then
  export "${config_line?}"
fi
terraform -chdir="$folder" init -input=false
terraform -chdir="$folder" apply "$@"
exec "$root/tools/page.sh" "$folder"
