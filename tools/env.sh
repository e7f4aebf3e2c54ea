# shellcheck shell=sh
# Sourced after lib.sh: tells the tests where the tools are. It must not install anything; tools/setup.sh does.
# shellcheck disable=SC2154 # set by lib.sh

# What Python has compiled is kept, also where somebody's machine says otherwise: moto starts, and the AWS CLI answers, in half the time.
unset PYTHONDONTWRITEBYTECODE
# Terraform reads some hundred megabytes of schema each time that it runs. Where its garbage may grow first, that takes a third less.
export GOGC=400 GOMEMLIMIT=1GiB
export DYNAMODB_LOCAL_DIR="$tools/dynamodb-local"
export TOOLS_PYTHON="$venv/bin/python"
export TOOLS_MOTO="$tools/moto"
export TOOLS_AWSCLI="$tools/awscli"
export TOOLS_CHECKOV="$tools/checkov"
export TOOLS_PARLIAMENT="$tools/parliament"
export TOOLS_SCHEMATHESIS="$tools/schemathesis"
TOOLS_FAKETIME=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
export TOOLS_FAKETIME
TOOLS_VARNISH=$(varnish_program || echo varnishd)
export TOOLS_VARNISH
export TOOLS_RESEARCH="$tools/research"
export TOOLS_PEERS="$tools/peers"
export TOOLS_PROVIDER_TYPES="$tools/provider-types"
export TOOLS_WEB_ADAPTER="$tools/cargo/bin/lambda-adapter"
export TOOLS_DURABLE_STREAMS="$tools/cargo/bin/durable-streams-server"
export TOOLS_ACTIONLINT="$tools/actionlint"
export TOOLS_CYCLONEDX="$tools/cyclonedx"
export TOOLS_NODE_MODULES="$tools/node/node_modules"

config_line=$("$root/tools/terraform-config.sh")
if [ -n "$config_line" ]; then
  export "${config_line?}"
fi
