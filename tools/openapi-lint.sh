#!/usr/bin/env bash
# Lints the API's description with two independent linters, pinned by tools/openapi-lint/package-lock.json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

document=api/openapi.yaml
here=tools/openapi-lint
[ -e "$document" ] || die "$document is missing: it is the contract and must be in every checkout"
[ -d "$here/node_modules" ] || die "$here/node_modules is missing: run tools/deps.sh"

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
say "redocly: $document"
node "$here/node_modules/.bin/redocly" lint --config "$here/redocly.yaml" "$document"
say "spectral: $document"
node "$here/node_modules/.bin/spectral" lint --ruleset "$here/spectral.yaml" --fail-severity=warn "$document"
