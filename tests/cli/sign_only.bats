#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Backups that are signed and not encrypted: everybody can read them, all readers agree on them, and
# coffer says so wherever it speaks of one.

load helper
load agree

setup_file() {
    people
    { seq 20000 && noise 30000 && head -c 200000 /dev/zero; } >"$P/content"
}

setup() {
    workdir
    content=$P/content
    maker=$P/home/signing.crt
}

@test "--sign-only: no recipients, and every summary says what that means" {
    said='signed, not encrypted: anybody can read it'
    accept backup -o x.cof --sign-only --label open - <"$content"
    prints "x.cof: .*, by CN=db1, $said"
    accept verify x.cof
    prints "x.cof: .*, made .* by CN=db1, $said"
    accept restore x.cof -o back
    prints "back: .*, made .* by CN=db1, $said"
    cmp back "$content"
    accept info x.cof
    prints " *encrypted *no: $said"
    prints ' *opens for *everybody: .*'
    "$COFFER" backup -q -o - --sign-only - <"$content" | accept receive -o y.cof
    prints "y.cof: received, .* by CN=db1, $said"
    for verb in verify info; do
        accept "$verb" --json x.cof
        [[ $output == *'"sealed": false'* || $output == *'"sealed":false'* ]]
    done
}

@test "--sign-only with every codec: all readers agree, with a key and without" {
    for codec in none zstd lz4 gzip; do
        make "$codec.cof" --sign-only --compress "$codec"
        agree "$codec.cof" "$P/ops.key"
        rm back
        accept restore -q "$codec.cof" -o back
        cmp back "$content"
        recovers "$codec.cof" "$P/ops.key"
        "$root/scripts/recover.sh" "$codec.cof" --trust "$maker" --verify
    done
}

@test "--sign-only needs no recipients at all, and ignores those of the home" {
    cp -a "$P/home" home
    rm -r home/recipients
    COFFER_HOME=$PWD/home make x.cof --sign-only
    cp -a "$P/home/recipients" home/
    printf 'recipient %s\n' "$P/ops.crt" >home/options
    COFFER_HOME=$PWD/home make y.cof --sign-only
    accept info y.cof --recipients
    prints ' *opens for *everybody: .*'
}

@test "--sign-only is refused together with what belongs to encryption" {
    echo x >in
    refuse 2 '--recipient and --sign-only exclude each other' \
        backup -o x.cof -r "$P/ops.crt" --sign-only - <in
    refuse 2 '--sign-only and --recipient exclude each other' \
        backup -o x.cof --sign-only -r "$P/ops.crt" - <in
    refuse 2 'a backup that is signed only is not encrypted: it has no cipher' \
        backup -o x.cof --sign-only --cipher aes-256-gcm - <in
    refuse 2 'a reason goes with the list of recipients, .*' \
        backup -o x.cof --sign-only --reason why - <in
}

@test "--sign-only counts only on the command line" {
    cp -a "$P/home" home
    echo sign-only >home/options
    export COFFER_HOME=$PWD/home
    echo x >in
    refuse 2 '.*unknown option sign-only, or one that counts only on the command line' \
        backup -o x.cof - <in
}

@test "there are no locks to change on a backup that is only signed" {
    make x.cof --sign-only
    refuse 5 'x.cof: this backup is signed but not encrypted: nothing is locked, .*' \
        rotate x.cof --key "$P/ops.key" -r "$P/rec.crt"
}

@test "a backup that is only signed cannot be changed, nor made by others" {
    make x.cof --sign-only
    poke x.cof $(($(stat -c %s x.cof) / 2)) abcdefgh
    refuse 3 '.*' restore x.cof -o out
    refuse 3 '.*' verify x.cof
    accept init -q --home other --name other
    make y.cof --sign-only --sign-key other/signing.key
    refuse 3 '.*who is not trusted as maker.*' restore y.cof -o out
}
