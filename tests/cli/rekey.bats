#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Encrypting anew: who can open it afterwards, who answers for it, what is kept, and that whatever is
# refused or interrupted leaves the old backup as it was.

load helper

setup_file() {
    people
    "$COFFER" init --home "$P/safe" --name safe -r "$P/ops.crt" -q
}

setup() {
    workdir
    noise 300000 >content
    backup x.cof --record-size 64K <content
    custodian=(--trust-maker "$P/home/signing.crt" --trust-custodian "$P/safe/signing.crt")
    cp -r "$P/safe/signing.crt" safe.crt
    both=(--trust "$P/home/signing.crt" --trust-custodian "$P/safe/signing.crt")
}

# rekey FILE [ARG...]: by the safe, for eve alone, with the key of ops.
rekey() {
    call rekey "$1" --key "$P/ops.key" -r "$P/eve.crt" --sign-key "$P/safe/signing.key" "${both[@]}" "${@:2}"
}

accept_rekey() {
    rekey "$@"
    if [ "$status" -ne 0 ] || [ -n "$errors" ]; then
        wrong "should succeed" rekey "$@"
    fi
}

@test "it opens for the new list and for nobody else, to the same content" {
    accept_rekey x.cof --reason 'laptop stolen'
    prints 'x.cof: encrypted anew, 293 KiB as AES-256-GCM, epoch 1, generation 2, .* m?s'
    prints '  opens for   CN=eve, until [0-9-]+, EC-P-256'
    prints '  no longer   CN=ops, until [0-9-]+, EC-P-256'
    prints '              CN=rec, until [0-9-]+, EC-P-256'
    prints 'Copies of the old backup, in snapshots and replicas too, still open with the old keys.'
    accept restore -q x.cof "${custodian[@]}" --key "$P/eve.key" -o out
    cmp out content
    for who in ops rec; do
        refuse 4 '.*' restore x.cof "${custodian[@]}" --key "$P/$who.key" -o no
    done
}

@test "nothing of the old ciphertext is in the new file (RK-1), and every record keeps its length (RK-2)" {
    cp x.cof before
    accept_rekey x.cof
    /usr/bin/python3 "$here/parts.py" before lengths >old
    /usr/bin/python3 "$here/parts.py" x.cof lengths >new
    head -n "$(wc -l <old)" new | cmp - old
    /usr/bin/python3 - <<'PY'
old, new = (open(n, "rb").read() for n in ("before", "x.cof"))
start = 8192 + 2 * int.from_bytes(old[24:32], "big")
assert not any(old[i:i + 16] in new for i in range(start + 32, start + 60000, 999))
assert old[560:592] != new[560:592], "the salt is the same"
PY
}

@test "the list is given whole, by -r (RK-3)" {
    refuse 2 'say with -r who can open it from now on, all of them: nobody is carried over' \
        rekey x.cof --key "$P/ops.key"
    refuse 2 'say with --key which private key opens it now' rekey x.cof -r "$P/eve.crt"
    refuse 2 'unknown option --add' rekey x.cof --key "$P/ops.key" --add "$P/eve.crt"
    refuse 7 '.*signing key itself.*' rekey x.cof --key "$P/ops.key" -r "$P/home/signing.crt"
    refuse 2 'rekey takes .*' rekey x.cof y.cof --key "$P/ops.key" -r "$P/eve.crt"
    refuse 2 'rekey reads a backup more than once: - is not possible' rekey - --key "$P/ops.key" -r "$P/eve.crt"
    refuse 2 'rekey writes a file: -o - is not possible' rekey x.cof -o - --key "$P/ops.key" -r "$P/eve.crt"
    refuse 2 'x.cof: there is no cipher of that name.*' rekey x.cof --cipher rot13 --key "$P/ops.key" -r "$P/eve.crt"
    refuse 2 'x.cof: the digest is one of .*' rekey x.cof --digest md5 --key "$P/ops.key" -r "$P/eve.crt"
    refuse 2 '--check-key-passphrase-file needs --check-key' \
        rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --check-key-passphrase-file content
    refuse 3 'x.cof: .*' rekey x.cof --min-custodians 2 --key "$P/ops.key" -r "$P/eve.crt"
    refuse 2 '.*' rekey x.cof --min-custodians none --key "$P/ops.key" -r "$P/eve.crt"
    refuse 4 '.*' rekey x.cof --key "$P/eve.key" -r "$P/eve.crt"
    refuse 4 'x.cof: the key to check does not belong to any of the new recipients; nothing was written' \
        rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --check-key "$P/ops.key"
    refuse 3 '.*not trusted as maker.*' rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --trust safe.crt
}

