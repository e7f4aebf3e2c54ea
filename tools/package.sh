#!/bin/sh
# Builds both functions as zips for Lambda: dist/stream.zip and dist/dashboard.zip, and tells Terraform about them.
# `--host` builds for this machine's processor instead of the manifest's. The same sources give the same bytes, in any
# folder.
#
# Zig links, driven by cargo-zigbuild: one tool for both processors, and it sets the oldest C library that the program
# asks for, which a build against this machine's own library cannot. cargo-lambda drives the same two tools to programs
# of the same size, but its zips carry the time of day.
. "$(dirname -- "$0")/lib.sh"

# That of the runtime provided.al2023.
glibc=2.34

host_architecture() {
  case $(uname -m) in
    x86_64 | amd64) echo x86_64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) die "Lambda runs arm64 and x86_64; this machine is $(uname -m)" ;;
  esac
}

# The standard library of the target, from rustup if it is not there yet.
need_target() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] && return 0
  if has rustup && quietly rustup target add "$target"; then
    return 0
  fi
  host=$(host_architecture)
  if [ "$architecture" = "$host" ]; then
    die "Rust's standard library for $target is not installed; add it with: rustup target add $target"
  fi
  die "Rust's standard library for $target cannot be installed here; set architecture = \"$host\" under [package] in deploy.toml, or try a build for this machine with: just package --host"
}

# Every folder that could show up in a program gets a name that is the same on all machines. Of several that match, the
# compiler takes the last.
remaps() {
  cargo_home=${CARGO_HOME:-$HOME/.cargo}
  sysroot=$(rustc --print sysroot)
  commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
  remap "${HOME:-/}" /home
  remap "$cargo_home" /cargo
  for registry in "$cargo_home"/registry/src/*; do
    remap "$registry" /registry
  done
  remap "$sysroot/lib/rustlib/src/rust" "/rustc/$commit"
  remap "$root" /workspace
  remap "${CARGO_TARGET_DIR:-$root/target}" /target
}

# Cargo separates flags by the byte 1f, so that folders may have spaces in their names.
remap() {
  # A home of / belongs to nobody and would match everything.
  [ "$1" != / ] || return 0
  flags="${flags:+$flags$separator}--remap-path-prefix=$1=$2"
}

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
case $architecture in
  arm64) target=aarch64-unknown-linux-gnu ;;
  x86_64) target=x86_64-unknown-linux-gnu ;;
  *) die "Lambda runs arm64 and x86_64; the manifest says $architecture" ;;
esac

need_target
"$root/tools/setup.sh" package
# Before the flags are made: they name the folders that the sources are unpacked to.
quietly cargo fetch --locked --target "$target" || die 'cargo could not fetch the dependencies'

separator=$(printf '\037')
flags=
remaps
say "package: building for $architecture, C library $glibc or newer"
# A folder of its own, because other flags would make cargo build everything anew, back and forth.
package_target_dir=${CARGO_TARGET_DIR:-$root/target}/package
env PATH="$venv/bin:$PATH" \
  CARGO_ENCODED_RUSTFLAGS="$flags" \
  CARGO_ZIGBUILD_CACHE_DIR="$tools/zigbuild" \
  ZIG_GLOBAL_CACHE_DIR="$tools/zig" \
  cargo zigbuild --release --locked -p lambda --bin stream --bin dashboard --target "$target.$glibc" \
  --target-dir "$package_target_dir" || die "cargo could not build the functions for $architecture"

mkdir -p dist
for function in stream dashboard; do
  program=$package_target_dir/$target/release/$function
  if grep -q -a -F -e "$root/" -e "$cargo_home/" "$program"; then
    die "$function holds a path of this machine, so its zip would differ elsewhere; see remaps in tools/package.sh"
  fi
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
