#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every cipher and codec: coffer itself, the independent reader and the script that needs no coffer
# agree on each backup; and what there is not is refused in a sentence.

load helper
load agree

setup_file() {
    people
    "$COFFER" keygen "$P/p521" --type p521 --no-passphrase -q
    { seq 20000 && noise 30000 && head -c 200000 /dev/zero; } >"$P/content"
}

setup() {
    workdir
    content=$P/content
    maker=$P/home/signing.crt
}

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
        refuse 2 'the compression level of gzip is a number from 1 to 9' backup -o x.cof --compress "gzip:$level" - <in
    done
    refuse 2 'the compression level of zstd is a number from 1 to 19' backup -o x.cof --compress zstd:20 - <in
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