@test "the signer who is trusted only as custodian needs the lineage, and a key" {
    accept_rekey x.cof
    sentence='the backup was re-encrypted by somebody who is not trusted as maker: only with a private key '
    sentence+='\(--key\) it can be shown that the content is still the first maker.s'
    refuse 3 "x.cof: $sentence" verify x.cof "${custodian[@]}"
    refuse 3 "x.cof: $sentence" verify --quick x.cof "${custodian[@]}"
    accept verify x.cof "${custodian[@]}" --key "$P/eve.key"
    prints 'x.cof: intact, .* made [0-9-]+ by CN=db1 \(proven\), encrypted anew by CN=safe \(epoch 1\), opens for CN=eve .*'
    accept verify --deep x.cof "${custodian[@]}" --key "$P/eve.key"
    prints 'x.cof: intact, and decrypts, .* by CN=db1 \(proven\), .*'
    accept verify --quick x.cof "${custodian[@]}" --key "$P/eve.key"
    prints 'x.cof: signatures are right, content was not read, .* by CN=db1 \(to be proven\), .*'
    accept verify --quick x.cof "${custodian[@]}" --key "$P/eve.key" --max-age 1d
    warn 9 'x.cof: it says that it was made by CN=safe, .*, who is not trusted as maker' \
        envelope export x.cof -o x.head "${custodian[@]}"
    accept verify --quick x.head "${custodian[@]}"
    sentence="a head alone does not show that the backup is still the first maker's, "
    sentence+='so it does not count for --max-age: verify the backup itself'
    refuse 3 "x.head: $sentence" verify --quick x.head "${custodian[@]}" --max-age 1d
    accept restore x.cof "${custodian[@]}" --key "$P/eve.key" -o out
    prints '.*by CN=db1 \(proven\), encrypted anew by CN=safe.*'
    refuse 3 'x.cof: this backup says it was made by CN=db1, .*, and re-encrypted by CN=safe, .*: that needs trust .*' \
        verify x.cof --trust-maker "$P/home/signing.crt" --key "$P/eve.key"
    refuse 3 '.*' verify x.cof --trust-custodian safe.crt --key "$P/eve.key"
}

@test "the signer who is trusted as maker answers for it; --maker proves it nevertheless" {
    accept_rekey x.cof
    accept verify x.cof --trust safe.crt
    prints '.*by CN=db1 \(claimed\), encrypted anew by CN=safe.*'
    accept verify --maker x.cof --trust safe.crt --trust-maker "$P/home/signing.crt" --key "$P/eve.key"
    prints '.*by CN=db1 \(proven\), encrypted anew by CN=safe.*'
    refuse 3 'x.cof: the backup was re-encrypted, and its first maker is not trusted as maker' \
        verify --maker x.cof --trust safe.crt --key "$P/eve.key"
    refuse 2 '--maker opens what proves the first maker: say with which --key' verify --maker x.cof
    backup y.cof <content
    accept verify --maker y.cof --key "$P/ops.key"
    prints '.*made [0-9-]+ by CN=db1, opens for .*'
}

@test "info shows both, and what is only claimed" {
    accept_rekey x.cof --reason because
    accept info x.cof "${custodian[@]}"
    prints '  maker       CN=safe .*'
    prints '  first maker CN=db1 \(claimed, not trusted\)'
    prints '  locks       generation 2, epoch 1'
    prints '  custody     generation 2, .*, by CN=safe \(trusted\), 1 recipient: because'
    accept info --json x.cof
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["maker"]["subject"] == "CN=safe" and o["first_maker"]["subject"] == "CN=db1" and o["lineage"] == "claimed"
assert o["first_maker"]["standing"] == "claimed" and o["epoch"] == 1' "$output"
}

@test "twice, with another cipher; then rotated; and rotated, then rekeyed" {
    accept_rekey x.cof --cipher chacha20-poly1305
    accept rekey x.cof --key "$P/eve.key" -r "$P/rec.crt" --sign-key "$P/safe/signing.key" "${custodian[@]}" --cipher aes-128-gcm
    prints '.* as AES-128-GCM, epoch 2, generation 3, .*'
    accept rotate x.cof --key "$P/rec.key" --add "$P/ops.crt" --sign-key "$P/safe/signing.key" "${custodian[@]}"
    accept restore -q x.cof "${custodian[@]}" --key "$P/ops.key" -o out
    cmp out content
    accept verify --maker x.cof "${custodian[@]}" --key "$P/ops.key"
    accept rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --sign-key "$P/safe/signing.key" "${custodian[@]}"
    accept verify --deep x.cof "${custodian[@]}" --key "$P/eve.key"
    prints '.*by CN=db1 \(proven\), encrypted anew by CN=safe \(epoch 3\).*\(generation 5\)'
}

