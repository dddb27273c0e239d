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
    # a shell starts what is in its background with SIGINT ignored, and nohup all with SIGHUP
    env --default-signal="$signal" "$@" <source 2>err &
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
    interrupt INT "$COFFER" backup --force -o dir/x.cof -
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

# A restore into a pipe whose reader takes a little and stops: when the pipe is full, it waits.
into_full_pipe() {
    noise 5000000 | "$COFFER" backup -q -o x.cof -
    mkfifo pipe
    "$COFFER" restore -q x.cof --key "$P/ops.key" -o - >pipe 2>err &
    pid=$!
    exec 5<pipe
    head -c 1000 <&5 >part
    /usr/bin/python3 - <<'PY'
import fcntl, struct, termios, time
full = fcntl.fcntl(5, 1032)  # F_GETPIPE_SZ
for _ in range(300):
    if struct.unpack("i", fcntl.ioctl(5, termios.FIONREAD, bytes(4)))[0] >= full - 4096:
        break
    time.sleep(0.1)
else:
    raise SystemExit("the pipe does not fill")
PY
    kill -0 "$pid"
}

@test "a reader that stops and goes: an I/O error, and no signal" {
    into_full_pipe
    exec 5<&-
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 6 ]
    [[ $(<err) == 'coffer: x.cof: cannot write to the output: Broken pipe' ]]
}

@test "a reader that stops, and goes on: all arrives" {
    into_full_pipe
    cat <&5 >>part
    exec 5<&-
    wait "$pid"
    noise 5000000 | cmp - part
    [ ! -s err ]
}

@test "SIGTERM while the pipe is full: status 143" {
    into_full_pipe
    kill "$pid"
    status=0
    wait "$pid" || status=$?
    exec 5<&-
    [ "$status" -eq 143 ]
}

@test "SIGINT during a fleet rotation: who was refused by then is said all the same" {
    echo hello | "$COFFER" backup -q -o dir/c.cof -
    head -c 30000 dir/c.cof >dir/a.cof
    certificate mallory
    echo hello | "$COFFER" backup -q -o dir/b.cof --sign-key mallory.key -r "$P/ops.crt" -
    /usr/bin/python3 - <<'PY' &
import fcntl, struct, time
f = open("dir/c.cof", "r+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
time.sleep(60)
PY
    holder=$!
    for _ in $(seq 100); do [ -e held ] || sleep 0.1; done
    env --default-signal=INT "$COFFER" rotate -q dir --key "$P/ops.key" --remove "$P/rec.crt" --report report 2>err &
    pid=$!
    for _ in $(seq 100); do # the one that is in use is waited for
        [ -e report ] && [ "$(wc -l <report)" -eq 2 ] && break
        sleep 0.1
    done
    [ ! -s err ]
    kill -INT "$pid"
    status=0
    wait "$pid" || status=$?
    end "$holder"
    [ "$status" -eq 130 ]
    [ "$(wc -l <err)" -eq 2 ]
    grep -E '^coffer: .*dir/a.cof.*' err
    grep -E '^coffer: .*dir/b.cof.*mallory' err
}
