#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
#
# docs/RECOVERY.md: its commands, from top to bottom in one shell, on a backup that coffer made.

load common

setup_file() {
    load common
    need_coffer
    export keys=$BATS_FILE_TMPDIR/keys
    people "$keys"
}

# page SHELL CONTENT: in a directory as the page describes it
page() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$root/scripts" scripts
    awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/docs/RECOVERY.md" >commands
    [ "$(wc -l <commands)" -gt 80 ]
    "$1" -eu commands >transcript 2>&1 || { cat transcript; return 1; }
    cat transcript
    cmp content "$2"
    cmp content.by-hand "$2"
    run grep DIFFERENT transcript
    [ "$status" -eq 1 ]
    [ "$(grep -c '^equal: ' transcript)" -eq 9 ]
}

prepare() {
    need_coffer
    cd "$BATS_TEST_TMPDIR" || return 1
    cp "$keys/$1.key" key.pem
    cp "$keys/$2.crt" maker.crt
}

@test "the commands of the page open a backup, for an RSA key" {
    prepare rsa rsa-maker
    { head -c 100000 /dev/urandom && seq 20000; } >original
    backup backup.cof rsa-maker --record-size 65536 <original
    page dash original
}

@test "the commands of the page open a backup, for an EC key and in bash" {
    prepare p256 ec-maker
    seq 20000 >original
    backup backup.cof ec-maker --compress none --record-size 65536 <original
    page bash original
}
