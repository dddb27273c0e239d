#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Repairing (CH-6): byte for byte what it was before, and never a byte anywhere else.

load helper

head=$((8192 + 2 * 16384)) # length of the head of these backups

setup() {
    workdir
    noise 100000 >content
    "$COFFER" backup -q -o x.cof --compress none - <content
    cp x.cof whole
    size=$(stat -c %s x.cof)
    index=$((head + 32 + 100000 + 16))     # the INDEX frame behind the one record
    tail=$((index + 32 + 24 + 64))         # the first TAIL frame
    copy=$(((size - tail) / 2))            # length of each copy of the closing record
}

# Spoil some bytes; repair must say what it was, and make it whole again: mends OFFSET PATTERN
mends() {
    cp whole x.cof
    poke x.cof "$1" 'SPOILT!'
    run cmp -s x.cof whole
    [ "$status" -eq 1 ]
    accept repair --dry-run x.cof
    prints "  repairable   $2 \(bytes [0-9]+ to [0-9]+\)"
    prints 'nothing was written'
    run cmp -s x.cof whole
    [ "$status" -eq 1 ]
    accept repair x.cof
    prints "  repaired     $2 \(bytes [0-9]+ to [0-9]+\)"
    cmp x.cof whole
    accept verify -q x.cof
}

@test "what is not damaged is left alone" {
    touch -d '2020-01-01' x.cof
    accept repair x.cof
    prints 'x.cof: nothing is damaged'
    [ "$(stat -c %Y x.cof)" = "$(date -d 2020-01-01 +%s)" ]
    cmp x.cof whole
    accept repair -q x.cof
    [ -z "$output" ]
}

@test "superblocks and slots" {
    mends 0 'superblock copy A'
    mends 4000 'superblock copy A'
    mends 4096 'superblock copy B'
    mends 8192 'envelope slot A'
    mends 9000 'envelope slot A'
    mends 24000 'envelope slot A'
    mends 25000 'envelope slot B'
}

@test "index, record header, closing record" {
    mends "$index" 'an index'
    mends $((index + 40)) 'an index'
    mends $((head + 3)) 'the header of record 0'
    mends "$tail" 'the first copy of the closing record'
    mends $((tail + copy - 20)) 'the first copy of the closing record'
    mends $((tail + copy)) 'the second copy of the closing record'
    mends $((size - 10)) 'the second copy of the closing record'
}

@test "the closing record cut off, once and twice" {
    truncate -s $((tail + copy)) x.cof
    accept repair x.cof
    prints '  repaired     the second copy of the closing record .*'
    cmp x.cof whole
    truncate -s "$tail" x.cof
    accept repair x.cof
    prints 'x.cof: 2 places are damaged'
    cmp x.cof whole
}

@test "several at once" {
    for at in 100 9000 $((index + 5)) "$tail"; do poke x.cof "$at" SPOILT; done
    accept repair x.cof
    prints 'x.cof: 4 places are damaged'
    cmp x.cof whole
}

@test "an interrupted rotation is completed" {
    accept rotate x.cof -q --key "$P/ops.key" --remove "$P/rec.crt"
    cp x.cof done
    put_back whole x.cof 4096 4096
    put_back whole x.cof 8192 16384
    accept repair x.cof
    cmp x.cof done
}

@test "what a record holds: named, not repaired, status 5; the rest is" {
    poke x.cof $((head + 500)) SPOILT
    cp x.cof spoilt
    refuse 5 '1 of the damaged places exist only once and stay damaged; .*' repair -q x.cof
    cmp x.cof spoilt
    poke x.cof 4100 SPOILT
    run -5 "$COFFER" repair x.cof
    prints '  damaged      record 0: bytes 0 to 100000 of the content \(bytes 40960 to 141007\)'
    prints '  repaired     superblock copy B \(bytes 4096 to 8191\)'
    cmp x.cof spoilt
}

