#!/usr/bin/env bash
# Once, when the container is made: fetch, build, migrate, seed. Works outside a container too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

./dev setup
cargo fetch --locked
cargo build --workspace
.devcontainer/wait-for-services.sh
cargo run --quiet --package comanda-cli -- db-migrate
cargo run --quiet --package comanda-cli -- db-seed
