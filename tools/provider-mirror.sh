#!/bin/sh
# Prints a folder that Terraform can use as a filesystem mirror because it holds the provider hashicorp/aws for this
# machine, or nothing. It must not reach for the network, and finding nothing is no error: then the registry is asked.
. "$(dirname -- "$0")/lib.sh"

provider=registry.terraform.io/hashicorp/aws
# Of the search through the disk, the last resort.
search_seconds_max=20
search_depth_max=7

case $(uname -m) in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) arch=$(uname -m) ;;
esac
platform=$(uname -s | tr '[:upper:]' '[:lower:]')_$arch

# Terraform knows two layouts: VERSION/PLATFORM/program, and archives with both in their names.
holds_provider() {
  for found in "$1/$provider"/*/"$platform" "$1/$provider"/terraform-provider-aws_*_"$platform".zip; do
    [ -e "$found" ] && return 0
  done
  return 1
}

print_if_mirror() {
  if [ -n "$1" ] && holds_provider "$1"; then
    # Terraform wants an absolute path.
    (CDPATH='' cd -- "$1" && pwd)
    exit 0
  fi
}

if [ -n "${TF_PROVIDER_MIRROR:-}" ]; then
  print_if_mirror "$TF_PROVIDER_MIRROR"
  die "TF_PROVIDER_MIRROR is $TF_PROVIDER_MIRROR, which holds no $provider for $platform"
fi

# Where Terraform itself looks when nothing is configured.
home=${HOME:-/nonexistent}
print_if_mirror "$root/terraform.d/plugins"
print_if_mirror "$home/.terraform.d/plugins"
print_if_mirror "${XDG_DATA_HOME:-$home/.local/share}/terraform/plugins"
IFS=:
for folder in ${XDG_DATA_DIRS:-/usr/local/share:/usr/share}; do
  print_if_mirror "$folder/terraform/plugins"
done
unset IFS

# What an earlier search found.
remembered=$tools/provider-mirror
if [ -s "$remembered" ]; then
  print_if_mirror "$(cat "$remembered")"
fi

# Mirrors of machines without a network lie anywhere, mostly close to the root. Working folders of Terraform look like a
# mirror but come and go.
limit=
if has timeout; then limit="timeout $search_seconds_max"; fi
# shellcheck disable=SC2086 # two words or none
$limit find / -xdev -maxdepth "$search_depth_max" \
  \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -name .terraform -o -name .tools \
  -o -name node_modules -o -name target -o -name .git -o -name .cache \) -prune \
  -o -type d -path "*/$provider" -prune -print 2>/dev/null | sort | while IFS= read -r folder; do
  folder=${folder%"/$provider"}
  if holds_provider "$folder"; then
    mkdir -p "$tools"
    printf '%s\n' "$folder" >"$remembered"
    printf '%s\n' "$folder"
    break
  fi
done
