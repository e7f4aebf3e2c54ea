#!/bin/sh
# Everything that CI checks, cheap steps first; stops at the first step that fails and names it. Each step says which of how
# many it is and how long it took last time, and once a minute that it goes on. The last line counts the tests that ran.
# The long steps are left out while the files that they depend on are the very ones with which they passed here; `AGAIN=1` runs
# them all the same, and CI always does.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
# Incremental builds cost time and disk, and a clean checkout has nothing to gain from them.
if [ -n "${CI:-}" ]; then export CARGO_INCREMENTAL=0; fi

# Seconds that each step took when it last succeeded: name, tab, number.
durations=$tools/test-durations
steps=$(grep -c -E "^(step|aside)(_of)? '" "$0")
at=0
left_out=0
ticking=
began=$(date +%s)

scratch=$(mktemp -d)
trap 'stop_ticker; end_beside; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
: >"$scratch/counted"

# The numbers of every runner, on one line that can be read by a machine; a failed step without numbers counts as one.
summary() {
  awk -v "failed_min=$1" '
    /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1) } }
    /^(#|ℹ) pass [0-9]+$/ { p += $3 }
    /^(#|ℹ) fail [0-9]+$/ { f += $3 }
    /^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 }
    END { if (f < failed_min) f = failed_min; printf "%d passed, %d failed\n", p, f }
  ' "$scratch/counted"
}

# Seconds that a step took last time; nothing before its first success.
last_time() {
  awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$durations" 2>/dev/null || true
}

remember() {
  mkdir -p "$tools"
  { awk -F '\t' -v name="$1" '$1 != name' "$durations" 2>/dev/null || true; printf '%s\t%s\n' "$1" "$2"; } >"$scratch/durations"
  mv "$scratch/durations" "$durations"
}

# Says once a minute that a step goes on, as long as its file is there. A signal would not end it for certain: one that comes while
# the shell forks is caught by the trap of its parent, and lost.
start_ticker() {
  ticking=$(mktemp "$scratch/ticking-XXXXXX")
  (
    waited=0
    while sleep 1 >/dev/null 2>&1 && [ -e "$ticking" ]; do
      waited=$((waited + 1))
      if [ $((waited % 60)) = 0 ]; then printf '   ... %s: %s s so far%s\n' "$1" "$waited" "$2"; fi
    done
  ) &
}

stop_ticker() {
  rm -f "$ticking"
}

# Says that a step begins; what follows the name is put behind it.
begin() {
  name=$1
  at=$((at + 1))
  last=$(last_time "$name")
  printf '\n== %s of %s: %s%s%s\n' "$at" "$steps" "$name" "$2" "${last:+ (last time $last s)}"
}

failed() {
  stop_ticker
  printf '\n'
  summary 1
  printf 'step failed: %s, after %s s\n' "$1" "$2"
  exit 1
}

step() {
  begin "$1" ''
  shift
  started=$(date +%s)
  start_ticker "$name" "${last:+, last time $last s}"
  "$@" || failed "$name" "$(($(date +%s) - started))"
  stop_ticker
  took=$(($(date +%s) - started))
  remember "$name" "$took"
  printf '== %s: %s s\n' "$name" "$took"
}

# Hash of what a step depends on: the files below these paths that git knows or would add, and the programs that run them.
inputs() {
  {
    # A file that is gone has no hash: that is another result too.
    git ls-files -co --exclude-standard -z -- "$@" | sort -z | xargs -0 sha256sum 2>/dev/null || true
    uname -srm
    for program in 'rustc -V' 'node -v' 'java --version' 'terraform version' 'chromium --version' 'firefox-esr --version'; do
      # What else they say may differ from run to run: Debian's chromium says how much shared memory is free.
      $program 2>/dev/null || true
    done
  } | sha256sum | cut -d ' ' -f 1
}

# Whether a step passed with what it depends on now; keeps the hash in `key`.
has_passed() {
  # shellcheck disable=SC2086 # the paths are words
  key=$(inputs $2)
  [ -z "${CI:-}${AGAIN:-}" ] && [ "$(cat "$tools/passed/$(printf '%s' "$1" | tr ' ' '-')" 2>/dev/null)" = "$key" ] || return 1
  begin "$1" ': left out, nothing that it depends on has changed since it passed; AGAIN=1 runs it'
  left_out=$((left_out + 1))
}

# Notes that a step passed, unless somebody changed something meanwhile.
note_passed() {
  # shellcheck disable=SC2086 # the paths are words
  [ "$(inputs $2)" = "$3" ] || return 0
  mkdir -p "$tools/passed"
  printf '%s\n' "$3" >"$tools/passed/$(printf '%s' "$1" | tr ' ' '-')"
}

