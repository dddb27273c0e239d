#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Removing old backups: what rules keep, what never goes, and what a killed run left behind.

load helper
load clock

setup_file() {
    old_people
}

setup() {
    workdir
    mkdir dir
}

# The backups that are left, on one line.
left() {
    (cd dir && echo ./* | sed 's/\.\///g; s/\.cof//g')
}

# ---- rules ----

@test "--keep-last: the newest by the signed time, whatever the file system says" {
    made '2025-03-01 10:00' dir/a.cof
    made '2025-03-02 10:00' dir/b.cof
    made '2025-03-03 10:00' dir/c.cof
    touch dir/a.cof
    touch -d 2001-01-01 dir/c.cof
    accept prune dir --keep-last 2
    prints 'dir/c.cof: kept \(last\), made 2025-03-03 10:00:00 UTC, backups by CN=db1'
    prints 'dir/a.cof: removed, made 2025-03-01 10:00:00 UTC, backups by CN=db1'
    prints '2 kept, 1 removed \(.* KiB\), 0 kept without counting'
    [ "$(left)" = "b c" ]
}

@test "periods: the newest of each, by UTC" {
    made '2024-12-29 23:00' dir/a.cof # Sunday
    made '2024-12-30 01:00' dir/b.cof # Monday: a new ISO week, the same month
    made '2025-01-01 00:00' dir/c.cof # the same week, another year
    made '2025-01-01 23:59:59' dir/d.cof
    made '2025-01-02 00:00' dir/e.cof
    accept prune dir --keep-daily 3 --dry-run
    prints 'dir/e.cof: kept \(daily\), .*'
    prints 'dir/d.cof: kept \(daily\), .*'
    prints 'dir/c.cof: would be removed, .*'
    prints 'dir/b.cof: kept \(daily\), .*'
    prints 'dir/a.cof: would be removed, .*'
    accept prune dir --keep-weekly 2 --dry-run
    prints 'dir/e.cof: kept \(weekly\), .*'
    prints 'dir/a.cof: kept \(weekly\), .*'
    prints '2 kept, 3 would be removed .*'
    accept prune dir --keep-monthly 9 --dry-run
    prints 'dir/b.cof: kept \(monthly\), .*'
    prints '2 kept, 3 would be removed .*'
    accept prune dir --keep-yearly 1 --dry-run
    prints '1 kept, 4 would be removed .*'
    [ "$(left)" = "a b c d e" ]
    accept prune dir --keep-last 1 --keep-weekly 2 --keep-yearly 2
    prints 'dir/e.cof: kept \(last, weekly, yearly\), .*'
    [ "$(left)" = "a b e" ]
}

@test "each label of each maker by itself" {
    made '2025-03-01' dir/a1.cof --label a
    made '2025-03-02' dir/a2.cof --label a
    made '2025-02-01' dir/b1.cof --label b
    made '2025-01-01' dir/x1.cof --label a --sign-key "$P/db2.key"
    made '2025-01-02' dir/x2.cof --label a --sign-key "$P/db2.key"
    made '2024-01-02' dir/n1.cof
    accept prune dir --keep-last 1
    prints 'dir/x1.cof: removed, .*, a by CN=db2'
    [ "$(left)" = "a2 b1 n1 x2" ]
    accept prune dir --keep-yearly 1
    [ "$(left)" = "a2 b1 n1 x2" ]
}

@test "copies of one backup count as one" {
    made '2025-03-01' dir/a.cof
    made '2025-03-02' dir/b.cof
    made '2025-03-03' dir/c.cof
    cp dir/c.cof dir/d.cof
    ln dir/c.cof dir/e.cof
    accept prune dir --keep-last 2
    [ "$(left)" = "b c d e" ]
}

@test "--json" {
    made '2025-03-01' dir/a.cof --label a
    made '2025-03-02' dir/b.cof --label a
    cp dir/a.cof dir/bad.cof
    truncate -s 30000 dir/bad.cof
    call prune dir --keep-last 1 --json
    [ "$status" -eq 9 ]
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/stdout" <<'PY'
import json, sys
o = {e["path"]: e for e in map(json.loads, open(sys.argv[1]))}
assert o["dir/a.cof"]["action"] == "removed" and o["dir/a.cof"]["keep"] == []
assert o["dir/b.cof"]["action"] == "kept" and o["dir/b.cof"]["keep"] == ["last"]
assert o["dir/b.cof"]["finished"] == "2025-03-02T00:00:00Z" and o["dir/b.cof"]["label"] == "a"
assert o["dir/bad.cof"]["action"] == "left" and o["dir/bad.cof"]["exit"] == 9 and o["dir/bad.cof"]["warnings"]
PY
}

# ---- what never goes ----

@test "what cannot be judged stays and does not count: status 9" {
    made '2025-03-01' dir/a.cof
    made '2025-03-02' dir/b.cof
    made '2025-03-03' dir/cut.cof
    truncate -s 30000 dir/cut.cof
    certificate mallory --from-day -3650
    certificate eve
    made '2025-03-04' dir/theirs.cof --sign-key mallory.key
    made '2025-03-05' dir/locked.cof
    "$COFFER" rotate -q dir/locked.cof --key "$P/ops.key" --add eve.crt --sign-key mallory.key ||
        [ "$?" -eq 9 ]
    echo hello >dir/text
    at '2025-03-06' "$COFFER" backup -q -o dir/part.cof . none || [ "$?" -eq 9 ]
    ln -s b.cof dir/link.cof
    made '+2 days' dir/future.cof
    call prune dir --keep-last 1
    [ "$status" -eq 9 ]
    [ "$(left)" = "b cut future link locked part text theirs" ]
    [ "$(grep -c '^coffer: warning: .*kept without counting: ' <<<"$errors")" -eq 6 ]
    grep -q 'warning: dir/part.cof: .*: its source could not all be read' <<<"$errors"
    grep -q 'warning: dir/future.cof: .*: the time that its maker signed is in the future' <<<"$errors"
    grep -q 'warning: dir/locked.cof: .*: nobody trusted decided on its recipients' <<<"$errors"
    grep -q 'warning: dir/link.cof: .*: it is a symbolic link' <<<"$errors"
    prints '1 kept, 1 removed .*, 6 kept without counting'
}

@test "--dry-run removes nothing; -q says nothing" {
    made '2025-03-01' dir/a.cof
    made '2025-03-02' dir/b.cof
    accept prune dir --keep-last 1 --dry-run -q
    [ -z "$output" ]
    [ "$(left)" = "a b" ]
}

@test "no rule, no number, no directory, no trust" {
    made '2025-03-01' dir/a.cof
    refuse 2 'say what to keep, for example with --keep-last 7' prune dir
    refuse 2 'say what to keep, .*' prune dir --dry-run
    refuse 2 '--keep-daily needs a number from 1 to 1000000' prune dir --keep-daily 0
    refuse 2 '--keep-last needs a number .*' prune dir --keep-last many
    refuse 2 'dir/a.cof is not a directory' prune dir/a.cof --keep-last 1
    refuse 6 'cannot open none: .*' prune none --keep-last 1
    COFFER_HOME=none refuse 3 'nobody is trusted yet: .*' prune dir --keep-last 1
    mkdir empty
    accept prune empty --keep-last 1
}

@test "a backup that somebody is working on stays: status 11" {
    made '2025-03-01' dir/a.cof
    made '2025-03-02' dir/b.cof
    /usr/bin/python3 - dir/a.cof <<'PY' 3>&- &
import fcntl, struct, sys, time
f = open(sys.argv[1], "rb")
lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
fcntl.fcntl(f, 37, lock)  # F_OFD_SETLK
open("held", "w").close()
time.sleep(60)
PY
    holder=$!
    while [ ! -e held ]; do sleep 0.05; done
    call prune dir --keep-last 1
    kill "$holder"
    [ "$status" -eq 11 ]
    [ "$(left)" = "a b" ]
}

# ---- leftovers ----

@test "unfinished files of killed runs go after a day, and only they" {
    made '2025-03-01' dir/a.cof
    old=.b.cof.0123456789abcdef.tmp
    fresh=.c.cof.0123456789abcdef.tmp
    touch -d '2 days ago' "dir/$old" dir/.b.cof.0123456789ABCDEF.tmp dir/.b.cof.0123456789abcde.tmp \
        dir/..0123456789abcdef.tmp dir/b.cof.0123456789abcdef.tmp dir/.b.cof.0123456789abcdef.tmp2
    touch -d '2 hours ago' "dir/$fresh"
    ln -s a.cof dir/.l.cof.0123456789abcdef.tmp
    touch -h -d '2 days ago' dir/.l.cof.0123456789abcdef.tmp
    mkdir dir/.d.cof.0123456789abcdef.tmp
    touch -d '2 days ago' dir/.d.cof.0123456789abcdef.tmp
    before=$(find dir | sort)
    accept prune dir --keep-last 1 --dry-run
    prints "dir/$old: would be removed, left behind by a run that was killed"
    [ "$(find dir | sort)" = "$before" ]
    accept prune dir --keep-last 1
    prints "dir/$old: removed, left behind by a run that was killed"
    prints '1 kept, 0 removed .*, 1 left behind by killed runs removed'
    [ "$(find dir | sort)" = "$(grep -v "/$old\$" <<<"$before")" ]
}

@test "the unfinished file of a run that is only slow stays" {
    mkfifo pipe
    "$COFFER" backup -q -o dir/slow.cof - <pipe 3>&- &
    exec 9>pipe
    echo begun >&9
    while ! compgen -G 'dir/.slow.cof.*.tmp' >/dev/null; do sleep 0.05; done
    touch -d '2 days ago' dir/.slow.cof.*.tmp dir/.slow.cof.002.0123456789abcdef.tmp
    accept prune dir --keep-last 1
    prints '0 kept, 0 removed .*, 0 kept without counting'
    exec 9>&-
    [ -e dir/.slow.cof.002.0123456789abcdef.tmp ] # complete, and closed
    wait "$!"
    accept verify dir/slow.cof
    accept prune dir --keep-last 1
    [ ! -e dir/.slow.cof.002.0123456789abcdef.tmp ]
}
