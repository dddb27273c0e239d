#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Interrupted: no half-made file stays, and the exit status tells the signal.

load helper

# A source that gives more than is held in memory, and then waits.
endless() {
    noise 60000000
    exec sleep 60
}

# Start a command, wait until its temporary file is there, send the signal; status in $status.
interrupt() {
    local signal=$1
    shift
    mkfifo source
    endless >source &
    feeder=$!
    "$@" <source 2>err &
    pid=$!
    for _ in $(seq 300); do
        [ -n "$(find dir -type f -size +1M)" ] && break
        sleep 0.1
    done
    [ -n "$(find dir -type f -size +1M)" ] # it was really at work
    kill -"$signal" "$pid"
    status=0
    wait "$pid" || status=$?
    end_feeder "$feeder"
}

setup() {
    workdir
    mkdir dir
}

@test "SIGTERM during a backup: status 143, nothing is left" {
    interrupt TERM "$COFFER" backup -o dir/x.cof -
    [ "$status" -eq 143 ]
    [ -z "$(ls -A dir)" ]
}

@test "SIGHUP during a backup: status 129, nothing is left" {
    interrupt HUP "$COFFER" backup -o dir/ -
    [ "$status" -eq 129 ]
    [ -z "$(ls -A dir)" ]
}

@test "SIGINT during a backup that replaces a file: status 130, the file is still there" {
    echo precious >dir/x.cof
    # a shell starts what is in its background with SIGINT ignored; python does not
    interrupt INT /usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$COFFER" backup --force -o dir/x.cof -
    [ "$status" -eq 130 ]
    [ "$(ls -A dir)" = x.cof ]
    [ "$(cat dir/x.cof)" = precious ]
}

@test "a signal that was ignored from the start stays ignored, as nohup wants it" {
    mkfifo source
    (noise 3000000; sleep 2; noise 3000000) >source &
    (trap '' HUP; exec "$COFFER" backup -q -o dir/x.cof - <source) &
    pid=$!
    sleep 1
    kill -HUP "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 0 ]
    [ -e dir/x.cof ]
}

@test "SIGTERM during receive: status 143, nothing is left" {
    noise 20000000 | "$COFFER" backup -q -o - - >pipe
    endless() {
        head -c 5000000 pipe
        exec sleep 60
    }
    interrupt TERM "$COFFER" receive -o dir/x.cof
    [ "$status" -eq 143 ]
    [ -z "$(ls -A dir)" ]
}

@test "SIGTERM while a passphrase is asked for" {
    openssl pkcs8 -topk8 -in "$P/ops.key" -out enc.key -passout pass:right
    echo hello | "$COFFER" backup -q -o x.cof -
    run /usr/bin/python3 "$here/terminal.py" --kill "$COFFER" restore x.cof --key enc.key -o out
    [ "$status" -eq 143 ]
    [ ! -e out ]
}