# A step that is left out where it passed with these files: name, paths, command.
step_of() {
  ! has_passed "$1" "$2" || return 0
  step_name=$1 step_paths=$2 step_key=$key
  shift 2
  step "$step_name" "$@"
  note_passed "$step_name" "$step_paths" "$step_key"
}

# Where a step beside keeps what it says and how it ended.
place() {
  printf '%s/%s' "$scratch" "$(printf '%s' "$1" | tr ' ' '-')"
}

# Ends a process and all that it started: a test program outlives a cargo that is ended.
end_tree() {
  for child in $(pgrep -P "$1"); do end_tree "$child"; done
  kill "$1" 2>/dev/null || true
}

# Ends the steps beside that nobody has joined.
end_beside() {
  for file in "$scratch"/*-process; do
    [ ! -e "$file" ] || end_tree "$(cat "$file")"
  done
  wait
}

# Begins a step beside those that follow, which often wait; `join` waits for it, and shows what it said.
aside() {
  begin "$1" ', beside what follows'
  place=$(place "$1")
  shift
  (
    started=$(date +%s)
    status=0
    # A little behind the others: more, and a machine that has something else to do would never come to it.
    nice -n 3 "$@" >"$place" 2>&1 || status=$?
    printf '%s %s\n' "$status" "$(($(date +%s) - started))" >"$place-ended"
  ) &
  printf '%s\n' "$!" >"$place-process"
}

# Likewise one beside those that follow.
aside_of() {
  ! has_passed "$1" "$2" || return 0
  aside_name=$1 aside_paths=$2 aside_key=$key
  shift 2
  aside "$aside_name" "$@"
}

join_of() {
  [ -e "$(place "$1")-process" ] || return 0
  join "$1"
  note_passed "$1" "$aside_paths" "$aside_key"
}

join() {
  place=$(place "$1")
  start_ticker "$1" ', beside the steps before'
  wait "$(cat "$place-process")" || true
  rm "$place-process"
  stop_ticker
  cat "$place"
  cat "$place" >>"$scratch/counted"
  # Killed from outside, it says nothing of its end.
  [ -s "$place-ended" ] || failed "$1" unknown
  read -r status took <"$place-ended"
  [ "$status" = 0 ] || failed "$1" "$took"
  remember "$1" "$took"
  printf '== %s: %s s, beside other steps\n' "$1" "$took"
}

# Runs a test runner whose tests go into the summary.
counted() {
  # A pipeline ends with the status of its last command, so the runner's own goes through a file.
  { "$@" 2>&1 && echo 0 >"$scratch/status" || echo 1 >"$scratch/status"; } | tee "$scratch/output"
  cat "$scratch/output" >>"$scratch/counted"
  [ "$(cat "$scratch/status")" = 0 ]
}

# What fuzz targets, the page in browsers, and everything else depend on.
of_fuzzing='Cargo.toml Cargo.lock rust-toolchain.toml .cargo contract stream_core lambda fuzz tests/support tools'
of_browsers='. :!*.md :!docs :!bench :!fuzz :!tests/render :!tests/fixtures/manifests :!tests/fixtures/rendered'
of_rest='.'

# Mostly waits for downloads; lints need nothing of it.
aside 'set-up' tools/setup.sh tests fuzz
step 'format' cargo fmt --all --check
step 'lints' cargo clippy -q --workspace --all-targets --locked -- -D warnings
# Private items are always documented, so that links to them always work.
step 'documentation' env RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' \
  cargo doc -q --no-deps --workspace --document-private-items --locked
join 'set-up'
step 'shell scripts' tools/shellcheck.sh
step 'page, in Node' counted tools/frontend-test.sh
step 'dependencies' tools/deny.sh
step 'build' cargo test -q --workspace --locked --no-run
step 'rendered files' "$(program infragen)" render --check
# Linking with optimisation keeps one processor busy for minutes; browsers and streams mostly wait.
aside 'size' tools/size.sh
# Compilers, Terraform and AWS in memory need no answer in time: they take what the others leave, browsers above all.
aside_of 'tests of what is rendered' "$of_rest" nice -n 7 tools/rendered-test.sh
step_of 'page, in browsers' "$of_browsers" counted tools/browser.sh
# So long that a fault in what was changed last shows; `./justw fuzz 600` is for finding others.
step_of 'fuzzing' "$of_fuzzing" tools/fuzz.sh 5
join 'size'
step_of 'tests of everything else' "$of_rest" counted tools/it.sh --workspace --no-fail-fast -- --skip render:: --skip image::
join_of 'tests of what is rendered'

printf '\n%s steps, %s of them left out: %s s\n' "$steps" "$left_out" "$(($(date +%s) - began))"
summary 0
