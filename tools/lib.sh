# shellcheck shell=sh
# Sourced first by every script in this folder: where things are, and how to say that something is wrong.
# It must not install, build or change anything.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# Everything that the scripts fetch. Git-ignored, safe to delete.
tools=$root/.tools
# shellcheck disable=SC2034 # read by the scripts that source this file
venv=$tools/venv
# Most that is deployed, compressed: a cold start loads it. tools/sizes.sh measures and holds both.
# shellcheck disable=SC2034 # read by the scripts that source this file
zip_bytes_max=4000000
# shellcheck disable=SC2034
image_bytes_max=8000000

say() {
  printf '%s\n' "$*" >&2
}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Where Varnish is: not every user has its folder on PATH.
varnish_program() {
  PATH="$PATH:/usr/sbin" command -v varnishd
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# The generator, as these sources make it; `INFRAGEN` is one that is there.
infragen() {
  if [ -n "${INFRAGEN:-}" ]; then
    "$INFRAGEN" "$@"
  else
    cargo run -q --locked -p infragen -- "$@"
  fi
}

# The program that applies what is rendered: Terraform, or OpenTofu where that is there instead.
terraform_program() {
  if has terraform; then
    echo terraform
  elif has tofu; then
    echo tofu
  else
    die 'needs terraform or tofu on PATH'
  fi
}

# This machine's processor, as Lambda calls it.
host_architecture() {
  case $(uname -m) in
    x86_64 | amd64) echo x86_64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) die "Lambda runs arm64 and x86_64; this machine is $(uname -m)" ;;
  esac
}

# Runs a noisy command in silence; its output shows only if it fails.
quietly() {
  quiet_log=$(mktemp)
  quiet_status=0
  "$@" >"$quiet_log" 2>&1 || quiet_status=$?
  [ "$quiet_status" = 0 ] || tail -n 20 "$quiet_log" >&2
  rm -f "$quiet_log"
  return "$quiet_status"
}

# Builds the programs, and prints where one of them lies. All at once, as the tests do: each other choice of packages is another
# choice of their dependencies' features, and compiles half of them anew. Cargo says where, so that a target folder elsewhere is
# found too. `BINARIES_DIR` names a folder with others, as it does for the tests.
program() {
  if [ -n "${BINARIES_DIR:-}" ]; then
    found=$(cd "$root" && CDPATH='' cd -- "$BINARIES_DIR" && pwd)/$1
    [ -x "$found" ] || die "no program $1 in BINARIES_DIR, which is $BINARIES_DIR"
    printf '%s\n' "$found"
    return
  fi
  built=$(cargo build -q --locked --workspace --exclude fuzz --bins --message-format=json-render-diagnostics) || die 'the programs do not compile'
  found=$(printf '%s\n' "$built" | sed -n '/"name":"'"$1"'"/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
  [ -n "$found" ] || die "cargo did not build the program $1"
  printf '%s\n' "$found"
}

# A stamp is a copy of the lock file that an installation was made from: the same text means nothing to do.
is_fresh() {
  cmp -s "$1" "$2"
}
