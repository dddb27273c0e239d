# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A signal at the first write, sync or rename of a command, at the second, and so on: what is left, and
# does whoever comes next deal with it?  Every STEP-th of these moments is tried, with each of SIGNALS.

CALLS=write,pwrite64,fsync,fdatasync,rename,renameat2,linkat,unlink,unlinkat,ftruncate,mkdir

# run_traced OPTION... -- COMMAND...: under strace with these options; leaks cannot be looked for there
run_traced() {
    local options=()
    while [ "$1" != -- ]; do options+=("$1") && shift; done
    shift
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 env --default-signal=INT \
        strace -f -qq -e trace="$CALLS" "${options[@]}" "$COFFER" "$@" >/dev/null 2>err <"${input:-/dev/null}"
}

# at_each COMMAND...: `put` makes everything as it was, `judge` looks at what is left.  The first thread
# has to do the work: it is the one that gets the signal.
at_each() {
    local moments call n signal failed tried=0
    put
    run_traced -o calls -- "$@" || [ $? -eq 9 ]
    moments=$(sed -E 's/^[0-9]+ +([a-z0-9]+).*/\1/' calls | awk -v step="$STEP" '++n % step == (step > 1 ? 2 : 0) { print $1, ++of[$1]; next } { of[$1]++ }')
    while read -r call n; do
        for signal in $SIGNALS; do
            put
            status=0
            run_traced -o /dev/null -e "inject=$call:signal=$signal:when=$n" -- "$@" || status=$?
            [ "$status" -ne 0 ] || continue # at the very end
            tried=$((tried + 1))
            [ "$status" -eq $((128 + $(kill -l "$signal"))) ] || wrong "$signal at $call $n" || return
            failed=0
            judge || failed=$?
            [ "$failed" -eq 0 ] || wrong "$signal at $call $n: left is $(ls -A dir)" || return
        done
    done <<<"$moments"
    [ "$tried" -ge 1 ] || { cat calls && return 1; }
}

# What the tests work on: one backup of a stream, one of files, the head of the first.
setup_file() {
    people
    cd "$BATS_FILE_TMPDIR" || return 1
    export COFFER_HOME=$P/home
    noise 300000 >content
    mkdir tree
    for i in 1 2 3; do noise "${i}0000" >"tree/f$i"; done
    "$COFFER" backup -q -r "$P/ops.crt" -o s.cof - <content
    "$COFFER" backup -q -r "$P/ops.crt" -o t.cof tree
    "$COFFER" envelope export -q s.cof -o s.head
    cp s.head e.head
    "$COFFER" rotate -q e.head --key "$P/ops.key" --add "$P/rec.crt"
}

setup() {
    workdir
    made=$BATS_FILE_TMPDIR
}

# Only these files are in the directory `dir`.
holds_only() {
    [ "$(ls -A dir)" = "$(printf '%s\n' "$@")" ] || { ls -A dir && return 1; }
}

fresh() { # [FILE [NAME]]: `dir` with this file alone
    rm -rf dir
    mkdir dir
    [ $# = 0 ] || cp "$made/$1" "dir/${2:-$1}"
}

opens_for_ops() {
    opens dir/s.cof "$P/ops.key" "$made/content"
}
