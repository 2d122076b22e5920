#!/usr/bin/env bash
# Looks for known vulnerabilities in the code we call. The records come from GOVULNDB when it is set, else from the
# newest archive in ../shared/vulndb when that folder exists (for machines without a network), else from the public database.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

public=https://vuln.go.dev
archive=$({ find ../shared/vulndb -maxdepth 1 -name '*.tar.gz' 2>/dev/null || true; } | LC_ALL=C sort | tail -n 1)
if [ -n "${GOVULNDB:-}" ]; then
  db=$GOVULNDB
  say "database: GOVULNDB"
elif [ -n "$archive" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  tar -xzf "$archive" -C "$folder"
  db=file://$folder
  say "database: $archive"
else
  db=$public
  say "database: the public one, $public"
fi
unset GOVULNDB # the flag alone decides
"$GO" tool -modfile=tools/go.mod govulncheck -db "$db" ./...
