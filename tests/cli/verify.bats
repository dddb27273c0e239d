#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Verifying: one and many, quick and deep, and what each kind of damage is called.

load helper

custodian='CN=db1 \(generation 1, not proven\)'

setup() {
    workdir
    noise 100000 >content
    "$COFFER" backup -q -o x.cof - <content
}

@test "the whole content needs no key" {
    accept verify x.cof
    prints 'x.cof: intact, 98 KiB in 1 record, .* m?s, made [0-9-]+ by CN=db1, opens for CN=ops, CN=rec as decided by '"$custodian"
    accept verify -q x.cof
    [ -z "$output" ]
}

@test "--quick reads no content" {
    accept verify --quick x.cof
    prints 'x.cof: signatures are right, content was not read, .*'
    poke x.cof 60000 XXXX
    accept verify --quick x.cof
    refuse 3 '.*' verify x.cof
}

@test "--deep decrypts, and needs a key" {
    accept verify --deep --key "$P/ops.key" x.cof
    prints 'x.cof: intact, and decrypts, .*'
    refuse 2 '--deep decrypts the content: say with which --key' verify --deep x.cof
    refuse 4 'x.cof: .*private key.*' verify --deep --key "$P/eve.key" x.cof
}

@test "from a pipe" {
    cat x.cof | accept verify -
    prints 'standard input: intact, .*'
    poke x.cof 60000 XXXX
    cat x.cof | refuse 3 '.*' verify -
}

@test "--json: an object for each, also for those that fail" {
    echo hello >text
    call verify --json x.cof text none.cof
    [ "$status" -eq 5 ]
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/stdout" <<'PY'
import json, sys
o = {e["path"]: e for e in map(json.loads, open(sys.argv[1]))}
assert set(o) == {"x.cof", "text", "none.cof"}
assert o["x.cof"]["exit"] == 0 and o["x.cof"]["depth"] == "full" and o["x.cof"]["plain_bytes"] == 100000
assert o["x.cof"]["complete"] is True and o["x.cof"]["maker"]["standing"] == "trusted"
assert o["text"]["status"] == "FORMAT" and o["text"]["exit"] == 5 and o["text"]["error"]
assert o["none.cof"]["status"] == "IO" and o["none.cof"]["exit"] == 6
PY
}

# ---- many ----

@test "a directory: its backups, and nothing else that lies there" {
    mkdir dir dir/below
    cp x.cof dir/a.cof
    cp x.cof dir/named-otherwise
    cp x.cof dir/below/b.cof
    cp x.cof dir/.hidden.cof
    echo hello >dir/text
    mkfifo dir/fifo
    accept verify dir
    [ "$(grep -c ': intact, ' <<<"$output")" -eq 2 ]
    prints 'dir/a.cof: intact, .*'
    prints 'dir/named-otherwise: intact, .*'
    prints '2 backups: 2 good, 0 not'
}

@test "a directory without backups is no success" {
    mkdir dir
    refuse 5 'there is no backup in dir' verify dir
}

@test "one bad one never stops the others; the gravest status counts" {
    mkdir dir
    cp x.cof dir/a.cof
    head -c 60000 x.cof >dir/b.cof
    cp x.cof dir/c.cof
    poke dir/c.cof 60000 XXXX
    cp x.cof dir/d.cof
    call verify dir
    [ "$status" -eq 3 ]
    prints 'dir/a.cof: intact, .*'
    prints 'dir/d.cof: intact, .*'
    prints '4 backups: 2 good, 2 not'
    [ "$(sentences | wc -l)" -eq 2 ]
    grep -q '^coffer: .*dir/b.cof' <<<"$errors"
    grep -q '^coffer: .*dir/c.cof' <<<"$errors"
    call verify dir/b.cof none.cof x.cof
    [ "$status" -eq 5 ]
    call verify none.cof x.cof
    [ "$status" -eq 6 ]
    prints 'x.cof: intact, .*'
}

