#!/bin/sh
# Renders, and then packages what Terraform needs beside: what is missing, or older than its sources. With `--check` or `--diff`
# nothing is written, and nothing packaged. `infragen render` by itself renders and does nothing else.
. "$(dirname -- "$0")/lib.sh"

cd "$root"
infragen render "$@"
for argument in "$@"; do
  case $argument in
    --check | --diff) exit 0 ;;
  esac
done
wanted=$(infragen --quiet query artifacts)
case $wanted in
  *' zip '*) "$root/tools/package.sh" ;;
esac
case $wanted in
  *' image '*)
    # An image is named by the repository that it lies in, which the bootstrap root makes.
    # Its state is a file here, or in a bucket.
    if find generated -path '*bootstrap/terraform.tfstate' | grep -q . ||
      find generated -path '*bootstrap/versions.tf' -exec grep -q 'backend "s3"' {} \; -print | grep -q .; then
      "$root/tools/image.sh"
    else
      say 'render: the images are not pushed, for want of a repository: run ./justw bootstrap, and then ./justw image'
    fi
    ;;
esac