@test "files that lie in a damaged record are named with a key" {
    mkdir tree
    noise 3000000 >tree/a
    echo small >tree/b
    noise 9000000 >tree/c
    "$COFFER" backup -q -o t.cof --compress none tree
    poke t.cof $((head + 3100000)) SPOILT
    run -5 "$COFFER" repair t.cof --key "$P/ops.key"
    prints '  damaged      record 0: bytes 0 to [0-9]+ of the content .*'
    prints '  in file      tree/a'
    prints '  in file      tree/c'
    run -5 "$COFFER" repair t.cof --json --key "$P/ops.key"
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1].splitlines()[0])
assert o["status"] == "FORMAT" and o["exit"] == 5 and o["lost"] == 1 and o["repairable"] == 0
assert o["changed"] is False and o["files"][-1] == "tree/c"
assert o["items"][0]["kind"] == "record" and o["items"][0]["record"] == 0' "$output"
}

@test "records and index damaged: nothing proves the content, only the head is renewed" {
    poke x.cof $((head + 500)) SPOILT
    poke x.cof $((index + 96)) SPOILT # the hash of the record
    poke x.cof "$tail" SPOILT
    cp x.cof spoilt
    refuse 5 'nothing can be repaired here: neither the records nor their index prove the content .*' repair -q x.cof
    cmp x.cof spoilt
    poke x.cof 0 SPOILT
    run -5 "$COFFER" repair x.cof
    prints '  repaired     superblock copy A .*'
    cmp x.cof spoilt
}

@test "both superblocks, or both slots: status 5, nothing is written" {
    poke x.cof 10 SPOILT
    poke x.cof 4106 SPOILT
    cp x.cof spoilt
    refuse 5 '.*' repair x.cof
    cmp x.cof spoilt
    cp whole x.cof
    poke x.cof 9000 SPOILT
    poke x.cof 25384 SPOILT
    cp x.cof spoilt
    refuse 5 'the envelope is damaged, and so is its copy' repair x.cof
    cmp x.cof spoilt
}

@test "trust in the maker is needed" {
    poke x.cof 0 SPOILT
    cp x.cof spoilt
    mkdir empty
    refuse 3 '.*who is not trusted as maker' repair --trust "$P/eve.crt" x.cof
    cmp x.cof spoilt
}

@test "bytes behind the end are nobody's to remove" {
    printf more >>x.cof
    refuse 5 'x.cof has bytes behind its end' repair x.cof
}

