#!/bin/sh
# Everything that CI checks, cheap steps first; stops at the first step that fails and names it. The last line counts the
# tests that ran.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
# Incremental builds cost time and disk, and a clean checkout has nothing to gain from them.
if [ -n "${CI:-}" ]; then export CARGO_INCREMENTAL=0; fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
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

step() {
  name=$1
  shift
  printf '\n== %s\n' "$name"
  started=$(date +%s)
  if ! "$@"; then
    printf '\n'
    summary 1
    printf 'step failed: %s, after %s s\n' "$name" "$(($(date +%s) - started))"
    exit 1
  fi
  printf '== %s: %s s\n' "$name" "$(($(date +%s) - started))"
}

# Runs a test runner whose tests go into the summary.
counted() {
  # A pipeline ends with the status of its last command, so the runner's own goes through a file.
  { "$@" 2>&1 && echo 0 >"$scratch/status" || echo 1 >"$scratch/status"; } | tee "$scratch/output"
  cat "$scratch/output" >>"$scratch/counted"
  [ "$(cat "$scratch/status")" = 0 ]
}

step 'set-up' tools/setup.sh java terraform node chromium firefox curl python moto checkov schemathesis dynamodb faketime peers web-adapter
step 'format' cargo fmt --all --check
step 'shell scripts' tools/shellcheck.sh
step 'page, in Node' counted tools/frontend-test.sh
step 'dependencies' tools/deny.sh
step 'lints' cargo clippy -q --workspace --all-targets --locked -- -D warnings
# Private items are always documented, so that links to them always work.
step 'documentation' env RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' \
  cargo doc -q --no-deps --workspace --document-private-items --locked
step 'rendered files' cargo run -q --locked -p infragen --bin infragen -- render --check
step 'build' cargo build -q --workspace --bins --locked
step 'page, in browsers' counted tools/browser.sh
step 'size' tools/size.sh
# A minute each where nobody waits.
step 'fuzzing' tools/fuzz.sh "$([ -n "${CI:-}" ] && echo 60 || echo 10)"
step 'tests' counted tools/it.sh --workspace --no-fail-fast

printf '\n'
summary 0
