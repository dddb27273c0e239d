#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Processes that read and change one backup at the same time: nobody sees a mixture, nobody waits for
# who only reads, and no success is reported for a file that is no longer there.

load helper

setup() {
    workdir
    noise 3000000 >content
    "$COFFER" backup -q -o x.cof --compress none - <content
}

# The lock of a writer, as another program would hold it: locked FILE COMMAND... runs the command
# while it is held, after half a second.
locked() {
    /usr/bin/python3 - "$@" <<'PY' &
import fcntl, struct, subprocess, sys, time
f = open(sys.argv[1], "r+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
time.sleep(0.5)
subprocess.run(sys.argv[2:], check=True)
PY
    holder=$!
    for _ in $(seq 100); do [ -e held ] || sleep 0.1; done
    [ -e held ]
}

@test "a restore that takes long holds up no rotation, and is not disturbed by it" {
    mkfifo slow
    "$COFFER" restore -q x.cof --key "$P/rec.key" -o - >slow &
    reader=$!
    exec 5<slow
    head -c 1000 <&5 >out
    accept rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    prints_not 'pending'
    cat <&5 >>out
    exec 5<&-
    wait "$reader"
    cmp out content
    opens_not x.cof "$P/rec.key"
}

@test "a reader that is stopped, at whatever moment, holds up no rotation" {
    head -c 100M /dev/zero | "$COFFER" backup -q -o x.cof --force --compress none -
    for i in 1 2 3 4 5 6 7 8; do
        "$COFFER" verify -q x.cof &
        reader=$!
        sleep "0.00$i"
        kill -STOP "$reader"
        accept rotate x.cof -q --key "$P/ops.key" --drop-history \
            "$([ $((i % 2)) = 1 ] && echo --add || echo --remove)" "$P/eve.crt"
        kill -CONT "$reader"
        wait "$reader"
    done
}

@test "who waits for a file that is replaced changes the new one" {
    cp x.cof y.cof
    cp x.cof untouched
    ln x.cof old
    locked x.cof mv y.cof x.cof
    accept rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    wait "$holder"
    cmp old untouched
    opens_not x.cof "$P/rec.key"
    opens x.cof "$P/ops.key" content
}

@test "who waits for a file that is removed says so" {
    locked x.cof rm x.cof
    run -6 "$COFFER" rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    [[ $output == "coffer: x.cof was removed while this waited for it; nothing was changed" ]]
    wait "$holder"
}

@test "a program that keeps a shared lock: status 11, and how to find it" {
    flock_shared() {
        /usr/bin/python3 - x.cof <<'PY' &
import fcntl, struct, sys, time
f = open(sys.argv[1], "rb")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))
open("held", "w").close()
time.sleep(60)
PY
        holder=$!
        for _ in $(seq 100); do [ -e held ] || sleep 0.1; done
    }
    flock_shared
    refuse 11 'x.cof is kept locked by a program that reads it, .* fuser\(1\) names it.*' \
        rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    accept verify -q x.cof
    end "$holder"
}

@test "rotations and readers, all at once for some seconds: never a mixture, never damage" {
    /usr/bin/python3 "$here/hammer.py" "$COFFER" x.cof "$P" 4
    accept verify --deep --key "$P/ops.key" x.cof
}

@test "two runs over the same directory: each backup is changed once, and neither is refused" {
    mkdir dir
    for i in $(seq 12); do cp x.cof "dir/$i.cof"; done
    "$COFFER" rotate -q dir --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt" &
    other=$!
    accept rotate -q dir --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt"
    wait "$other"
    for i in $(seq 12); do
        run -0 "$COFFER" info --json "dir/$i.cof"
        [[ $output == *'"generation":2'* ]]
    done
}
