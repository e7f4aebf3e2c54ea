#!/bin/sh
# Checks the dependency tree against deny.toml, and against known advisories where their database can be reached.
#
# Licences, bans and sources follow from the files that tools/deny.checked is the hash of: where it is that of the files here, they
# were checked before, and cargo-deny, which takes minutes to compile, is needed for advisories alone. `--always` checks anew.
. "$(dirname -- "$0")/lib.sh"

fetch_seconds_max=20
advisories=https://github.com/RustSec/advisory-db

cd "$root"
checked=tools/deny.checked

hash_of_inputs() {
  {
    git ls-files -z Cargo.lock Cargo.toml '*/Cargo.toml' deny.toml | xargs -0 sha256sum
    grep '^cargo_deny_version=' tools/setup.sh
  } | sha256sum | cut -d ' ' -f 1
}

can_be_reached() {
  limit=
  if has timeout; then limit="timeout $fetch_seconds_max"; fi
  # shellcheck disable=SC2086 # two words or none
  GIT_TERMINAL_PROMPT=0 $limit git ls-remote --quiet "$advisories" HEAD >/dev/null 2>&1
}

is_reached=no
if can_be_reached; then is_reached=yes; fi
hash=$(hash_of_inputs)
if [ "${1:-}" != --always ] && [ "$is_reached" = no ] && [ "$hash" = "$(cat "$checked" 2>/dev/null)" ]; then
  say 'deny: licences, bans and sources of these dependencies were checked; the advisory database cannot be reached from here'
  exit
fi

"$root/tools/setup.sh" deny
deny=$tools/cargo/bin/cargo-deny
"$deny" --locked --all-features check --hide-inclusion-graph bans licenses sources
if [ "$hash" != "$(cat "$checked" 2>/dev/null)" ]; then
  printf '%s\n' "$hash" >"$checked"
  say "deny: noted in $checked, to be committed"
fi
if [ "$is_reached" = yes ]; then
  "$deny" --all-features fetch db >/dev/null
  "$deny" --frozen --all-features check --hide-inclusion-graph advisories
else
  say 'deny: the advisory database cannot be reached from here, so advisories were not checked'
fi
