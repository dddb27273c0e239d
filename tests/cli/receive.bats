#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Receiving a backup from a pipe: without a private key, without trust in the sender.

load helper

custodian='CN=db1 \(generation 1, not proven\)'

setup() {
    workdir
    noise 100000 >content
    "$COFFER" backup -q --label db1 -o - - <content >pipe
}

@test "backup | receive" {
    mkdir dir
    "$COFFER" backup -q --label db1 -o - - <content | accept receive -o dir/
    prints 'dir/db1-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}.cof: received, 98 KiB as .*'
    prints '.*, made [0-9-]+ by CN=db1, opens for CN=ops, CN=rec as decided by '"$custodian"
    file=$(echo dir/*)
    opens "$file" "$P/ops.key" content
    accept verify "$file"
}

@test "into a named file; -q; --json" {
    accept receive -o a.cof <pipe
    prints 'a.cof: received, .*'
    accept receive -q -o b.cof <pipe
    [ -z "$output" ]
    accept receive --json -o c.cof <pipe
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["path"] == "c.cof" and o["exit"] == 0 and o["plain_bytes"] == 100000
assert o["maker"]["standing"] == "trusted" and o["generation"] == 1' "$output"
    cmp a.cof b.cof
    cmp b.cof c.cof
}

@test "a received backup can be rotated, and sent on" {
    "$COFFER" receive -q -o a.cof <pipe
    "$COFFER" rotate -q a.cof --key "$P/ops.key" -r "$P/eve.crt"
    cat a.cof | accept receive -o b.cof
    opens b.cof "$P/eve.key" content
    opens_not b.cof "$P/ops.key"
}

@test "trust is needed, and the maker must be the one who is trusted" {
    COFFER_HOME=none refuse 3 '.*trust.*' receive -o a.cof <pipe
    refuse 3 '.*CN=db1.*not trusted.*' receive -o a.cof --trust "$P/eve.crt" <pipe
    COFFER_HOME=none accept receive -o a.cof --trust "$P/home/signing.crt" <pipe
}

@test "nothing is left of a stream that breaks off or was changed" {
    size=$(stat -c %s pipe)
    for cut in 0 100 5000 41000 $((size / 2)) $((size - 1)); do
        head -c "$cut" pipe >cut
        refuse 5 '.*' receive -o a.cof <cut
    done
    cp pipe changed
    poke changed 60000 XXXX
    refuse '3|5' '.*' receive -o a.cof <changed
    echo hello >text
    refuse 5 '.*' receive -o a.cof <text
    yes hello | head -c 200000 >text
    refuse 5 '.*not a (coffer )?backup.*' receive -o a.cof <text
    (cat pipe; echo more) >longer
    refuse 5 '.*' receive -o a.cof <longer
}

@test "--force cannot be talked into losing what is there" {
    echo precious >a.cof
    refuse 2 'a.cof exists already.*' receive -o a.cof <pipe
    head -c 50000 pipe >cut
    refuse 5 '.*' receive --force -o a.cof <cut
    [ "$(cat a.cof)" = precious ]
    accept receive --force -o a.cof <pipe
    opens a.cof "$P/ops.key" content
}

@test "an untrusted custodian is a warning, or refused when strict" {
    warn 9 '.*custod.*' receive -o a.cof --trust-maker "$P/home/signing.crt" <pipe
    refuse 3 '.*custod.*' receive -o b.cof --trust-maker "$P/home/signing.crt" --strict-custody <pipe
}

@test "where to" {
    refuse 2 'say where the backup goes with -o FILE or -o DIR/' receive <pipe
    refuse 2 'receive writes a file: -o - is not possible' receive -o - <pipe
    refuse 6 '.*none.*' receive -o none/a.cof <pipe
}

@test "a full disk: status 6, and the disk is empty again" {
    noise 3000000 | "$COFFER" backup -q -o - - >big
    run on_small_disk '"$COFFER" receive -o disk/a.cof <big; echo "status $?"; find disk -type f'
    [[ ${lines[0]} =~ ^coffer:\ .*No\ space\ left\ on\ device ]]
    [ "${lines[1]}" = 'status 6' ]
    [ "${#lines[@]}" -eq 2 ]
}

@test "a backup is not received from a terminal" {
    run /usr/bin/python3 "$here/terminal.py" "$COFFER" receive -o a.cof
    [ "$status" -eq 2 ]
    [ "${lines[0]%$'\r'}" = 'coffer: standard input is a terminal; pipe a backup into it' ]
}
