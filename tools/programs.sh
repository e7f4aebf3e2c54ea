#!/bin/sh
# Builds release programs of the crate lambda, or the generator infragen, for one processor and C library, and prints where each lies, one a line:
# `programs.sh arm64|x86_64 gnu|musl NAME...`. The same sources give the same bytes, in any folder. The name lambda-adapter is that
# of the AWS Lambda Web Adapter, which is built from its crate. `PROFILE` is cargo's, `release` where it is not set: tests have no
# time for that one.
#
# `gnu` is for zips: Lambda's runtime provided.al2023 has that library. `musl` is for images: the program is static and runs
# without any file beside it.
#
# Zig links, driven by cargo-zigbuild: one tool for both processors and both libraries, and it sets the oldest C library that
# the program asks for, which a build against this machine's own library cannot. cargo-lambda drives the same two tools to
# programs of the same size, but its zips carry the time of day.
. "$(dirname -- "$0")/lib.sh"

# That of the runtime provided.al2023.
glibc=2.34

# The standard library of the target, from rustup if it is not there yet.
need_target() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] && return 0
  if has rustup && quietly rustup target add "$target"; then
    return 0
  fi
  host=$(host_architecture)
  if [ "$architecture" = "$host" ] || [ "$libc" = musl ]; then
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
[ $# -ge 3 ] || die 'usage: programs.sh arm64|x86_64 gnu|musl NAME...'
architecture=$1 libc=$2
shift 2
case $architecture in
  arm64) processor=aarch64 ;;
  x86_64) processor=x86_64 ;;
  *) die "Lambda runs arm64 and x86_64; the manifest says $architecture" ;;
esac
target=$processor-unknown-linux-$libc
case $libc in
  gnu) zig_target=$target.$glibc made_for="$architecture, C library $glibc or newer" ;;
  musl) zig_target=$target made_for="$architecture, static" ;;
  *) die "programs are built for the C library gnu or musl, not $libc" ;;
esac

need_target
"$root/tools/setup.sh" package >&2
# Before the flags are made: they name the folders that the sources are unpacked to.
quietly cargo fetch --locked --target "$target" || die 'cargo could not fetch the dependencies'

separator=$(printf '\037')
flags=
remaps
say "programs: building $* for $made_for"
# A folder of its own, because other flags would make cargo build everything anew, back and forth.
programs_target_dir=${CARGO_TARGET_DIR:-$root/target}/package
with_zig() {
  env PATH="$venv/bin:$PATH" \
    CARGO_ENCODED_RUSTFLAGS="$flags" \
    CARGO_ZIGBUILD_CACHE_DIR="$tools/zigbuild" \
    ZIG_GLOBAL_CACHE_DIR="$tools/zig" \
    "$@" --locked --target "$zig_target" --target-dir "$programs_target_dir" >&2
}

profile=${PROFILE:-release}
profile_dir=$profile
[ "$profile" != dev ] || profile_dir=debug
bins=
packages=
for name in "$@"; do
  case $name in
    lambda-adapter)
      version=$(sed -n 's/^web_adapter_version=//p' "$root/tools/setup.sh")
      with_zig cargo-zigbuild install --quiet --root "$tools/adapter/$target" --version "$version" lambda_web_adapter ||
        die "cargo could not build the AWS Lambda Web Adapter $version for $made_for"
      ;;
    infragen) packages='-p infragen' bins="$bins --bin $name" ;;
    *) packages='-p lambda' bins="$bins --bin $name" ;;
  esac
done
if [ -n "$bins" ]; then
  # shellcheck disable=SC2086 # words for cargo; names of programs have no spaces
  with_zig cargo zigbuild --profile "$profile" $packages $bins || die "cargo could not build$bins for $made_for"
fi

for name in "$@"; do
  case $name in
    lambda-adapter) program=$tools/adapter/$target/bin/$name ;;
    *) program=$programs_target_dir/$target/$profile_dir/$name ;;
  esac
  if grep -q -a -F -e "$root/" -e "$cargo_home/" "$program"; then
    die "$name holds a path of this machine, so its package would differ elsewhere; see remaps in tools/programs.sh"
  fi
  printf '%s\n' "$program"
done
