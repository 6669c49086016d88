#!/usr/bin/env bash
# Prints the headers of one signed request, with nothing but bash and openssl.
#
#   COMANDA_KEY_ID=… COMANDA_SIGNING_SECRET=cmds_… comanda-sign.sh METHOD PATH QUERY [BODY_FILE]
#
# QUERY is the query in its canonical spelling, empty if there is none.
set -euo pipefail

field() {
  local LC_ALL=C length=${#1}
  printf '%b' "$(printf '\\x%02x' $((length >> 24 & 255)) $((length >> 16 & 255)) $((length >> 8 & 255)) $((length & 255)))"
  printf '%s' "$1"
}

# HMAC-SHA-256 of what comes in, with the key in hexadecimal digits. By hand, since openssl takes keys as arguments
# only, which everybody on the machine could read.
mac() {
  local inner='' outer='' byte at
  for ((at = 0; at < 128; at += 2)); do
    byte=$((16#0${1:at:2}))
    inner+=$(printf '\\x%02x' $((byte ^ 16#36))) outer+=$(printf '\\x%02x' $((byte ^ 16#5c)))
  done
  { printf '%b' "$outer"; { printf '%b' "$inner"; cat; } | openssl dgst -sha256 -binary; } |
    openssl dgst -sha256 -r | cut -d' ' -f1
}

sign() {
  local method=$1 path=$2 query=$3 body=$4 time=$5 nonce=$6 id=$7 secret=${8#cmds_} key
  key=$(printf '%s=' "$secret" | tr '_-' '/+' | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  {
    field comanda-request-signature; field 1; field "${method^^}"; field "$path"; field "$query"
    field "$(openssl dgst -sha256 -r <"$body" | cut -d' ' -f1)"; field "$time"; field "$nonce"; field "$id"
  } | mac "$key"
}

time=${COMANDA_SIGN_TIME:-$(date +%s)}
nonce=${COMANDA_SIGN_NONCE:-$(openssl rand -hex 16)}
signature=$(sign "$1" "$2" "$3" "${4:-/dev/null}" "$time" "$nonce" "$COMANDA_KEY_ID" "$COMANDA_SIGNING_SECRET")
printf '%s\n' "X-Key-Id: $COMANDA_KEY_ID" "X-Timestamp: $time" "X-Nonce: $nonce" "X-Signature-Version: 1" "X-Signature: $signature"
