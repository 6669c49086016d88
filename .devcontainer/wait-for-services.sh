#!/usr/bin/env bash
# Waits for the services that the environment names; none are named outside the dev container.
set -euo pipefail

wait_for() {
    local name=$1
    shift
    for _ in $(seq 60); do
        "$@" >/dev/null 2>&1 && return
        sleep 1
    done
    echo "$name did not answer within a minute" >&2
    exit 1
}

[ -z "${DATABASE_URL:-}" ] || wait_for PostgreSQL pg_isready --dbname="$DATABASE_URL"
[ -z "${REDIS_URL:-}" ] || wait_for Redis sh -c 'redis-cli -u "$REDIS_URL" ping | grep -q PONG'
