#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME, one after another, and fails at the first that finds something:
# Go then leaves the input in the package's testdata/fuzz, to be committed with the fix.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FUZZTIME=${FUZZTIME:-30s}
count=0
for package in $("$GO" list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); do
  for target in $("$GO" test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    say "$package $target for $FUZZTIME"
    "$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$package"
    count=$((count + 1))
  done
done
[ "$count" -gt 0 ] || die "no fuzz target found"
say "$count targets, nothing found"