@test "of files: listed and extracted record by record" {
    mkdir -p tree/sub
    cp content tree/sub/big
    echo small >tree/small
    accept backup -q -o t.cof tree
    accept_rekey t.cof
    accept list t.cof "${custodian[@]}" --key "$P/eve.key"
    prints '.*tree/sub/big'
    accept restore -q t.cof "${custodian[@]}" --key "$P/eve.key" -C out tree/sub/big
    cmp out/tree/sub/big content
    accept verify --deep t.cof "${custodian[@]}" --key "$P/eve.key"
    refuse 4 '.*' list t.cof "${custodian[@]}" --key "$P/ops.key"
}

@test "an incomplete one stays incomplete, and keeps its times" {
    mkdir tree
    echo text >tree/file
    ln -s /nowhere tree/link
    call backup -q -o t.cof tree missing
    [ "$status" -eq 9 ]
    accept info --json t.cof
    before=$output
    sleep 1.1
    rekey t.cof
    [ "$status" -eq 0 ] || [ "$status" -eq 9 ]
    accept info --json t.cof
    /usr/bin/python3 -c 'import json, sys
a, b = (json.loads(x) for x in sys.argv[1:])
assert a["complete"] is False and all(a[k] == b[k] for k in ("complete", "started", "finished", "plain_bytes", "uuid"))' \
        "$before" "$output"
}

@test "what is signed only has no data key" {
    accept backup -q --sign-only -o s.cof - <content
    refuse 5 's.cof: this backup is signed but not encrypted: it has no data key to change' \
        rekey s.cof --key "$P/ops.key" -r "$P/eve.crt"
}

@test "-o writes another file, and leaves the old one" {
    cp x.cof before
    accept_rekey x.cof -o new.cof
    prints 'new.cof: encrypted anew, .*'
    prints 'The old backup is still there: it opens as before.'
    cmp x.cof before
    accept restore -q new.cof "${custodian[@]}" --key "$P/eve.key" -o out
    cmp out content
    rekey x.cof -o new.cof
    [ "$status" -eq 2 ]
    mkdir dir
    accept_rekey x.cof -o dir/
    [ "$(ls dir | wc -l)" -eq 1 ]
}

@test "--dry-run writes nothing" {
    before=$(snapshot)
    accept_rekey x.cof --dry-run
    prints 'x.cof: nothing was written; this would be epoch 1, generation 2, AES-256-GCM'
    prints '  no longer   CN=ops, .*'
    [ "$before" = "$(snapshot)" ]
}

@test "--json and --report" {
    accept_rekey x.cof --json --report evidence --reason test
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["changed"] is True and o["epoch"] == 1 and o["generation"] == 2 and o["cipher"] == "AES-256-GCM"
assert [r["subject"] for r in o["recipients"]] == ["CN=eve"]
e = json.loads(open("evidence").read())
assert e["verb"] == "rekey" and e["reason"] == "test" and e["changed"] is True' "$output"
}

@test "owner, mode and attributes stay, a symbolic link is followed, further names are warned of" {
    mkdir real
    mv x.cof real/
    ln -s real/x.cof link.cof
    chmod 640 real/x.cof
    setfattr -n user.note -v kept real/x.cof
    [ "$(id -u)" -ne 0 ] || chown 12345:23456 real/x.cof
    before=$(stat -c '%a %u %g' real/x.cof)
    accept_rekey link.cof
    [ -L link.cof ]
    [ "$(stat -c '%a %u %g' real/x.cof)" = "$before" ]
    [ "$(getfattr --only-values -n user.note real/x.cof)" = kept ]
    accept info --json real/x.cof
    [[ "$output" == *'"epoch": 1'* || "$output" == *'"epoch":1'* ]]
    ln real/x.cof second.cof
    call rekey real/x.cof --key "$P/eve.key" -r "$P/ops.crt" --sign-key "$P/safe/signing.key" "${custodian[@]}"
    [ "$status" -eq 9 ]
    [[ "$errors" == *'further names (hard links)'* ]]
    accept info --json second.cof
    [[ "$output" == *'"epoch": 1'* || "$output" == *'"epoch":1'* ]]
}

@test "a damaged record ends it, and the old backup stays as it is" {
    poke x.cof 120000 XXXX
    refuse 3 'x.cof: record [0-9]+ is not the one that was signed: .*' \
        rekey x.cof --key "$P/ops.key" -r "$P/eve.crt"
}

