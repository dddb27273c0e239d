#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Restoring: the content comes back whole, or nothing appears.

load helper

setup() {
    workdir
    noise 100000 >content
    "$COFFER" backup -q -o x.cof - <content
}

@test "into a file, mode 0600, with one summary line that names maker and custodian" {
    accept restore x.cof --key "$P/ops.key" -o out
    prints 'out: 98 KiB, .* m?s, made [0-9-]+ by CN=db1, opens for CN=ops, CN=rec as decided by CN=db1 \(generation 1\)'
    cmp out content
    [ "$(stat -c %a out)" = 600 ]
}

@test "into a pipe, with the summary elsewhere" {
    call restore x.cof --key "$P/rec.key" -o -
    [ "$status" -eq 0 ]
    cmp "$BATS_TEST_TMPDIR/stdout" content
    grep -Eqx 'standard output: 98 KiB, .*' <<<"$errors"
    call restore -q x.cof --key "$P/rec.key" -o -
    [ -z "$errors" ]
}

@test "from a pipe" {
    cat x.cof | accept restore - --key "$P/ops.key" -o out
    cmp out content
    cat x.cof | "$COFFER" restore -q - --key "$P/ops.key" -o - | cmp - content
}

@test "backup | restore" {
    "$COFFER" backup -q -o - - <content | "$COFFER" restore -q - --key "$P/ops.key" -o - | cmp - content
}

@test "--json" {
    accept restore --json x.cof --key "$P/ops.key" -o out
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["path"] == "x.cof" and o["output"] == "out" and o["exit"] == 0 and o["plain_bytes"] == 100000
assert o["maker"]["subject"] == "CN=db1" and o["maker"]["standing"] == "trusted"
assert o["custodian"]["subject"] == "CN=db1" and o["generation"] == 1' "$output"
}

@test "several keys: one that fits is enough" {
    accept restore x.cof --key "$P/eve.key" --key "$P/rec.key" -o out
    cmp out content
}

# ---- keys ----

@test "no key that fits, or none at all" {
    refuse 4 '.*private key.*does not belong.*' restore x.cof --key "$P/eve.key" -o out
    refuse 4 '.*private key.*does not belong.*' restore x.cof --key "$P/home/signing.key" -o out
    refuse 4 '.*encrypted.*--key.*' restore x.cof -o out
}

@test "files that hold no private key" {
    echo hello >text
    refuse 7 'text holds no private key.*' restore x.cof --key text -o out
    refuse 7 '.*ops.crt holds no private key.*' restore x.cof --key "$P/ops.crt" -o out
    refuse 6 '.*none.key.*No such file or directory.*' restore x.cof --key none.key -o out
    refuse 2 '.*directory.*' restore x.cof --key . -o out
}

@test "a wrong passphrase, and ways to give the right one" {
    openssl pkcs8 -topk8 -in "$P/ops.key" -out enc.key -passout pass:right
    (umask 077; echo right >right; echo wrong >wrong)
    refuse 7 '.*passphrase.*enc.key.*wrong.*' restore x.cof --key enc.key --key-passphrase-file wrong -o out
    accept restore x.cof --key enc.key --key-passphrase-file right -o out
    accept restore x.cof --key enc.key --key-passphrase-fd 3 -o out2 3<right
    cat right | accept restore x.cof --key enc.key --key-passphrase-fd 0 -o out3
    cmp out3 content
    chmod 604 right
    refuse 2 '.*right.*chmod.*' restore x.cof --key enc.key --key-passphrase-file right -o out4
    cat x.cof | refuse 2 '--key-passphrase-fd 0: standard input is the data already; use another descriptor' \
        restore - --key enc.key --key-passphrase-fd 0 -o out4
    refuse 2 '--key-passphrase-fd: descriptor 42 is not open' restore x.cof --key enc.key --key-passphrase-fd 42 -o out4
}

