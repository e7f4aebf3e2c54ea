# shellcheck shell=sh
# Sourced after lib.sh: builds `local` and tells the tests of the page where everything is. It must not install anything.
# shellcheck disable=SC2154 # set by lib.sh

cd "$root" || exit
LOCAL_PROGRAM=$(program local)
export LOCAL_PROGRAM
INFRAGEN_PROGRAM=$(program infragen)
export INFRAGEN_PROGRAM
TOOLS_VARNISH=$(varnish_program || echo varnishd)
export TOOLS_VARNISH
export DYNAMODB_LOCAL_DIR="$tools/dynamodb-local"
export TOOLS_NODE_MODULES="$tools/node/node_modules"
