#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Databases of SQLite, from the command and from SQL.

load ../cli/helper

setup() {
    workdir
    mkdir db
}

# make MODE: db/x.db with a thousand rows
make() {
    sqlite3 db/x.db "PRAGMA journal_mode=$1; CREATE TABLE t(a);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000)
        INSERT INTO t SELECT hex(randomblob(100)) FROM n" >/dev/null
}

# rows FILE: the database that the backup holds is sound; how many rows it has
rows() {
    rm -f restored.db
    "$COFFER" restore -q "$1" --key "$P/ops.key" -o restored.db
    sqlite3 restored.db "PRAGMA integrity_check; SELECT count(*) FROM t"
    rm restored.db
}

# Another process has the database open, and does to it what is given; end it with done.
other() {
    coproc OTHER { exec sqlite3 db/x.db; }
    printf '%s;\n.print ready\n' "$1" >&"${OTHER[1]}"
    read -r line <&"${OTHER[0]}"
    while [ "$line" != ready ]; do read -r line <&"${OTHER[0]}"; done
}

other_ends() {
    local pid=$OTHER_PID
    echo .quit >&"${OTHER[1]}"
    wait "$pid"
}

@test "a database that nobody uses, in each journal mode; nothing but the database is left" {
    for mode in delete truncate persist wal; do
        rm -f db/*
        make $mode
        ls -A db >before
        sha256sum db/x.db >sum
        accept backup -q --force -o x.cof --sqlite db/x.db
        ls -A db | diff before -
        sha256sum --quiet -c sum
        [ "$(rows x.cof | tr '\n' ' ')" = "ok 1000 " ]
    done
}

@test "what is not committed is not in it, also where it is in the file already" {
    for mode in delete wal; do
        rm -f db/*
        make $mode
        other "PRAGMA cache_size=1; BEGIN; INSERT INTO t SELECT a FROM t"
        if [ $mode = wal ]; then
            accept backup -q -o $mode.cof --sqlite db/x.db
        else # it holds the lock until its end
            refuse 8 'the database db/x.db was locked by others all the time; .*' backup -o $mode.cof \
                --timeout 1s --sqlite db/x.db
        fi
        other_ends
        [ -e $mode.cof ] || accept backup -q -o $mode.cof --sqlite db/x.db
        [ "$(rows $mode.cof | tr '\n' ' ')" = "ok 1000 " ]
    done
}

@test "a WAL that others use stays, and its content is in the backup" {
    make wal
    other "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES (1)"
    [ -s db/x.db-wal ]
    sha256sum db/x.db db/x.db-wal >sum
    accept backup -q -o x.cof --sqlite db/x.db
    sha256sum --quiet -c sum
    other_ends
    [ "$(rows x.cof | tr '\n' ' ')" = "ok 1001 " ]
}

@test "a WAL that a killed process has left stays as well: a backup changes nothing" {
    make wal
    other "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES (1)"
    end "$OTHER_PID" KILL
    sha256sum db/x.db db/x.db-wal >sum
    accept backup -q -o x.cof --sqlite db/x.db
    sha256sum --quiet -c sum
    [ "$(rows x.cof | tr '\n' ' ')" = "ok 1001 " ]
}

@test "the transaction of a writer that was killed is rolled back" {
    make delete
    other "PRAGMA cache_size=1; BEGIN; INSERT INTO t SELECT a FROM t"
    end "$OTHER_PID" KILL
    [ -s db/x.db-journal ]
    accept backup -q -o x.cof --sqlite db/x.db
    [ "$(rows x.cof | tr '\n' ' ')" = "ok 1000 " ]
}

@test "a link, a relative path, a name that looks like a URI, an empty database" {
    make delete
    ln -s db/x.db link.db
    accept backup -q -o a.cof --sqlite link.db
    [ "$(rows a.cof | tail -n 1)" = 1000 ]
    cp db/x.db 'file:x?mode=memory'
    accept backup -q -o b.cof --sqlite 'file:x?mode=memory'
    [ "$(rows b.cof | tail -n 1)" = 1000 ]
    : >empty.db
    accept backup -q -o c.cof --sqlite empty.db
}

@test "no database, none that can be read, no place for the copy" {
    refuse 8 'cannot read the database none.db: unable to open database file' backup -o x.cof --sqlite none.db
    noise 100000 >noise.db
    refuse 8 'cannot read the database noise.db: file is not a database' backup -o x.cof --sqlite noise.db
    make delete
    dd if=/dev/zero of=db/x.db bs=4096 seek=1 count=1 conv=notrunc status=none
    truncate -s 20000 db/x.db
    refuse 8 'cannot read the database db/x.db: database disk image is malformed' backup -o x.cof \
        --sqlite db/x.db
}

@test "a full disk: the copy is made nowhere but beside the database, and nothing is left of it" {
    make delete
    status=0
    on_small_disk "cat db/x.db db/x.db db/x.db >disk/fill; cp db/x.db disk/; head -c 1M /dev/zero >>disk/fill
        ls -A disk >before; $COFFER backup -o x.cof --sqlite disk/x.db 2>err; echo \$? >status; ls -A disk >after"
    [ "$(cat status)" -eq 6 ]
    grep -q 'disk/.*: No space left on device' err
    diff before after
    [ ! -e x.cof ]
}

@test "killed while it copies: nothing is left beside the database" {
    sqlite3 db/x.db "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 60000)
        INSERT INTO t SELECT randomblob(1000) FROM n"
    for pause in 0.01 0.03 0.06 0.1 0.15; do
        "$COFFER" backup -q -o x.cof --sqlite db/x.db &
        sleep $pause
        end $! KILL
        rm -f x.cof
        [ "$(ls -A db)" = x.db ]
    done
}

@test "wrong usage" {
    make delete
    refuse 2 '--sqlite has no other source beside it: .*' backup -o x.cof --sqlite db/x.db file
    refuse 2 '--sqlite has no other source beside it: .*' backup -o x.cof --sqlite db/x.db --files-from list
    refuse 2 '.*exclude each other.*|.*--sqlite.*' backup -o x.cof --sqlite db/x.db --stdin-from-command -- true
    refuse 2 '--min-size is for commands: .*' backup -o x.cof --sqlite db/x.db --min-size 1K
    refuse 2 '--timeout is for commands and databases: .*' backup -o x.cof --timeout 1s - </dev/null
}

# ---- from SQL ----

# A program that loads the extension.  Where that was built with a sanitizer, the program needs the
# runtime of it from its beginning; what it does not free itself is not looked for.
loads() {
    local runtime
    runtime=$(ldd "$EXTENSION" | awk '/lib[at]san/ { print $3 }')
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 LD_PRELOAD=$runtime "$@"
}

sql() {
    loads sqlite3 db/x.db ".load $EXTENSION" "$1"
}

@test "SELECT coffer_backup: the last committed transaction, not what the caller has changed since" {
    make wal
    key="'recipient', '$P/ops.crt', 'sign-key', '$P/home/signing.key'"
    [ "$(sql "SELECT coffer_backup('x.cof', $key, 'label', 'shop', 'reason', 'a test')")" = x.cof ]
    [ "$(rows x.cof | tail -n 1)" = 1000 ]
    call info x.cof --json
    [ "$(jq -r .label <<<"$output" 2>/dev/null || grep -o '"label":[^,]*' <<<"$output")" != "" ]
    sql "BEGIN; DELETE FROM t; SELECT coffer_backup('y.cof', $key); COMMIT"
    [ "$(rows y.cof | tail -n 1)" = 1000 ]
    [ "$(sqlite3 db/x.db 'SELECT count(*) FROM t')" = 0 ]
    mkdir backups
    [[ "$(sql "SELECT coffer_backup('backups/', $key, 'label', 'shop')")" = backups/shop-*.cof ]]
}

@test "SELECT coffer_backup: another database of the connection, and a program in Python" {
    make delete
    loads /usr/bin/python3 - "$EXTENSION" "$P" <<'PYTHON'
import sqlite3, sys
extension, people = sys.argv[1:3]
db = sqlite3.connect(":memory:")
db.enable_load_extension(True)
db.load_extension(extension)
db.execute("ATTACH 'db/x.db' AS shop")
made = db.execute("SELECT coffer_backup('x.cof', 'database', 'shop', 'recipient', ?, 'sign-key', ?)",
                  (people + "/ops.crt", people + "/home/signing.key")).fetchone()[0]
assert made == "x.cof", made
PYTHON
    [ "$(rows x.cof | tail -n 1)" = 1000 ]
}

# sql_refuses PATTERN SQL
sql_refuses() {
    local said
    if said=$(sql "$2" 2>&1); then return 1; fi
    grep -Eq -- "$1" <<<"$said" || { echo "$said"; return 1; }
}

@test "SELECT coffer_backup refuses what makes no sense, and makes nothing" {
    make delete
    key="'recipient', '$P/ops.crt', 'sign-key', '$P/home/signing.key'"
    sql_refuses 'takes a file' "SELECT coffer_backup('x.cof', 'recipient')"
    sql_refuses 'needs the name of a file' "SELECT coffer_backup(NULL)"
    sql_refuses 'needs a key that signs' "SELECT coffer_backup('x.cof')"
    sql_refuses 'coffer_backup knows' "SELECT coffer_backup('x.cof', 'colour', 'red')"
    sql_refuses 'not NULL' "SELECT coffer_backup('x.cof', 'label', NULL)"
    sql_refuses 'at least one recipient' "SELECT coffer_backup('x.cof', 'sign-key', '$P/home/signing.key')"
    sql_refuses 'only a database in a file' "ATTACH ':memory:' AS m; SELECT coffer_backup('x.cof', 'database', 'm', $key)"
    sql_refuses 'only a database in a file' "SELECT coffer_backup('x.cof', 'database', 'nothing', $key)"
    sql_refuses 'unsafe use' "CREATE VIEW v AS SELECT coffer_backup('x.cof', $key); SELECT * FROM v"
    [ ! -e x.cof ]
    : >x.cof
    sql_refuses 'x.cof' "SELECT coffer_backup('x.cof', $key)"
    [ ! -s x.cof ]
}
