#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Genuine, but not what was demanded: too old, an older list of recipients, another backup.

load helper
load clock

setup_file() {
    old_people
}

setup() {
    workdir
    mkdir dir
}

@test "--max-age: the newest good one of each label of each maker" {
    made '-3 days' dir/a1.cof --label a
    made '-20 hours' dir/a2.cof --label a
    made '-30 hours' dir/b.cof --label b
    accept verify dir --max-age 31h
    accept verify dir --max-age 2d
    touch dir/b.cof
    call verify dir --max-age 26h
    [ "$status" -eq 10 ]
    [ "$(sentences | wc -l)" -eq 1 ]
    sentences | grep -Eqx 'coffer: b by CN=db1: the newest good backup, dir/b.cof, is of .* UTC, more than 26h ago'
    prints '3 backups: 3 good, 0 not'
    made '-20 hours' dir/c.cof --label b --sign-key "$P/db2.key"
    call verify dir --max-age 26h
    [ "$status" -eq 10 ]
    call verify dir --max-age 3h
    [ "$(sentences | wc -l)" -eq 3 ]
}

@test "--max-age: what is incomplete, damaged or of the future is not good" {
    made '-3 days' dir/a.cof --label a
    at '-1 hour' "$COFFER" backup -q --label a -o dir/part.cof . none || [ "$?" -eq 9 ]
    made '+2 days' dir/future.cof --label a
    call verify dir --max-age 26h
    [ "$status" -eq 10 ]
    sentences | grep -Eqx 'coffer: a by CN=db1: the newest good backup, dir/a.cof, is of .*'
    rm dir/a.cof
    call verify dir --max-age 26h
    [ "$status" -eq 10 ]
    sentences | grep -Fqx 'coffer: a by CN=db1: there is no good backup'
    made '-1 hour' dir/cut.cof --label a
    truncate -s 30000 dir/cut.cof
    call verify dir --max-age 26h
    [ "$status" -eq 5 ]
}

@test "--max-age: units" {
    made '-100 seconds' dir/a.cof
    accept verify -q dir --max-age 5m
    call verify -q dir --max-age 50s
    [ "$status" -eq 10 ]
    accept verify -q dir --max-age 1w
    for age in 26 h 0h 26H 1.5h -1h 26hh 99999999w; do
        refuse 2 '--max-age needs a number with s, m, h, d or w, such as 26h' verify dir --max-age "$age"
    done
}

@test "--min-generation and --expect" {
    backup dir/a.cof <<<hello
    uuid=$("$COFFER" info --json dir/a.cof | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["uuid"])')
    accept verify dir/a.cof --min-generation 1 --expect "$uuid"
    accept verify dir/a.cof --expect "${uuid^^}"
    refuse 10 'dir/a.cof: its list of recipients is of generation 1, older than the 2 that is demanded' \
        verify dir/a.cof --min-generation 2
    refuse 10 "dir/a.cof: it is the backup $uuid, not the expected one" \
        verify dir/a.cof --expect 00000000-0000-4000-8000-000000000000
    refuse 2 '--expect needs a UUID, as coffer info prints it' verify dir/a.cof --expect a
    refuse 2 '--min-generation needs a number from 1 on' verify dir/a.cof --min-generation 0
}
