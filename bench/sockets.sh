#!/usr/bin/env bash
# Sockets of one process: how soon all hear of a round, what an idle one takes, and how soon all are back. See README.md.
#   bench/sockets.sh [sockets, 2000] [seconds, 20] [rounds per second, 5]
# NO_BUILD=1 measures the release binaries that are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sockets=${1:-2000} seconds=${2:-20} rate=${3:-5}
# Both sides have a file per socket, and this shell's limit is theirs.
ulimit -n "$((sockets * 2 + 1024))" 2>/dev/null || ulimit -n "$(ulimit -Hn)"
[ "$(ulimit -n)" -gt "$((sockets + 512))" ] || { echo "at most $(ulimit -n) files may be open here" >&2; exit 2; }
url=http://127.0.0.1:18081
target=${CARGO_TARGET_DIR:-target}/release
data=$(mktemp -d /tmp/comanda-bench-XXXXXX)
chmod 755 "$data"

finish() {
    if [ -n "${server:-}" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$data"
}
trap finish EXIT

[ -n "${NO_BUILD:-}" ] || cargo build --release --quiet --bin comanda-api --bin comanda
# Hashing a password takes 19 MiB for a moment. Given back at once, it is not there for the sockets to fill unseen.
MIMALLOC_PURGE_DELAY=0 \
    COMANDA_DATA_DIR=$data COMANDA_BIND=127.0.0.1:18081 COMANDA_OPS_BIND=127.0.0.1:19465 COMANDA_LOG=warn \
    "$target/comanda-api" --demo >/dev/null &
server=$!
for _ in $(seq 300); do
    curl -sf "$url/readyz" >/dev/null && break
    kill -0 "$server"
    sleep 0.1
done

load() { "$target/comanda" --timeout 60s load "$@" --url "$url" --sockets "$sockets" --rate "$rate"; }

echo "== $sockets sockets, $rate rounds a second for $seconds s"
load sockets --seconds "$seconds" --pid "$server"
echo "== all of them drop at once"
load storm --seconds "$seconds"
