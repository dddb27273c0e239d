#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
#
# Backups made by coffer, opened by scripts/recover.sh: stock tools must be able to, or refuse.

load common

setup_file() {
    load common
    sample
}

setup() {
    copy_of_sample
}

@test "an RSA key opens a backup signed with RSA" {
    recovered "$content" 0 b.cof "${with[@]}"
}

@test "an EC key opens it too, with its certificate and without" {
    recovered "$content" 0 b.cof "${trust[@]}" --key "$keys/p256.key"
    recovered "$content" 0 b.cof "${trust[@]}" --key "$keys/p256.key" --recipient-cert "$keys/p256.crt"
}

@test "signed with ECDSA, under SHA-384" {
    backup e.cof ec-maker --digest sha384 <"$content"
    recovered "$content" 0 e.cof --trust "$keys/ec-maker.crt" --key "$keys/p256.key"
}

@test "signed with DSA" {
    backup d.cof dsa-maker <"$content"
    recovered "$content" 0 d.cof --trust "$keys/dsa-maker.crt" --key "$keys/rsa.key"
}

@test "uncompressed, in full-size records" {
    backup n.cof rsa-maker --compress none <"$content"
    recovered "$content" 0 n.cof "${with[@]}"
}

@test "a content of no byte, and of one" {
    : >none
    backup n.cof rsa-maker --allow-empty <none
    recovered none 0 n.cof "${with[@]}"
    printf x >one
    backup o.cof rsa-maker <one
    recovered one 0 o.cof "${with[@]}"
}

@test "a tree, with every codec, is the archive that tar unpacks" {
    mkdir -p t/d/empty
    seq 40000 >t/numbers
    head -c 300000 /dev/urandom >t/d/noise
    truncate -s 1M t/hole
    ln t/numbers t/d/hard
    ln -s ../numbers t/d/link
    echo odd >$'t/new\nline\xff'
    touch -d '2001-02-03 04:05:06.123456789' t/d/noise
    for codec in zstd lz4 gzip none; do
        "$COFFER" backup -q -o "$codec.cof" -r "$keys/rsa.crt" --sign-key "$keys/rsa-maker.key" \
            --sign-cert "$keys/rsa-maker.crt" --record-size 256K --compress "$codec" t
        "$COFFER" restore -q "$codec.cof" "${with[@]}" -o expected.tar --force
        recovered expected.tar 0 "$codec.cof" "${with[@]}"
    done
    [[ $output == *"pax archive"* ]]
    mkdir back
    tar --warning=no-timestamp -xpf out -C back
    /usr/bin/python3 "$root/tests/cli/tree_compare.py" t back/t --no-xattrs
    poke_at=$(($(stat -c %s none.cof) / 2))
    damage none.cof "$poke_at" 4
    refused 3 none.cof "${with[@]}"
}

@test "to standard output" {
    recover b.cof "${with[@]}" -o - >piped
    cmp piped "$content"
}

@test "bash gives the same as dash" {
    RECOVER_SH=bash recovered "$content" 0 b.cof "${with[@]}"
}

