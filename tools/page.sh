#!/bin/sh
# Leaves the page of an applied root ready for any host of static files, with the live URLs: `page.sh FOLDER [TARGET]`, by
# default in dist/page, or dist/ENVIRONMENT/page. Never in frontend/: its config.js is what deploy.toml says, which CI
# compares; URLs that only one state knows are not for everybody's checkout.
. "$(dirname -- "$0")/lib.sh"

[ $# -ge 1 ] && [ $# -le 2 ] || die 'usage: page.sh FOLDER [TARGET]'
folder=$1
environment=${folder#generated/}
target=${2:-dist/${environment%terraform}page}
cd "$root"
terraform=$(terraform_program)

# The bootstrap root has no page. One that was destroyed has no outputs, which Terraform tells on standard output.
config=$("$terraform" -chdir="$folder" output -raw config_js 2>/dev/null) || exit 0
case $config in
  //*) ;;
  *) exit 0 ;;
esac
if site=$("$terraform" -chdir="$folder" output -raw site_url 2>/dev/null); then
  say "the page is at $site"
  exit 0
fi
# The files that generated/terraform/page.tf uploads where CloudFront is the front.
mkdir -p "$target/css" "$target/js/words"
cp frontend/css/*.css "$target/css/"
cp frontend/js/*.js "$target/js/"
cp frontend/js/words/*.js "$target/js/words/"
cp frontend/index.html "$target/"
for file in frontend/vendor/*.css frontend/vendor/*.js frontend/vendor/*.txt; do
  # A pattern that matches nothing stands for itself.
  [ -f "$file" ] || continue
  mkdir -p "$target/vendor"
  cp "$file" "$target/vendor/"
done
printf '%s\n' "$config" >"$target/config.js"
say "the page is in $target: put it on any host of static files"
