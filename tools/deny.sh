#!/bin/sh
# Checks the dependency tree against deny.toml, and against known advisories where their database can be reached.
. "$(dirname -- "$0")/lib.sh"

fetch_seconds_max=20

"$root/tools/setup.sh" deny
cd "$root"
deny=$tools/cargo/bin/cargo-deny
"$deny" --locked --all-features check --hide-inclusion-graph bans licenses sources

limit=
if has timeout; then limit="timeout $fetch_seconds_max"; fi
# shellcheck disable=SC2086 # two words or none
if $limit "$deny" --all-features fetch db >/dev/null 2>&1; then
  "$deny" --frozen --all-features check --hide-inclusion-graph advisories
else
  say 'deny: the advisory database cannot be reached from here, so advisories were not checked'
fi
