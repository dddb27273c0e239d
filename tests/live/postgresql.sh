#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A PostgreSQL of its own on the loopback interface, for nobody else: load, base backup under load, archive, loss, recovery to a
# named point; then other locks on all of it, and recovery once more; then segments that are missing,
# damaged, sealed for others.  usage: postgresql.sh COFFER COFFER-PG
# shellcheck disable=SC2317 # functions are called through holds
set -u
export LC_ALL=C.UTF-8

if [ "${3-}" != inside ]; then
    top=$(mktemp -d "${TMPDIR:-/tmp}/coffer-postgresql.XXXXXX") || exit 1
    cp "$1" "$top/coffer" && cp "$2" "$top/coffer-pg" && cp "$0" "$top/test" &&
        cp "$(dirname "$0")/holds.bash" "$top" || exit 1
    chmod 755 "$top"/coffer* "$top/test"
    drop=()
    if [ "$(id -u)" = 0 ]; then # the server does not run as root
        chown -R 65534:65534 "$top"
        drop=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    fi
    (cd "$top" && exec "${drop[@]}" env -u COFFER_HOME HOME="$top" TMPDIR="$top" "$top/test" "$top/coffer" "$top/coffer-pg" inside)
    status=$?
    rm -rf "$top"
    exit "$status"
fi

