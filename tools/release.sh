#!/bin/sh
# Makes what a release consists of, in dist/release: the generator as one static program for each processor, the functions' zips, a bill
# of materials (CycloneDX) of each, the licences of all, and SHA256SUMS. The same commit gives the same bytes, in any folder and on any day.
# With a tag, `release.sh v0.1.0`, that must be the version's, and the log of changes must say the day. `--list` prints what a release
# consists of, and makes nothing.
#
# `RELEASE_DIR` is another folder, and `PROGRAMS` another script in the place of tools/programs.sh: a test has no time for optimised builds.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
[ $# -le 1 ] || die 'usage: release.sh [--list | TAG]'
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

# What is released of each program, a line each: file, program, processor as Lambda calls it, C library, crate, target.
parts() {
  for architecture in x86_64 arm64; do
    processor=$architecture
    [ "$architecture" = x86_64 ] || processor=aarch64
    printf '%s\n' "infragen-$version-linux-$architecture infragen $architecture musl infragen $processor-unknown-linux-musl"
    for function in stream dashboard; do
      printf '%s\n' "$function-$version-$architecture.zip $function $architecture gnu lambda $processor-unknown-linux-gnu"
    done
  done
}
# The bill of materials of such a file.
bill_of() {
  printf '%s.cdx.json' "${1%.zip}"
}
licences=LICENSES-$version.txt
sums=SHA256SUMS

# Lines of FILE, and where it is a bill of materials also what of: PROGRAM CRATE TARGET.
if [ "${1:-}" = --list ]; then
  parts | while read -r file program architecture library crate target; do
    printf '%s\n' "$file" "$(bill_of "$file") $program $crate $target"
  done
  printf '%s\n' "$licences" "$sums"
  exit
fi
# A release says what is in it: the newest heading of the log of changes is that of this version.
heading=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
case $heading in
  "$version – "*) ;;
  *) die "the newest heading of CHANGELOG.md is \"$heading\" and Cargo.toml says version $version: it must begin with \"$version – \"" ;;
esac
if [ $# = 1 ]; then
  [ "$1" = "v$version" ] || die "the tag is \"$1\" and Cargo.toml says version $version: it must be v$version"
  [ "$heading" != "$version – unreleased" ] || die "CHANGELOG.md says \"$heading\": write the day in place of \"unreleased\", as 2026-01-31"
fi
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
  say 'release: there are changes in no commit; what this makes can be made by nobody else'
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
release=${RELEASE_DIR:-dist/release}
rm -rf "$release"
mkdir -p "$release"

crates=
# No pipeline: what fails in one would not end this.
list=$(parts)
while read -r file program architecture library crate target; do
  built=$("${PROGRAMS:-$root/tools/programs.sh}" "$architecture" "$library" "$program" </dev/null)
  case $file in
    *.zip) infragen package --function "$program" --program "$built" --to-zip "$release/$file" ;;
    *)
      cp "$built" "$release/$file"
      chmod 755 "$release/$file"
      ;;
  esac
  python3 tools/bill.py materials "$program" "$crate" "$target" "$built" >"$release/$(bill_of "$file")"
  case "$crates " in
    *" $crate $target "*) ;;
    *) crates="$crates $crate $target" ;;
  esac
done <<LIST
$list
LIST
# shellcheck disable=SC2086 # names of crates and targets are words
python3 tools/bill.py licences $crates >"$release/$licences"
(cd "$release" && LC_ALL=C && export LC_ALL && sha256sum -- * >"$sums.new" && mv "$sums.new" "$sums")
say "release: $version is in $release"
