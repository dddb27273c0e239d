#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Making backups: what is printed, what is refused, and that a failure leaves nothing.

load helper

@test "a backup into a file: one summary line" {
    noise | accept backup -o x.cof -
    prints 'x.cof: 1.0 MiB as 1.[01] MiB, .* m?s, by CN=db1, opens for CN=ops, CN=rec'
    [ "$(ls)" = x.cof ]
    noise | opens x.cof "$P/ops.key" -
    noise >content
    opens x.cof "$P/rec.key" content
}

@test "a backup into a directory is named by label, time and identity" {
    mkdir dir
    echo hello | accept backup -o dir/ --label db1 -
    prints 'dir/db1-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}.cof: 6 bytes as .*'
    echo hello | accept backup -o dir -
    prints 'dir/backup-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}.cof: .*'
    [ "$(ls dir | wc -l)" -eq 2 ]
}

@test "-q prints nothing" {
    echo hello | accept backup -q -o x.cof -
    [ -z "$output" ]
}

@test "--json prints one object" {
    echo hello | accept backup --json --label l -o x.cof -
    [ "$(wc -l <<<"$output")" -eq 1 ]
    /usr/bin/python3 - "$output" <<'PY'
import json, os, sys
o = json.loads(sys.argv[1])
assert o["path"] == "x.cof" and o["status"] == "OK" and o["exit"] == 0 and o["warnings"] == []
assert o["plain_bytes"] == 6 and o["records"] == 1 and o["recipients"] == 2
assert o["stored_bytes"] == os.path.getsize("x.cof")
assert o["maker"] == "CN=db1" and o["maker_fingerprint"].startswith("SHA256:")
PY
}

@test "--json of a failure says so, and why" {
    call backup --json -o x.cof - </dev/null
    [ "$status" -eq 8 ]
    /usr/bin/python3 - "$output" <<'PY'
import json, sys
o = json.loads(sys.argv[1])
assert o["path"] == "x.cof" and o["status"] == "SOURCE" and o["exit"] == 8 and o["error"]
PY
}

@test "-o - writes the backup to a pipe, and the summary elsewhere" {
    noise >content
    "$COFFER" backup -o - - <content 2>err | cat >x.cof
    grep -Eqx 'standard output: 1.0 MiB as .*, opens for CN=ops, CN=rec' err
    opens x.cof "$P/ops.key" content
}

@test "-o - refuses a terminal" {
    run /usr/bin/python3 "$here/terminal.py" sh -c 'echo hello | "$COFFER" backup -o - -'
    [ "$status" -eq 2 ]
    [ "${lines[0]%$'\r'}" = 'coffer: standard output is a terminal; redirect it, or name a file with -o' ]
}

@test "-o - excludes --json and --force" {
    refuse 2 '-o - and --json both need standard output' backup -o - --json - </dev/null
    refuse 2 '-o - and --force: there is no file to replace' backup -o - --force - </dev/null
}

@test "a closed pipe is an I/O error, not a signal" {
    set +e
    noise 20000000 | "$COFFER" backup -o - - 2>err | head -c 10 >/dev/null
    result=("${PIPESTATUS[@]}")
    set -e
    [ "${result[1]}" -eq 6 ]
    grep -q '^coffer: .*[Bb]roken pipe' err
}

@test "the source is a terminal" {
    run /usr/bin/python3 "$here/terminal.py" "$COFFER" backup -o x.cof -
    [ "$status" -eq 2 ]
    [ "${lines[0]%$'\r'}" = 'coffer: standard input is a terminal; pipe in what is to be backed up' ]
    [ ! -e x.cof ]
}

@test "no source is named, or standard input among others" {
    refuse 2 'backup needs a source: paths, or - for standard input' backup -o x.cof
    refuse 2 'standard input \(-\) is backed up alone; a file of that name is ./-' backup -o x.cof - /etc
}

@test "no output is named" {
    refuse 2 'say where the backup goes with -o FILE, -o DIR/, -o - or --volume FILE' backup - </dev/null
}

# ---- the source ----