@test "a full disk ends it, and the old backup stays as it is (RK-4)" {
    [ "$(id -u)" -eq 0 ] || skip "needs a file system of its own"
    noise 700000 >big
    cat >run.sh <<END
set -e
"$COFFER" backup -q -o disk/b.cof - <big
cp disk/b.cof before
if "$COFFER" rekey disk/b.cof --key "$P/ops.key" -r "$P/eve.crt" 2>errors; then exit 1; fi
cmp disk/b.cof before
[ "\$(ls -A disk)" = b.cof ]
END
    on_small_disk "sh run.sh"
}

@test "what a killed run has left is removed by the next one, what is being written is not" {
    touch .x.cof.0123456789abcdef.tmp .y.cof.0123456789abcdef.tmp
    exec 7>.x.cof.fedcba9876543210.tmp
    /usr/bin/python3 -c 'import fcntl, struct, os
fcntl.fcntl(7, fcntl.F_OFD_SETLK, struct.pack("hhlli", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))' 2>/dev/null ||
        /usr/bin/python3 -c 'import fcntl, struct, os
fcntl.fcntl(7, 37, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))'
    accept_rekey x.cof
    [ ! -e .x.cof.0123456789abcdef.tmp ]
    [ -e .y.cof.0123456789abcdef.tmp ]
    [ -e .x.cof.fedcba9876543210.tmp ]
    exec 7>&-
    rm -f .x.cof.fedcba9876543210.tmp .y.cof.0123456789abcdef.tmp
}

@test "a rotation that waits meanwhile changes the new file" {
    noise 60000000 >big
    backup b.cof <big
    "$COFFER" rekey -q b.cof --key "$P/ops.key" -r "$P/eve.crt" -r "$P/rec.crt" --sign-key "$P/home/signing.key" &
    rekeyer=$!
    for _ in $(seq 200); do
        [ -z "$(ls -A | grep '^\.b\.cof\..*\.tmp$')" ] || break
        sleep 0.01
    done
    accept rotate b.cof --key "$P/rec.key" --remove "$P/eve.crt"
    wait "$rekeyer"
    accept verify b.cof
    accept info --json b.cof
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert (o["epoch"], o["generation"]) == (1, 3) and [r["subject"] for r in o["recipients"]] == ["CN=rec"]' "$output"
}

@test "who is at work on it for a moment is waited for" {
    /usr/bin/python3 - x.cof <<'PY' 3>&- &
import fcntl, struct, sys, time
f = open(sys.argv[1], "rb")
lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
fcntl.fcntl(f, 37, lock)  # F_OFD_SETLK
open("held", "w").close()
time.sleep(2)
PY
    while [ ! -e held ]; do sleep 0.05; done
    accept_rekey x.cof
    wait "$!"
}

@test "a bad list of recipients stops it, but for --reset-custody" {
    accept rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --sign-key "$P/safe/signing.key" "${both[@]}"
    refuse 3 'x.cof: .*not trusted as custodian, so nothing of it is carried over; --reset-custody goes on without it' \
        rekey x.cof --key "$P/ops.key" -r "$P/eve.crt"
    accept rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --reset-custody
    accept verify x.cof
}

@test "received only where its signer is trusted as maker" {
    accept_rekey x.cof
    refuse 3 'what was sent was re-encrypted by somebody who is not trusted as maker, .*' \
        receive -o got.cof "${custodian[@]}" <x.cof
    accept receive -q -o got.cof --trust safe.crt <x.cof
    cmp <("$COFFER" restore -q got.cof --trust safe.crt --key "$P/eve.key" -o -) content
}

@test "prune leaves what only a key can judge" {
    mkdir d
    backup d/a.cof <content
    sleep 1.1
    backup d/b.cof <content
    accept_rekey d/a.cof
    call prune d --keep-last 1 "${custodian[@]}"
    [ -e d/a.cof ]
    [ -e d/b.cof ]
    [[ "$output$errors" == *'who made it can be told with a private key only'* ]]
}

