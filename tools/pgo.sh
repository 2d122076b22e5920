#!/usr/bin/env bash
# Writes the profile by which the compiler optimises the program (docs/decisions/0024): what the CPU does under the load
# of make bench, a while of each scenario. The binary that is profiled is built without one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$GO" build -o "$work/bench" ./bench
CGO_ENABLED=0 "$GO" build -trimpath -pgo=off -o "$work/rollcall" ./cmd/rollcall
for scenario in token suspend list get; do
  "$work/bench" -only "$scenario" -profile "$work/$scenario.pprof" -profile-length 20s -binary "$work/rollcall"
done
"$GO" tool pprof -proto -output "$work/default.pgo" "$work"/*.pprof
mv "$work/default.pgo" cmd/rollcall/default.pgo
say "wrote cmd/rollcall/default.pgo"
