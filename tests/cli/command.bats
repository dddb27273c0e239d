#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Backups of what a command writes: no shell in between, and where it fails there is no backup, and
# no process of it is left.

load helper

# A duration that nobody else sleeps: what is found by it belongs to this test.
setup() {
    workdir
    nap=$((100000 + BATS_TEST_NUMBER)).$$
}

# Is anything left of what the test started?
none_left() {
    for _ in $(seq 60); do
        pgrep -f "sleep $nap" >/dev/null || return 0
        sleep 0.1
    done
    pgrep -af "sleep $nap"
    return 1
}

@test "what a command writes is backed up, through no shell" {
    accept backup -q -o x.cof --stdin-from-command -- printf '%s|' 'a  b' '$HOME' ';' '--json'
    printf '%s|' 'a  b' '$HOME' ';' '--json' >expected
    opens x.cof "$P/ops.key" expected
}

@test "more than a record, and more than a pipe holds" {
    noise 9000000 >expected
    accept backup -q -o x.cof --stdin-from-command -- cat expected
    opens x.cof "$P/ops.key" expected
}

@test "an option of the command is none of coffer's" {
    accept backup -q -o x.cof --stdin-from-command -- sh -c 'printf %s "$1"' - -q
    printf %s -q >expected
    opens x.cof "$P/ops.key" expected
}

@test "the command has neither terminal nor input, and SIGPIPE as usual" {
    accept backup -q -o x.cof --stdin-from-command -- sh -c 'wc -c; (: </dev/tty) 2>&- || echo none; yes | head -n 1' <<<text
    printf '0\nnone\ny\n' >expected
    opens x.cof "$P/ops.key" expected
}

@test "it inherits no descriptor but its own three: no lock, no key, no pipe" {
    accept backup -q -o x.cof --stdin-from-command -- sh -c 'ls /proc/$$/fd' 7<"$P/ops.crt"
    call restore x.cof --key "$P/ops.key" -q -o -
    [ "$(tr '\n' ' ' <<<"$output")" = "0 1 2 " ]
}

@test "a command that fails after it has written: status 8, no backup, its last words" {
    refuse 8 'sh failed with exit status 3' backup -o x.cof --stdin-from-command -- \
        sh -c 'echo data; for i in $(seq 20); do echo "line $i" >&2; done; exit 3'
    [ "$(grep -c '^coffer: note: sh: line' <<<"$errors")" -eq 10 ]
    grep -qx 'coffer: note: sh: line 11' <<<"$errors"
    grep -qx 'coffer: note: sh: line 20' <<<"$errors"
}

# refuse() wants one sentence; notes are what the command said.
sentences() {
    grep -Ev '^(Try|coffer: (warning|note)): ' <<<"$errors"
}

@test "what it says is made safe for the terminal" {
    refuse 8 'sh failed with exit status 1' backup -o x.cof --stdin-from-command -- \
        sh -c 'printf "\033]0;title\007 \342\200\256x\r\n\377\n" >&2; exit 1'
    prints_safely
    grep -Fqx 'coffer: note: sh: \x1B]0;title\x07 \u{202E}x' <<<"$errors"
}

@test "megabytes on standard error block nothing" {
    call backup -q -o x.cof --stdin-from-command -- sh -c 'head -c 3000000 /dev/zero | tr "\0" x >&2; echo done'
    [ "$status" -eq 0 ]
    [ -z "$errors" ] # quiet, and it did not fail
    call backup -o y.cof --stdin-from-command -- sh -c 'echo one >&2; echo done'
    [ "$status" -eq 0 ]
    [ "$errors" = "coffer: note: sh: one" ]
}

@test "a command that is killed" {
    refuse 8 'sh was killed by the signal SIGKILL \(9\)' backup -o x.cof --stdin-from-command -- \
        sh -c 'echo data; kill -9 $$'
}

@test "a command that does not exist, or may not be run" {
    refuse 8 'cannot run no-such-program: No such file or directory' backup -o x.cof \
        --stdin-from-command -- no-such-program
    refuse 8 'cannot run \./: .*' backup -o x.cof --stdin-from-command -- ./
}

