#!/usr/bin/env bash
# Runs every test of every module here, with the race detector and in random order, through tools/testgate, which
# prints the results and in CI fails on a skipped test. Arguments go to go test: tools/test.sh -run TestName ./internal/...
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

gate=$ROOT/.cache/testgate
"$GO" build -C tools/testgate -o "$gate" .

failed=$(mktemp)
trap 'rm -f "$failed"' EXIT

run() { # run FOLDER ARGUMENTS...
  local dir=$1
  shift
  (cd "$dir" && CGO_ENABLED=1 "$GO" test -json -race -shuffle=on -timeout=25m "$@" </dev/null) || echo "$dir" >>"$failed"
}

# Two judges, both must be content: testgate on the events, go test on what it could not even load.
if [ $# -gt 0 ]; then
  run . "$@" | "$gate"
else
  dirs=$(modules)
  for dir in $dirs; do
    run "$dir" ./...
  done | "$gate"
fi
[ ! -s "$failed" ] || die "go test failed in: $(paste -sd' ' "$failed")"