@test "two encrypted keys, two lines on one descriptor" {
    openssl pkcs8 -topk8 -in "$P/eve.key" -out a.key -passout pass:one
    openssl pkcs8 -topk8 -in "$P/ops.key" -out b.key -passout pass:two
    printf 'one\ntwo\n' | accept restore x.cof --key a.key --key b.key --key-passphrase-fd 0 -o out
    cmp out content
}

@test "the passphrase is asked for on the terminal" {
    openssl pkcs8 -topk8 -in "$P/ops.key" -out enc.key -passout pass:right
    run /usr/bin/python3 "$here/terminal.py" --answer right "$COFFER" restore x.cof --key enc.key -o out
    [ "$status" -eq 0 ]
    [[ $output == *'Passphrase for enc.key: '* ]]
    [[ $output != *right* ]]
    cmp out content
    run /usr/bin/python3 "$here/terminal.py" --answer wrong "$COFFER" restore x.cof --key enc.key -o out2
    [ "$status" -eq 7 ]
    [ ! -e out2 ]
}

@test "keys in every usual form" {
    openssl pkcs12 -export -inkey "$P/ops.key" -in "$P/ops.crt" -out ops.p12 -passout pass:right
    openssl pkey -in "$P/ops.key" -outform DER -out ops.der
    openssl ec -in "$P/ops.key" -out trad.key 2>/dev/null
    openssl ec -in "$P/ops.key" -aes256 -passout pass:right -out tradenc.key 2>/dev/null
    openssl pkcs8 -topk8 -in "$P/ops.key" -outform DER -out encder.key -passout pass:right
    openssl pkcs8 -topk8 -in "$P/ops.key" -scrypt -out scrypt.key -passout pass:right
    cat "$P/ops.crt" "$P/ops.key" >both.pem
    (umask 077; echo right >right)
    i=0
    for key in ops.p12 ops.der trad.key tradenc.key encder.key scrypt.key both.pem; do
        i=$((i + 1))
        accept restore x.cof --key "$key" --key-passphrase-file right -o "out$i"
        cmp "out$i" content
    done
}

@test "RSA keys in every usual form" {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout r.key -out r.crt -subj /CN=r -days 100 2>/dev/null
    openssl x509 -in r.crt -outform DER -out r.der
    accept backup -q -o r.cof -r r.der - <content
    openssl rsa -in r.key -traditional -out trad.key 2>/dev/null
    openssl rsa -in r.key -traditional -aes128 -passout pass:right -out tradenc.key 2>/dev/null
    openssl rsa -in r.key -outform DER -out r2.der 2>/dev/null
    openssl pkcs12 -export -inkey r.key -in r.crt -out r.p12 -passout pass:right
    (umask 077; echo right >right)
    for key in r.key trad.key tradenc.key r2.der r.p12; do
        accept restore r.cof --key "$key" --key-passphrase-file right -o "out-$key"
        cmp "out-$key" content
    done
}

# ---- trust ----

@test "without any trust: status 3, and the fingerprint to compare" {
    fingerprint=$(openssl x509 -in "$P/home/signing.crt" -noout -pubkey | openssl pkey -pubin -outform DER |
        sha256sum | cut -c1-64 | tr a-f A-F | sed 's/../:&/g')
    COFFER_HOME=none refuse 3 "x.cof: nobody is trusted yet: .*CN=db1, SHA256$fingerprint; compare .*--trust" \
        restore x.cof --key "$P/ops.key" -o out
    COFFER_HOME=none accept restore x.cof --key "$P/ops.key" -o out --trust "SHA256$fingerprint"
    COFFER_HOME=none accept restore x.cof --key "$P/ops.key" -o out2 --trust "$P/home/signing.crt"
    COFFER_HOME=none accept restore x.cof --key "$P/ops.key" -o out3 --trust "$P/home/trusted"
    hash=$(openssl x509 -in "$P/home/signing.crt" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)
    COFFER_HOME=none accept restore x.cof --key "$P/ops.key" -o out4 --trust "$hash"
}

