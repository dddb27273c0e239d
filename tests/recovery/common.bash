# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # set by bats and used by the suites
#
# What the recovery suites share. COFFER is the command under test, recover.sh runs under RECOVER_SH
# (dash by default, since that is the strictest shell at hand).

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# people DIRECTORY: signers of every kind and recipients of every kind. The signers come from
# openssl, so that nothing here depends on how coffer makes keys.
people() {
    mkdir -p "$1"
    signer "$1/rsa-maker" rsa -pkeyopt rsa_keygen_bits:2048
    signer "$1/ec-maker" ec -pkeyopt ec_paramgen_curve:P-256
    signer "$1/stranger" ec -pkeyopt ec_paramgen_curve:P-256
    openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 \
        -pkeyopt dsa_paramgen_q_bits:256 -out "$1/dsa.params" 2>/dev/null
    openssl genpkey -paramfile "$1/dsa.params" -out "$1/dsa-maker.key"
    certify "$1/dsa-maker"
    "$COFFER" keygen "$1/rsa" --no-passphrase --type rsa-3072
    "$COFFER" keygen "$1/p256" --no-passphrase --type p256
    "$COFFER" keygen "$1/p384" --no-passphrase --type p384
    "$COFFER" keygen "$1/other" --no-passphrase --type p256
} >/dev/null

signer() {
    local name=$1 algorithm=$2
    shift 2
    openssl genpkey -algorithm "$algorithm" "$@" -out "$name.key" 2>/dev/null
    certify "$name"
}

certify() {
    chmod 600 "$1.key"
    openssl req -x509 -new -key "$1.key" -subj "/CN=${1##*/}" -days 30 -out "$1.crt"
}

# need_coffer: without the command there is nothing to test; a wrong path is an error
need_coffer() {
    [ -n "${COFFER:-}" ] || skip "COFFER is not set"
    [ -x "$COFFER" ]
    COFFER=$(realpath "$COFFER")
    export COFFER_HOME=$BATS_FILE_TMPDIR/home
}

# sample: once a file: $keys, content, and sample.cof by rsa-maker in $BATS_FILE_TMPDIR
sample() {
    need_coffer
    export keys=$BATS_FILE_TMPDIR/keys
    people "$keys"
    cd "$BATS_FILE_TMPDIR" || return 1
    # Two records of 64 KiB that do not compress, then some that do, and an odd end.
    { head -c 140000 /dev/urandom && seq 30000 && head -c 70001 /dev/zero; } >content
    backup sample.cof rsa-maker --record-size 65536 <content
}

# copy_of_sample: once a test: $content, b.cof in the working directory, $trust and $with
copy_of_sample() {
    need_coffer
    cd "$BATS_TEST_TMPDIR" || return 1
    content=$BATS_FILE_TMPDIR/content
    cp "$BATS_FILE_TMPDIR/sample.cof" b.cof
    trust=(--trust "$keys/rsa-maker.crt")
    with=("${trust[@]}" --key "$keys/rsa.key")
}

# Whatever the tests of a file have left, the independent reader has to take as the command does.
teardown_file() {
    /usr/bin/python3 "$root/tests/cli/second_opinion.py" "$COFFER" "$BATS_RUN_TMPDIR" >"$BATS_FILE_TMPDIR/opinion" ||
        { cat "$BATS_FILE_TMPDIR/opinion" >&2 && return 1; }
    [ -z "${SHOW_OPINION:-}" ] || cat "$BATS_FILE_TMPDIR/opinion" >&3
}

# backup OUT MAKER [OPTION...] <content: for rsa and p256
backup() {
    local out=$1 maker=$2
    shift 2
    "$COFFER" backup -q -o "$out" -r "$keys/rsa.crt" -r "$keys/p256.crt" --sign-key "$keys/$maker.key" \
        --sign-cert "$keys/$maker.crt" "$@" -
}

recover() {
    "${RECOVER_SH:-dash}" "$root/scripts/recover.sh" "$@"
}

# recovered CONTENT STATUS ARGUMENT...: recover.sh ends with STATUS, and its output is CONTENT
recovered() {
    local content=$1 want=$2
    shift 2
    rm -f out
    run recover "$@" -o out
    echo "$output"
    [ "$status" -eq "$want" ]
    cmp out "$content"
    [ "$(echo out*)" = out ]
}

# refused STATUS ARGUMENT...: recover.sh ends with STATUS, and leaves no output file of any name
refused() {
    local want=$1
    shift
    rm -f out
    run recover "$@" -o out
    echo "$output"
    [ "$status" -eq "$want" ]
    [ "$(echo out*)" = 'out*' ]
}

# number FILE OFFSET WIDTH
number() {
    printf '%d' "0x$(od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n')"
}

# damage FILE OFFSET LENGTH: every byte there becomes another one
damage() {
    local octets
    octets=$(od -An -v -tu1 -j "$2" -N "$3" "$1" | tr -s ' ' '\n' | awk 'NF { printf "\\%03o", ($1 + 90) % 256 }')
    # shellcheck disable=SC2059 # the escapes are the format
    printf "$octets" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# places FILE: $slot (size), $body, $first and $second (TAIL frames, in the file), $size
places() {
    size=$(stat -c %s "$1")
    slot=$(number "$1" 24 8)
    body=$((8192 + 2 * slot))
    first=$((body + $(number "$1" $((size - 56)) 8)))
    second=$((body + $(number "$1" $((size - 48)) 8)))
}
