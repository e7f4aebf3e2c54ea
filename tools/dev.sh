#!/bin/sh
# Starts both functions and the page on this machine, until Ctrl-C: with a sample feed, with the rows of a worked example, or with a
# table that exists, which is only read.
. "$(dirname -- "$0")/lib.sh"
. "$root/tools/local-env.sh"

examples=$root/docs/examples

refuse() {
  say "error: $*"
  say 'usage: ./justw dev [--example NAME | --table NAME [--profile NAME] [--region NAME] [--from FILE [--rows FILE]]]'
  exit 2
}

example='' table='' from='' rows='' profile='' region=''
while [ $# -gt 0 ]; do
  flag=$1
  case $flag in
    --example | --table | --from | --rows | --profile | --region) ;;
    *) refuse "there is no argument $flag" ;;
  esac
  { [ $# -gt 1 ] && [ -n "$2" ]; } || {
    [ "$flag" != --example ] || refuse "--example needs one of $(ls -m "$examples")"
    refuse "$flag needs a value"
  }
  case $flag in
    --example) example=$2 ;;
    --table) table=$2 ;;
    --from) from=$2 ;;
    --rows) rows=$2 ;;
    --profile) profile=$2 ;;
    --region) region=$2 ;;
  esac
  shift 2
done
[ -z "$example" ] || [ -z "$table" ] || refuse '--example and --table are two sources of rows'
[ -n "$table" ] || [ -z "$profile$region$from" ] || refuse '--profile, --region and --from are about a table, which --table names'
[ -n "$from" ] || [ -z "$rows" ] || refuse '--rows are rows of the table that --from describes'

# Files are meant as seen from where this was called, and cargo must be in the workspace.
absolute() {
  case $1 in
    '' | - | /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
  esac
}
from=$(absolute "$from")
rows=$(absolute "$rows")
cd "$root"

# What is rendered for this run alone, so that nothing comes to lie beside the manifests.
folder=$root/target/dev/${example:+example-$example}${table:+table-$table}

# A worked example: its settings, and its rows as its table would have them.
prepare_example() {
  [ -f "$examples/$example/deploy.toml" ] || refuse "there is no example $example, but $(ls -m "$examples")"
  mkdir -p "$folder"
  cp "$examples/$example/deploy.toml" "$folder/deploy.toml"
  set -- "$examples/$example"/rows.*
  infragen --manifest "$folder/deploy.toml" --quiet seed "$1" --table "$examples/$example/table.json" --print >"$folder/rows.jsonl"
  export STORE=memory SAMPLE_ROWS="$folder/rows.jsonl"
  prepare_local "$folder"
}

# A table that exists, as deploy.toml means it, or as it is described.
prepare_table() {
  manifest=$root/deploy.toml
  if [ -n "$from" ]; then
    mkdir -p "$folder"
    rm -f "$folder/deploy.toml"
    manifest=$folder/deploy.toml
    infragen --manifest "$manifest" init --minimal --table "$from" ${rows:+--rows "$rows"}
  fi
  # As with the AWS command line, a profile that is named wins over keys in the environment.
  [ -z "$profile" ] || {
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    export AWS_PROFILE="$profile"
  }
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(infragen --manifest "$manifest" query project.region)}}}
  # Users are those of tokens under a key that is made up: nobody has saved anything here.
  export AWS_REGION="$region" STORE=table SENTIMENTS_TABLE="$table" AUTH_MODE=session
  prepare_local "$(dirname -- "$manifest")"
}

if [ -n "$example" ]; then
  prepare_example
elif [ -n "$table" ]; then
  prepare_table
else
  prepare_local "$root"
fi
export DASHBOARD_PORT="${DASHBOARD_PORT:-8080}" STREAM_PORT="${STREAM_PORT:-8081}" STORE="${STORE:-memory}"
# Both replace their own process, so that Ctrl-C and kill reach the server itself.
[ -z "${BINARIES_DIR:-}" ] || exec "$(program local)"
exec cargo run -q --locked -p lambda --bin local
