#!/usr/bin/env bash
# Generates the Go code of the SQL queries with the sqlc that tools/go.mod pins.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

config=internal/store/sqlc.yaml
if [ -e "$config" ]; then
  say "sqlc generate ($config)"
  "$GO" tool -modfile=tools/go.mod sqlc generate -f "$config"
fi
