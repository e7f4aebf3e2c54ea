#!/bin/sh
# Checks every shell script of the repository.
. "$(dirname -- "$0")/lib.sh"

"$root/tools/setup.sh" python
cd "$root"
"$venv/bin/shellcheck" justw .ci/run tools/*.sh
