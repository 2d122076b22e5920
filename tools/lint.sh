#!/usr/bin/env bash
# gofmt, go vet, golangci-lint and tidiness, for each module here. Reports all it finds before it fails.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

failed=0
step() { # step NAME COMMAND...
  local name=$1
  shift
  say "$name"
  if ! "$@"; then
    say "$name: FAILED"
    failed=1
  fi
}

formatted() {
  local wrong
  wrong=$(find . \( -name node_modules -o -name testdata -o -path ./.git -o -path ./.cache \) -prune -o -name '*.go' -print0 |
    xargs -0 -r gofmt -l)
  [ -z "$wrong" ] || { printf 'not formatted; run gofmt -w on:\n%s\n' "$wrong"; return 1; }
}

dirs=$(modules)
step gofmt formatted
for dir in $dirs; do
  step "go vet ($dir)" "$GO" -C "$dir" vet ./...
done
linter=$("$GO" tool -modfile=tools/lint/go.mod -n golangci-lint)
for dir in $dirs; do
  step "golangci-lint ($dir)" env -C "$dir" "$linter" run --config "$ROOT/.golangci.yml" ./...
done
for mod in $(all_modules); do
  step "go mod tidy -diff ($mod)" "$GO" -C "$(dirname "$mod")" mod tidy -diff
done
exit "$failed"
