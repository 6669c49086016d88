#!/usr/bin/env bash
# At each start of the container: wait for the services, migrate, say what to do next. Works outside a container too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

.devcontainer/wait-for-services.sh
if ! cargo run --quiet --package comanda-cli -- db-migrate; then
    printf '\n\033[1;31mThe migrations failed, see above. Mend that before anything else.\033[0m\n'
    exit 1
fi
cat <<'TXT'

Comanda is ready. Next:

  ./dev run     serve the demo restaurant
  ./dev test    formatting, lints and all tests
  just          everything else
TXT
