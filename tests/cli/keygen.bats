#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Making keys to open backups with.

load helper

@test "a key and a certificate, RSA-3072 by default" {
    accept keygen me --no-passphrase
    prints 'me.key  opens backups made for it; no passphrase; keep a copy in a safe place'
    prints 'me.crt  CN=me, RSA-3072, until [0-9-]+, SHA256:([0-9A-F]{2}:){31}[0-9A-F]{2}'
    [ "$(ls)" = $'me.crt\nme.key' ]
    [ "$(stat -c %a me.key)" = 600 ]
    [ "$(stat -c %a me.crt)" = 644 ]
    openssl x509 -in me.crt -noout -text | grep -q 'Public-Key: (3072 bit)'
    openssl pkey -in me.key -noout
}

@test "the fingerprint is the SHA-256 of the public key" {
    accept keygen me --type p256 --no-passphrase
    expected=$(openssl x509 -in me.crt -noout -pubkey | openssl pkey -pubin -outform DER |
        sha256sum | cut -c1-64 | tr a-f A-F | sed 's/../:&/g')
    prints "me.crt  .*, SHA256$expected"
}

@test "other types" {
    accept keygen a --type p256 --no-passphrase
    prints 'a.crt  CN=a, EC-P-256, .*'
    accept keygen b --type p384 --no-passphrase
    prints 'b.crt  CN=b, EC-P-384, .*'
    refuse 2 'unknown type of key: use .*' keygen c --type rsa-512 --no-passphrase
}

@test "name and validity" {
    mkdir dir.d
    accept keygen dir.d/x --type p256 --no-passphrase --cn 'Sigrid Löwe' --days 30
    prints 'dir.d/x.crt  CN=Sigrid Löwe, .*'
    openssl x509 -in dir.d/x.crt -noout -checkend $((29 * 86400))
    run ! openssl x509 -in dir.d/x.crt -noout -checkend $((31 * 86400))
    refuse 2 '--days needs a number from 1 to 36500' keygen y --days many --no-passphrase
    refuse 2 'NAME must be a file name without its ending, such as ops' keygen dir.d/ --no-passphrase
    refuse 2 '.*' keygen "$(printf 'x%.0s' {1..65})" --no-passphrase --type p256
}

@test "nothing is overwritten" {
    echo precious >me.key
    refuse 2 'me.key exists already, .*' keygen me --type p256 --no-passphrase
    mv me.key me.crt
    refuse 2 'me.crt exists already, .*' keygen me --type p256 --no-passphrase
}

@test "where nothing can be written, nothing is left" {
    refuse 6 '.*none/me.*' keygen none/me --type p256 --no-passphrase
}

@test "a passphrase from a file that nobody else can read" {
    echo 'correct horse' >pass
    chmod 600 pass
    accept keygen me --type p256 --new-passphrase-file pass
    prints 'me.key  opens backups made for it; protected by its passphrase; .*'
    grep -q 'BEGIN ENCRYPTED PRIVATE KEY' me.key
    openssl pkey -in me.key -passin 'pass:correct horse' -noout
    accept keygen too --type p256 --key-passphrase-file pass
    openssl pkey -in too.key -passin 'pass:correct horse' -noout
    chmod 640 pass
    refuse 2 '.*pass.*chmod.*' keygen other --type p256 --new-passphrase-file pass
    chmod 600 pass
    : >pass
    refuse 2 '.*' keygen other --type p256 --new-passphrase-file pass
    refuse 6 '.*none.*' keygen other --type p256 --new-passphrase-file none
}

@test "a passphrase from a descriptor" {
    accept keygen me --type p256 --new-passphrase-fd 3 3<<<'correct horse'
    openssl pkey -in me.key -passin 'pass:correct horse' -noout
    refuse 2 '--new-passphrase-fd: descriptor 9 is not open' keygen a --new-passphrase-fd 9
    refuse 2 '--new-passphrase-fd needs the number of an open descriptor' keygen a --new-passphrase-fd x
}

@test "without a terminal, it says what to give" {
    status=0
    setsid -w "$COFFER" keygen me --type p256 2>err </dev/null || status=$?
    [ "$status" -eq 2 ]
    [ "$(cat err)" = 'coffer: there is no terminal to ask for a passphrase on; give --new-passphrase-file or --no-passphrase' ]
    [ ! -e me.key ]
}

@test "on a terminal the passphrase is asked for twice" {
    run /usr/bin/python3 "$here/terminal.py" --answer 'correct horse' --answer 'correct horse' \
        "$COFFER" keygen me --type p256
    [ "$status" -eq 0 ]
    [[ $output != *horse* ]]
    openssl pkey -in me.key -passin 'pass:correct horse' -noout
}

@test "two different passphrases: nothing is left" {
    run /usr/bin/python3 "$here/terminal.py" --answer 'correct horse' --answer 'correct house' \
        "$COFFER" keygen me --type p256
    [ "$status" -eq 2 ]
    [[ $output == *'coffer: the two passphrases are not the same; nothing was written'* ]]
    [ -z "$(ls)" ]
}