@test "while somebody changes it: busy, status 11; a dry run needs no lock" {
    poke x.cof 0 SPOILT
    /usr/bin/python3 - x.cof <<'PY' &
import fcntl, struct, sys, time
f = open(sys.argv[1], "r+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("locked", "w").close()
time.sleep(60)
PY
    holder=$!
    for _ in $(seq 100); do [ -e locked ] || sleep 0.1; done
    run -11 "$COFFER" repair x.cof
    [[ $output == *'x.cof is being changed by another process'* ]]
    [[ $output == *'not repaired'* ]]
    end "$holder"
    accept repair x.cof
    cmp x.cof whole
}

@test "not a file of its own" {
    refuse 2 'repair changes files in place: - is not possible' repair -
    refuse 2 '.* is a directory.*' repair .
    refuse 5 'content is not a coffer backup' repair content
    refuse 6 'cannot open nothing.cof: No such file or directory' repair nothing.cof
}

@test "several volumes: superblocks, marks and indexes of each; one that is missing stops what needs it" {
    noise 500000 >content
    "$COFFER" backup -q -o v.cof --volume-size 200000 --compress none --record-size 4K - <content
    mkdir whole.d
    cp v.cof* whole.d
    poke v.cof.002 5 SPOILT
    poke v.cof 4100 SPOILT
    accept repair v.cof
    prints '  repaired     superblock copy A, volume 2 \(bytes 0 to 4095\)'
    prints '  repaired     superblock copy B \(bytes 4096 to 8191\)'
    for f in v.cof*; do cmp "$f" "whole.d/$f"; done
    accept verify -q v.cof
    size=$(stat -c %s v.cof.002)
    poke v.cof.002 $((size - 12)) SPOILT
    accept repair v.cof
    prints '  repaired     the mark at the end of the volume, volume 2 .*'
    for f in v.cof*; do cmp "$f" "whole.d/$f"; done
    mkdir gone
    mv v.cof.002 gone
    poke v.cof 4100 SPOILT
    run -5 "$COFFER" repair v.cof
    prints '  repaired     superblock copy B .*'
    cmp v.cof whole.d/v.cof
}

@test "a later volume whose superblocks differ and are both whole is named, and stops nothing else" {
    noise 500000 >content
    "$COFFER" backup -q -o v.cof --volume-size 200000 --compress none --record-size 4K - <content
    cp v.cof whole
    /usr/bin/python3 - v.cof.002 <<'PY'
import hashlib, sys
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read(4096))
    data[19] ^= 2 # an unknown bit of "compat"
    data[4064:] = hashlib.sha256(data[:4064]).digest()
    f.seek(0)
    f.write(data)
PY
    cp v.cof.002 spoilt
    poke v.cof 4100 SPOILT
    run -5 "$COFFER" repair v.cof
    prints '  damaged      both superblocks: neither follows from the other, volume 2 \(bytes 0 to 8191\)'
    prints '  repaired     superblock copy B \(bytes 4096 to 8191\)'
    cmp v.cof whole
    cmp v.cof.002 spoilt
}

@test "a damaged catalog loses names to restore -C, and none to the archive" {
    mkdir tree
    noise 50000 >tree/a
    echo small >tree/b
    "$COFFER" backup -q -o t.cof --compress none tree
    accept restore -q t.cof --key "$P/ops.key" -o good.tar
    run -0 "$COFFER" info --json t.cof
    catalog=$(/usr/bin/python3 - t.cof <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
print(data.index(b"\xc0\xfe\x02") + 40)  # inside the first CATALOG record
PY
)
    poke t.cof "$catalog" SPOILT
    warn 9 't.cof: record [0-9]+, a part of the catalog, is damaged; .*' restore t.cof --key "$P/ops.key" -o out.tar
    cmp out.tar good.tar
    run -5 "$COFFER" repair t.cof --key "$P/ops.key"
    prints '  damaged      record [0-9]+: a part of the catalog .*'
}

# ---- a head that is lost ----

lose_head() { # all of it
    dd if=/dev/urandom of="$1" bs=4096 count=10 conv=notrunc status=none
}

@test "--head: a destroyed head comes back from an exported one" {
    "$COFFER" envelope export -q x.cof -o x.head
    lose_head x.cof
    refuse 5 '.*' verify x.cof
    call repair x.cof --head x.head --dry-run
    [ "$status" -eq 9 ]
    prints '  repairable   superblock copy A .*'
    refuse 5 '.*' verify x.cof
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    [[ $errors == *'the head is put back as it was in generation 1: '* ]]
    prints 'x.cof: 4 places are damaged'
    accept verify -q x.cof
    cmp --ignore-initial=$head x.cof whole
    opens x.cof "$P/ops.key" content
    accept rotate -q x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    opens_not x.cof "$P/rec.key"
}

@test "--head: both slots, both superblocks; with more damage, and with none" {
    "$COFFER" envelope export -q x.cof -o x.head
    poke x.cof 9000 SPOILT
    poke x.cof 25384 SPOILT
    poke x.cof "$tail" SPOILT
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    prints '  repaired     the first copy of the closing record .*'
    accept verify -q x.cof
    poke x.cof 10 SPOILT
    poke x.cof 4106 SPOILT
    rm x.cof.lost.head
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    accept verify -q x.cof
    refuse 2 'the head of this backup can be read: .*' repair x.cof --head x.head
}