@test "trust by fingerprint, of the key and of the certificate" {
    spki=$(openssl x509 -in "$keys/rsa-maker.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum)
    recovered "$content" 0 b.cof --trust "SHA256:${spki%% *}" --key "$keys/rsa.key"
    print=$(openssl x509 -in "$keys/rsa-maker.crt" -noout -fingerprint -sha256)
    recovered "$content" 0 b.cof --trust "${print#*=}" --key "$keys/rsa.key"
}

@test "a certificate that was renewed around the maker's key still counts" {
    openssl req -x509 -new -key "$keys/rsa-maker.key" -subj /CN=renewed -days 30 -out renewed.crt
    recovered "$content" 0 b.cof --trust renewed.crt --key "$keys/rsa.key"
}

@test "after a rotation: the new key opens it, the old one does not" {
    "$COFFER" rotate b.cof --key "$keys/rsa.key" --replace "$keys/rsa.crt" --with "$keys/p384.crt" \
        --trust "$keys/rsa-maker.crt" --sign-key "$keys/rsa-maker.key" --sign-cert "$keys/rsa-maker.crt"
    recovered "$content" 0 b.cof "${trust[@]}" --key "$keys/p384.key"
    recovered "$content" 0 b.cof "${trust[@]}" --key "$keys/p256.key"
    refused 4 b.cof "${with[@]}"
}

@test "after a rotation by a custodian who is not trusted: a warning, and the content" {
    "$COFFER" rotate b.cof --key "$keys/rsa.key" --replace "$keys/rsa.crt" --with "$keys/p384.crt" \
        --trust "$keys/rsa-maker.crt" --sign-key "$keys/ec-maker.key" --sign-cert "$keys/ec-maker.crt" \
        --trust-custodian "$keys/ec-maker.crt"
    recovered "$content" 9 b.cof "${trust[@]}" --key "$keys/p384.key"
    [[ $output == *"custody: the custodian's key is not trusted"* ]]
    recovered "$content" 0 b.cof "${trust[@]}" --trust-custodian "$keys/ec-maker.crt" --key "$keys/p384.key"
}

@test "another maker, no maker, a changed signature: refused before the private key is read" {
    refused 3 b.cof --trust "$keys/stranger.crt" --key /nonexistent
    refused 3 b.cof --key /nonexistent
    [[ $output == *"is not trusted"* ]]
    places b.cof
    backup e.cof stranger --record-size 65536 <"$content"
    refused 3 e.cof "${trust[@]}" --key /nonexistent
}

@test "a key that is no recipient's: refused, with the status for that" {
    refused 4 b.cof "${trust[@]}" --key "$keys/other.key"
    refused 4 b.cof "${trust[@]}" --key "$keys/rsa-maker.key"
}

@test "an existing file is not replaced" {
    echo precious >out
    run recover b.cof "${with[@]}" -o out
    [ "$status" -eq 6 ]
    [ "$(cat out)" = precious ]
}

@test "--list and --verify need no private key" {
    run recover b.cof --list
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"opens for   CN=p256"* ]]
    [[ $output == *"claimed: not trusted"* ]]
    run recover b.cof "${trust[@]}" --verify
    [ "$status" -eq 0 ]
    [[ $output != *claimed* ]]
}

@test "the data key is never an argument" {
    command -v strace >/dev/null || skip "strace is not installed"
    openssl cms -decrypt -inform DER -inkey "$keys/rsa.key" -in <(
        places b.cof
        tail -c "+$((8192 + 16 + 8 + 1))" b.cof | head -c "$(number b.cof $((8192 + 20)) 4)"
    ) -out dek
    strace -f -e trace=execve -s 4096 -o calls dash "$root/scripts/recover.sh" b.cof "${with[@]}" -o out
    grep -q aes-256-ctr calls
    run grep "$(od -An -v -tx1 dek | tr -d ' \n')" calls
    [ "$status" -eq 1 ]
}

@test "the working directory goes away, also after a refusal" {
    mkdir work
    TMPDIR=$PWD/work recovered "$content" 0 b.cof "${with[@]}"
    TMPDIR=$PWD/work refused 4 b.cof "${trust[@]}" --key "$keys/other.key"
    [ -z "$(ls -A work)" ]
}

@test "shellcheck has nothing to say" {
    command -v shellcheck >/dev/null || skip "shellcheck is not installed"
    shellcheck "$root/scripts/recover.sh"
}

@test "several volumes, and what is said when one is missing, exchanged, foreign or cut off" {
    backup v.cof rsa-maker --record-size 65536 --compress none --slot-size 16K --volume-size 180000 <"$content"
    [ -e v.cof.003 ]
    volumes=(v.cof.0*)
    recovered "$content" 0 v.cof "${volumes[@]}" "${with[@]}"
    refused 5 v.cof "${with[@]}"
    [[ $output =~ 'the backup has 3 volumes, 1 given' ]]
    refused 5 v.cof v.cof.003 v.cof.002 "${with[@]}"
    [[ $output =~ 'v.cof.003 is volume 3, not 2' ]]
    backup w.cof rsa-maker --record-size 65536 --compress none --slot-size 16K --volume-size 180000 <"$content"
    refused 3 v.cof w.cof.002 "${volumes[@]:1}" "${with[@]}"
    [[ $output =~ 'w.cof.002 belongs to another backup' ]]
    cp v.cof.002 good
    truncate -s -1 v.cof.002
    refused 5 v.cof "${volumes[@]}" "${with[@]}"
    [[ $output =~ 'volume 2 is cut off' ]]
    cp good v.cof.002
    printf x | dd of=v.cof.002 bs=1 seek=$(($(stat -c %s good) - 20)) conv=notrunc status=none
    recovered "$content" 9 v.cof "${volumes[@]}" "${with[@]}"
}
