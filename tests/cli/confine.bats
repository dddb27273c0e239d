#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a verb can still do when it reads the first byte that somebody else wrote: only its work.

load helper

setup_file() {
    people
    cc -D_GNU_SOURCE -shared -fPIC -o "$BATS_FILE_TMPDIR/intruder.so" "$here/intruder.c" -ldl
}

setup() {
    workdir
    noise 50000 >content
    outside=$BATS_TEST_TMPDIR/outside
    mkdir tree "$outside"
    cp content tree/a
    echo precious >"$outside/victim"
    passwd=$(sha256sum /etc/passwd)
    mkdir spool
    export TMPDIR=$PWD/spool
    export INTRUDER_REPORT=$BATS_TEST_TMPDIR/report INTRUDER_OUTSIDE=$outside
}

# The command with the intruder in it; whoever reads names of owners may use sockets of this machine,
# and whoever makes or changes files that have a name may change attributes.
#   intruded [names] ARG...
intruded() {
    local may='^attributes: '
    if [ "$1" = names ]; then
        may='^attributes: |^local '
        shift
    fi
    case $* in
    verify* | info* | list* | *' -o - '*) may='^$' ;;
    esac
    [ -z "${COFFER_SLOW:-}" ] || may="$may|^ptrace " # the leak checker of a sanitizer needs it
    rm -f "$INTRUDER_REPORT"
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 LD_PRELOAD=$BATS_FILE_TMPDIR/intruder.so \
        timeout 60 "$COFFER" "$@" >stdout 2>stderr || { cat stdout stderr && return 1; }
    [ "$(wc -l <"$INTRUDER_REPORT")" = 28 ] || { cat "$INTRUDER_REPORT" && return 1; }
    local could
    could=$(may=$may awk '/ done$/ && $0 !~ ENVIRON["may"]' "$INTRUDER_REPORT")
    [ -z "$could" ] || { echo "the intruder in '$*' could: $could" && return 1; }
    [ "$(cat "$outside/victim")" = precious ] && [ "$(ls "$outside")" = victim ]
    [ "$(sha256sum /etc/passwd)" = "$passwd" ]
}

@test "the intruder is able to do all of it where nothing stops him" {
    cat >open.c <<'END'
#include <fcntl.h>
#include <unistd.h>
int main(void)
{
    char byte;
    return read(0, &byte, 1) < 0;
}
END
    cc -o open open.c
    LD_PRELOAD=$BATS_FILE_TMPDIR/intruder.so ./open <content
    for what in plant overwrite exec connect local signal 'signal of a thread' 'signal with a value' \
        terminal paste 'owner of signals' 'attributes: mode' 'attributes: mode of what is open' \
        'attributes: mode, newest' 'attributes: owner' 'attributes: owner of what is open' \
        'attributes: times' 'attributes: named' remove; do
        grep -q "^$what done" "$INTRUDER_REPORT" || { cat "$INTRUDER_REPORT" && return 1; }
    done
}

@test "backup, of a stream and of a tree" {
    intruded backup -o a.cof - <content
    intruded names backup -o tree.cof tree
    intruded backup -o - - <content
}

@test "verify, info, list, restore: from a file" {
    "$COFFER" backup -q -o a.cof - <content
    "$COFFER" backup -q -o tree.cof tree
    intruded verify a.cof
    intruded verify --deep --key "$P/ops.key" tree.cof
    intruded verify --report evidence a.cof
    intruded info a.cof
    intruded list --key "$P/ops.key" tree.cof
    intruded restore --key "$P/ops.key" -o back a.cof
    cmp content back
    intruded names restore --key "$P/ops.key" -C target tree.cof
    cmp content target/tree/a
    intruded restore --key "$P/ops.key" -o - a.cof
}

@test "verify, info, restore, receive: from a pipe" {
    "$COFFER" backup -q -o a.cof - <content
    mkdir received
    intruded verify - <a.cof
    intruded info - <a.cof
    intruded restore --key "$P/ops.key" -o back - < <(cat a.cof)
    cmp content back
    intruded receive -o received/ < <(cat a.cof)
    [ "$(ls received)" != "" ]
}

@test "envelope: export and import" {
    "$COFFER" backup -q -o a.cof - <content
    mkdir heads
    intruded envelope export a.cof -o heads/a.head
    "$COFFER" rotate -q --key "$P/ops.key" --add "$P/eve.crt" heads/a.head
    intruded verify --envelope heads/a.head a.cof
    intruded info --envelope heads/a.head a.cof
    intruded restore --envelope heads/a.head --key "$P/eve.key" -o back a.cof
    intruded envelope import --key "$P/ops.key" heads/a.head a.cof
}

@test "rotate, rekey, repair, prune" {
    "$COFFER" backup -q -o a.cof - <content
    mkdir dir far
    "$COFFER" backup -q --label db1 -o dir/ - <content
    "$COFFER" backup -q -o far/linked.cof - <content
    ln -s ../far/linked.cof dir/linked.cof
    intruded rotate --key "$P/ops.key" --add "$P/eve.crt" a.cof
    intruded rotate --key "$P/ops.key" --add "$P/eve.crt" --yes dir a.cof
    intruded repair a.cof
    intruded rekey --key "$P/ops.key" -r "$P/ops.crt" a.cof
    intruded rekey --key "$P/ops.key" -r "$P/ops.crt" -o new.cof a.cof
    rm dir/linked.cof
    intruded prune --keep-last 1 dir
}

@test "what the system does not offer is told under --verbose, and only there" {
    "$COFFER" backup -q -o a.cof - <content
    accept verify -q --verbose a.cof
    accept verify -q a.cof
}
