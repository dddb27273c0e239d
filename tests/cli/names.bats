#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# File names that are odd, and subjects that are odd: they work, and reach no terminal as they are.

load helper

each_name() {
    printf '%s\0' 'two words.cof' $'new\nline.cof' $'tab\there.cof' '-dash.cof' '--force' 'ümlaut-日本.cof' \
        $'bad\xffutf8.cof' $'esc\e[31m.cof' "quote'\"\$(x).cof" '*.cof' 'back\slash.cof' $'rtl\u202e.cof'
}

setup() {
    workdir
    echo hello >content
    mkdir dir
}

@test "backup, verify, info, rotate and restore of odd names" {
    while IFS= read -r -d '' name; do
        "$COFFER" backup -q -o "./$name" - <content
        accept verify "./$name"
        accept info "./$name"
        accept rotate "./$name" --key "$P/ops.key" --add "$P/eve.crt"
        accept restore "./$name" --key "$P/eve.key" -o out
        cmp out content
        rm out "./$name"
    done < <(each_name)
}

@test "a value of an option may begin with a dash; an operand after --" {
    accept backup -o -dash.cof - <content
    accept backup --output --force - <content
    [ -e ./--force ]
    accept restore --key "$P/ops.key" -o -out -- -dash.cof
    cmp ./-out content
    accept verify -- --force -dash.cof
}

@test "odd names in a directory, and in what is printed one line each" {
    count=0
    while IFS= read -r -d '' name; do
        "$COFFER" backup -q -o "dir/$name" - <content
        count=$((count + 1))
    done < <(each_name)
    accept verify dir
    [ "$(wc -l <<<"$output")" -eq $((count + 1)) ]
    prints_safely
    prints 'dir/new\\x0Aline.cof: intact, .*'
    prints 'dir/bad\\xFFutf8.cof: intact, .*'
    prints 'dir/ümlaut-日本.cof: intact, .*'
    prints 'dir/back\\\\slash.cof: intact, .*'
    prints 'dir/rtl\\u\{202E\}.cof: intact, .*'
    accept verify --json dir
    /usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1], encoding="utf-8"): json.loads(line)' "$BATS_TEST_TMPDIR/stdout"
}

@test "odd names in errors are one safe line" {
    while IFS= read -r -d '' name; do
        refuse 6 '.*No such file or directory.*' verify -- "./$name"
        prints_safely
        refuse 6 '.*No such file or directory.*' backup -r "./$name" -o x.cof - <content
        prints_safely
    done < <(each_name)
}

@test "a very long name" {
    long=$(printf 'x%.0s' {1..250})
    accept backup -o "$long" - <content
    accept verify "$long"
    refuse 6 '.*File name too long.*' backup -o "$long$long" - <content
    deep=$(printf 'd/%.0s' {1..2100})
    refuse 6 '.*' verify "$deep"
}

@test "odd subjects are shown safely, in full" {
    certificate odd --cn $'a\nb\e[31mc'
    accept backup -o x.cof -r odd.crt - <content
    [ "$(wc -l <<<"$output")" -eq 1 ]
    prints_safely
    accept info x.cof
    prints_safely
    certificate ja --cn '運用チーム'
    accept backup -o y.cof -r ja.crt - <content
    prints 'y.cof: .*, opens for CN=運用チーム'
}
