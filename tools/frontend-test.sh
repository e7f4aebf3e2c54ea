#!/bin/sh
# Runs the page's own tests in Node.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
# By name, because Node takes a folder for a program since release 21. A run without files would pass and say nothing.
set -- frontend/test/*.test.*js
[ -e "$1" ] || die 'no tests in frontend/test'
exec node --test --test-reporter=spec "$@"
