# shellcheck shell=sh
# Sourced after lib.sh: builds `local` and tells the tests of the page where everything is. It must not install anything.
# shellcheck disable=SC2154 # set by lib.sh

cd "$root" || exit
# Cargo says where the program lies, so that a target folder elsewhere is found too.
LOCAL_PROGRAM=$(cargo build -q --locked -p lambda --bin local --message-format=json-render-diagnostics |
  sed -n '/"name":"local"/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -n "$LOCAL_PROGRAM" ] || die 'cargo did not build the program local'
export LOCAL_PROGRAM
export DYNAMODB_LOCAL_DIR="$tools/dynamodb-local"
export TOOLS_NODE_MODULES="$tools/node/node_modules"
