# shellcheck shell=sh
# Sourced after lib.sh: gives the program `local` its environment. What the caller has set stays as it is.
# It must not start anything.

# Exports the lines NAME=value of a file, each value as it stands up to the end of the line.
export_lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '' | '#'*) continue ;;
    esac
    name=${line%%=*}
    case $name in
      '' | "$line" | [0-9]* | *[!A-Za-z0-9_]*) die "$1: not a line NAME=value: $line" ;;
    esac
    printenv "$name" >/dev/null || export "$name=${line#*=}"
  done <"$1"
}

# Renders the manifest of a folder for this machine, and takes over the settings that came out.
prepare_local() {
  infragen --manifest "$1/deploy.toml" --env local render
  export_lines "$1/generated/local/functions.env"
  # shellcheck disable=SC2154 # set by lib.sh
  export FRONTEND_DIR="${FRONTEND_DIR:-$root/frontend}"
}