@test "--head of another backup, of a body that nothing proves, or of nobody trusted: nothing is written" {
    "$COFFER" envelope export -q x.cof -o x.head
    noise 100000 | "$COFFER" backup -q -o y.cof --compress none -
    "$COFFER" envelope export -q y.cof -o y.head
    lose_head x.cof
    cp x.cof lost
    call repair x.cof --head y.head
    [ "$status" -eq 3 ] || [ "$status" -eq 5 ]
    cmp x.cof lost
    refuse 3 '.*' repair x.cof --head x.head --trust "$P/eve.crt"
    refuse 5 '.*' repair x.cof --head content
    refuse 6 '.*' repair x.cof --head nothing
    poke x.cof $((head + 500)) SPOILT
    poke x.cof $((index + 96)) SPOILT
    cp x.cof lost
    call repair x.cof --head x.head
    [ "$status" -eq 5 ]
    cmp x.cof lost
}

# head_tool FILE WHAT: newer: a critical item that only a later version knows, in an intact head;
# unhash: the superblocks name, under a good hash, an envelope that is not there
head_tool() {
    /usr/bin/python3 - "$@" <<'PY'
import hashlib, sys
name, what = sys.argv[1:]
data = bytearray(open(name, "rb").read())
size = int.from_bytes(data[24:32], "big")
length = int.from_bytes(data[40:48], "big")
envelope = bytearray(data[8192:8192 + length])
if what == "newer":
    envelope += (900).to_bytes(2, "big") + (0x8000).to_bytes(2, "big") + (4).to_bytes(4, "big") + b"next"
    envelope[8:16] = len(envelope).to_bytes(8, "big")
    for at in (8192, 8192 + size):
        data[at:at + len(envelope)] = envelope
digest = hashlib.sha256(envelope if what == "newer" else b"another").digest()
for at in (0, 4096):
    data[at + 40:at + 48] = len(envelope).to_bytes(8, "big")
    data[at + 48:at + 80] = digest
    data[at + 4064:at + 4096] = hashlib.sha256(data[at:at + 4064]).digest()
open(name, "wb").write(data)
PY
}

lose_superblocks() {
    dd if=/dev/zero of="$1" bs=4096 count=2 conv=notrunc status=none
}

@test "--head: a newer envelope that is left comes first, and who was removed stays so" {
    "$COFFER" envelope export -q x.cof -o x.head
    accept rotate -q x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    cp x.cof rotated
    lose_superblocks x.cof
    cp x.cof lost
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    [[ $errors == *'an envelope is left, of generation 2: the head is put back around it, and '* ]]
    [[ $errors == *'the one given here, of generation 1, is not used'* ]]
    prints 'x.cof: 2 places are damaged'
    cmp --ignore-initial=8192 x.cof rotated
    cmp x.cof.lost.head <(head -c "$head" lost)
    accept verify -q x.cof
    opens x.cof "$P/ops.key" content
    opens_not x.cof "$P/rec.key"
    cp lost x.cof # one slot, the second, is enough
    poke x.cof 9000 SPOILT
    rm x.cof.lost.head
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    cmp --ignore-initial=8192 x.cof rotated
    opens_not x.cof "$P/rec.key"
}

@test "--head with an old head, where a newer one is demanded" {
    "$COFFER" envelope export -q x.cof -o old.head
    accept rotate -q x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    "$COFFER" envelope export -q x.cof -o new.head
    hash=$("$COFFER" info --json x.cof | grep -o '"custody_sha256":"[^"]*' | cut -d'"' -f4)
    cp x.cof rotated
    lose_head x.cof
    refuse 10 '.*of generation 1, older than the 2 that is demanded' repair x.cof --head old.head --min-generation 2
    refuse 10 '.*has the hash [0-9a-f]{64}, not the expected one' \
        repair x.cof --head old.head --expect-custody "$hash"
    refuse 10 '.*older than the 2 that is demanded' repair x.cof --head old.head --min-generation 2 --dry-run
    call repair x.cof --head new.head --min-generation 2 --expect-custody "$hash"
    [ "$status" -eq 9 ]
    cmp --ignore-initial=8192 x.cof rotated
    rm x.cof.lost.head
    cp rotated x.cof # an envelope that is left counts, in place of the one given
    lose_superblocks x.cof
    refuse 10 '.*of generation 2, older than the 3 that is demanded' repair x.cof --head old.head --min-generation 3
    call repair x.cof --head old.head --min-generation 2 --expect-custody "$hash"
    [ "$status" -eq 9 ]
    cmp --ignore-initial=8192 x.cof rotated
}