@test "every sentence about one of many says which" {
    cp x.cof y.cof
    COFFER_HOME=none call verify x.cof y.cof
    [ "$status" -eq 3 ]
    grep -Eq '^coffer: x.cof: nobody is trusted yet: ' <<<"$errors"
    grep -Eq '^coffer: y.cof: nobody is trusted yet: ' <<<"$errors"
}

# ---- trust ----

@test "without any trust: status 3, and the fingerprint to compare" {
    COFFER_HOME=none refuse 3 'x.cof: nobody is trusted yet: .*CN=db1, SHA256:.*; compare .*--trust' verify x.cof
}

@test "a backup of another maker" {
    certificate mallory
    "$COFFER" backup -q -o m.cof --sign-key mallory.key -r "$P/ops.crt" - <content
    refuse 3 'm.cof: .*CN=mallory.*not trusted.*' verify m.cof
    refuse 3 'm.cof: .*CN=mallory.*not trusted.*' verify --quick m.cof
    accept verify --trust mallory.crt m.cof
}

@test "bad trust" {
    refuse 6 '.*none.*' verify --trust none x.cof
    refuse 6 '.*' verify --trust "SHA256:$(printf 'A%.0s' {1..63})" x.cof
    echo hello >text
    refuse 7 'text holds no certificate.*' verify --trust text x.cof
}

@test "trusted as maker only is a warning; --strict-custody refuses" {
    warn 9 'x.cof: .*custod.*' verify --trust-maker "$P/home/signing.crt" x.cof
    prints 'x.cof: intact, .*'
    refuse 3 'x.cof: .*custod.*' verify --strict-custody --trust-maker "$P/home/signing.crt" x.cof
    accept verify --trust-maker "$P/home/signing.crt" --trust-custodian "$P/home/signing.crt" x.cof
}

# ---- damage ----

@test "a damaged redundant copy is a warning: status 9, the backup is good" {
    for place in 100 4200 8300 24700; do
        cp x.cof d.cof
        poke d.cof "$place" XXXX
        warn 9 'd.cof: .*' verify d.cof
        prints 'd.cof: intact, .*'
        warn 9 'd.cof: .*' verify --json d.cof
        /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["exit"] == 9 and o["warnings"] and o["damaged"] > 0' "$output"
        opens x.cof "$P/ops.key" content
    done
}

@test "both copies of a thing damaged is the end" {
    cp x.cof d.cof
    poke d.cof 100 XXXX
    poke d.cof 4200 XXXX
    refuse 5 '.*d.cof.*' verify d.cof
}

@test "bytes behind the end" {
    cp x.cof d.cof
    echo >>d.cof
    call verify d.cof
    [ "$status" -eq 5 ]
}

@test "the content of another backup behind this head" {
    echo other | "$COFFER" backup -q -o y.cof -
    head -c 40960 x.cof >m.cof
    tail -c +40961 y.cof >>m.cof
    call verify m.cof
    [[ $status -eq 3 || $status -eq 5 ]]
}

@test "what is no backup" {
    echo hello >text
    : >empty
    refuse 5 'text is not a coffer backup' verify text
    refuse 5 'empty is not a coffer backup' verify empty
    refuse 2 '/dev/null is a pipe or device, not a regular file.*' verify /dev/null
    refuse 6 '.*none.*No such file or directory.*' verify none
}

@test "a backup that may not be read" {
    [ "$(id -u)" -eq 0 ] # the suite runs as root
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_TEST_TMPDIR"
    install -m 755 "$COFFER" ./coffer
    cp "$P/home/signing.crt" trusted.crt
    chmod 600 x.cof
    run setpriv --reuid nobody --clear-groups env -u COFFER_HOME HOME=/nonexistent \
        ./coffer verify --trust trusted.crt x.cof
    [ "$status" -eq 6 ]
    [[ $output =~ ^coffer:\ .*x.cof.*Permission\ denied ]]
}
