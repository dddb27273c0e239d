#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Several streams with names in one backup.

load helper

setup() {
    workdir
    cat >list <<'END'
# what the database is made of
base          head -c 9000000 /dev/zero

conf/globals  printf %s| "a  b" '$c' "it's" x" y"z
conf/hba      echo host all
END
}

@test "each stream is listed, and restored by its name" {
    accept backup -o x.cof --streams list
    prints 'x.cof: 3 streams, 8.6 MiB as .*'
    accept list x.cof --key "$P/ops.key"
    [ "$output" = $'base\nconf/globals\nconf/hba' ]
    accept list x.cof --key "$P/ops.key" --json
    prints '.*"name":"base","type":"stream","state":"ok".*"size":9000000.*'
    accept restore -q x.cof --key "$P/ops.key" --stream base -o base
    head -c 9000000 /dev/zero | cmp - base
    [ "$(stat -c %a base)" = 600 ]
    accept restore -q x.cof --key "$P/ops.key" --stream conf/globals -o -
    [ "$output" = "a  b|\$c|it's|x yz|" ]
    accept restore x.cof --key "$P/ops.key" --stream conf/hba -o hba
    prints 'hba: the stream conf/hba, .*'
}

@test "all of them, or some, into a directory" {
    accept backup -q -o x.cof --streams list
    accept restore x.cof --key "$P/ops.key" -C all
    prints 'all: 3 files, .*'
    [ "$(cd all && find . -type f | sort | tr '\n' ' ')" = "./base ./conf/globals ./conf/hba " ]
    cmp <(head -c 9000000 /dev/zero) all/base
    accept restore -q x.cof --key "$P/ops.key" -C some --strip-components 1 conf
    [ "$(cat some/hba)" = "host all" ]
    [ ! -e some/base ]
    accept restore -q x.cof --key "$P/ops.key" --stdout 'conf/h*'
    [ "$output" = "host all" ]
    refuse 1 '.*' restore x.cof --key "$P/ops.key" -C all conf/hba || refuse 2 '.*' restore x.cof --key "$P/ops.key" -C all conf/hba ||
        refuse 6 '.*' restore x.cof --key "$P/ops.key" -C all conf/hba
    accept restore -q x.cof --key "$P/ops.key" -C all --force conf/hba
}

@test "verified, received, re-locked, recovered without coffer" {
    accept backup -q -o x.cof --streams list
    accept verify -q x.cof
    accept verify -q x.cof --deep --key "$P/rec.key"
    "$COFFER" receive -q -o y.cof <x.cof
    accept rotate -q y.cof --key "$P/ops.key" -r "$P/eve.crt"
    accept restore -q y.cof --key "$P/eve.key" --stream conf/hba -o -
    [ "$output" = "host all" ]
    recover="$here/../../scripts/recover.sh"
    [ "$("$recover" x.cof --trust "$P/home/signing.crt" --key "$P/ops.key" --stream conf/hba -o - 2>/dev/null)" = "host all" ]
    [ "$("$recover" x.cof --trust "$P/home/signing.crt" --key "$P/ops.key" --stream 1 -o - 2>/dev/null | wc -c)" = 9000000 ]
    status=0
    "$recover" x.cof --trust "$P/home/signing.crt" --key "$P/ops.key" -o out 2>said || status=$?
    [ "$status" -eq 2 ]
    grep -qx '2 18 conf/globals' said
    [ ! -e out ]
}

@test "a name for standard input, a command, a database; one stream needs no name to be restored" {
    echo text | accept backup -q -o a.cof --name note -
    accept list a.cof --key "$P/ops.key"
    [ "$output" = note ]
    accept restore -q a.cof --key "$P/ops.key" -o -
    [ "$output" = text ]
    accept backup -q -o b.cof --name x/y --stdin-from-command -- echo text
    accept restore -q b.cof --key "$P/ops.key" --stream x/y -o -
    [ "$output" = text ]
    sqlite3 t.db 'CREATE TABLE t(a)'
    accept backup -q -o c.cof --name t.db --sqlite t.db
    accept restore -q c.cof --key "$P/ops.key" -C out
    [ "$(sqlite3 out/t.db .schema)" = "CREATE TABLE t(a);" ]
}

# refuse() wants one sentence; notes are what commands said.
sentences() {
    grep -Ev '^(Try|coffer: (warning|note)): ' <<<"$errors"
}

