#!/bin/sh
# Builds both functions as zips for Lambda: dist/stream.zip and dist/dashboard.zip, and tells Terraform about them.
# `--host` builds for this machine's processor instead of the manifest's. The same sources give the same bytes, in any
# folder.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
case ${1:-} in
  '')
    # A pipeline or a substitution in an argument would hide a failure.
    architecture=$(cargo run -q --locked -p infragen -- query architecture)
    wanted=$architecture
    ;;
  --host)
    architecture=$(host_architecture)
    wanted=$(cargo run -q --locked -p infragen -- query architecture)
    ;;
  *) die 'usage: package.sh [--host]' ;;
esac
programs=$("$root/tools/programs.sh" "$architecture" gnu stream dashboard)

mkdir -p dist
for function in stream dashboard; do
  program=$(printf '%s\n' "$programs" | sed -n "/\/$function\$/p")
  python3 tools/zip.py "$program" "dist/$function.zip"
  printf 'dist/%s.zip  %s bytes, unpacked %s\n' "$function" "$(wc -c <"dist/$function.zip")" "$(wc -c <"$program")"
done

if [ "$architecture" = "$wanted" ]; then
  # Built once for every environment; Terraform compares the processor with what each says.
  roots=$(cargo run -q --locked -p infragen -- --quiet query roots)
  for folder in $roots; do
    python3 tools/artifacts.py "$folder" "$architecture" stream=dist/stream.zip dashboard=dist/dashboard.zip
  done
else
  say "package: Terraform is not told, because the manifest says $wanted: set architecture = \"$architecture\" under [package] in deploy.toml to deploy these"
fi