top=$PWD
PATH=$top:$(echo /usr/lib/postgresql/*/bin | tr ' ' '\n' | sort -V | tail -n 1):$PATH
export COFFER_HOME=$top/home PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres
PGPORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
PGPASSWORD=$(head -c 16 /dev/urandom | xxd -p)
export PGPORT PGPASSWORD
# shellcheck source=tests/live/holds.bash
. "$top/holds.bash"

stop() {
    [ ! -e "$top/data/postmaster.pid" ] || pg_ctl -D "$top/data" -m immediate -w stop >/dev/null 2>&1
}
trap stop EXIT

start() {
    : >"$top/log"
    pg_ctl -D "$top/data" -l "$top/log" -w -t 60 start
}

sql() {
    psql -qAtX -v ON_ERROR_STOP=1 -c "$1"
}

# All that the database would answer about its content.
answers() {
    sql "SELECT count(*), sum(abalance), md5(string_agg(aid || ':' || abalance, ',' ORDER BY aid)) FROM pgbench_accounts"
    sql "SELECT sum(tbalance) FROM pgbench_tellers"
    sql "SELECT sum(bbalance) FROM pgbench_branches"
    sql "SELECT count(*), sum(delta) FROM pgbench_history"
}

# ---- a server that is in use ----

people() {
    for name in ops ops-2027 eve; do
        coffer keygen "$name" --type p256 --no-passphrase -q || return
    done
    coffer init --name db1 -r ops.crt -q && mkdir base && coffer-pg create wal
}

create() {
    initdb -D data -U postgres -A scram-sha-256 --pwfile=<(echo "$PGPASSWORD") --no-sync --wal-segsize=4 >/dev/null || return
    cat >>data/postgresql.conf <<END
listen_addresses = '127.0.0.1'
port = $PGPORT
unix_socket_directories = ''
fsync = off
max_wal_senders = 4
archive_mode = on
archive_command = '$top/coffer-pg archive $top/wal %p %f'
END
    start && pgbench -i -s 1 -q
}

base_backup() {
    pgbench -T 600 -c 2 -n >/dev/null 2>&1 &
    local load=$! result
    sleep 1
    coffer backup -q -o base/ --label shop --timeout 1m --stdin-from-command -- \
        pg_basebackup -D - -F tar -X fetch -c fast
    result=$?
    kill "$load" || result=1 # it was made under load
    wait "$load"
    [ "$result" -eq 0 ] && [ "$(sql 'SELECT count(*) FROM pgbench_history')" -gt 0 ]
}

a_failing_base_backup() {
    ! coffer backup -q -o base/ --label shop --stdin-from-command -- \
        pg_basebackup -h "$top/nowhere" -D - -F tar -X fetch && [ "$(find base -type f | wc -l)" -eq 1 ]
}

# The last segment that was written to is in the archive, and nothing failed.
archived() {
    local segment
    segment=$(sql "SELECT pg_walfile_name(pg_current_wal_lsn())")
    sql "SELECT pg_switch_wal()" >/dev/null
    for _ in $(seq 200); do
        [ ! -e "wal/$segment.cof" ] || return 0
        sleep 0.1
    done
    return 1
}

named_point() {
    archived && pgbench -t 300 -c 2 -n >/dev/null 2>&1 && answers >answers.expected &&
        sql "SELECT pg_create_restore_point('before the accident')" >/dev/null &&
        sql "SELECT pg_walfile_name(pg_current_wal_lsn())" >point &&
        sql "UPDATE pgbench_accounts SET abalance = 0" &&
        pgbench -t 100 -c 2 -n >/dev/null 2>&1 && answers >answers.after && archived &&
        ! cmp -s answers.expected answers.after
}

sealed() { # nothing in the archive can be read on this host, and nothing in it is in the clear
    local segment
    segment=$(find wal -name '0*.cof' | sort | head -n 1)
    ! coffer restore -q "$segment" --sign-key home/signing.key -o x 2>/dev/null &&
        ! coffer restore -q "$segment" --key eve.key -o x && coffer verify -q wal base
}

# ---- loss, and recovery ----

# recover KEY [to the end]: from the base backup and the archive alone, to the named point
recover() {
    stop
    rm -rf data
    mkdir -m 700 data
    coffer restore -q base/shop-*.cof --key "$1" --trust home/signing.crt -o - | tar -x -C data || return
    cat >>data/postgresql.auto.conf <<END
restore_command = '$top/coffer-pg fetch $top/wal %f %p --key $top/$1 --trust $top/home/signing.crt'
archive_command = 'false'
END
    [ "${2-}" = "to the end" ] || cat >>data/postgresql.auto.conf <<END
recovery_target_name = 'before the accident'
recovery_target_action = 'promote'
END
    touch data/recovery.signal
    start || return
    for _ in $(seq 200); do
        [ "$(sql 'SELECT pg_is_in_recovery()')" = t ] || break
        sleep 0.1
    done
    answers >answers.restored && cmp answers.expected answers.restored
}

rotate() {
    # by somebody whom the machine that recovers does not know: that is a warning, and no obstacle
    COFFER_HOME=$top/laptop coffer init --name laptop -r ops.crt -q || return
    COFFER_HOME=$top/laptop coffer rotate base wal --key ops.key --trust home/signing.crt \
        --trust-custodian laptop/signing.crt --replace ops.crt --with ops-2027.crt --check-key ops-2027.key \
        --reason "yearly renewal" >rotated && sed -n '$p' rotated && grep -Eq '^[0-9,]+ changed' rotated
}

# It does not recover, and the log names the segment with this pattern.
refuses() { # KEY PATTERN
    ! recover "$1" >/dev/null 2>&1 && grep -Eq "$2" log
}

# The same where no target is missed: what is taken for the end of the log would go unnoticed.
stops() { # KEY PATTERN
    ! recover "$1" "to the end" >/dev/null 2>&1 && grep -Eq "$2" log && grep -q 'FATAL:  could not restore file' log
}

# A segment that recovery needs: that of the named point.
needed() {
    echo "wal/$(cat point).cof"
}

missing() {
    local file name
    file=$(needed) && name=$(basename "$file" .cof) && mv "$file" aside &&
        stops ops-2027.key "coffer-pg: $name is missing from the archive .*, which has later ones"
    local result=$?
    coffer-pg check wal --segment-size 4 2>checked && result=1
    grep -qx "coffer-pg: $name is missing" checked || result=1
    mv aside "$file"
    return "$result"
}

# It and all after it, as if the host had been lost before: the end of the log.
missing_to_the_end() {
    local file name
    file=$(needed) && name=$(basename "$file" .cof) && mkdir later || return
    find wal -name '*.cof' ! -name '*.history.cof' | sort | awk -v from="$file" '$0 "" >= from' | xargs mv -t later
    refuses ops-2027.key "coffer-pg: $name is not in the archive" &&
        grep -q 'recovery ended before configured recovery target was reached' log
    local result=$?
    mv later/* wal/
    return "$result"
}

# The disk with the archive is not there; in the folder below it are segments of a day when it was not either.
unmounted() {
    mv wal elsewhere && mkdir wal && cp "$(find elsewhere -name '0*.cof' | sort | head -n 1)" wal/ || return
    stops ops-2027.key "coffer-pg: $top/wal is no archive, or not mounted: coffer-pg.archive is not in it"
    local result=$?
    coffer-pg archive wal segment 00000001000000000000FFFF 2>told && result=1
    grep -q 'wal is no archive, or not mounted' told || result=1
    [ ! -e wal/00000001000000000000FFFF.cof ] || result=1
    coffer-pg check wal 2>told
    [ "$?" -eq 6 ] && grep -q 'wal is no archive, or not mounted' told || result=1
    rm -r wal && mv elsewhere wal
    return "$result"
}

damaged() {
    local file name
    file=$(needed) && name=$(basename "$file" .cof) && cp "$file" aside
    printf x | dd of="$file" bs=1 seek=60000 conv=notrunc status=none
    stops ops-2027.key "coffer-pg: $name cannot be restored"
    local result=$?
    coffer-pg check wal --segment-size 4 2>checked && result=1
    grep -q "$name.cof: " checked || result=1
    mv aside "$file"
    return "$result"
}

for_others() {
    local file name
    file=$(needed) && name=$(basename "$file" .cof) && mv "$file" aside
    coffer restore -q aside --key ops-2027.key --trust home/signing.crt --trust-custodian laptop/signing.crt -o segment &&
        coffer-pg archive wal segment "$name" -r eve.crt &&
        stops ops-2027.key "coffer-pg: $name cannot be restored: coffer ended with status 4"
    local result=$?
    mv aside "$file"
    return "$result"
}

exchanged() {
    local file name other
    file=$(needed) && name=$(basename "$file" .cof) && mv "$file" aside
    other=$(find wal -name '0*.cof' ! -name '*.backup.cof' | sort | head -n 1) && cp "$other" "$file"
    stops ops-2027.key "coffer-pg: .*/$name.cof is not the segment $name, but $(basename "$other" .cof)-"
    local result=$?
    mv aside "$file"
    return "$result"
}