@test "somebody else is trusted" {
    refuse 3 'x.cof: .*CN=db1.*not trusted.*' restore x.cof --key "$P/ops.key" -o out --trust "$P/eve.crt"
    refuse 6 '.*none.crt.*' restore x.cof --key "$P/ops.key" -o out --trust none.crt
    echo hello >text
    refuse 7 'text holds no certificate.*' restore x.cof --key "$P/ops.key" -o out --trust text
}

@test "trusted as maker only: the list of recipients is a warning, or refused when strict" {
    warn 9 '.*custod.*' restore x.cof --key "$P/ops.key" -o out --trust-maker "$P/home/signing.crt"
    cmp out content
    refuse 3 '.*custod.*' restore x.cof --key "$P/ops.key" -o out2 --strict-custody \
        --trust-maker "$P/home/signing.crt" --trust-custodian "$P/eve.crt"
    refuse 3 '.*' restore x.cof --key "$P/ops.key" -o out2 --trust-custodian "$P/home/signing.crt"
}

# ---- what is no backup ----

@test "text, nothing, a directory, a device, what does not exist" {
    echo hello >text
    : >empty
    mkdir dir
    refuse 5 'text is not a coffer backup' restore text --key "$P/ops.key" -o out
    refuse 5 'empty is not a coffer backup' restore empty --key "$P/ops.key" -o out
    refuse 2 'dir is a directory, not a regular file.*' restore dir --key "$P/ops.key" -o out
    refuse 2 '/dev/null is a pipe or device, not a regular file.*' restore /dev/null --key "$P/ops.key" -o out
    refuse 6 '.*none.cof.*No such file or directory.*' restore none.cof --key "$P/ops.key" -o out
    refuse 5 'standard input.*' restore - --key "$P/ops.key" -o out </dev/null
    refuse 5 'standard input.* is not a coffer backup' restore - --key "$P/ops.key" -o out <text
}

@test "a FIFO is refused, without waiting for somebody to write to it" {
    mkfifo fifo
    status=0
    timeout 10 "$COFFER" restore fifo --key "$P/ops.key" -o out 2>err || status=$?
    [ "$status" -eq 2 ]
    grep -Eqx 'coffer: fifo is a pipe or device, not a regular file.*' err
}

@test "a truncated backup: nothing appears" {
    size=$(stat -c %s x.cof)
    for cut in 1 511 4096 8192 20000 40960 41000 $((size / 2)) 140000; do
        head -c "$cut" x.cof >cut.cof
        refuse 5 '.*cut.cof.*' restore cut.cof --key "$P/ops.key" -o out
        cat cut.cof | refuse 5 '.*' restore - --key "$P/ops.key" -o out
    done
}

@test "only the tail is missing: the content comes back, with a warning" {
    /usr/bin/python3 - <<'PY'
data = open("x.cof", "rb").read()
head = 8192 + 2 * int.from_bytes(data[24:32], "big")
tail = int.from_bytes(data[-56:-48], "big")  # the trailer says where the first tail begins
open("cut.cof", "wb").write(data[:head + tail + 100])
PY
    warn 9 'cut.cof: both copies of the closing record are damaged or missing; .*' \
        restore cut.cof --key "$P/ops.key" -o out
    cmp out content
}

@test "a changed byte of the content: nothing appears" {
    poke x.cof 60000 XXXX
    refuse 3 '.*' restore x.cof --key "$P/ops.key" -o out
}

# ---- where to ----

@test "an existing file is never replaced without --force" {
    echo precious >out
    refuse 2 'x.cof: out exists already.*' restore x.cof --key "$P/ops.key" -o out
    accept restore x.cof --key "$P/ops.key" -o out --force
    cmp out content
}

@test "with --force the old file stays when the restore fails" {
    echo precious >out
    poke x.cof 60000 XXXX
    refuse 3 '.*' restore x.cof --key "$P/ops.key" -o out --force
    [ "$(cat out)" = precious ]
}

