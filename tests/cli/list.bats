#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is in a backup of files: coffer list.

load helper

setup() {
    workdir
    mkdir -p src/etc/ssl src/etc/conf.d src/var/log src/etc-old
    for f in etc/hosts etc/ssl/key etc/conf.d/a.conf etc/conf.d/b.conf var/log/x.log 'var/st*r' etc-old/hosts; do
        echo "$f" >"src/$f"
    done
    ln -s hosts src/etc/link
    "$COFFER" backup -q -o x.cof src
}

# lists EXPECTED [ARG...]: exactly these names, separated by blanks
lists() {
    local expected=$1
    shift
    accept list x.cof --key "$P/ops.key" "$@"
    [ "$(echo $output)" = "$expected" ] || wrong "should list: $expected" "$@"
}

@test "everything, in order" {
    local conf='src/etc/conf.d src/etc/conf.d/a.conf src/etc/conf.d/b.conf'
    local etc="src/etc $conf src/etc/hosts src/etc/link src/etc/ssl src/etc/ssl/key"
    lists "src $etc src/etc-old src/etc-old/hosts src/var src/var/log src/var/log/x.log src/var/st*r"
}

@test "a file, a directory with all that is in it, several" {
    lists 'src/etc/hosts' src/etc/hosts
    lists 'src/etc/hosts' /src//etc/./hosts
    lists 'src/etc/ssl src/etc/ssl/key' src/etc/ssl/
    lists 'src/etc/ssl src/etc/ssl/key src/var/log/x.log' src/var/log/x.log src/etc/ssl
    lists 'src/etc-old src/etc-old/hosts' src/etc-old
}

@test "patterns" {
    lists 'src/etc/conf.d/a.conf src/etc/conf.d/b.conf' 'src/etc/conf.d/*.conf'
    lists 'src/etc/hosts src/etc-old/hosts' 'src/*/hosts'
    lists 'src/etc/hosts src/etc-old/hosts' '**/hosts'
    lists 'src/etc/conf.d/b.conf' 'src/etc/conf.[a-e]/[!a]*'
    lists 'src/var/st*r' 'src/var/st\*r'
    lists 'src/etc/ssl src/etc/ssl/key' 'src/e?c/ssl'
}

@test "--exclude" {
    lists 'src/etc src/etc/hosts src/etc/link' src/etc --exclude ssl --exclude 'conf.d/'
    lists 'src/etc-old' src/etc-old --exclude hosts
}

@test "what is not in the backup: status 2, after all else" {
    call list x.cof --key "$P/ops.key" src/etc/hosts src/none
    [ "$status" -eq 2 ]
    [ "$output" = src/etc/hosts ]
    [[ "$(sentences)" =~ ^coffer:\ x.cof:\ src/none\ is\ not\ in\ the\ backup$ ]]
    refuse 2 'x.cof: src/\*.none is not in the backup' list x.cof --key "$P/ops.key" 'src/*.none'
    refuse 2 'x.cof: hosts is not in the backup' list x.cof --key "$P/ops.key" hosts
    refuse 2 'x.cof: an empty path names nothing in a backup' list x.cof --key "$P/ops.key" ''
}

@test "--long" {
    chown 12:34 src/etc/hosts
    chmod 4711 src/etc/hosts
    touch -d 2001-02-03T04:05:06Z src/etc/hosts
    "$COFFER" backup -q --force -o x.cof src
    accept list x.cof --key "$P/ops.key" -l src/etc/hosts src/etc/link
    prints '-rws--x--x  12/34 +10 2001-02-03T04:05:06Z src/etc/hosts'
    prints 'lrwxrwxrwx  0/0 +0 .* src/etc/link -> hosts'
}

@test "--null: names as they are" {
    echo 1 >src/$'a\nb\xff'
    "$COFFER" backup -q --force -o x.cof src
    "$COFFER" list x.cof --key "$P/ops.key" -0 | LC_ALL=C grep -zqF $'b\xff'
}

@test "--json: an object for each entry, and one for the backup" {
    echo 1 >src/$'a\xff'
    "$COFFER" backup -q --force -o x.cof src
    accept list x.cof --key "$P/ops.key" --json
    /usr/bin/python3 -c 'import json, sys
o = [json.loads(line) for line in sys.argv[1].splitlines()]
end = o.pop()
assert end["entries"] == len(o) == 16 and end["status"] == "OK" and end["complete"] is True
by = {e["name"]: e for e in o}
assert by["src/etc/link"]["target"] == "hosts" and by["src/etc/link"]["type"] == "symlink"
assert by["src/etc/hosts"]["size"] == 10 and by["src/etc/hosts"]["mode"] == "0644"
odd = [e for e in o if "name_hex" in e]
assert len(odd) == 1 and bytes.fromhex(odd[0]["name_hex"]) == b"src/a\xff"' "$output"
}

@test "what was missing when the backup was made is marked" {
    call backup -q --force -o x.cof src none
    [ "$status" -eq 9 ]
    accept list x.cof --key "$P/ops.key" -l none
    [[ $output == '?'*'! '*none ]]
    warn 9 'x.cof: none is not in the backup: it (was gone|could not be read) when it was made' \
        restore x.cof --key "$P/ops.key" -C out
    [ -e out/src/etc/hosts ]
}

@test "a full standard output is an error" {
    status=0
    "$COFFER" list x.cof --key "$P/ops.key" >/dev/full 2>err || status=$?
    [ "$status" -eq 6 ]
    grep -qx 'coffer: x.cof: cannot write to standard output: No space left on device' err
}

@test "it needs a key, a trusted maker, and files" {
    refuse 4 '.*' list x.cof --key "$P/eve.key"
    refuse 4 '.*--key.*' list x.cof
    COFFER_HOME=none refuse 3 '.*nobody is trusted.*' list x.cof --key "$P/ops.key"
    echo stream | backup s.cof
    refuse 2 's.cof: the backup is a stream, not files: .*' list s.cof --key "$P/ops.key"
    refuse 2 '--long is for people: not with --null or --json' list x.cof --key "$P/ops.key" -0 -l
    cat x.cof | accept list - --key "$P/ops.key" src/etc/hosts
}
