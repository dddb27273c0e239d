#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A system that locks no memory still gets its backups, and is told.

load helper

# The command where nothing can be locked; root may lock whatever the limit says, unless the right is taken.
unlocked() {
    local without=()
    [ "$(id -u)" != 0 ] || without=(setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock)
    "${without[@]}" prlimit --memlock=0 "$COFFER" "$@"
}

@test "ulimit -l 0: everything works, with a note" {
    noise 5000 >content
    for command in 'backup -o a.cof -' "verify --deep --key $P/ops.key a.cof" "restore --key $P/ops.key -o b a.cof" \
        "rotate --key $P/ops.key --add $P/eve.crt a.cof" "rekey --key $P/ops.key -r $P/ops.crt a.cof"; do
        # shellcheck disable=SC2086  # words
        unlocked $command <content >stdout 2>stderr
        grep -qx 'coffer: note: secrets could not be locked in memory and might be swapped out; raise ulimit -l' stderr
        [ "$(wc -l <stderr)" = 1 ]
    done
    cmp content b
}

@test "and with -q without one" {
    noise 5000 >content
    unlocked backup -q -o a.cof - <content 2>stderr
    [ ! -s stderr ]
}
