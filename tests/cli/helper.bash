# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the command's tests share.  The command under test is $COFFER.
#
#   accept ARG...                 it succeeds, with nothing on standard error; stdout in $output
#   warn STATUS PATTERN ARG...    it ends with STATUS and a warning that matches PATTERN
#   refuse STATUS PATTERN ARG...  it ends with STATUS and one sentence (perhaps after warnings) that
#                                 matches PATTERN, prints nothing on stdout, and leaves the working
#                                 directory as it was
#
# Patterns are extended regular expressions for a whole sentence.  Each test works in a directory of
# its own; $P holds the people: ops, rec and eve with .key and .crt, and the home of db1, who signs
# and makes backups for ops and rec.

bats_require_minimum_version 1.5.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset COFFER_HOME
export LC_ALL=C.UTF-8
shopt -s lastpipe # so that "echo x | accept ..." sets the variables here

people() {
    P=$BATS_FILE_TMPDIR/people
    mkdir -p "$P"
    for name in ops rec eve; do
        "$COFFER" keygen "$P/$name" --type p256 --no-passphrase -q
    done
    "$COFFER" init --home "$P/home" --name db1 -r "$P/ops.crt" -r "$P/rec.crt" -q
}

# A certificate that coffer itself would not make: certificate NAME OPTION... (see certificate.py)
certificate() {
    /usr/bin/python3 "$here/certificate.py" "$@"
}

workdir() {
    P=$BATS_FILE_TMPDIR/people
    COFFER_HOME=$P/home
    export COFFER_HOME HOME="$BATS_TEST_TMPDIR"
    mkdir -p "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return 1
}

# The standard set-up; a file with needs of its own calls people and workdir itself.
setup_file() {
    people
}

setup() {
    workdir
}

# Whatever the tests of a file have left, the independent reader has to take as the command does.
teardown_file() {
    /usr/bin/python3 "$here/second_opinion.py" "$COFFER" "$BATS_RUN_TMPDIR" >"$BATS_FILE_TMPDIR/opinion" ||
        { cat "$BATS_FILE_TMPDIR/opinion" >&2 && return 1; }
    [ -z "${SHOW_OPINION:-}" ] || cat "$BATS_FILE_TMPDIR/opinion" >&3
}

# Everything in the working directory: names, kinds, modes, content.
snapshot() {
    find . -printf '%p %y %m %l\n' | sort
    find . -type f -print0 | sort -z | xargs -0 -r sha256sum
}

# Run the command: $status, $output (stdout), $errors (stderr, without what depends on the machine).
call() {
    status=0
    "$COFFER" "$@" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
    output=$(tr -d '\000' <"$BATS_TEST_TMPDIR/stdout")
    errors=$(sed '/^coffer: note: secrets could not be locked/d' "$BATS_TEST_TMPDIR/stderr")
}

# Say what happened, and fail.
wrong() {
    printf '%s\n' "$1" "command:  coffer ${*:2}" "status:   $status" "stdout:   ${output:0:2000}" \
        "stderr:   $errors"
    return 1
}

# The errors of the last call, one a line, without warnings and hints.
sentences() {
    grep -Ev '^(Try|coffer: warning): ' <<<"$errors"
}

accept() {
    call "$@"
    [ "$status" -eq 0 ] || wrong "should succeed" "$@" || return
    [ -z "$errors" ] || wrong "should say nothing on standard error" "$@" || return
}

refuse() {
    local expected=$1 pattern=$2 before after
    shift 2
    before=$(snapshot)
    call "$@"
    after=$(snapshot)
    [[ $status =~ ^($expected)$ ]] || wrong "should end with $expected" "$@" || return
    [ "$(sentences | wc -l)" -eq 1 ] || wrong "should say one sentence" "$@" || return
    [[ "$(sentences)" =~ ^coffer:\ $pattern$ ]] || wrong "should say: $pattern" "$@" || return
    [ ! -s "$BATS_TEST_TMPDIR/stdout" ] || wrong "should print nothing" "$@" || return
    [ "$before" = "$after" ] || wrong "should leave everything as it was:
$(diff <(echo "$before") <(echo "$after"))" "$@" || return
}

warn() {
    local expected=$1 pattern=$2
    shift 2
    call "$@"
    [ "$status" -eq "$expected" ] || wrong "should end with $expected" "$@" || return
    grep -Eqx -- "coffer: warning: $pattern" <<<"$errors" || wrong "should warn: $pattern" "$@" || return
}

# The output of the last call has a line that matches the pattern as a whole.
prints() {
    grep -Eqx -- "$1" <<<"$output" || wrong "should print: $1" || return
}

# No line of the output of the last call matches the pattern, not even in part.
prints_not() {
    local found=0
    grep -qE -- "$1" <<<"$output" || found=$? # 2: no pattern
    [ "$found" -eq 1 ] || wrong "should not print: $1"
}

# Nothing that the last call printed can do anything to a terminal but show text.
prints_safely() {
    local lines found=0
    lines=$(LC_ALL=C grep -aP '[\x00-\x09\x0b-\x1f\x7f\xff]|\xe2\x80\xae' "$BATS_TEST_TMPDIR/stdout" \
        "$BATS_TEST_TMPDIR/stderr") || found=$?
    [ "$found" -eq 1 ] || wrong "should not print raw: $(cat -v <<<"$lines")"
}

# end PID [SIGNAL]: a process of the test that runs until it is told to end, and ends of that.
end() {
    local ended=0
    kill -s "${2:-TERM}" "$1"
    wait "$1" || ended=$?
    [ "$ended" -eq $((128 + $(kill -l "${2:-TERM}"))) ] || { echo "$1 ended with $ended" && return 1; }
}

# end_feeder PID: one that writes into a pipe whose reader is gone: of that it may have ended by itself.
end_feeder() {
    local ended=0
    kill "$1" 2>/dev/null || [ ! -e "/proc/$1" ]
    wait "$1" || ended=$?
    [ "$ended" -ne 0 ] || { echo "it has written all that it had" && return 1; }
}

# backup FILE [ARG...]: a backup of standard input by db1.
backup() {
    local file=$1
    shift
    "$COFFER" backup -q -o "$file" "$@" -
}

# opens FILE KEY CONTENT: the key opens the backup to exactly that content.
opens() {
    "$COFFER" restore -q "$1" --key "$2" -o - | cmp - "$3"
}

# opens_not FILE KEY: the key does not open it.
opens_not() {
    refuse 4 '.*' restore "$1" --key "$2" -o -
}

# A megabyte that does not compress, the same each time.
noise() {
    openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 00000000000000000000000000000000 \
        -in /dev/zero 2>/dev/null | head -c "${1:-1048576}"
}

# Overwrite bytes of a file: poke FILE OFFSET TEXT
poke() {
    printf '%s' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Have a part of a file as it is in another one.
put_back() { # from into offset length
    head -c $(($3 + $4)) "$1" | tail -c "$4" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}

# Run a command line in a mount namespace of its own where ./disk is a file system of 1 MiB.
on_small_disk() {
    mkdir -p disk
    unshare -m sh -c 'mount -t tmpfs -o size=1m,mode=0755 none disk && exec sh -c "$1"' sh "$1"
}
