#!/bin/sh
# Makes what a release consists of, in dist/release: the generator as one static program for each processor, the functions' zips, a bill
# of materials (CycloneDX) of each, the licences of all, and SHA256SUMS. The same commit gives the same bytes, in any folder and on any day.
# With a tag, `release.sh v0.1.0`, that must be the version's, and the log of changes must say the day.
#
# `RELEASE_DIR` is another folder, and `PROGRAMS` another script in the place of tools/programs.sh: a test has no time for optimised builds.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
[ $# -le 1 ] || die 'usage: release.sh [TAG]'
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
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

# `built ARCHITECTURE LIBRARY PROGRAM`: builds it, and puts where it lies into `file`.
built() {
  programs=$("${PROGRAMS:-$root/tools/programs.sh}" "$1" "$2" "$3")
  file=$(printf '%s\n' "$programs" | sed -n "/\/$3\$/p")
}

crates=
for architecture in x86_64 arm64; do
  processor=$architecture
  [ "$architecture" = x86_64 ] || processor=aarch64
  built "$architecture" musl infragen
  name=infragen-$version-linux-$architecture
  cp "$file" "$release/$name"
  chmod 755 "$release/$name"
  python3 tools/bill.py materials infragen infragen "$processor-unknown-linux-musl" "$file" >"$release/$name.cdx.json"
  crates="$crates infragen $processor-unknown-linux-musl lambda $processor-unknown-linux-gnu"
  for function in stream dashboard; do
    built "$architecture" gnu "$function"
    name=$function-$version-$architecture
    python3 tools/zip.py "$file" "$release/$name.zip"
    python3 tools/bill.py materials "$function" lambda "$processor-unknown-linux-gnu" "$file" >"$release/$name.cdx.json"
  done
done
# shellcheck disable=SC2086 # names of crates and targets are words
python3 tools/bill.py licences $crates >"$release/LICENSES-$version.txt"
(cd "$release" && LC_ALL=C && export LC_ALL && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
say "release: $version is in $release"
