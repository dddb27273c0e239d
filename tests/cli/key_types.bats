#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every kind of key and digest: coffer itself, the independent reader and the script that needs no
# coffer agree on each backup; and the keys that cannot be used get a sentence.

load helper
load agree

# More people: recipients and signers of every kind that there is.
setup_file() {
    people
    for type in rsa-3072 p384 p521; do
        "$COFFER" keygen "$P/$type" --type "$type" --no-passphrase -q
    done
    cd "$P" || return 1
    signer pss3072 -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:3072
    signer ec521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
    signer rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
    signer ed25519 -algorithm ED25519
    openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:3072 \
        -pkeyopt dsa_paramgen_q_bits:256 -out dsa.params 2>/dev/null
    signer dsa3072 -paramfile dsa.params
    { seq 20000 && noise 30000 && head -c 200000 /dev/zero; } >content
}

signer() {
    local name=$1
    shift
    openssl genpkey "$@" -out "$name.key" 2>/dev/null
    chmod 600 "$name.key"
    openssl req -x509 -new -key "$name.key" -subj "/CN=$name" -days 30 -out "$name.crt"
}

setup() {
    workdir
    content=$P/content
    maker=$P/home/signing.crt
}

@test "recipients of every kind open it" {
    for type in rsa-3072 ops p384 p521; do
        make "$type.cof" -r "$P/$type.crt" -r "$P/rec.crt"
        agree "$type.cof" "$P/$type.key"
        recovers "$type.cof" "$P/$type.key"
    done
}

@test "signers of every kind, with every digest" {
    for name in rsa2048 pss3072 ec521; do
        for digest in sha256 sha384 sha512; do
            make x.cof --force --sign-key "$P/$name.key" --digest "$digest"
            agree x.cof "$P/ops.key" "$P/$name.crt"
        done
        recovers x.cof "$P/ops.key" "$P/$name.crt"
    done
    for digest in sha256 sha384 sha512; do
        make x.cof --force --digest "$digest"
        agree x.cof "$P/ops.key"
    done
}

@test "a DSA signer, with SHA-256 and with nothing else" {
    make x.cof --sign-key "$P/dsa3072.key"
    agree x.cof "$P/ops.key" "$P/dsa3072.crt"
    recovers x.cof "$P/ops.key" "$P/dsa3072.crt"
    make y.cof --sign-key "$P/dsa3072.key" --digest sha256 --sign-only
    for digest in sha384 sha512; do
        echo x | refuse 5 'the key of CN=dsa3072 is a DSA key, which signs with SHA-256 only' \
            backup -o z.cof --sign-key "$P/dsa3072.key" --digest "$digest" -
        echo x | refuse 5 'the key of CN=dsa3072 is a DSA key, which signs with SHA-256 only' \
            backup -o z.cof --sign-key "$P/dsa3072.key" --digest "$digest" --sign-only -
        refuse 5 'x.cof: the key of CN=dsa3072 is a DSA key, which signs with SHA-256 only' \
            rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --trust "$P/dsa3072.crt" \
            --sign-key "$P/dsa3072.key" --digest "$digest"
    done
}

@test "custodians of every kind change locks" {
    make x.cof --slot-size 64K
    digest=(sha512 sha384 sha512 sha256)
    turn=0
    for name in rsa2048 pss3072 ec521 dsa3072; do
        accept keygen "$name-opens" --type p256 --no-passphrase
        accept rotate -q x.cof --key "$P/ops.key" --add "$name-opens.crt" --trust "$P" \
            --sign-key "$P/$name.key" --digest "${digest[turn++]}" --trust "$maker"
        [ "$("$root/tests/reference/read" x.cof --trust "$maker" --trust-custodian "$P/$name.crt" \
            --key "$name-opens.key" -o back)" = OK ]
        cmp back "$content"
        rm back
    done
}

@test "an RSA-PSS key that is bound to one digest signs with that one" {
    openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384 \
        -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48 -out bound.key 2>/dev/null
    chmod 600 bound.key
    openssl req -x509 -new -key bound.key -subj /CN=bound -days 30 -sha384 -out bound.crt
    make x.cof --sign-key bound.key --digest sha384
    agree x.cof "$P/ops.key" bound.crt
    echo x | refuse 5 'the RSA-PSS key of CN=bound is bound to another digest than SHA-256, .*' \
        backup -o y.cof --sign-key bound.key -
}

@test "keygen makes every type that it names, and says which there are" {
    for type in rsa-3072 rsa-4096 p256 p384 p521; do
        accept keygen "k-$type" --type "$type" --no-passphrase
        openssl x509 -in "k-$type.crt" -noout -text | grep -Eq \
            'Public-Key: \((3072|4096|256|384|521) bit\)'
    done
    refuse 2 'unknown type of key: use rsa-3072, rsa-4096, p256, p384 or p521' \
        keygen other --type ed25519 --no-passphrase
}

@test "Ed25519 gets one clear sentence, as signer, as recipient, and to open with" {
    echo x | refuse 7 '.*ed25519.key holds an Ed25519 or Ed448 key, which OpenSSL .*: use RSA, .*' \
        backup -o x.cof --sign-key "$P/ed25519.key" -
    echo x | refuse 7 'the certificate of CN=ed25519 holds an Ed25519 or Ed448 key, .*: a recipient .*' \
        backup -o x.cof -r "$P/ed25519.crt" -
    make x.cof
    refuse 7 '.*ed25519.key holds an Ed25519 or Ed448 key, which can only sign: .*' \
        restore x.cof --key "$P/ed25519.key" -o out
    refuse 7 '.*dsa3072.key holds a DSA key, which can only sign: .*' \
        restore x.cof --key "$P/dsa3072.key" -o out
}
