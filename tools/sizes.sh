#!/bin/sh
# Measures what is deployed: the zip and the image of each function, for both processors; or only `sizes.sh zips`, `sizes.sh images`.
# Prints each with its limit, keeps the figures in bench/results/sizes.jsonl, and fails where one is over its limit. What a start of
# Lambda loads is what is paid for in time.
#
# It builds optimised programs, which takes minutes. `PROGRAMS` is another script in the place of tools/programs.sh, `INFRAGEN` a
# infragen that is there, and `RESULTS` another file: a test has no time for such builds.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
results=${RESULTS:-bench/results/sizes.jsonl}
[ $# -gt 0 ] || set -- zips images
for kind in "$@"; do
  case $kind in
    zips | images) ;;
    *) die 'usage: sizes.sh [zips] [images]' ;;
  esac
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
# The newest commit that changed what programs are made of. What is in no commit can be measured by nobody else.
sources='Cargo.toml Cargo.lock rust-toolchain.toml contract lambda stream_core'
# shellcheck disable=SC2086 # the sources are words
commit=$(git log -1 --format='%h %cs' -- $sources)
# shellcheck disable=SC2086
[ -z "$(git status --porcelain -- $sources)" ] || commit="$commit with changes"

# `note ARTIFACT ARCHITECTURE BYTES BYTES_MAX`
note() {
  printf '{"artifact":"%s","architecture":"%s","bytes":%d,"bytes_max":%d,"commit":"%s"}\n' "$1" "$2" "$3" "$4" "$commit" >>"$scratch/found"
  printf '%s, %s: %d bytes, at most %d\n' "$1" "$2" "$3" "$4"
  [ "$3" -le "$4" ] || printf '%s for %s has %d bytes\n' "$1" "$2" "$3" >>"$scratch/over"
}

for kind in "$@"; do
  for architecture in arm64 x86_64; do
    [ "$kind" = zips ] && library=gnu || library=musl
    programs=$("${PROGRAMS:-$root/tools/programs.sh}" "$architecture" "$library" stream dashboard)
    for function in stream dashboard; do
      program=$(printf '%s\n' "$programs" | sed -n "/\/$function\$/p")
      if [ "$kind" = zips ]; then
        infragen package --function "$function" --program "$program" --to-zip "$scratch/$function.zip" >/dev/null
        note "$function.zip" "$architecture" "$(wc -c <"$scratch/$function.zip")" "$zip_bytes_max"
      else
        # The line that it prints: folder, digest, bytes.
        made=$(infragen --set package.architecture="$architecture" image build --function "$function" --program "$program" --to-layout "$scratch/$function")
        note "image of $function" "$architecture" "$(printf '%s\n' "$made" | sed 's/.*  \([0-9]*\) bytes,.*/\1/')" "$image_bytes_max"
      fi
    done
  done
done
mkdir -p "$(dirname -- "$results")"
cat "$scratch/found" >>"$results"
say "sizes: noted in $results, to be committed"
if [ -e "$scratch/over" ]; then
  sed 's/^/       /' "$scratch/over" >&2
  die 'these are over their limits: find out which dependency it was, or raise the limit in tools/lib.sh and say why'
fi