@test "an empty source is no good backup" {
    refuse 8 'the source was empty, .*--allow-empty.*' backup -o x.cof - </dev/null
    accept backup --allow-empty -o x.cof - </dev/null
    prints 'x.cof: 0 bytes as .*'
    : >content
    opens x.cof "$P/ops.key" content
}

@test "a source that cannot be read" {
    mkdir dir
    refuse 8 '.*[Ii]s a directory.*' backup -o x.cof - <dir
}

@test "a source that fails half-way" {
    # /proc/self/mem has nothing at its beginning: reading fails
    refuse 8 '.*Input/output error.*' backup -o x.cof - </proc/self/mem
}

@test "a sparse file and one that is not a multiple of anything" {
    truncate -s 9000001 content
    "$COFFER" backup -q -o x.cof - <content
    opens x.cof "$P/ops.key" content
}

# ---- the place ----

@test "an existing file is never replaced without --force" {
    echo precious >x.cof
    echo hello | refuse 2 'x.cof exists already.*' backup -o x.cof -
    echo hello | accept backup --force -o x.cof -
    echo hello >content
    opens x.cof "$P/ops.key" content
}

@test "with --force the old file stays until the new one is complete" {
    echo precious >x.cof
    refuse 8 '.*' backup --force -o x.cof - </dev/null
    [ "$(cat x.cof)" = precious ]
}

@test "places where no file can be" {
    echo precious >file
    refuse 6 '.*none.*No such file or directory.*' backup -o none/x.cof - <"$P/ops.crt"
    refuse 6 '.*file.*[Nn]ot a directory.*' backup -o file/x.cof - <"$P/ops.crt"
    refuse 2 'the directory none/ does not exist' backup -o none/ - <"$P/ops.crt"
}

