#!/usr/bin/env bash
# Builds dist/rollcall_VERSION_ARCH.deb with the nfpm that tools/package/go.mod pins. VERSION is taken from the newest tag
# unless it is set, ARCH is this machine's; both are Debian's words. The last line names the file.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ARCH=${ARCH:-$("$GO" env GOARCH)}
# 1.2.3 at its tag; 1.2.3+5.gabcdef0 after it; 0.0.0+gabcdef0 where there is none; 0.0.0 outside a clone.
described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null | sed -E 's/^v//; s/-([0-9]+)-g/+\1.g/' || true)
VERSION=${VERSION:-${described:-0.0.0$(git rev-parse --short HEAD 2>/dev/null | sed 's/^/+g/' || true)}}
export ARCH VERSION

# From the tree as it is, or what a moment's clock says, nothing goes in: the same commit makes the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1)}
export SOURCE_DATE_EPOCH

stage=dist/deb
rm -rf "$stage"
mkdir -p "$stage/man1"
CGO_ENABLED=0 GOARCH=$ARCH "$GO" build -trimpath -ldflags=-s -o "$stage/rollcall" ./cmd/rollcall

# The page and the words are printed by the program itself, on this machine's processor.
speaker=$stage/rollcall
if [ "$ARCH" != "$("$GO" env GOHOSTARCH)" ]; then
  speaker=$stage/speaker
  CGO_ENABLED=0 GOOS= GOARCH= "$GO" build -o "$speaker" ./cmd/rollcall
fi
"$speaker" man --dir "$stage/man1"
gzip -9n "$stage"/man1/*
for shell in bash zsh fish; do "$speaker" completion "$shell" >"$stage/rollcall.$shell"; done
cp deploy/deb/copyright "$stage/copyright"
{
  printf 'rollcall (%s) stable; urgency=medium\n\n' "$VERSION"
  printf '  * See https://github.com/rollcall-id/rollcall/blob/main/CHANGELOG.md\n\n'
  printf ' -- The rollcall authors <maintainers@rollcall-id.example>  %s\n' "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$stage/changelog.gz"

package=dist/rollcall_${VERSION}_${ARCH}.deb
"$GO" tool -modfile=tools/package/go.mod nfpm package --config deploy/deb/nfpm.yaml --packager deb --target "$package" >/dev/null
printf '%s\n' "$package"
