#!/usr/bin/env bash
# Runs failover: a cluster of real processes under load, whose parts fail one after the other. Arguments go to it:
# tools/failover.sh -only replica. On failure it says where the logs of all processes are.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd failover
"$GO" run . "$@"
