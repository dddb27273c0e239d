#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Interrupted at the first write, sync or rename, at the second, and so on: a few of them, or with
# EVERY_MOMENT in the environment all.

load helper
load interrupt

STEP=${EVERY_MOMENT:+1} SIGNALS=${EVERY_MOMENT:+INT TERM}
STEP=${STEP:-5} SIGNALS=${SIGNALS:-TERM}

@test "at any moment: backup" {
    put() { fresh; }
    judge() { holds_only || { holds_only x.cof && accept verify -q dir/x.cof; }; }
    at_each backup -q -j 1 -o dir/x.cof "$made/tree"
}

@test "at any moment: restore to a file" {
    put() { fresh; }
    judge() { holds_only || { holds_only out && cmp dir/out "$made/content"; }; }
    at_each restore -q -j 1 "$made/s.cof" --key "$P/ops.key" -o dir/out
}

@test "at any moment: restore of files: each is there whole or not at all, the next run brings the rest" {
    put() { fresh; }
    judge() {
        find dir -type f | while read -r file; do cmp "$file" "$made/tree/${file##*/}" || return; done
        accept restore -q "$made/t.cof" --key "$P/ops.key" -C dir --force
        diff -r dir/tree "$made/tree"
    }
    at_each restore -q -j 1 "$made/t.cof" --key "$P/ops.key" -C dir
}

@test "at any moment: receive" {
    input=$made/s.cof
    put() { fresh; }
    judge() { holds_only || { holds_only x.cof && accept verify -q dir/x.cof; }; }
    at_each receive -q -o dir/x.cof
}

@test "at any moment: rekey" {
    put() { fresh s.cof; }
    judge() {
        holds_only s.cof
        opens_for_ops || opens dir/s.cof "$P/rec.key" "$made/content"
    }
    at_each rekey -q dir/s.cof --key "$P/ops.key" -r "$P/rec.crt"
}

@test "at any moment: rotate; the next run finishes it" {
    put() { fresh s.cof; }
    judge() {
        opens_for_ops
        accept rotate -q dir/s.cof --key "$P/ops.key" -r "$P/ops.crt"
        accept verify -q dir/s.cof
        holds_only s.cof
    }
    at_each rotate -q dir/s.cof --key "$P/ops.key" --add "$P/rec.crt"
}

@test "at any moment: envelope export" {
    put() { fresh; }
    judge() { holds_only || { holds_only h.head && cmp dir/h.head "$made/s.head"; }; }
    at_each envelope export -q "$made/s.cof" -o dir/h.head
}

@test "at any moment: envelope import; the next run finishes it" {
    put() { fresh s.cof; }
    judge() {
        opens_for_ops
        accept envelope import -q "$made/e.head" dir/s.cof --key "$P/ops.key"
        accept verify -q dir/s.cof
        opens dir/s.cof "$P/rec.key" "$made/content"
        [ ! -e dir/s.cof.generation-1.head ] || cmp dir/s.cof.generation-1.head "$made/s.head"
        rm -f dir/s.cof.generation-1.head
        holds_only s.cof
    }
    at_each envelope import -q "$made/e.head" dir/s.cof --key "$P/ops.key"
}

@test "at any moment: repair; the next run finishes it" {
    put() {
        fresh s.cof
        poke dir/s.cof 0 XXXXXXXX
    }
    judge() {
        opens_for_ops
        accept repair -q dir/s.cof
        accept verify -q dir/s.cof
        holds_only s.cof
    }
    at_each repair -q dir/s.cof
}

@test "at any moment: repair with an exported head; the next run finishes it" {
    put() {
        fresh s.cof
        head -c 40960 /dev/zero | dd of=dir/s.cof conv=notrunc status=none
    }
    judge() {
        call repair -q dir/s.cof --head "$made/s.head"
        [ "$status" -ne 2 ] || call repair -q dir/s.cof # the head can be read already: it needs no other
        [ "$status" -eq 0 ] || [ "$status" -eq 9 ]
        opens_for_ops
        rm dir/s.cof.lost.head
        holds_only s.cof
    }
    at_each repair -q dir/s.cof --head "$made/s.head"
}

@test "at any moment: keygen" {
    put() { fresh; }
    judge() { holds_only || holds_only k.crt k.key; }
    at_each keygen -q dir/k --type p256 --no-passphrase
}

@test "at any moment: init" {
    put() { fresh; }
    judge() {
        rm -rf dir/home2
        [ ! -e dir/home ] || accept backup --home dir/home -q -o x.cof - <"$made/content"
        rm -f x.cof
        accept init -q --home dir/home2 --name db2 -r "$P/ops.crt"
    }
    at_each init -q --home dir/home --name db2 -r "$P/ops.crt"
}