@test "of several volumes: each in the place of an old one" {
    noise 600000 >content
    accept backup -q -o v.cof --volume-size 200K --record-size 16K - <content
    names=$(ls v.cof*)
    [ "$(wc -w <<<"$names")" -ge 3 ]
    sizes=$(stat -c %s v.cof v.cof.002)
    accept_rekey v.cof
    [ "$(ls v.cof*)" = "$names" ]
    [ -z "$(ls -A | grep -E '\.(tmp|old)$')" ]
    [ "$(stat -c %s v.cof.002)" = "$(tail -n 1 <<<"$sizes")" ]
    accept restore -q v.cof "${custodian[@]}" --key "$P/eve.key" -o out
    cmp out content
    accept verify --maker --deep v.cof "${custodian[@]}" --key "$P/eve.key"
    for volume in v.cof.0*; do
        cmp <(dd if="$volume" bs=512 skip=1 count=1 status=none) <(dd if=v.cof bs=512 skip=1 count=1 status=none)
    done
    mkdir elsewhere
    mv v.cof.002 elsewhere/other.name
    refuse 5 '.*volume 2.*' rekey v.cof --key "$P/eve.key" -r "$P/ops.crt" "${both[@]}"
    accept rekey v.cof --key "$P/eve.key" -r "$P/ops.crt" --volume-dir elsewhere "${both[@]}"
    [ -e elsewhere/other.name ]
    [ ! -e v.cof.002 ]
    accept verify --deep v.cof --volume-dir elsewhere --key "$P/ops.key" "${both[@]}"
    accept rekey v.cof -o w.cof --key "$P/ops.key" -r "$P/rec.crt" --volume-dir elsewhere "${both[@]}"
    accept verify --deep w.cof --key "$P/rec.key" "${both[@]}"
    rm -rf v.cof* elsewhere
}

# The volumes of v.cof from the second on go to a directory of their own, as on another disk.
spread() {
    noise 600000 >content
    mkdir one two
    accept backup -q -o one/v.cof --volume-size 200K --record-size 16K - <content
    mv one/v.cof.0* two/
}

salt() { # FILE: of the key that its content is encrypted with
    dd if="$1" bs=512 skip=1 count=1 status=none | sha256sum
}

@test "of several volumes on several disks: each where it was" {
    spread
    accept rekey one/v.cof --key "$P/ops.key" -r "$P/eve.crt" --volume-dir two "${both[@]}"
    [ "$(ls -A one)" = v.cof ]
    [ "$(ls -A two | head -n 1)" = v.cof.002 ]
    accept verify --deep one/v.cof --volume-dir two --key "$P/eve.key" "${both[@]}"
}

@test "of several volumes that are links: what they lead to is replaced, nothing old stays" {
    spread
    for volume in two/v.cof.0*; do
        ln -s "../$volume" one/
    done
    before=$(salt two/v.cof.002)
    accept rekey one/v.cof --key "$P/ops.key" -r "$P/eve.crt" "${both[@]}"
    for volume in one/v.cof.0*; do
        [ -L "$volume" ]
        [ -f "two/${volume##*/}" ]
        [ ! -L "two/${volume##*/}" ]
        [ "$(salt "two/${volume##*/}")" != "$before" ]
        [ "$(salt "two/${volume##*/}")" = "$(salt one/v.cof)" ]
    done
    [ -z "$(ls -A one two | grep '^\.')" ]
    accept verify --deep one/v.cof --key "$P/eve.key" "${both[@]}"
}

@test "of several volumes: further names of any of them are warned of" {
    spread
    mkdir three
    ln two/v.cof.002 three/kept
    call rekey one/v.cof --key "$P/ops.key" -r "$P/eve.crt" --volume-dir two "${both[@]}"
    [ "$status" -eq 9 ]
    [[ "$errors" == *'two/v.cof.002 has further names (hard links): what these name stays encrypted as it is'* ]]
}

@test "of several volumes: a name that a killed run set one aside under is no further name, and goes" {
    spread
    ln two/v.cof.002 two/.v.cof.002.0123456789abcdef.old
    accept rekey one/v.cof --key "$P/ops.key" -r "$P/eve.crt" --volume-dir two "${both[@]}"
    [ -z "$(ls -A one two | grep '^\.')" ]
    accept verify --deep one/v.cof --key "$P/eve.key" --volume-dir two "${both[@]}"
}

@test "of several volumes: a name that cannot be set aside whole is refused before anything is written" {
    noise 600000 >content
    name=$(printf 'n%.0s' $(seq 197))
    accept backup -q -o "$name" --volume-size 200K --record-size 16K - <content
    before=$(snapshot)
    refuse 5 'the name n+\.002 is too long to be replaced as one of several: .*' \
        rekey "$name" --key "$P/ops.key" -r "$P/eve.crt"
    [ "$before" = "$(snapshot)" ]
    accept rekey "$name" -o w.cof --key "$P/ops.key" -r "$P/eve.crt"
    accept verify --deep w.cof --key "$P/eve.key"
}
