#!/usr/bin/env bash
# A backlog of staged events: how soon all are numbered and on the bus. See README.md.
#   bench/outbox.sh [events, 200000]
# NO_BUILD=1 measures the release binaries that are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

events=${1:-200000}
url=http://127.0.0.1:18082
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
COMANDA_DATA_DIR=$data COMANDA_BIND=127.0.0.1:18082 COMANDA_OPS_BIND=127.0.0.1:19466 COMANDA_LOG=warn \
    "$target/comanda-api" --demo >/dev/null &
server=$!
for _ in $(seq 300); do
    curl -sf "$url/readyz" >/dev/null && break
    kill -0 "$server"
    sleep 0.1
done
# Events as they are, to make the backlog of.
"$target/comanda" --quiet demo dinner --url "$url" >/dev/null

cluster=$data/postgres/pgdata
export PGHOST PGUSER=postgres PGDATABASE=comanda
PGHOST=$(sed -n 5p "$cluster/postmaster.pid")
bin=$(dirname "$(readlink -f "/proc/$(head -n1 "$cluster/postmaster.pid")/exe")")
ask() { "$bin/psql" -qAtX -v ON_ERROR_STOP=1 -c "$1"; }
published() { ask "SELECT sum(published_pos) FROM event_shard"; }

before=$(published)
ask "INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, session_id, sector_id, attributes, data, occurred_at)
     SELECT tenant_id, branch_id, shard, gen_random_uuid(), type, subject, session_id, sector_id, attributes, data, now()
     FROM generate_series(1, $events) AS n
     JOIN (SELECT *, row_number() OVER () AS nth, count(*) OVER () AS every FROM event_log WHERE branch_id IS NOT NULL) AS e
       ON e.nth = n % e.every + 1
     ORDER BY n"
began=$(date +%s.%N)
while [ "$(ask 'SELECT count(*) FROM (SELECT 1 FROM outbox_stage LIMIT 1) s')" != 0 ]; do sleep 0.05; done
numbered=$(date +%s.%N)
while [ "$(published)" -lt "$((before + events))" ]; do sleep 0.05; done
python3 - "$events" "$began" "$numbered" "$(date +%s.%N)" <<'PY'
import sys
events, began, numbered, told = map(float, sys.argv[1:])
print(f"{events:.0f} events: numbered after {numbered - began:.2f} s ({events / (numbered - began):.0f}/s), "
      f"on the bus after {told - began:.2f} s ({events / (told - began):.0f}/s)")
PY
COMANDA_ENV=development DATABASE_URL="postgres://postgres@/comanda?host=$PGHOST" "$target/comanda" outbox verify
