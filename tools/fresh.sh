#!/usr/bin/env bash
# Fails when `make generate` changes, adds or removes any file. It compares contents before and after rather than with
# the last commit, so it also tells the truth in a folder with uncommitted work; in a fresh clone the two are the same.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

snapshot() {
  git ls-files -z --cached --others --exclude-standard --deduplicate |
    while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
    xargs -0 -r sha256sum
}

before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
snapshot >"$before"
make --no-print-directory generate
snapshot >"$after"
if ! changed=$(diff "$before" "$after"); then
  printf 'generated files were stale; `make generate` has now written these, review and commit them:\n'
  sed -nE 's/^[<>] [0-9a-f]+ +/  /p' <<<"$changed" | sort -u
  exit 1
fi
say "generated files are fresh"
