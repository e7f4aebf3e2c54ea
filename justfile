# `./justw` lists what there is; `./justw RECIPE` runs it, and fetches just on first use.

set positional-arguments

[private]
default:
    @{{ just_executable() }} --justfile {{ quote(justfile()) }} --list --unsorted

# Start both functions and the page on this machine, http://127.0.0.1:8080: with sample data, `--example orders`, or `--table NAME` to look at one
[group('run')]
[no-cd]
[no-exit-message]
dev *arguments:
    @exec {{ quote(justfile_directory()) }}/tools/dev.sh "$@"

# Everything that CI checks, set-up included
[group('check')]
[no-exit-message]
test:
    @tools/test.sh

# `cargo test` with the tools that the tests need: `just it --workspace`, `just it -p tests NAME`
[group('check')]
[no-exit-message]
it *arguments='--workspace':
    @tools/it.sh "$@"

# Is deploy.toml valid, and is everything rendered from it up to date, in every environment?
[group('check')]
[no-exit-message]
check:
    @cargo run -q --locked -p infragen -- validate
    @cargo run -q --locked -p infragen -- render --check

# Format, lints, shell scripts and dependencies
[group('check')]
[no-exit-message]
lint: deny
    @cargo fmt --all --check
    @tools/shellcheck.sh
    @cargo clippy -q --workspace --all-targets --locked -- -D warnings

# Licences, banned crates, sources, and advisories where their database can be reached
[group('check')]
[no-exit-message]
deny *arguments:
    @tools/deny.sh "$@"

# Fuzz what reads foreign bytes: `just fuzz 60` for a minute each, `just fuzz keep` to put what was found into fuzz/corpus
[group('check')]
[no-exit-message]
fuzz *arguments='60':
    @tools/fuzz.sh "$@"

# The page in real browsers: `just browser`, `just browser ten-tabs network`, `just browser --list`
[group('check')]
[no-exit-message]
browser *arguments:
    @tools/browser.sh "$@"

# The quick part of that, with screenshots
[group('check')]
[no-exit-message]
smoke:
    @tools/browser.sh smoke looks

# Leave the page open for so many minutes at 20 updates a second: does memory grow, is anything lost?
[group('check')]
[no-exit-message]
soak minutes='30':
    @tools/soak.sh "$@"

# Format the Rust sources
[group('change')]
fmt:
    @cargo fmt --all

# Write everything that deploy.toml describes, and package what is missing or older than its sources
[group('change')]
[no-exit-message]
render *arguments:
    @tools/render.sh "$@"

# Build the functions as zips for Lambda where they changed (`--host`: for this machine's processor)
[group('deploy')]
[no-exit-message]
package *arguments:
    @tools/package.sh "$@"

# Build the container images and push them, without a container engine (`--to-layout`: into dist/images only)
[group('deploy')]
[no-exit-message]
image *arguments:
    @tools/image.sh "$@"

# Render, then create what has to exist before the first deployment: `just bootstrap`, `just bootstrap prod`
[group('deploy')]
[no-exit-message]
bootstrap *arguments:
    @cargo run -q --locked -p infragen -- render
    @tools/deploy.sh bootstrap "$@"

# Render, then `terraform apply` the rest: `just apply`, `just apply prod`, with arguments of Terraform behind
[group('deploy')]
[no-exit-message]
apply *arguments: render
    @tools/apply.sh "$@"

# From deploy.toml to a live URL: `just deploy`, `just deploy prod --yes`, `just deploy --dry-run`
[group('deploy')]
[no-exit-message]
deploy *arguments:
    @tools/deploy.sh deploy "$@"

# Make what a release consists of, in dist/release: programs and zips for both processors, bills of materials, licences, checksums
[group('deploy')]
[no-exit-message]
release *arguments:
    @tools/release.sh "$@"

# Run the image of the other processor under qemu, which CI has no time for: minutes, once a machine
[group('check')]
[no-exit-message]
image-check:
    @tools/setup.sh qemu
    @IMAGE_CHECK=1 tools/it.sh --workspace --test it -- image::runs

# Measure everything (`just bench`, `--quick`), what the window costs (`just bench window`, `--quick`, `--check`, `--instructions`, `--engine`), a stream beside other people's (`just bench peers`), how long a row takes to many clients (`just bench delivery`), or how soon the page shows numbers (`just bench page`)
[group('check')]
[no-exit-message]
bench *arguments:
    @tools/bench.sh "$@"

[private]
setup *parts='tests deny fuzz':
    @tools/setup.sh {{ parts }}