@test "--head: what a newer version may have written is not written over" {
    "$COFFER" envelope export -q x.cof -o x.head
    head_tool x.cof newer
    refuse 5 '.*unknown type 900.*' repair x.cof --head x.head
    lose_superblocks x.cof
    refuse 5 'the envelope in slot A is not written over, .*unknown type 900.*' repair x.cof --head x.head
    poke x.cof 8192 SPOILT
    refuse 5 'the envelope in slot B is not written over, .*unknown type 900.*' repair x.cof --head x.head
}

@test "--head: an envelope of a custodian who is not trusted here is not called damaged, nor written over" {
    local trust=(--trust-maker "$P/home/signing.crt" --trust-custodian "$P/eve.crt")
    local who='by the custodian SHA256:[^ ]+, who is not trusted here \(--trust-custodian\)'
    "$COFFER" envelope export -q x.cof -o x.head
    head_tool x.cof unhash
    refuse 3 "x.cof: neither copy .* $who" verify "${trust[@]}" x.cof
    refuse 3 "neither copy .* $who" repair "${trust[@]}" x.cof --head x.head
    lose_superblocks x.cof
    refuse 3 "the envelope in slot A is not written over, .* $who" \
        repair "${trust[@]}" x.cof --head x.head
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    cmp --ignore-initial=8192 x.cof whole
}

@test "--head: the bytes that were there are kept first, or nothing is written" {
    "$COFFER" envelope export -q x.cof -o x.head
    lose_head x.cof
    cp x.cof lost
    echo mine >x.cof.lost.head
    call repair x.cof --head x.head
    [ "$status" -eq 2 ]
    [[ $errors == *'x.cof.lost.head exists and is something else than what is left of this head: move it away'* ]]
    cmp x.cof lost
    rm x.cof.lost.head
    call repair x.cof --head x.head --dry-run
    [ "$status" -eq 9 ]
    [ ! -e x.cof.lost.head ]
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    cmp x.cof.lost.head <(head -c "$head" lost)
    cp lost x.cof # a run that was interrupted, again
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    accept verify -q x.cof
}

@test "--head: a run that was interrupted half way is finished by the next one" {
    "$COFFER" envelope export -q x.cof -o x.head
    cp x.cof whole
    lose_head x.cof
    cp x.cof lost
    head -c "$head" lost >x.cof.lost.head
    put_back whole x.cof 10240 5632 # a part of a slot
    cp x.cof half
    poke x.cof 30000 ZZZZ # neither as it was, nor as it is to be
    call repair x.cof --head x.head
    [ "$status" -eq 2 ]
    [[ $errors == *'x.cof.lost.head exists and is something else than what is left of this head: move it away'* ]]
    cp half x.cof
    call repair x.cof --head x.head
    [ "$status" -eq 9 ]
    cmp x.cof.lost.head <(head -c "$head" lost)
    accept verify -q x.cof
    opens x.cof "$P/ops.key" content
}

@test "an earlier generation that was used is named" {
    cp x.cof before
    accept rotate -q x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    put_back before x.cof 8192 32768 # both slots
    warn 9 'x.cof: the envelope that .* is damaged, .* another .* was used, of generation 1: .*' verify x.cof
    refuse 10 '.*of generation 1, older than the 2 that is demanded' repair x.cof --min-generation 2
}
