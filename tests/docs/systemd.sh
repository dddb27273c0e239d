#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The units of examples/systemd are good, tight, and run commands that work.
# usage: systemd.sh ROOT COFFER
set -u
units=$1/examples/systemd
coffer=$(realpath "$2")
top=$(mktemp -d "${TMPDIR:-/tmp}/coffer-systemd.XXXXXX") || exit 1
trap 'rm -rf "$top"' EXIT
# shellcheck source=tests/live/holds.bash
. "$(dirname "$0")/../live/holds.bash"

# The command is not installed here: what stands for it in the copies is this build's.
for unit in coffer-backup.service coffer-backup.timer; do
    sed "s|/usr/bin/coffer |$coffer |" "$units/$unit" >"$top/$unit"
done
# shellcheck disable=SC2317  # called by holds
quiet_verify() { # it says nothing, and it succeeds
    SYSTEMD_UNIT_PATH=$top: systemd-analyze verify --man=no --recursive-errors=no "$1" >"$top/found" 2>&1
    status=$?
    cat "$top/found"
    [ "$status" = 0 ] && ! grep -F "$top/" "$top/found"
}
holds "the service is a good unit" quiet_verify "$top/coffer-backup.service"
holds "the timer is a good unit" quiet_verify "$top/coffer-backup.timer"
holds "the service is hardened: exposure at most 2.5 of 10" systemd-analyze security \
    --offline=yes --threshold=25 --no-pager "$top/coffer-backup.service"

# Its commands, with a host of its own.
mkdir -p "$top/backup" "$top/etc" "$top/srv"
echo data >"$top/srv/data"
COFFER_HOME=$top/home
export COFFER_HOME
"$coffer" keygen "$top/ops" --type p256 --no-passphrase -q
"$coffer" init --name test -r "$top/ops.crt" -q
sed -n 's/^ExecStart=//p' "$units/coffer-backup.service" |
    sed "s|/usr/bin/coffer|'$coffer'|; s|%l|test|; s| /| $top/|g" >"$top/commands"
holds "it runs two commands" test "$(wc -l <"$top/commands")" = 2
holds "they work" sh -eu "$top/commands"
holds "and leave a backup" test -e "$top/backup/test-"*.cof
holds_end
