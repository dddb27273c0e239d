# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $top is the folder of whoever loads this
#
# Tests in plain shell that speak TAP.
#
#   holds TEXT COMMAND...   one case: the command succeeds; else what it said is shown, and the end of
#                           $top/log, where a server writes
#   holds_end               the end of TAP, and of the script

number=0
failed=0

holds() {
    local text=$1
    number=$((number + 1))
    shift
    if "$@" >"$top/said" 2>&1; then
        echo "ok $number - $text"
    else
        failed=1
        echo "not ok $number - $text"
        sed 's/^/#   /' "$top/said" | tail -n 20
        [ ! -e "$top/log" ] || tail -n 12 "$top/log" | sed 's/^/#   log: /'
    fi
}

holds_end() {
    echo "1..$number"
    exit "$failed"
}
