# Every habit as a recipe. `./dev` does the same without `just`, and installs what is missing.

# What there is
default:
    @just --list --unsorted

# Serve the demo restaurant; arguments go to comanda-api
run *arguments:
    ./dev run {{ arguments }}

# The operator's command, for example: just comanda demo dinner
comanda *arguments:
    ./dev comanda {{ arguments }}

# Formatting, lints and all tests; arguments go to the test runner
test *arguments:
    ./dev test {{ arguments }}

# Install what is missing
setup:
    ./dev setup

# What CI runs
ci:
    .ci/run

# Format everything
fmt:
    cargo fmt --all

# The lints alone
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, sources and bans of all dependencies (needs cargo-deny)
deny:
    cargo deny check bans licenses sources

# The documentation of the crates
doc:
    cargo doc --workspace --no-deps --open

# Placing next to the same SQL through pgbench, and decisions without a database
bench:
    bench/place.sh
    cargo bench --package comanda-domain
