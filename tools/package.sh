#!/bin/sh
# Builds the functions that the manifest wants as zips for Lambda, dist/stream.zip and dist/dashboard.zip, where there are none or
# they are older than their sources, and tells every root of Terraform about them. `--host` builds both for this machine's
# processor instead of the manifest's. The same sources give the same bytes, in any folder.
. "$(dirname -- "$0")/lib.sh"

# What goes into a zip, as one hash: the sources of the programs, what they are built with and how they are packed.
sources() {
  {
    printf '%s\n' "$1"
    rustc -vV
    find Cargo.toml Cargo.lock rust-toolchain.toml contract stream_core lambda infragen/src/zip.rs tools/lib.sh tools/programs.sh \
      tools/requirements-package.txt -type f -not -name '*.md' | LC_ALL=C sort | xargs sha256sum
  } | sha256sum | cut -d ' ' -f 1
}

# Packs the functions for one processor into a folder: `pack ARCHITECTURE FOLDER FUNCTION...`.
pack() {
  architecture=$1 folder=$2
  shift 2
  made_from=$(sources "$architecture")
  stale=
  for function in "$@"; do
    # The stamp holds what a zip was made from, and its hash: one that was changed since is made anew.
    printf '%s  %s\n' "$made_from" "$(hash_of "$folder/$function.zip")" | cmp -s - "$folder/.$function.zip.made" ||
      stale="$stale $function"
  done
  if [ -z "$stale" ]; then
    say "package: $folder/ has what these sources make for $architecture"
    return 0
  fi
  # A pipeline or a substitution in an argument would hide a failure. Names of functions have no spaces.
  # shellcheck disable=SC2086
  programs=$("$root/tools/programs.sh" "$architecture" gnu $stale)
  mkdir -p "$folder"
  for function in $stale; do
    program=$(printf '%s\n' "$programs" | sed -n "/\/$function\$/p")
    infragen package --function "$function" --program "$program" --to-zip "$folder/$function.zip"
    printf '%s  %s\n' "$made_from" "$(hash_of "$folder/$function.zip")" >"$folder/.$function.zip.made"
    # Of one's own code somebody may have more: that is slower, and not wrong.
    [ "$(wc -c <"$folder/$function.zip")" -le "$zip_bytes_max" ] ||
      say "package: $folder/$function.zip is over $zip_bytes_max bytes, and each cold start loads it: tools/lib.sh has the limit"
  done
}

hash_of() {
  [ ! -f "$1" ] || sha256sum "$1" | cut -d ' ' -f 1
}

cd "$root"
wanted=$(infragen --quiet query artifacts)
first=$(infragen --quiet query architecture)
# That of the base lies in dist/ itself; an environment may have another.
folder_of() {
  [ "$1" = "$first" ] && echo dist || echo "dist/$1"
}

case ${1:-} in
  '') ;;
  --host)
    pack "$(host_architecture)" "$(folder_of "$(host_architecture)")" stream dashboard
    if [ "$(host_architecture)" != "$first" ]; then
      say "package: Terraform is not told, because the manifest says $first: set architecture = \"$(host_architecture)\" under [package] in deploy.toml to deploy these"
      exit 0
    fi
    ;;
  *) die 'usage: package.sh [--host]' ;;
esac

# Lines of ROOT FUNCTION zip|image ARCHITECTURE.
zips=$(printf '%s\n' "$wanted" | sed -n '/ zip /p')
if [ -z "$zips" ]; then
  say 'package: no function is a zip; ./justw image makes the images'
  exit 0
fi
for architecture in $(printf '%s\n' "$zips" | cut -d ' ' -f 4 | sort -u); do
  # shellcheck disable=SC2046 # names of functions have no spaces
  pack "$architecture" "$(folder_of "$architecture")" $(printf '%s\n' "$zips" | sed -n "/ $architecture\$/p" | cut -d ' ' -f 2 | sort -ru)
done
# Built once for every environment; which root is told, the processor of the program decides.
printf '%s\n' "$zips" | cut -d ' ' -f 2,4 | sort -u | while read -r function architecture; do
  infragen --quiet package --function "$function" --zip "$(folder_of "$architecture")/$function.zip"
done