@test "places where no file can be" {
    refuse 6 '.*none.*' restore x.cof --key "$P/ops.key" -o none/out
    refuse 6 '.*[Nn]ot a directory.*' restore x.cof --key "$P/ops.key" -o content/out
    mkdir dir
    refuse 2 '.*dir.*' restore x.cof --key "$P/ops.key" -o dir
    refuse 2 'say where the content goes: -C DIR for files, -o FILE or -o - for one stream' restore x.cof --key "$P/ops.key"
}

@test "a full disk: status 6, and the disk is empty again" {
    noise 3000000 | "$COFFER" backup -q -o big.cof -
    run on_small_disk "\"\$COFFER\" restore big.cof --key '$P/ops.key' -o disk/out; echo \"status \$?\"; find disk -type f"
    [[ ${lines[0]} =~ ^coffer:\ .*No\ space\ left\ on\ device ]]
    [ "${lines[1]}" = 'status 6' ]
    [ "${#lines[@]}" -eq 2 ]
}

@test "no room to spool a pipe" {
    noise 3000000 | "$COFFER" backup -q -o big.cof -
    run on_small_disk "TMPDIR=disk \"\$COFFER\" restore - --key '$P/ops.key' -o out <big.cof; echo \"status \$?\"; find disk -type f"
    [[ ${lines[0]} =~ ^coffer:\ .*No\ space\ left\ on\ device ]]
    [ "${lines[1]}" = 'status 6' ]
    [ "${#lines[@]}" -eq 2 ]
    [ ! -e out ]
}

@test "-o - refuses a terminal" {
    run /usr/bin/python3 "$here/terminal.py" "$COFFER" restore x.cof --key "$P/ops.key" -o -
    [ "$status" -eq 2 ]
    [ "${lines[0]%$'\r'}" = 'coffer: standard output is a terminal; redirect it, or name a file with -o' ]
}

@test "a backup is not read from a terminal" {
    run /usr/bin/python3 "$here/terminal.py" "$COFFER" restore - --key "$P/ops.key" -o out
    [ "$status" -eq 2 ]
    [ "${lines[0]%$'\r'}" = 'coffer: standard input is a terminal; pipe a backup into it' ]
}

@test "-o - excludes --json and --force" {
    refuse 2 '-o - and --json both need standard output' restore x.cof --key "$P/ops.key" -o - --json
    refuse 2 '-o - and --force: there is no file to replace' restore x.cof --key "$P/ops.key" -o - --force
}

@test "whoever reads our output goes away" {
    noise 20000000 | "$COFFER" backup -q -o big.cof -
    set +e
    "$COFFER" restore big.cof --key "$P/ops.key" -o - 2>err | head -c 10 >/dev/null
    result=("${PIPESTATUS[@]}")
    set -e
    [ "${result[0]}" -eq 6 ]
    grep -q '^coffer: .*Broken pipe' err
}

@test "--force replaces files, and never a device, a FIFO or a socket" {
    mkfifo fifo
    mknod null c 1 3
    for name in fifo null; do
        refuse 2 ".*$name is no regular file, and is not replaced by one" restore x.cof --key "$P/ops.key" -o $name --force
        refuse 2 ".*$name is no regular file, and is not replaced by one" backup -o $name --force - <x.cof
    done
    [ -p fifo ]
    [ -c null ]
}

@test "--force never replaces the backup that is read" {
    cp x.cof before
    ln x.cof hard
    ln -s x.cof soft
    "$COFFER" envelope export -q x.cof -o x.head
    cp x.head head
    for out in x.cof hard soft; do
        refuse 2 ".*$out belongs to the backup that is read, .*; name another file" restore x.cof --key "$P/ops.key" -o "$out" --force
    done
    refuse 2 ".*x.head belongs to the backup that is read, .*" restore x.cof --envelope x.head --key "$P/ops.key" -o x.head --force
    call restore - --key "$P/ops.key" -o x.cof --force <x.cof
    [ "$status" -eq 2 ]
    cmp before x.cof
    cmp head x.head
}
