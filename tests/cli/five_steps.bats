#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A secure backup in five steps, as users of GemStone/S know it, and the sixth, which they asked for. Each
# is looked at from outside: by openssl, and by a few lines that take the file apart by FORMAT.md.

load helper

setup_file() {
    people
    cd "$P" || return 1
    signer rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
    openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 \
        -pkeyopt dsa_paramgen_q_bits:256 -out dsa.params 2>/dev/null
    signer dsa -paramfile dsa.params
    # Each record holds these words many times.
    yes "every order of every customer" | head -c 400000 >content
}

signer() {
    local name=$1
    shift
    openssl genpkey "$@" -out "$name.key" 2>/dev/null
    chmod 600 "$name.key"
    openssl req -x509 -new -key "$name.key" -subj "/CN=$name" -days 30 -out "$name.crt"
}

part() { # FILE WHAT
    /usr/bin/python3 "$here/parts.py" "$@"
}

make() { # FILE [OPTION...]
    local file=$1
    shift
    accept backup -q -o "$file" --record-size 64K --compress none "$@" - <"$P/content"
}

# The data key, as stock openssl unwraps it for one of the recipients.
data_key() { # FILE NAME
    part "$1" keys >keys.der
    openssl cms -decrypt -binary -inform DER -in keys.der -recip "$P/$2.crt" -inkey "$P/$2.key"
}

# The statement in a signed message, if the signature is of that certificate's key.
statement() { # CERT <message
    openssl cms -verify -binary -inform DER -noverify -nointern -certfile "$1" 2>/dev/null
}

field() { # NAME <statement
    /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

@test "step 1: a random symmetric key for each backup" {
    for n in 1 2 3; do
        make "$n.cof"
        data_key "$n.cof" ops >"$n.key"
        [ "$(wc -c <"$n.key")" = 32 ]
        part "$n.cof" payloads >"$n.payloads"
    done
    [ "$(sha256sum ./*.key | cut -c1-64 | sort -u | wc -l)" = 3 ]
    [ "$(sha256sum ./*.payloads | cut -c1-64 | sort -u | wc -l)" = 3 ]
}

@test "step 2: the key is wrapped once for each certificate, and each private key alone gives it back" {
    recipients=()
    for n in $(seq 64); do
        "$COFFER" keygen "p$n" --type p256 --no-passphrase -q
        recipients+=(-r "p$n.crt")
    done
    make x.cof "${recipients[@]}" -r "$P/ops.crt"
    data_key x.cof ops >expected
    [ "$(openssl cms -cmsout -print -inform DER -in keys.der | grep -c '^ *d\.kari:')" = 65 ]
    for n in $(seq 64); do
        openssl cms -decrypt -binary -inform DER -in keys.der -recip "p$n.crt" -inkey "p$n.key" | cmp - expected
    done
    opens x.cof p64.key "$P/content"
    run ! openssl cms -decrypt -binary -inform DER -in keys.der -recip "$P/eve.crt" -inkey "$P/eve.key"
    opens_not x.cof "$P/eve.key"
}

@test "step 3: every record is encrypted" {
    make plain.cof --sign-only
    make x.cof
    part x.cof lengths >lengths
    [ "$(wc -l <lengths)" = 7 ]
    # As long as the plaintext and a tag, and nothing that a compressor finds anything in.
    awk '$2 != $1 + 16 { exit 1 }' lengths
    part x.cof payloads >payloads
    run ! grep -aq customer x.cof
    [ "$(zstd -19 -q -c payloads | wc -c)" -gt "$(wc -c <payloads)" ]
    # The same without encryption, so that this is no trick of the test.
    part plain.cof payloads | cmp - "$P/content"
}

@test "step 4: a hash over all of it stands at the end" {
    make x.cof
    part x.cof manifest | statement "$P/home/signing.crt" >manifest.json
    [ "$(field root <manifest.json)" = "$(part x.cof root)" ]
    [ "$(field records <manifest.json)" = 7 ]
    [ "$(field plain_bytes <manifest.json)" = 400000 ]
    # It is over every record: whichever changes, the hash is another one, and it is noticed.
    head=$(($(wc -c <x.cof) - $(part x.cof body | wc -c)))
    for n in 0 1 2 3 4 5 6; do
        cp x.cof bad.cof
        poke bad.cof $((head + n * (65536 + 48) + 1000)) '!!!!'
        [ "$(part bad.cof root)" != "$(part x.cof root)" ]
        refuse 3 'bad.cof: .*' verify bad.cof
    done
}

@test "step 5: the hash is signed, by an RSA or by a DSA key" {
    for by in rsa dsa; do
        make "$by.cof" --sign-key "$P/$by.key"
        part "$by.cof" manifest >manifest.der
        statement "$P/$by.crt" <manifest.der | grep -q '"root":"'
        part "$by.cof" custody | statement "$P/$by.crt" | grep -q '"keys":"'
        run ! statement "$P/home/signing.crt" <manifest.der
        accept verify -q "$by.cof" --trust "$P/$by.crt"
        refuse 3 '.* who is not trusted as maker' verify "$by.cof"
    done
}

@test "step 6, on request: old recipients out, new ones in; the body is not touched" {
    for by in rsa dsa; do
        make x.cof --force --sign-key "$P/$by.key" -r "$P/ops.crt" -r "$P/rec.crt"
        part x.cof body >body.before
        part x.cof keys >keys.before
        part x.cof custody >custody.before
        data_key x.cof ops >expected
        accept rotate -q x.cof --trust "$P/$by.crt" --sign-key "$P/$by.key" --key "$P/ops.key" -r "$P/eve.crt"

        part x.cof body | cmp - body.before
        part x.cof keys >keys.after
        run ! cmp -s keys.after keys.before
        data_key x.cof eve | cmp - expected
        run ! data_key x.cof ops
        run ! data_key x.cof rec
        # Hash and signature of the envelope are new, and name the one before.
        part x.cof custody | statement "$P/$by.crt" >now.json
        statement "$P/$by.crt" <custody.before >before.json
        [ "$(field keys <now.json)" = "$(part x.cof keys | sha256sum | cut -c1-64)" ]
        [ "$(field previous <now.json)" = "$(sha256sum <before.json | cut -c1-64)" ]
        [ "$(field generation <now.json)" = 2 ]

        accept verify -q x.cof --trust "$P/$by.crt"
        accept restore -q x.cof --trust "$P/$by.crt" --key "$P/eve.key" -o -
        cmp "$BATS_TEST_TMPDIR/stdout" "$P/content"
        for gone in ops rec; do
            refuse 4 '.*' restore x.cof --trust "$P/$by.crt" --key "$P/$gone.key" -o -
        done
    done
}
