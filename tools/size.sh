#!/bin/sh
# Fails when the stream function has grown past its limit: a cold start reads every byte of it.
. "$(dirname -- "$0")/lib.sh"

# 6.125 MiB, stripped. Twice that costs about as much start time as everything else together. The eighth came with rows as other
# programs write them, one row an item, the look at an index in which nothing is found, and private streams: 54 KB of our own, no
# dependency.
stream_bytes_max=6422528

cd "$root"
# Cargo says where the program lies, so that a target folder elsewhere is found too.
program=$(cargo build -q --release --locked -p lambda --bin stream --message-format=json-render-diagnostics |
  sed -n '/"name":"stream"/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -n "$program" ] || die 'cargo did not build the program stream'
bytes=$(($(wc -c <"$program")))
printf 'stream: %d bytes, at most %d\n' "$bytes" "$stream_bytes_max"
[ "$bytes" -le "$stream_bytes_max" ] ||
  die "stream has $bytes bytes; find out which dependency it was, or raise the limit in tools/size.sh and say why"
