#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# On a terminal: a progress line for what takes longer than a second, erased at the end.

load helper

on_terminal() {
    run /usr/bin/python3 "$here/terminal.py" "$@"
}

@test "slow work shows its progress and erases it" {
    on_terminal --slowly 2 "$COFFER" backup -o x.cof --label nightly -
    [ "$status" -eq 0 ]
    [[ $output =~ $'\r\033[K'nightly:\ [0-9.]+\ [KM]iB,\ [0-9.]+\ ([KM]iB|bytes?)/s ]]
    [[ ${lines[-1]} =~ $'\r\033[K'x.cof:\ 1.0\ MiB\ as ]]
}

@test "quick work shows none, and neither does -q" {
    echo hello >content
    on_terminal sh -c '"$COFFER" backup -o x.cof - <content'
    [ "$status" -eq 0 ]
    [[ $output != *$'\033'* ]]
    on_terminal --slowly 2 "$COFFER" backup -q -o y.cof -
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "off a terminal there is none" {
    (noise; sleep 2; noise) | "$COFFER" backup -o x.cof - >out 2>err
    [ ! -s err ]
    [ "$(wc -l <out)" -eq 1 ]
}
