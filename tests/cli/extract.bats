#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Restoring files: all that they are, a part of them, over what is there, and past damage.

load helper

same() {
    /usr/bin/python3 "$here/tree_compare.py" "$@"
}

setup() {
    workdir
    mkdir -p src/d/e src/z
    echo hello >src/a
    ln src/a src/d/hard
    echo x >src/d/e/x
    echo y >src/z/y
    ln -s x src/d/e/link
}

restore() {
    accept restore x.cof --key "$P/ops.key" "$@"
}

@test "a tree of odd things comes back bit for bit" {
    (
        cd src
        truncate -s 64G sparse
        noise 100000 | dd of=sparse bs=64K seek=99999 conv=notrunc status=none
        truncate -s 1M hole
        head -c 200000 /dev/zero >zeros
        echo 1 >$'new\nline'; echo 2 >$'\xff\xfe'; echo 3 >'ü'; echo 4 >$'\e[31m'; echo 5 >'a\b*?['
        mkfifo p; mknod c c 1 3; mknod b b 7 200
        ln -s "$(printf 'x%.0s' {1..3000})" long
        ln -s $'\xff' bad; chown -h 7:8 bad; ln bad bad2
        chown 12345:54321 a; chmod 6751 a
        setfattr -n user.k -v 0x00ff d/e/x; setfattr -n user.a=b -v '' d/e/x; setfattr -n user.dir -v 1 d
        setfattr -n trusted.t -v 1 -h bad
        setfacl -m u:4:rw,g:5:r d/e/x; setfacl -d -m u:6:rwx z
        chmod 1777 z; chmod 500 d/e
        for i in {1..19}; do mkdir "$(printf 'n%.0s' {1..200})"; cd "$(printf 'n%.0s' {1..200})"; done
        echo deep >leaf
    )
    touch -hd '1999-12-31 23:59:59.987654321' src/a src/d/e src/z src/bad src
    "$COFFER" backup -q -o x.cof src
    restore -C out
    prints 'out: [0-9]+ files, [0-9]+ directories, 6 others, 64 GiB, .*, made .* by CN=db1, .*'
    same src out/src
    cat x.cof | accept restore - -q --key "$P/ops.key" -C out2
    same src out2/src
}

@test "parts: files, directories, patterns, without what is excluded" {
    "$COFFER" backup -q -o x.cof src
    restore -q -C out src/d/e/x
    [ "$(cd out && find . -type f)" = ./src/d/e/x ]
    restore -q -C two 'src/*/e' src/z --exclude link
    [ "$(cd two && echo $(find . ! -type d | sort))" = './src/d/e/x ./src/z/y' ]
    restore -q -C three src/d --strip-components 2
    [ "$(cd three && echo $(find . ! -type d | sort))" = './e/link ./e/x ./hard' ]
    same src/d/e three/e
    refuse 2 'x.cof: src/none is not in the backup' restore x.cof --key "$P/ops.key" -C four src/none
}

@test "a hard link without its other name is a file of its own" {
    "$COFFER" backup -q -o x.cof src
    restore -q -C out src/d/hard
    [ "$(cat out/src/d/hard)" = hello ]
    restore -q -C two src --exclude /src/a
    [ "$(cat two/src/d/hard)" = hello ]
}

@test "--stdout" {
    truncate -s 5000 src/z/hole
    "$COFFER" backup -q -o x.cof src
    "$COFFER" restore -q x.cof --key "$P/ops.key" --stdout src/z src/d/hard | cmp - <(cat src/d/hard src/z/hole src/z/y)
    refuse 2 'x.cof: nothing that was named is a regular file' restore x.cof --key "$P/ops.key" --stdout src/d/e/link
    refuse 2 '--stdout and --json both need standard output' restore --json x.cof --key "$P/ops.key" --stdout src/a
}

@test "--json" {
    "$COFFER" backup -q -o x.cof src
    restore --json -C out
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert (o["files"], o["directories"], o["others"], o["hard_links"], o["lost"]) == (4, 4, 1, 1, 0), o
assert o["output"] == "out" and o["exit"] == 0 and o["bytes"] == 10' "$output"
}

