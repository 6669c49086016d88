#!/usr/bin/env bash
# Sockets that never read: how much later the others hear of a round, in turns with and without. See README.md.
#   bench/slow.sh [turns, 3] [seconds, 15] [sockets, 500] [rounds per second, 10]
# NO_BUILD=1 measures the release binaries that are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

turns=${1:-3} seconds=${2:-15} sockets=${3:-500} rate=${4:-10}
ulimit -n "$((sockets * 2 + 1024))" 2>/dev/null || ulimit -n "$(ulimit -Hn)"
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
COMANDA_DATA_DIR=$data COMANDA_BIND=127.0.0.1:18081 COMANDA_OPS_BIND=127.0.0.1:19465 COMANDA_LOG=error \
    "$target/comanda-api" --demo >/dev/null &
server=$!
for _ in $(seq 300); do
    curl -sf "$url/readyz" >/dev/null && break
    kill -0 "$server"
    sleep 0.1
done

load() {
    "$target/comanda" --quiet --json --timeout 60s load sockets --url "$url" --sockets "$sockets" --rate "$rate" \
        --seconds "$seconds" --deaf "$1"
}

for _ in $(seq "$turns"); do
    load 0
    load 5
done | python3 -c '
import json, sys
decoder, text, runs = json.JSONDecoder(), sys.stdin.read(), []
while text.strip():
    report, end = decoder.raw_decode(text.lstrip())
    runs.append(report)
    text = text.lstrip()[end:]
for without, beside in zip(runs[::2], runs[1::2]):
    a, b = without["answer_to_socket"], beside["answer_to_socket"]
    print("p50 {:.1f} -> {:.1f} ms, p99 {:.1f} -> {:.1f} ms ({:.2f}); {} of {} that never read were cut, missed {}".format(
        a["p50_ms"], b["p50_ms"], a["p99_ms"], b["p99_ms"], b["p99_ms"] / a["p99_ms"], beside["cut"], beside["deaf"],
        beside["missed"]))
'