@test "a silent command is no backup, unless that is wanted" {
    refuse 8 'the source was empty, .*' backup -o x.cof --stdin-from-command -- true
    accept backup -q -o y.cof --allow-empty --stdin-from-command -- true
}

@test "--min-size" {
    refuse 8 'echo wrote 3 bytes, fewer than the 1024 that are demanded' backup -o x.cof --min-size 1K \
        --stdin-from-command -- echo hi
    accept backup -q -o y.cof --min-size 3 --stdin-from-command -- echo hi
}

@test "--timeout: a command that hangs is ended with all that it started" {
    refuse 8 'sh has neither written anything nor ended for 1\.000 s' backup -o x.cof --timeout 1s \
        --stdin-from-command -- sh -c "echo data; sleep $nap | sleep $nap"
    none_left
}

@test "--timeout: what ignores SIGTERM, and what has gone into a session of its own" {
    refuse 8 '.* has neither written .*' backup -o x.cof --timeout 1s --stdin-from-command -- \
        sh -c "trap '' TERM; echo data; setsid sh -c 'trap \"\" TERM; sleep $nap' & sleep $nap"
    none_left
}

@test "--timeout: what it says on standard error is no sign of work" {
    refuse 8 '.* has neither written .*' backup -o x.cof --timeout 1s --stdin-from-command -- \
        sh -c "while sleep 0.1; do echo busy >&2; done; sleep $nap"
}

@test "a command that has ended, and left behind what holds its output open" {
    refuse 8 'sh has ended and left a process behind that holds its output open' backup -o x.cof --timeout 1s \
        --stdin-from-command -- sh -c "echo data; setsid sleep $nap & exit 0"
    none_left
}

@test "--timeout is about silence: slow is not hanging" {
    accept backup -q -o x.cof --timeout 2s --stdin-from-command -- \
        sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.7; done'
    printf '1\n2\n3\n4\n5\n' >expected
    opens x.cof "$P/ops.key" expected
}

@test "a command that closes its output and hangs" {
    refuse 8 '.* has neither written .*' backup -o x.cof --timeout 1s --stdin-from-command -- \
        sh -c "echo data; exec >&-; sleep $nap"
    none_left
}

@test "what it leaves behind in its session is ended after success" {
    accept backup -q -o x.cof --stdin-from-command -- sh -c "echo data; sleep $nap >&- 2>&- & exit 0"
    none_left
}

# Start a backup of a command that waits, and wait until it is there.
begin() {
    "$COFFER" backup -o x.cof --stdin-from-command -- sh -c "echo data; sleep $nap & sleep $nap" 2>err &
    pid=$!
    for _ in $(seq 100); do
        [ "$(pgrep -fc "^sleep $nap")" -eq 2 ] && return 0
        sleep 0.1
    done
    return 1
}

@test "coffer is interrupted: no backup, no process" {
    begin
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 143 ]
    [ ! -e x.cof ]
    none_left
}

@test "coffer is killed, and cannot do anything about it: no process" {
    begin
    kill -KILL "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 137 ]
    [ ! -e x.cof ]
    none_left
}

@test "wrong usage" {
    refuse 2 '--stdin-from-command needs a command: .*' backup -o x.cof --stdin-from-command
    refuse 2 '--min-size is for commands: .*' backup -o x.cof --min-size 1K - </dev/null
    refuse 2 '--timeout is for commands and databases: .*' backup -o x.cof --timeout 1s - </dev/null
    refuse 2 '--timeout needs a time .*' backup -o x.cof --timeout soon --stdin-from-command -- true
    refuse 2 '--timeout needs a time .*' backup -o x.cof --timeout 0s --stdin-from-command -- true
    refuse 2 '--min-size needs a size .*' backup -o x.cof --min-size x --stdin-from-command -- true
    refuse 2 'a backup is of files or .*' backup -o x.cof --files-from - --stdin-from-command -- true
}
