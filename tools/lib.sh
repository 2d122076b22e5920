# Shared by the scripts of this folder, which source it: strict mode, the repository's root, and one voice.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
GO=${GO:-go}
export PATH="$ROOT/.cache/bin:$PATH"

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# modules prints the folder of each Go module here that has Go files of its own, the main one first.
# Call it as dirs=$(modules): there a broken go.mod ends the script.
modules() {
  local mod dir packages
  for mod in $(all_modules); do
    dir=$(dirname "$mod")
    packages=$(cd "$dir" && "$GO" list -e ./... 2>&1) || die "go list in $dir: $packages"
    case $packages in *'matched no packages'*) ;; *) printf '%s\n' "$dir" ;; esac
  done
}

# all_modules prints every go.mod, the main one first.
all_modules() {
  printf 'go.mod\n'
  find ./* \( -name node_modules -o -name testdata \) -prune -o -name go.mod -path './*/*' -print | LC_ALL=C sort
}
