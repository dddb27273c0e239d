#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every cipher, codec, digest and kind of key: coffer itself, the independent reader and the script
# that needs no coffer agree on each backup; and what cannot be is refused in a sentence.

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

# ---- ciphers and codecs ----

@test "AES-256-GCM with every codec" {
    for codec in none zstd:19 lz4 gzip:9; do
        make "$codec.cof" --cipher aes-256-gcm --compress "$codec"
        agree "$codec.cof" "$P/ops.key"
    done
}

@test "AES-192-GCM with every codec" {
    for codec in none zstd lz4 gzip; do
        make "$codec.cof" --cipher aes-192-gcm --compress "$codec"
        agree "$codec.cof" "$P/ops.key"
    done
    accept info none.cof
    prints ' *encrypted *AES-192-GCM'
}

@test "AES-128-GCM with every codec" {
    for codec in none zstd lz4 gzip:1; do
        make "$codec.cof" --cipher aes-128-gcm --compress "$codec"
        agree "$codec.cof" "$P/ops.key"
    done
    accept info none.cof
    prints ' *encrypted *AES-128-GCM'
}

@test "ChaCha20-Poly1305 with every codec" {
    for codec in none zstd lz4 gzip; do
        make "$codec.cof" --cipher chacha20-poly1305 --compress "$codec"
        agree "$codec.cof" "$P/ops.key"
    done
    accept info none.cof
    prints ' *encrypted *ChaCha20-Poly1305'
}

@test "the script opens every cipher and every codec" {
    make a.cof --cipher aes-192-gcm --compress lz4
    recovers a.cof "$P/ops.key"
    make b.cof --cipher aes-128-gcm --compress gzip
    recovers b.cof "$P/ops.key"
    make c.cof --cipher chacha20-poly1305 --compress zstd
    recovers c.cof "$P/ops.key"
    make d.cof --cipher aes-256-gcm --compress none
    recovers d.cof "$P/ops.key"
}

@test "records are stored with the codec asked for, and as they are where nothing is gained" {
    make n.cof --compress none
    [ "$(codec_numbers n.cof)" = 0 ]
    make z.cof --compress zstd
    [ "$(codec_numbers z.cof)" = "0 1" ] || [ "$(codec_numbers z.cof)" = 1 ]
    make l.cof --compress lz4
    [[ "$(codec_numbers l.cof)" =~ ^(0 )?2$ ]]
    make g.cof --compress gzip
    [[ "$(codec_numbers g.cof)" =~ ^(0 )?3$ ]]
    noise 200000 >content
    content=content
    make raw.cof --compress lz4
    [ "$(codec_numbers raw.cof)" = 0 ]
    agree raw.cof "$P/ops.key"
}

@test "a rotation keeps cipher and codec" {
    make x.cof --cipher chacha20-poly1305 --compress gzip
    accept rotate -q x.cof --key "$P/ops.key" -r "$P/p521.crt"
    agree x.cof "$P/p521.key"
    recovers x.cof "$P/p521.key"
    opens_not x.cof "$P/ops.key"
}

@test "the wrong byte is found under every cipher" {
    for cipher in aes-256-gcm aes-192-gcm aes-128-gcm chacha20-poly1305; do
        make x.cof --force --cipher "$cipher"
        poke x.cof $(($(stat -c %s x.cof) / 2)) abcdefgh
        refuse 3 '.*' restore x.cof --key "$P/ops.key" -o out
    done
}

# ---- people ----

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

# ---- what there is not ----

@test "other ciphers, codecs, levels and digests are refused with a sentence" {
    echo x >in
    for cipher in aes256 AES-256-GCM aes-256-cbc none des; do
        refuse 2 'there is no cipher of that name: use aes-256-gcm, aes-192-gcm, aes-128-gcm or .*' \
            backup -o x.cof --cipher "$cipher" - <in
    done
    for codec in bzip2 xz LZ4 zstd3 lz; do
        refuse 2 'there is no compression of that name: use zstd, lz4, gzip or none' \
            backup -o x.cof --compress "$codec" - <in
    done
    for level in 0 10 -1 x '' 1x 99999999999999999999; do
        refuse 2 'a level of gzip is a number from 1 to 9' backup -o x.cof --compress "gzip:$level" - <in
    done
    refuse 2 'a level of zstd is a number from 1 to 19' backup -o x.cof --compress zstd:20 - <in
    refuse 2 'lz4 has no levels: .*' backup -o x.cof --compress lz4:1 - <in
    refuse 2 'no compression has no levels: .*' backup -o x.cof --compress none:1 - <in
    refuse 2 'the digest is one of sha256, sha384, sha512, .*' backup -o x.cof --digest sha1 - <in
}

@test "cipher and codec may stand in the home's options" {
    cp -a "$P/home" home
    printf 'cipher chacha20-poly1305\ncompress lz4\n' >home/options
    COFFER_HOME=$PWD/home make x.cof
    [[ "$(codec_numbers x.cof)" =~ ^(0 )?2$ ]]
    accept info x.cof
    prints ' *encrypted *ChaCha20-Poly1305'
}
