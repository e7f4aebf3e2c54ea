#!/bin/sh
# Builds the container image of each function whose package is `image` into dist/images, pushes them by digest, and tells
# Terraform which: `image.sh [--to-layout] [ARGUMENTS OF infragen image push]`. With `--to-layout` nothing is pushed, and without
# a function that runs an image both are built. `image.sh --server [--repository HOST/NAME]` builds that of the server, which no function
# runs, and pushes it where a repository is named. No container engine has a part in it. The same sources give the same images.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
# The newest commit that changed what programs are made of, so that a change elsewhere is no new image. A clone without its
# history does not know it, and sources that are in no commit have none.
sources='Cargo.toml Cargo.lock rust-toolchain.toml contract lambda stream_core'
revision=
# shellcheck disable=SC2086 # the sources are words
if [ "$(git rev-parse --is-shallow-repository 2>/dev/null)" = false ] && [ -z "$(git status --porcelain -- $sources)" ]; then
  revision=$(git log -1 --format=%H -- $sources)
fi
[ -n "$revision" ] || say 'image: without the label revision: the sources are in no commit, or the clone is without its history'

if [ "${1:-}" = --server ]; then
  shift
  program=$("$root/tools/programs.sh" "$(infragen query architecture)" musl server)
  infragen image build --function server --program "$program" --revision "$revision"
  [ $# = 0 ] || infragen image push --function server "$@"
  exit
fi
pushes=yes
if [ "${1:-}" = --to-layout ]; then
  pushes=no
  shift
fi
# Lines of ROOT FUNCTION zip|image ARCHITECTURE.
wanted=$(infragen --quiet query artifacts)
images=$(printf '%s\n' "$wanted" | sed -n '/ image /p')
functions=$(printf '%s\n' "$images" | cut -d ' ' -f 2 | sort -ru)
architecture=$(printf '%s\n' "$images" | cut -d ' ' -f 4 | sort -u)
if [ -z "$images" ]; then
  [ "$pushes" = no ] || die 'no function runs an image: set package = "image" under [stream] or [dashboard] in deploy.toml, or run ./justw package for zips'
  functions='stream dashboard'
  architecture=$(infragen query architecture)
fi
case $architecture in
  *[!a-z0-9_]*) die 'environments of deploy.toml run images on both processors: give them the same package.architecture, or build and push each with infragen --env NAME image' ;;
esac

names=$functions
with_adapter=no
case " $(printf '%s' "$functions" | tr '\n' ' ') " in
  *' stream '*)
    if [ "$(infragen query stream.adapter)" = web-adapter ]; then
      with_adapter=yes
      names="$names lambda-adapter"
    fi
    ;;
esac
# shellcheck disable=SC2086 # names are words
programs=$("$root/tools/programs.sh" "$architecture" musl $names)
path_of() {
  printf '%s\n' "$programs" | sed -n "/\/$1\$/p"
}
for function in $functions; do
  adapter=
  [ "$function$with_adapter" = streamyes ] && adapter=$(path_of lambda-adapter)
  infragen image build --function "$function" --program "$(path_of "$function")" --revision "$revision" ${adapter:+--adapter "$adapter"}
done
if [ "$pushes" = yes ]; then
  infragen image push "$@"
fi
