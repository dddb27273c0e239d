#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The recipes of docs/DATABASES.md, word by word, against servers of their own that others write to
# meanwhile.  usage: recipes.sh COFFER DATABASES.md
# shellcheck disable=SC2317 # functions are called through holds
set -u
export LC_ALL=C.UTF-8

if [ "${3-}" != inside ]; then
    top=$(mktemp -d "${TMPDIR:-/tmp}/coffer-recipes.XXXXXX") || exit 1
    cp "$1" "$top/coffer" && cp "$2" "$top/page" && cp "$0" "$top/test" &&
        cp "$(dirname "$0")/holds.bash" "$top" || exit 1
    chmod 755 "$top/coffer" "$top/test"
    drop=()
    if [ "$(id -u)" = 0 ]; then # servers do not run as root
        chown -R 65534:65534 "$top"
        drop=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    fi
    (cd "$top" && exec "${drop[@]}" env -u COFFER_HOME HOME="$top" TMPDIR="$top" "$top/test" "$top/coffer" "$top/page" inside)
    status=$?
    rm -rf "$top"
    exit "$status"
fi

top=$PWD
export PATH=$top:$PATH:/usr/sbin COFFER_HOME=$top/home
# shellcheck source=tests/live/holds.bash
. "$top/holds.bash"
servers=()

# Start a command with a process group of its own, so that nothing of it can be left.
serve() {
    setsid "$@" &
    servers+=($!)
}

# End all that was started, the last first, and wait for it.
stop() {
    local i
    for ((i = ${#servers[@]} - 1; i >= 0; i--)); do
        kill -- "-${servers[i]}" 2>/dev/null
        wait "${servers[i]}"
    done
    servers=()
}
trap stop EXIT

until_it() { # COMMAND...: until it succeeds, for at most 30 seconds
    for _ in $(seq 150); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.2
    done
    return 1
}

# step SECTION N...: the commands of these blocks of a section of the page
step() {
    local section=$1 block
    shift
    for block; do
        awk -v section="## $section" -v block="$block" '
            /^## / { in_section = $0 == section; n = 0 }
            /^```$/ { in_block = 0 }
            in_block { print }
            /^```sh$/ { in_block = in_section && ++n == block }' page >commands
        [ -s commands ] && bash -euvo pipefail commands || return
    done
}

people() {
    coffer keygen ops --type p256 --no-passphrase -q && coffer init --name db1 -r ops.crt -q &&
        cp home/signing.crt db1.crt && mkdir backups
}

# ---- SQLite ----

sqlite_recipe() {
    sqlite3 library.db "PRAGMA journal_mode=WAL; CREATE TABLE t(a, b); INSERT INTO t VALUES (0, 0)"
    serve bash -c 'while sqlite3 library.db "PRAGMA busy_timeout=9000; UPDATE t SET a=a+1, b=b+1" >/dev/null; do :; done'
    step SQLite 1 2 >recipe && tail -n 1 recipe | grep -qx ok &&
        [ "$(sqlite3 restored.db 'SELECT count(*) FROM t WHERE a = b')" = 1 ]
    local result=$?
    stop
    return "$result"
}

# ---- MariaDB ----

mariadb_start() { # DATADIR
    serve mariadbd --no-defaults --datadir="$top/$1" --socket="$top/mariadb.sock" --skip-networking \
        --pid-file="$top/mariadb.pid" --innodb-flush-log-at-trx-commit=0 --log-error="$top/mariadb.log"
    until_it mariadb -e 'SELECT 1'
}

mariadb_setup() {
    printf '[client]\nsocket=%s/mariadb.sock\nuser=root\n[mariadb-backup]\ndatadir=%s/mysql\n' "$top" "$top" >.my.cnf
    mariadb-install-db --no-defaults --datadir="$top/mysql" --auth-root-authentication-method=normal --skip-test-db &&
        mariadb_start mysql && mariadb -e "CREATE DATABASE shop; USE shop;
            CREATE TABLE account(id INT PRIMARY KEY, money INT) ENGINE=InnoDB;
            INSERT INTO account SELECT seq, 100 FROM seq_1_to_1000"
}

# Money moves from one account to another, until the process is ended.
transfers() {
    # shellcheck disable=SC2016 # for the shell inside
    serve bash -c 'while :; do
            echo "START TRANSACTION; UPDATE shop.account SET money=money-7 WHERE id=$((RANDOM % 1000 + 1));
                UPDATE shop.account SET money=money+7 WHERE id=$((RANDOM % 1000 + 1)); COMMIT;"
        done 2>/dev/null | mariadb'
}

balanced() { # DATABASE
    [ "$(mariadb -N -e "SELECT count(*), sum(money), min(money) < 100 FROM $1.account" | tr '\t' ' ')" = "1000 100000 1" ]
}

mariadb_dump() {
    transfers
    sleep 1
    step MariaDB 1 2 && balanced shop_restored
}

mariadb_files() {
    step MariaDB 3 4 || return
    stop
    mariadb_start datadir && balanced shop
}

mariadb_fails() {
    local before after
    before=$(ls backups)
    ! coffer backup -o backups/ --label shop --stdin-from-command -- mariadb-dump --single-transaction no_such_database
    after=$(ls backups)
    stop
    [ "$before" = "$after" ]
}

# ---- Redis ----

redis_start() { # FOLDER
    serve redis-server --port 0 --unixsocket "$top/redis.sock" --dir "$top/$1" --save '' --daemonize no --logfile "$top/redis.log"
    until_it redis-cli ping
}

redis-cli() {
    command redis-cli -s "$top/redis.sock" "$@"
}

redis_recipe() {
    mkdir redis-data bin
    # the page connects as everybody does; here it is a socket
    printf '#!/bin/sh\nexec %s -s %s/redis.sock "$@"\n' "$(type -P redis-cli)" "$top" >bin/redis-cli
    chmod +x bin/redis-cli
    redis_start redis-data || return
    redis-cli eval "for i = 1, 20000 do redis.call('set', 'key:' .. i, string.rep('x', 100)) end" 0 || return
    serve bin/redis-cli -r 100000000 eval "redis.call('incr', 'a') redis.call('incr', 'b')" 0
    sleep 0.5
    PATH=$top/bin:$PATH step Redis 1 2 || return
    stop
    redis_start redis && [ "$(redis-cli dbsize)" = 20002 ] && [ "$(redis-cli get a)" -gt 0 ] &&
        [ "$(redis-cli get a)" = "$(redis-cli get b)" ]
}

redis_fails() {
    stop
    [ "$(coffer backup -q -o gone.cof --stdin-from-command -- bin/redis-cli --rdb - 2>/dev/null; echo $?)" = 8 ] && [ ! -e gone.cof ]
}

from_another_machine() {
    coffer backup -q -o - --label shop --stdin-from-command -- seq 100000 |
        coffer receive -q -o backups/ --trust db1.crt || return
    ! coffer backup -q -o - --label bad --stdin-from-command -- sh -c 'seq 100000; exit 1' |
        coffer receive -q -o backups/ --trust db1.crt && [ -z "$(find backups -name 'bad-*')" ]
}

holds "keys" people
holds "SQLite, while another process writes" sqlite_recipe
holds "a MariaDB" mariadb_setup
holds "MariaDB as SQL, while others write" mariadb_dump
holds "MariaDB as files, while others write" mariadb_files
holds "a dump that fails is no backup" mariadb_fails
holds "Redis, while others write" redis_recipe
holds "a Redis that is gone is no backup" redis_fails
holds "a pipe to receive: what fails at the source is not published" from_another_machine
holds_end