@test "a read-only file system" {
    mkdir disk
    run unshare -m sh -c 'mount -t tmpfs -o ro none disk && echo hello | "$COFFER" backup -o disk/x.cof -'
    [ "$status" -eq 6 ]
    [[ ${lines[0]} =~ ^coffer:\ .*disk.*Read-only\ file\ system ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "a full disk: status 6, and the disk is empty again" {
    noise 3000000 >content
    run on_small_disk '"$COFFER" backup -o disk/x.cof - <content; echo "status $?"; find disk -type f'
    [[ ${lines[0]} =~ ^coffer:\ .*No\ space\ left\ on\ device ]]
    [ "${lines[1]}" = 'status 6' ]
    [ "${#lines[@]}" -eq 2 ]
}

@test "a full disk while replacing: the old file is still there" {
    noise 3000000 >content
    run on_small_disk 'echo precious >disk/x.cof
        "$COFFER" backup --force -o disk/x.cof - <content; echo "status $?"; cat disk/x.cof; find disk -type f'
    [ "${lines[1]}" = 'status 6' ]
    [ "${lines[2]}" = precious ]
    [ "${lines[3]}" = disk/x.cof ]
    [ "${#lines[@]}" -eq 4 ]
}

# ---- the recipients ----

@test "-r replaces the home's recipients" {
    echo hello | accept backup -o x.cof -r "$P/eve.crt" -
    prints 'x.cof: .*, opens for CN=eve'
    opens_not x.cof "$P/ops.key"
}

@test "the same recipient twice is one" {
    echo hello | accept backup -o x.cof -r "$P/ops.crt" -r "$P/ops.crt" -
    prints 'x.cof: .*, opens for CN=ops'
}

@test "a certificate file without a certificate" {
    echo hello >text.crt
    refuse 7 'text.crt holds no certificate.*' backup -o x.cof -r text.crt - <"$P/ops.crt"
    refuse 7 '.*ops.key holds no certificate.*' backup -o x.cof -r "$P/ops.key" - <"$P/ops.crt"
    : >empty.crt
    refuse 7 'empty.crt holds no certificate.*' backup -o x.cof -r empty.crt - <"$P/ops.crt"
    head -c 300 "$P/ops.crt" >cut.crt
    refuse 7 '.*cut.crt is damaged' backup -o x.cof -r cut.crt - <"$P/ops.crt"
    refuse 6 '.*none.crt.*No such file or directory.*' backup -o x.cof -r none.crt - <"$P/ops.crt"
    mkdir dir
    refuse 7 'dir holds no certificate' backup -o x.cof -r dir - <"$P/ops.crt"
}

@test "certificates that are no good for it" {
    certificate weak --type rsa1024
    refuse 7 'the certificate of CN=weak holds an RSA key of less than 2048 bits, .*' \
        backup -o x.cof -r weak.crt - <"$P/ops.crt"
    certificate early --from-day 2
    refuse 7 '.*not.*valid.*' backup -o x.cof -r early.crt - <"$P/ops.crt"
    certificate signs --usage digital_signature
    refuse 7 '.*CN=signs.*' backup -o x.cof -r signs.crt - <"$P/ops.crt"
    certificate curve --type secp256k1
    refuse 7 '.*CN=curve.*' backup -o x.cof -r curve.crt - <"$P/ops.crt"
    certificate edwards --type ed25519
    refuse 7 '.*CN=edwards.*' backup -o x.cof -r edwards.crt - <"$P/ops.crt"
}

@test "an expired recipient alone is refused, beside others it is left out with a warning" {
    certificate old --to-day -1
    refuse 7 "every recipient's certificate has expired: nobody could open the backup" \
        backup -o x.cof -r old.crt - <"$P/ops.crt"
    echo hello | warn 9 '.*CN=old.*' backup -o x.cof -r old.crt -r "$P/ops.crt" -
    prints 'x.cof: .*, opens for CN=ops'
    opens_not x.cof old.key
    echo hello | warn 9 '.*CN=old.*' backup --json -o y.cof -r old.crt -r "$P/ops.crt" -
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["exit"] == 9 and o["status"] == "OK" and len(o["warnings"]) == 1 and o["skipped_recipients"] == 1' "$output"
}

@test "a recipient that expires within 60 days: a warning, and the backup is as good as any" {
    certificate soon --to-day 30
    certificate later --to-day 90
    echo hello | warn 0 'the certificate of CN=soon expires on [0-9-]+; renew it, .*' \
        backup -q -o x.cof -r soon.crt -r later.crt -
    [ "$(wc -l <<<"$errors")" -eq 1 ]
    echo hello | warn 0 '.*' backup --json -o y.cof -r soon.crt -r later.crt -
    [[ $output == *'"expiring_recipients": 1'* || $output == *'"expiring_recipients":1'* ]]
}

@test "the signing key is no recipient of its own backups" {
    certificate both
    refuse 7 '.*sign.*' backup -o x.cof --sign-key both.key -r both.crt - <"$P/ops.crt"
}

# ---- the signing key ----

@test "a signing key with a certificate that does not belong to it" {
    certificate a
    certificate b
    refuse 7 '.*b.crt.*belong.*a.key.*' backup -o x.cof --sign-key a.key --sign-cert b.crt - <"$P/ops.crt"
    refuse 7 '.*belong.*' backup -o x.cof --sign-cert b.crt - <"$P/ops.crt"
    cp b.crt a.crt
    refuse 7 '.*a.crt.*belong.*a.key.*' backup -o x.cof --sign-key a.key - <"$P/ops.crt"
}

@test "a signing key without a certificate, or no key at all" {
    certificate a
    rm a.crt
    refuse 7 'a.key comes without a certificate.*' backup -o x.cof --sign-key a.key - <"$P/ops.crt"
    echo hello >text
    refuse 7 'text holds no private key.*' backup -o x.cof --sign-key text - <"$P/ops.crt"
    refuse 6 '.*none.key.*' backup -o x.cof --sign-key none.key - <"$P/ops.crt"
}

@test "certificates that cannot sign" {
    certificate old --to-day -1
    refuse 7 '.*expired.*' backup -o x.cof --sign-key old.key - <"$P/ops.crt"
    certificate weak --type rsa1024
    refuse 7 'the certificate of CN=weak holds an RSA key of less than 2048 bits, .*' backup -o x.cof --sign-key weak.key - <"$P/ops.crt"
    certificate opens --usage key_agreement
    refuse 7 '.*sign.*' backup -o x.cof --sign-key opens.key - <"$P/ops.crt"
}

@test "a wrong, empty or missing passphrase of the signing key" {
    certificate a
    openssl pkcs8 -topk8 -in a.key -out enc.key -passout pass:right
    cp a.crt enc.crt
    (umask 077; echo right >right; echo wrong >wrong; : >empty)
    refuse 7 '.*passphrase.*enc.key.*wrong.*' \
        backup -o x.cof --sign-key enc.key --sign-passphrase-file wrong - <"$P/ops.crt"
    refuse 2 '.*empty.*' backup -o x.cof --sign-key enc.key --sign-passphrase-file empty - <"$P/ops.crt"
    refuse 6 '.*none.*' backup -o x.cof --sign-key enc.key --sign-passphrase-file none - <"$P/ops.crt"
    accept backup -o x.cof --sign-key enc.key --sign-passphrase-file right - <"$P/ops.crt"
    accept backup -o y.cof --sign-key enc.key --sign-passphrase-fd 3 - <"$P/ops.crt" 3<right
    accept backup -o z.cof --sign-key a.key --sign-passphrase-file wrong - <"$P/ops.crt"
    chmod 644 right
    refuse 2 '.*right.*chmod.*' backup -o w.cof --sign-key enc.key --sign-passphrase-file right - <"$P/ops.crt"
    refuse 2 '--sign-passphrase-fd 0: standard input is the data already; use another descriptor' \
        backup -o w.cof --sign-key enc.key --sign-passphrase-fd 0 - <"$P/ops.crt"
}

# ---- the other options ----

@test "bad labels" {
    for label in .x -x 'a b' 'a/b' ä "$(printf 'x%.0s' {1..65})"; do
        refuse 2 '.*label.*' backup -o x.cof --label="$label" - <"$P/ops.crt"
    done
}

@test "bad compression" {
    for compress in lzma zstd:0 zstd:20 zstd: zstd:x ZSTD; do
        refuse 2 '.*compress.*' backup -o x.cof --compress "$compress" - <"$P/ops.crt"
    done
}

@test "bad digests" {
    for digest in md5 sha1 sha-256 SHA256; do
        refuse 2 '.*digest.*' backup -o x.cof --digest "$digest" - <"$P/ops.crt"
    done
}

@test "bad sizes" {
    for size in 0 x 4KB -1 1.5M 99999999999999999999 16777216G; do
        refuse 2 '--record-size needs a size such as 4M or 65536' \
            backup -o x.cof --record-size="$size" - <"$P/ops.crt"
    done
    for size in 1 4095 4097 17M; do
        refuse 2 '.*record size.*' backup -o x.cof --record-size "$size" - <"$P/ops.crt"
    done
    for size in 0 x 1e6; do
        refuse 2 '--slot-size needs a size such as 64K or 65536' \
            backup -o x.cof --slot-size "$size" - <"$P/ops.crt"
    done
    for size in 4096 16385 17M; do
        refuse 2 '.*slot.*' backup -o x.cof --slot-size "$size" - <"$P/ops.crt"
    done
}

@test "a reason that is too long" {
    refuse 2 '.*reason.*' backup -o x.cof --reason "$(printf 'x%.0s' {1..1025})" - <"$P/ops.crt"
}

@test "every good value of these options makes a backup that opens" {
    noise 20000 >content
    i=0
    for option in --compress=none --compress=zstd --compress=zstd:1 --compress=zstd:19 --digest=sha256 \
        --digest=sha384 --digest=sha512 --record-size=4096 --record-size=4K --record-size=16M \
        --slot-size=16K --slot-size=1M --slot-size=16M --reason=why --label=a.b_c-D9; do
        i=$((i + 1))
        accept backup "$option" -o "$i.cof" - <content
        opens "$i.cof" "$P/rec.key" content
        accept verify "$i.cof"
    done
}
