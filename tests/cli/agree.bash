# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # set by helper.bash, and $content and $maker by the tests
#
# Backups of $content, signed by who has the certificate $maker: do all readers agree on them?

root=$(cd "$here/../.." && pwd)

# Small records, so that there are several, some of which do not shrink.
make() { # FILE [OPTION...]
    local file=$1
    shift
    accept backup -q -o "$file" --record-size 64K "$@" - <"$content"
}

# agree FILE KEY [SIGNER]: every reader there is takes the backup, and sees what was put in.
agree() {
    local file=$1 key=$2 by=${3-$maker}
    accept verify -q "$file" --trust "$by"
    accept verify -q --deep "$file" --trust "$by" --key "$key"
    rm -f back
    accept restore -q "$file" --trust "$by" --key "$key" -o back
    cmp back "$content"
    rm -f back
    [ "$("$root/tests/reference/read" "$file" --trust "$by" --key "$key" -o back)" = OK ]
    cmp back "$content"
}

# recovers FILE KEY [SIGNER]: so does the script.
recovers() {
    rm -f back
    "$root/scripts/recover.sh" "$1" --trust "${3-$maker}" --key "$2" -o back
    cmp back "$content"
}

# codec_numbers FILE: of all its records, each once.
codec_numbers() {
    /usr/bin/python3 - "$1" <<'PY'
import sys
b = open(sys.argv[1], "rb").read()
at, seen = 8192 + 2 * int.from_bytes(b[24:32], "big"), set()
while b[at:at + 2] == b"\xc0\xfe" and b[at + 2] != 6:
    if b[at + 2] == 1:
        seen.add(b[at + 3])
    at += 32 + int.from_bytes(b[at + 12:at + 16], "big")
print(*sorted(seen))
PY
}
