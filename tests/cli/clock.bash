# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Backups of other days.  Every person's certificate has been valid for ten years.
#
#   at MOMENT COMMAND...       run a command while the calendar says MOMENT (as date -d understands it)
#   made MOMENT FILE [ARG...]  a backup by db1 that was made then; ARG may name another maker

clock() {
    cc -shared -fPIC -o "$BATS_FILE_TMPDIR/clock.so" "$here/clock.c" -ldl
}

old_people() {
    P=$BATS_FILE_TMPDIR/people
    mkdir -p "$P/home/recipients" "$P/home/trusted"
    clock
    for name in ops db1 db2; do
        (cd "$P" && certificate "$name" --from-day -3650 --to-day 3650)
    done
    cp "$P/ops.crt" "$P/home/recipients"
    cp "$P/db1.crt" "$P/db2.crt" "$P/home/trusted"
    cp "$P/db1.crt" "$P/home/signing.crt"
    cp "$P/db1.key" "$P/home/signing.key"
    chmod 600 "$P/home/signing.key"
    chmod -R go-w "$P/home"
}

at() {
    local moment
    moment=$(date -u -d "$1" +%s)
    shift
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 COFFER_TEST_CLOCK=$moment \
        LD_PRELOAD=$BATS_FILE_TMPDIR/clock.so "$@"
}

made() {
    local moment=$1 file=$2
    shift 2
    at "$moment" "$COFFER" backup -q -o "$file" "$@" - <<<"$moment"
}
