#!/bin/sh
# Prints the line TF_CLI_CONFIG_FILE=FILE to export, for machines that cannot reach the registry, and writes that file: it
# names the mirror that provider-mirror.sh found. Where there is none, the user's own configuration stays in force.
# With `--unless-configured` that configuration goes before a mirror too.
. "$(dirname -- "$0")/lib.sh"

has_configuration() {
  if [ -n "${TF_CLI_CONFIG_FILE:-}" ]; then
    # Some machines name a file that is not there; Terraform only warns about it.
    [ -e "$TF_CLI_CONFIG_FILE" ]
  else
    [ -e "${HOME:-}/.terraformrc" ] || ls "${HOME:-}"/.terraform.d/*.tfrc >/dev/null 2>&1
  fi
}

if [ "${1:-}" = --unless-configured ] && has_configuration; then
  exit 0
fi

mirror=$("$root/tools/provider-mirror.sh")
if [ -z "$mirror" ] && has_configuration; then
  exit 0
fi
config=$tools/terraform.rc
mkdir -p "$tools/terraform-plugins"
scratch=$(mktemp "$tools/terraform.rc.XXXXXX")
if [ -n "$mirror" ]; then
  # No plugin cache here: an unpacked mirror is linked to, which is as cheap, and safe for several runs at once.
  cat >"$scratch" <<HCL
disable_checkpoint = true

provider_installation {
  filesystem_mirror {
    path    = "$mirror"
    include = ["registry.terraform.io/hashicorp/aws"]
  }
  direct {
    exclude = ["registry.terraform.io/hashicorp/aws"]
  }
}
HCL
else
  cat >"$scratch" <<HCL
disable_checkpoint = true
plugin_cache_dir   = "$tools/terraform-plugins"
HCL
fi
mv "$scratch" "$config"
printf 'TF_CLI_CONFIG_FILE=%s\n' "$config"