# ---- archive_command by itself ----

again_and_other() {
    local before
    noise=$(mktemp) && head -c 1048576 /dev/urandom >"$noise" && coffer-pg create own &&
        coffer-pg create own && coffer-pg archive own "$noise" 00000009000000000000000A || return
    before=$(sha256sum own/*)
    coffer-pg archive own "$noise" 00000009000000000000000A && [ "$(sha256sum own/*)" = "$before" ] || return
    printf y | dd of="$noise" bs=1 seek=500000 conv=notrunc status=none
    ! coffer-pg archive own "$noise" 00000009000000000000000A 2>refused &&
        grep -q '00000009000000000000000A: the archive has something else' refused &&
        [ "$(sha256sum own/*)" = "$before" ] && rm "$noise"
}

not_ours() { # what somebody else has put there is no archived segment
    head -c 1048576 /dev/zero >segment
    COFFER_HOME=$top/other coffer init --name other -r eve.crt -q &&
        COFFER_HOME=$top/other coffer-pg archive own segment 00000009000000000000000B || return
    cp other/wal.key home/wal.key # even who knows the secret cannot sign for this host
    ! coffer-pg archive own segment 00000009000000000000000B
}

# Without the secret every segment would be the same: nothing is said to be archived.
without_secret() {
    local name=00000009000000000000000D result=0
    coffer-pg create secretless && head -c 1048576 /dev/zero >segment && coffer-pg archive secretless segment "$name" || return
    head -c 1048576 /dev/urandom >segment
    cp home/wal.key kept
    chmod 0 home/wal.key
    ! coffer-pg archive secretless segment "$name" 2>refused || result=1
    grep -q 'cannot make or read the secret .*/wal.key' refused || result=1
    ! coffer-pg archive secretless segment 00000009000000000000000E || result=1
    chmod 600 home/wal.key
    : >home/wal.key
    ! coffer-pg archive secretless segment 00000009000000000000000E || result=1
    rm home/wal.key
    mkdir home/wal.key
    ! coffer-pg archive secretless segment 00000009000000000000000E || result=1
    rmdir home/wal.key
    mv kept home/wal.key
    [ "$(find secretless -name '*.cof')" = "secretless/$name.cof" ] || result=1
    return "$result"
}

# As Debian starts the server: no HOME, no PATH.  Nothing can be written, so that no real home is changed.
without_environment() {
    local home result=0
    home=$(getent passwd "$(id -u)" | cut -d : -f 6)
    (ulimit -f 0 && env -i COFFER="$top/coffer" "$top/coffer-pg" archive own segment 00000009000000000000000E) 2>&1 |
        cat >refused
    [ "${PIPESTATUS[0]}" -eq 1 ] || result=1
    cat refused
    grep -q "cannot make or read the secret $home/.config/coffer/wal.key\|is not archived" refused || result=1
    env -i COFFER="$top/coffer" COFFER_HOME="$COFFER_HOME" "$top/coffer-pg" archive own segment 00000009000000000000000E || result=1
    return "$result"
}

unreadable_segment() {
    chmod 0 segment
    coffer-pg archive own segment 00000009000000000000000D
    local status=$?
    chmod 600 segment
    [ "$status" -eq 1 ] && [ ! -e own/00000009000000000000000D.cof ]
}

ends_with() { # STATUS PATTERN COMMAND...
    local wanted=$1 pattern=$2 status
    shift 2
    "$@" 2>told
    status=$?
    cat told
    [ "$status" -eq "$wanted" ] && grep -q "$pattern" told && [ ! -e fetched ]
}

# The end of the log is told only by an archive that is there.
no_archive() {
    local name=0000000900000000000000FF result=0
    mkdir mountpoint && coffer-pg create locked && coffer-pg create unsearchable && coffer-pg create new &&
        cp own/*A.cof locked/ && cp own/*A.cof "unsearchable/$name.cof" || return
    chmod 0 locked
    chmod 400 unsearchable
    ends_with 1 "$name is not in the archive own" coffer-pg fetch own "$name" fetched || result=1
    ends_with 1 "$name is not in the archive new" coffer-pg fetch new "$name" fetched || result=1
    ends_with 126 'the archive nowhere cannot be read' coffer-pg fetch nowhere "$name" fetched || result=1
    ends_with 126 'mountpoint is no archive, or not mounted' coffer-pg fetch mountpoint "$name" fetched || result=1
    ends_with 126 'the archive locked cannot be read' coffer-pg fetch locked "$name" fetched || result=1
    ends_with 126 "$name cannot be restored" coffer-pg fetch unsearchable "$name" fetched || result=1
    ends_with 126 'cannot be read' coffer-pg fetch segment "$name" fetched || result=1
    ends_with 126 'usage' coffer-pg fetch own "$name" || result=1
    ends_with 126 'is no name of a segment' coffer-pg fetch own ../x fetched || result=1
    ln -s gone "own/$name.cof"
    ends_with 126 "$name cannot be restored" coffer-pg fetch own "$name" fetched || result=1
    rm "own/$name.cof"
    chmod 700 locked unsearchable
    return "$result"
}

fails() { # no place, no file, no sense
    ! coffer-pg archive nowhere segment 00000009000000000000000C && ! coffer-pg archive own nothing 00000009000000000000000C &&
        ! coffer-pg create nowhere/here && ! coffer-pg create && ! coffer-pg create own more &&
        ! coffer-pg archive own segment ../x && ! coffer-pg archive own segment && ! coffer-pg &&
        [ ! -e own/00000009000000000000000C.cof ] && [ ! -e x.cof ]
}

holds "keys, and a home on the host of the database" people
holds "a server that archives, and a database" create
holds "a base backup under load" base_backup
holds "a base backup that fails is none" a_failing_base_backup
holds "more transactions, a named point, an accident; all is archived" named_point
holds "what is archived is sealed, and intact" sealed
holds "check finds no gap" coffer-pg check wal --segment-size 4
holds "the database is lost, and recovered to the named point" recover ops.key
holds "other locks on the base backup and on all segments, in one command" rotate
holds "recovered once more, with the new key only" recover ops-2027.key
holds "the old key opens nothing any more, and the first segment is named" \
    sh -c "! coffer-pg fetch wal \"\$(basename \"\$(ls wal/0*.cof | head -n 1)\" .cof)\" x --key ops.key 2>old
        grep -q 'cannot be restored: coffer ended with status 4' old && [ ! -e x ]"
holds "a segment that is missing stops recovery, and is named" missing
holds "where the last ones are missing the next is named, and the target is not reached" missing_to_the_end
holds "a segment that is damaged stops recovery, and is named" damaged
holds "a segment that is sealed for others stops recovery, and is named" for_others
holds "a segment under another's name stops recovery, and is named" exchanged
holds "an archive that is not mounted stops recovery, and nothing is archived below it" unmounted
holds "after all that it recovers" recover ops-2027.key
holds "archived again it is the same, and other content is refused" again_and_other
holds "what somebody else has put in its place is refused" not_ours
holds "without its secret it archives nothing, and says so" without_secret
holds "it needs neither HOME nor PATH" without_environment
holds "a segment that cannot be read is not archived" unreadable_segment
holds "an archive that is missing, empty or locked is not the end of the log" no_archive
holds "nothing is archived from or to nowhere" fails
holds_end
