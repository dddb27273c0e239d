#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How many threads work makes no difference but in time; and where that went.

load helper

setup() {
    workdir
    mkdir tree
    for i in 1 2 3; do
        noise 400000 >tree/noise$i
        seq 100000 >tree/text$i
    done
}

# Both ways through every verb, with so many threads.
there_and_back() { # threads
    accept backup -j "$1" --record-size 256K -o "t$1.cof" tree
    accept backup -j "$1" --record-size 64K -o "s$1.cof" - <tree/noise1
    accept verify -j "$1" t*.cof s*.cof
    accept verify --deep --key "$P/ops.key" -j "$1" t*.cof s*.cof
    accept restore "t$1.cof" --key "$P/ops.key" -j "$1" -C "out$1"
    diff -r tree "out$1/tree"
    accept restore "s$1.cof" --key "$P/ops.key" -j "$1" -o "s$1"
    cmp "s$1" tree/noise1
}

@test "one thread, and many, make and read the same" {
    for threads in 1 2 3 8 64; do
        there_and_back "$threads"
    done
}

@test "a damaged record is found by whatever number of threads, and nothing is left" {
    accept backup --record-size 64K -o x.cof - <tree/noise1
    for at in 150000 250000 350000; do
        cp x.cof bad.cof
        printf 'XXXXXXXXXXXXXXXX' | dd of=bad.cof bs=1 seek=$at conv=notrunc status=none
        for threads in 1 4; do
            refuse 3 '.*changed or is damaged.*' verify -j "$threads" bad.cof
            refuse 3 '.*record [0-9]+ is not the one that was signed.*' \
                restore bad.cof --key "$P/ops.key" -j "$threads" -o out
            said[threads]=$errors
        done
        [ "${said[1]}" = "${said[4]}" ]
    done
}

@test "a pipe gets more room, so that nobody waits at its other end while a record is worked on" {
    python3 - "$COFFER" <<'PYTHON'
import fcntl, os, subprocess, sys, time

def comes_true(condition):
    for _ in range(1000):
        if condition():
            return True
        time.sleep(0.01)
    return False

(source, into), (out_of, target) = os.pipe(), os.pipe()
process = subprocess.Popen([sys.argv[1], "backup", "-q", "-o", "-", "-"], stdin=source, stdout=target)
for pipe in source, target:
    assert comes_true(lambda: fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) >= 1 << 20), pipe
    os.close(pipe)
os.write(into, b"content")
os.close(into)
while os.read(out_of, 1 << 20):
    pass
assert process.wait() == 0
PYTHON
}

@test "a number of threads that is none" {
    accept backup -o x.cof - <tree/text1
    for bad in 0 65 -1 two 1.5 99999999999999999999; do
        refuse 2 '--jobs is a number from 1 to 64' backup -j "$bad" -o y.cof tree
        refuse 2 '--jobs is a number from 1 to 64' verify -j "$bad" x.cof
        refuse 2 '--jobs is a number from 1 to 64' restore x.cof --key "$P/ops.key" -j "$bad" -o out
    done
    refuse 2 '--stats takes no value' backup --stats=yes -o y.cof tree
}

@test "--stats tells time and bytes of each stage" {
    call backup --stats -o x.cof tree
    [ "$status" = 0 ]
    grep -qE '^time of all [0-9]+ threads? together, by stage:$' <<<"$errors"
    for stage in read compress seal write 'in all'; do
        grep -qE "^  $stage +[0-9]+\.[0-9]{3} s" <<<"$errors"
    done
    grep -qE '^  compress .* MiB +[0-9]+ MB/s$' <<<"$errors"
    call verify --stats x.cof
    [ "$status" = 0 ]
    grep -qE '^  prove ' <<<"$errors"
    call restore --stats x.cof --key "$P/ops.key" -C out
    [ "$status" = 0 ]
    for stage in prove decrypt decompress write; do
        grep -qE "^  $stage " <<<"$errors"
    done
}
