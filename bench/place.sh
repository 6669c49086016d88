#!/usr/bin/env bash
# Placing through the server next to the same SQL through pgbench, on one cluster, in turns. See README.md.
#   bench/place.sh [seconds per turn, 10] [connections, 8] [turns, 3]
# NO_BUILD=1 measures the release binaries that are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-10} connections=${2:-8} turns=${3:-3}
# The demo branch has 14 tables, and each connection has one of its own.
[ "$connections" -le 14 ] || { echo "at most 14 connections" >&2; exit 2; }
url=http://127.0.0.1:18080
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
# One thread for HTTP: on two cores PostgreSQL needs the other one.
COMANDA_DATA_DIR=$data COMANDA_BIND=127.0.0.1:18080 COMANDA_LOG=warn COMANDA_HTTP_WORKERS="${COMANDA_HTTP_WORKERS:-1}" \
    "$target/comanda-api" --demo >/dev/null &
server=$!
for _ in $(seq 300); do
    curl -sf "$url/readyz" >/dev/null && break
    kill -0 "$server"
    sleep 0.1
done

cluster=$data/postgres/pgdata
export PGHOST PGUSER=postgres PGDATABASE=comanda
PGHOST=$(sed -n 5p "$cluster/postmaster.pid")
bin=$(dirname "$(readlink -f "/proc/$(head -n1 "$cluster/postmaster.pid")/exe")")
log=$data/postgres/postgres.log

ask() { "$bin/psql" -qAtX -v ON_ERROR_STOP=1 -c "$1"; }
load() { "$target/comanda" --json --quiet load place --url "$url" --connections "$connections" "$@"; }

# What the server sends for one iteration of each guest, as a script of pgbench.
capture() {
    local from
    from=$(stat -c %s "$log")
    ask "ALTER SYSTEM SET log_statement = 'all'"
    ask "SELECT pg_reload_conf()" >/dev/null
    sleep 0.5
    load --seconds 5 --warm-up 0 --rounds 8 >/dev/null
    ask "ALTER SYSTEM RESET log_statement"
    ask "SELECT pg_reload_conf()" >/dev/null
    tail -c +"$((from + 1))" "$log" | python3 bench/capture.py "$1" "$connections" >"$data/place.sql"
}

# A restaurant that has been open for a while, and tables that PostgreSQL has looked at, as autovacuum does within a minute.
load --seconds 10 --warm-up 0 >/dev/null
for turn in $(seq "$turns"); do
    ask "VACUUM ANALYZE"
    placed=$(load --seconds "$seconds" --warm-up 2)
    capture "$turn"
    ask "VACUUM ANALYZE"
    # Only in this process does the role bind pgbench as the server's SET ROLE binds its connections.
    output=$(PGOPTIONS='-c role=comanda_app' "$bin/pgbench" -n -M prepared -f "$data/place.sql" \
        -c "$connections" -j 2 -T "$seconds" -D i=0 2>&1) || { echo "$output" >&2; exit 1; }
    if grep -q 'ERROR\|aborted' <<<"$output"; then
        echo "$output" >&2
        exit 1
    fi
    python3 - "$turn" "$placed" "$output" <<'PY'
import json, re, sys
turn, placed, output = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
tps = float(re.search(r"tps = ([\d.]+)", output).group(1))
rate = placed["rounds_per_second"]
print(f"turn {turn}: comanda {rate:.0f}/s (placing p50 {placed['place']['p50_ms']} ms, "
      f"p99 {placed['place']['p99_ms']} ms), pgbench {tps:.0f}/s, ratio {rate / tps:.2f}")
PY
done
