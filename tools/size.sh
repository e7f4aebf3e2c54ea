#!/bin/sh
# Fails when the stream function has grown past its limit: a cold start reads every byte of it.
#
# The size follows from the files that tools/size.checked has the hash of, beside the bytes that they came to: where it is that of
# the files here, the program is not linked again, which takes minutes. `--always` links it.
. "$(dirname -- "$0")/lib.sh"

# 6,560 KiB, stripped. Twice that costs about as much start time as everything else together. The first eighth came with rows as other
# programs write them, one row an item, the look at an index in which nothing is found, and private streams: 54 KB of our own, no
# dependency; the second one with hours that instances share, 120 KB that save a start of a large table nine tenths of its reads;
# the third one with what rows are about (title, link, what else is shown: 35 KB) and with writes that clients share; 16 KiB with the headers
# of REST's answers on streams, and segments that viewers share; the last 24 KiB with the newest hours that instances leave too, which save a start of a million rows a second;
# 40 with ids that leave out what is late all the time, without which a busy table's clients began anew at each return; the last 16 with rows
# in doubt and with places that an instance remembers.
stream_bytes_max=6717440

cd "$root"
checked=tools/size.checked

hash_of_inputs() {
  git ls-files -z Cargo.lock Cargo.toml rust-toolchain.toml contract stream_core lambda tools/size.sh |
    xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

hash=$(hash_of_inputs)
known=$(sed -n "s/^$hash \\([0-9]*\\)\$/\\1/p" "$checked" 2>/dev/null || true)
if [ "${1:-}" != --always ] && [ -n "$known" ]; then
  say "size: the stream function of these sources has $known bytes, at most $stream_bytes_max"
  exit
fi
# Cargo says where the program lies, so that a target folder elsewhere is found too.
program=$(cargo build -q --release --locked -p lambda --bin stream --message-format=json-render-diagnostics |
  sed -n '/"name":"stream"/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -n "$program" ] || die 'cargo did not build the program stream'
bytes=$(($(wc -c <"$program")))
printf 'stream: %d bytes, at most %d\n' "$bytes" "$stream_bytes_max"
[ "$bytes" -le "$stream_bytes_max" ] ||
  die "stream has $bytes bytes; find out which dependency it was, or raise the limit in tools/size.sh and say why"
if [ "$hash $bytes" != "$(cat "$checked" 2>/dev/null)" ]; then
  printf '%s %s\n' "$hash" "$bytes" >"$checked"
  say "size: noted in $checked, to be committed"
fi
