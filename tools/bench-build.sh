#!/usr/bin/env bash
# Builds every program, and every package that has benchmarks, without running them: a benchmark that no longer
# compiles is found here rather than on the day its number is needed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$GO" build -pgo=off ./...
say "programs build"
count=0
while IFS= read -r dir; do
  "$GO" test -c -o /dev/null "$dir"
  count=$((count + 1))
done < <(grep -rlE --include='*_test.go' '^func Benchmark' . | grep -v /node_modules/ | xargs -r -n1 dirname | sort -u)
say "$count packages with benchmarks build"