@test "one stream that fails, and there is no backup" {
    printf 'good echo good\nbad sh -c "echo half; echo why >&2; exit 1"\nnever touch never\n' >bad
    refuse 8 'sh failed with exit status 1' backup -o x.cof --streams bad
    grep -qx 'coffer: note: sh: why' <<<"$errors"
    printf 'good echo good\nsilent true\n' >bad
    refuse 8 'the stream silent was empty, .*' backup -o x.cof --streams bad
    accept backup -q -o x.cof --allow-empty --streams bad
    accept restore -q x.cof --key "$P/ops.key" -C out
    [ -f out/silent ]
    [ ! -s out/silent ]
    accept verify -q x.cof --deep --key "$P/ops.key"
    refuse 8 'echo wrote 5 bytes, .*' backup -o y.cof --min-size 1K --streams bad
}

@test "names that cannot be, and lines that make no sense" {
    for name in /x x/ a//b . .. a/../b ./a "$(head -c 1025 /dev/zero | tr '\0' n)"; do
        echo "$name echo x" >bad
        refuse 2 "'.*' cannot be the name of a stream: .*" backup -o x.cof --streams bad
    done
    printf 'a echo 1\na echo 2\n' >bad
    refuse 2 'two streams cannot have the name a, .*' backup -o x.cof --streams bad
    printf 'a echo 1\na/b echo 2\n' >bad
    refuse 2 'two streams cannot have the name a/b, .*' backup -o x.cof --streams bad
    echo 'a' >bad
    refuse 2 'bad, line 1: a stream needs a name and a command behind it' backup -o x.cof --streams bad
    printf '\n# c\na echo "x\n' >bad
    refuse 2 'bad, line 3: a quotation mark has no other that ends it' backup -o x.cof --streams bad
    echo '# nothing' >bad
    refuse 2 'bad names no stream' backup -o x.cof --streams bad
    refuse 6 'cannot read none: No such file or directory' backup -o x.cof --streams none
    refuse 6 'cannot read \.: Is a directory' backup -o x.cof --streams .
    : >bad
    refuse 2 'bad names no stream' backup -o x.cof --streams bad
    echo 'a "" x' >bad
    refuse 2 'bad, line 1: a stream needs a name and a command behind it' backup -o x.cof --streams bad
}

@test "what is no text, or has no end, is no list of streams" {
    printf 'a echo 1\nb ec\0ho 2\n' >bad # up to the zero it would be another command
    refuse 2 'bad, line 2: a zero byte: .*' backup -o x.cof --streams bad
    printf 'a echo 1\0' >bad
    refuse 2 'bad, line 1: a zero byte: .*' backup -o x.cof --streams bad
    refuse 2 '/dev/zero is larger than 1 MiB: .*' backup -o x.cof --streams /dev/zero
    { head -c 1048567 /dev/zero | tr '\0' '#'; printf '\na echo 1'; } >list
    [ "$(stat -c %s list)" -eq 1048576 ]
    accept backup -q -o x.cof --streams list
    echo >>list
    refuse 2 'list is larger than 1 MiB: .*' backup -o y.cof --streams list
}

@test "lines as Windows ends them, comments behind blanks, no end of the last line, odd bytes" {
    printf '  # a comment\r\na echo 1\r\n\r\n  "#b" printf \377\001%%s "" x\r\nc echo 3' >list
    accept backup -q -o x.cof --streams list
    accept list x.cof --key "$P/ops.key"
    [ "$output" = $'#b\na\nc' ]
    accept restore -q x.cof --key "$P/ops.key" -C out
    [ "$(cat out/a out/c)" = $'1\n3' ]
    printf '\377\001\377\001x' | cmp - 'out/#b'
}

@test "wrong usage" {
    refuse 2 '--streams has no other source beside it: .*' backup -o x.cof --streams list documents
    refuse 2 '--streams and --name: .*' backup -o x.cof --streams list --name x
    refuse 2 '--name is for a stream; .*' backup -o x.cof --name x list
    accept backup -q -o x.cof --streams list
    refuse 2 'x.cof: the backup holds streams with names: .*' restore x.cof --key "$P/ops.key" -o out
    refuse 2 'x.cof: there is no stream conf in the backup; .*' restore x.cof --key "$P/ops.key" --stream conf -o out
    refuse 2 '--stream needs -o; .*' restore x.cof --key "$P/ops.key" --stream base -C out
    echo x | "$COFFER" backup -q -o y.cof -
    refuse 2 'y.cof: the streams of this backup have no names' restore y.cof --key "$P/ops.key" --stream x -o out
    refuse 4 '.*' restore x.cof --key "$P/eve.key" --stream base -o out
}