@test "what is there already: refused, left or replaced" {
    "$COFFER" backup -q -o x.cof src
    restore -q -C out
    echo mine >out/src/d/e/x
    refuse 2 'x.cof: src/a exists already; --force replaces it, --skip-old-files leaves it' restore x.cof --key "$P/ops.key" -C out
    rm out/src/z/y
    restore -C out --skip-old-files
    prints 'out: 1 file, 4 directories, 4 were there already, .*'
    [ "$(cat out/src/d/e/x)" = mine ]
    restore -q -C out --force
    same src out/src
    restore -q -C out --force
    same src out/src
    rm out/src/d/e/x
    mkdir out/src/d/e/x
    refuse 2 'x.cof: src/d/e/x is a directory, which is not replaced' restore x.cof --key "$P/ops.key" -C out --force src/d/e/x
    warn 9 'x.cof: src/d/e/x is not restored: .*' restore x.cof --key "$P/ops.key" -C out --force --keep-going
}

@test "a default ACL of the target opens nothing that was closed" {
    setfacl -m u:5:r src/z/y
    setfacl -d -m u:6:rx src/d
    mkfifo src/p
    chmod 640 src/a
    "$COFFER" backup -q -o x.cof src
    mkdir out
    setfacl -d -m u:4242:rwx out
    restore -q -C out
    same src out/src
    [ -z "$(getfacl -R out/src 2>/dev/null | grep 4242)" ]
    restore -q -C two --no-same-permissions
    mkdir three
    setfacl -d -m u:4242:rwx three
    restore -q -C three --no-same-permissions
    getfacl three/src/a 2>/dev/null | grep -q 4242
}

@test "--no-same-permissions" {
    chmod 777 src/a
    "$COFFER" backup -q -o x.cof src
    (umask 027; "$COFFER" restore -q x.cof --key "$P/ops.key" -C out --no-same-permissions)
    [ "$(stat -c %a out/src/a)" = 750 ]
    (umask 027; "$COFFER" restore -q x.cof --key "$P/ops.key" -C out2)
    [ "$(stat -c %a out2/src/a)" = 777 ]
}

@test "a damaged record: nothing of it appears; --keep-going restores the rest and names what is lost" {
    # what does not compress lies in the backup where it lies in the archive: big2 and big3 share
    # the record that is hit
    noise 12000000 | split -b 3000000 -a 1 --numeric-suffixes=1 - src/big
    "$COFFER" backup -q -o x.cof src
    poke x.cof 7000000 XXXX
    call restore -q x.cof --key "$P/ops.key" -C out
    [ "$status" -eq 3 ]
    [[ "$(sentences)" =~ record\ [0-9]+\ is\ not\ the\ one\ that\ was\ signed ]]
    [ -z "$(find out -name '.coffer-*')" ]
    warn 9 'x.cof: src/big2 is not restored: record [0-9]+ is not the one that was signed: .*' \
        restore -q x.cof --key "$P/ops.key" -C two --keep-going
    [ ! -e two/src/big2 ]
    [ ! -e two/src/big3 ]
    cmp src/big1 two/src/big1
    cmp src/big4 two/src/big4
    cmp src/z/y two/src/z/y
    restore -q -C three src/big1 src/a
    cmp src/big1 three/src/big1
}

# Where in a file the payload of its n-th CATALOG record begins.
catalog_record() {
    /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import sys
b = open(sys.argv[1], "rb").read()
at, n = 8192 + 2 * int.from_bytes(b[24:32], "big"), int(sys.argv[2])
while True:
    assert b[at:at + 2] == b"\xc0\xfe" and b[at + 2] != 6, "no such record"
    n -= b[at + 2] == 2
    if n < 0:
        break
    at += 32 + int.from_bytes(b[at + 12:at + 16], "big")
print(at + 32)
PYTHON
}

@test "a damaged record of the catalog: --keep-going says which names are lost, and restores the others" {
    mkdir many
    (cd many && seq -f 'a file of many with a rather long name %05.0f' 12000 | xargs -d '\n' touch)
    echo last >z
    "$COFFER" backup -q -o x.cof --record-size 256K many z
    cp x.cof y.cof
    poke y.cof "$(($(catalog_record y.cof 1) + 100))" XXXX
    call list y.cof --key "$P/ops.key" many
    [ "$status" -eq 3 ]
    sentences | grep -Eqx 'coffer: y.cof: record [0-9]+ is not the one that was signed: .*'
    call restore -q y.cof --key "$P/ops.key" -C out
    [ "$status" -eq 3 ]
    warn 9 'y.cof: a part of the catalog is lost, and all names from many/a file .* [0-9]+ on, up to many/a file .* [0-9]+: record .*' \
        restore -q y.cof --key "$P/ops.key" -C two --keep-going
    [ "$(cat two/z)" = last ]
    count=$(find two/many -type f | wc -l)
    [ "$count" -gt 3000 ]
    [ "$count" -lt 11000 ]
    # What lies elsewhere does not need it.
    accept restore -q y.cof --key "$P/ops.key" -C three z 'many/a file of many with a rather long name 00001'
    [ "$(find three -type f | wc -l)" -eq 2 ]
    # Without the top nothing is found.
    cp x.cof y.cof
    poke y.cof "$(($(catalog_record y.cof 3) + 10))" XXXX
    warn 9 'y.cof: a part of the catalog is lost, and all names from the beginning on, up to the end: .*' \
        restore -q y.cof --key "$P/ops.key" -C four --keep-going
}

@test "a damaged index is rebuilt" {
    "$COFFER" backup -q -o x.cof src
    at=$(grep -abo 'COFTAIL' x.cof | head -1 | cut -d: -f1)
    poke x.cof $((at - 100)) XX
    warn 9 'x.cof: the index is damaged; it was rebuilt by reading the whole backup' \
        restore -q x.cof --key "$P/ops.key" -C out
    same src out/src
}

@test "wrong options" {
    "$COFFER" backup -q -o x.cof src
    refuse 2 '--output and --directory exclude each other|--directory and --output exclude each other' \
        restore x.cof --key "$P/ops.key" -C out -o x
    refuse 2 '--strip-components needs a number from 0 to 32768' restore x.cof --key "$P/ops.key" -C out --strip-components x
    refuse 2 '--force and --skip-old-files exclude each other' restore x.cof --key "$P/ops.key" -C out --force --skip-old-files
    refuse 2 '-o restores the whole content, not only src/a: use -C DIR or --stdout' restore x.cof --key "$P/ops.key" -o y src/a
    refuse 2 '-o restores one stream: options about files need -C DIR or --stdout' restore x.cof --key "$P/ops.key" -o y --keep-going
    echo stream | backup s.cof
    refuse 2 's.cof: the backup is a stream, not files: .*' restore s.cof --key "$P/ops.key" -C out
    refuse 6 '.*none.*No such file or directory.*' restore x.cof --key "$P/ops.key" -C none/out
    refuse 6 '.*src/a.*' restore x.cof --key "$P/ops.key" -C src/a
}

@test "a full disk: status 6, and no part of a file" {
    noise 3000000 >src/big
    "$COFFER" backup -q -o x.cof src
    run on_small_disk "\"\$COFFER\" restore -q x.cof --key '$P/ops.key' -C disk; echo \"status \$?\"
        find disk -name '*big*' -o -name '.coffer*'"
    [[ ${lines[0]} =~ ^coffer:\ .*src/big:\ No\ space\ left\ on\ device ]]
    [ "${lines[1]}" = 'status 6' ]
    [ "${#lines[@]}" -eq 2 ]
}

@test "files that may not be so long: status 6, and nothing half-made" {
    noise 3000000 >src/big
    "$COFFER" backup -q -o x.cof src
    for threads in 1 4; do
        (
            ulimit -f 1000
            call restore -q -j "$threads" x.cof --key "$P/ops.key" -C out
            [ "$status" -eq 6 ]
            [ "$(sentences)" = 'coffer: x.cof: cannot write src/big: File too large' ]
            refuse 6 'cannot write to .*z.cof.*: File too large' backup -q -j "$threads" -o z.cof src
        )
        [ ! -e out/src/big ]
        [ -z "$(find . -name '.coffer*' -o -name '*z.cof*')" ]
        rm -rf out
    done
}
