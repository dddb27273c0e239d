#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Heads that travel: export, rotation where the key is, approval, import, and bodies whose head is
# elsewhere.

load helper

setup_file() {
    people
    "$COFFER" init --home "$P/keeper" --name keeper -r "$P/ops.crt" -q
    "$COFFER" init --home "$P/second" --name second -r "$P/ops.crt" -q
}

setup() {
    workdir
    noise 100000 >content
    "$COFFER" backup -q -o x.cof - <content
    # The maker's host is the one that imports; who changes locks is another.
    trust=(--trust "$P/home/signing.crt" --trust-custodian "$P/keeper/signing.crt" --trust-custodian "$P/second/signing.crt")
    keeper=(--sign-key "$P/keeper/signing.key" "${trust[@]}")
    second=(--sign-key "$P/second/signing.key" "${trust[@]}")
}

# take FILE HEAD: export quietly; change HEAD ARG...: rotate by the keeper.
take() {
    "$COFFER" envelope export -q "$1" -o "$2" --force
}

change() {
    "$COFFER" rotate -q "$1" --key "$P/ops.key" "${keeper[@]}" "${@:2}"
}

@test "a head travels to the key and back" {
    accept envelope export x.cof -o x.head
    prints 'x.cof: generation 1 of [0-9a-f-]{36}, [0-9]+ of 16384 bytes'
    prints 'x.head: the head of 1 backup'
    [ "$(stat -c %s x.head)" -eq 40960 ]
    tail -c +40961 x.cof >body
    accept rotate x.head --key "$P/ops.key" "${keeper[@]}" --replace "$P/rec.crt" --with "$P/eve.crt"
    prints '  no longer   CN=rec, .*'
    opens x.cof "$P/rec.key" content
    accept envelope import x.head x.cof "${trust[@]}" --key "$P/eve.key"
    prints 'x.cof: imported, generation 2 in place of 1'
    prints '  opens for   CN=ops, .*'
    prints '              CN=eve, .*'
    prints '  no longer   CN=rec, .*'
    prints '  signed by   1 trusted custodian; a key has opened it'
    prints '  kept        ./x.cof.generation-1.head, the head that was replaced'
    opens_as "$P/eve.key"
    opens_not x.cof "$P/rec.key"
    tail -c +40961 x.cof | cmp - body
    accept verify x.cof "${trust[@]}" --strict-custody
    accept envelope import x.head x.cof "${trust[@]}" --key "$P/eve.key"
    prints 'x.cof: nothing to do: it has these locks already'
}

opens_as() {
    "$COFFER" restore -q x.cof "${trust[@]}" --key "$1" -o - | cmp - content
}

@test "the head that was replaced is a way back, and no backup among others" {
    mkdir dir
    mv x.cof dir
    take dir/x.cof x.head
    change x.head --remove "$P/rec.crt"
    accept envelope import x.head dir/x.cof "${trust[@]}" --key "$P/ops.key"
    "$COFFER" restore -q dir/x.cof --envelope dir/x.cof.generation-1.head --key "$P/rec.key" -o - | cmp - content
    accept verify dir "${trust[@]}"
    [ "$(wc -l <<<"$output")" -eq 1 ]
    accept info dir/x.cof.generation-1.head
    prints '  content     98 KiB of a stream in 1 record, 40 KiB in the head alone, without its body'
    refuse 3 '.*older than the backup.s own: its locks are of generation 1, those of the backup of 2' \
        envelope import dir/x.cof.generation-1.head dir/x.cof "${trust[@]}" --key "$P/ops.key"
}

@test "--keep, and --no-keep with a key only" {
    take x.cof x.head
    change x.head --remove "$P/rec.crt"
    mkdir kept
    cp x.cof y.cof
    refuse 2 '.*kept unless a private key \(--key\) opens the new one here' \
        envelope import x.head x.cof "${trust[@]}" --unchecked --no-keep
    refuse 2 '--keep and --no-keep exclude each other' envelope import x.head x.cof --keep kept --no-keep
    refuse 2 'x.cof: content exists and is something else than the head to keep; give another name' \
        envelope import x.head x.cof "${trust[@]}" --key "$P/ops.key" --keep content
    accept envelope import x.head x.cof "${trust[@]}" --key "$P/ops.key" --keep kept
    prints '  kept        kept/x.cof.generation-1.head, .*'
    accept envelope import x.head y.cof "${trust[@]}" --key "$P/ops.key" --no-keep
    prints_not kept
    [ "$(ls kept)" = x.cof.generation-1.head ]
    [ -z "$(ls ./*generation* 2>/dev/null)" ]
    # An interrupted run is repeated: the same head is no obstacle, another one is not replaced.
    take y.cof z.head
    "$COFFER" envelope export -q kept/x.cof.generation-1.head -o same.head
    cmp same.head kept/x.cof.generation-1.head
}

@test "many heads are one bundle" {
    mkdir dir
    mv x.cof dir
    for i in 1 2 3; do noise "$i" | "$COFFER" backup -q -o "dir/y$i.cof" -; done
    accept envelope export dir -o all.cofb
    prints 'all.cofb: a bundle with the heads of 4 backups'
    [ "$(stat -c %s all.cofb)" -eq $((64 + 4 * 40960 + 32)) ]
    accept verify --quick all.cofb
    prints '4 backups: 4 good, 0 not'
    accept info --recipients all.cofb
    prints '  4 opened by CN=rec, .*'
    accept info --json all.cofb
    [ "$(grep -c '"head_alone":true' <<<"$output")" -eq 4 ]
    accept rotate all.cofb --key "$P/ops.key" "${keeper[@]}" --replace "$P/rec.crt" --with "$P/eve.crt"
    prints '4 changed, .*'
    accept verify --quick all.cofb "${trust[@]}"
    rm dir/y2.cof
    noise 9 | "$COFFER" backup -q -o dir/new.cof -
    warn 9 'for 1 of 4 heads there is no backup here' \
        envelope import all.cofb dir "${trust[@]}" --key "$P/eve.key"
    prints 'dir/new.cof: nothing to do: all.cofb holds no head of it'
    who='opens for CN=ops, CN=eve; no longer for CN=rec'
    for i in dir/x dir/y1 dir/y3; do prints "$i.cof: imported, generation 2, $who; kept $i.cof.generation-1.head"; done
    prints 'Remove the kept heads when the new keys have been tried: .*'
    accept verify --deep --key "$P/eve.key" dir/x.cof dir/y1.cof dir/y3.cof "${trust[@]}"
}

@test "mere approvals: the kept head opens for nobody else, so there is no hint to remove it" {
    take x.cof x.head
    accept envelope approve x.head "${second[@]}"
    accept envelope import x.head x.cof "${trust[@]}"
    prints 'x.cof: imported, generation 1, more approvals'
    prints '  kept        ./x.cof.generation-1.head, .*'
    prints_not 'Remove'
    change x.head --remove "$P/rec.crt"
    accept envelope import x.head x.cof "${trust[@]}" --key "$P/ops.key" --keep second.head
    prints 'Remove the kept head when the new keys have been tried: .*'
}

@test "a bundle that is not as it was written is refused: its digest, or heads of another day" {
    mkdir dir
    mv x.cof dir
    noise 5 | "$COFFER" backup -q -o dir/y.cof -
    "$COFFER" envelope export -q dir -o old.cofb
    cp old.cofb new.cofb
    "$COFFER" rotate -q new.cofb --key "$P/ops.key" "${keeper[@]}" --remove "$P/rec.crt"
    end=$(($(stat -c %s old.cofb) - 32))
    [ "$(stat -c %s new.cofb)" -eq $((end + 32)) ]
    for wrong in first last mixed; do
        cp old.cofb all.cofb
        case $wrong in
        first) poke all.cofb "$end" SPOILT ;;
        last) poke all.cofb $((end + 26)) SPOILT ;;
        mixed) { head -c "$end" old.cofb && tail -c 32 new.cofb; } >all.cofb ;;
        esac
        why='.*all.cofb is damaged: it is not as it was when it was written'
        refuse 5 "$why" verify --quick all.cofb
        refuse 5 "$why" envelope import all.cofb dir "${trust[@]}" --key "$P/ops.key"
        refuse 5 "$why" verify dir --envelope all.cofb
        refuse 5 "$why" envelope approve all.cofb "${second[@]}"
        refuse 5 "$why" rotate -q all.cofb --key "$P/ops.key" "${keeper[@]}" --remove "$P/rec.crt"
    done
    accept envelope import new.cofb dir "${trust[@]}" --key "$P/ops.key"
}

@test "one bad head does not stop the others of a bundle" {
    mkdir dir
    mv x.cof dir
    noise 5 | "$COFFER" backup -q -o dir/y.cof -r "$P/eve.crt" -
    "$COFFER" envelope export -q dir -o all.cofb
    call rotate all.cofb --key "$P/ops.key" "${keeper[@]}" --remove "$P/rec.crt"
    [ "$status" -eq 4 ]
    prints '1 changed, 1 refused .*'
    accept verify --quick all.cofb "${trust[@]}"
    call envelope import all.cofb dir "${trust[@]}" --key "$P/ops.key" --key "$P/eve.key"
    [ "$status" -eq 0 ]
    prints 'dir/x.cof: imported, .*'
    prints 'dir/y.cof: nothing to do: it has these locks already'
}

@test "a bundle of which nothing changes stays the file that it is" {
    mkdir dir
    mv x.cof dir
    "$COFFER" envelope export -q dir -o all.cofb
    before=$(stat -c '%i %Y' all.cofb)
    accept rotate all.cofb --key "$P/ops.key" "${keeper[@]}" --replace "$P/eve.crt" --with "$P/rec.crt"
    [ "$(stat -c '%i %Y' all.cofb)" = "$before" ]
    accept rotate --dry-run all.cofb --key "$P/ops.key" "${keeper[@]}" --remove "$P/rec.crt"
    [ "$(stat -c '%i %Y' all.cofb)" = "$before" ]
    refuse 2 'nothing was written: .*' rotate -q all.cofb --key "$P/ops.key" "${keeper[@]}" -r "$P/ops.crt"
    [ -z "$(ls -A | grep tmp)" ]
}

@test "export takes the same backup once, and refuses two states of it" {
    mkdir dir
    cp x.cof dir/copy.cof
    mv x.cof dir
    accept envelope export dir -o all.cofb
    [ "$(stat -c %s all.cofb)" -eq $((64 + 40960 + 32)) ]
    change dir/x.cof --remove "$P/rec.crt"
    call envelope export dir -o two.cofb
    [ "$status" -eq 2 ]
    [[ "$errors" =~ 'is a copy of a backup whose head was taken already, with other recipients' ]]
    [ "$(stat -c %s two.cofb)" -eq $((64 + 40960 + 32)) ]
}

@test "export needs a free name, or --force; what cannot be exported leaves no file" {
    refuse 2 'content exists already.*' envelope export x.cof -o content
    accept envelope export x.cof -o content --force
    echo text >text
    refuse 5 'text is not a coffer backup' envelope export text -o t.head
    refuse 2 'say with -o which file to write' envelope export x.cof
    refuse 2 '--slot-size needs a size, such as 128K' envelope export x.cof -o x.head --slot-size many
    refuse 2 'the room for the envelope is a multiple of 4096 from 16384 to 16777216' envelope export x.cof -o x.head --slot-size 5000
    refuse 6 'cannot .*none.*' envelope export x.cof -o none/x.head
}

@test "export never replaces a backup, nor a head that is read" {
    cp x.cof before
    refuse 2 'x.cof is a backup, or a volume of one, and is not replaced by a head' envelope export x.cof -o x.cof --force
    accept envelope export x.cof -o x.head
    cp x.head head
    refuse 2 'x.head is read, and is not replaced; name another file with -o' envelope export x.head -o x.head --slot-size 128K --force
    cmp x.cof before
    cmp x.head head
    accept envelope export x.cof -o x.head --slot-size 128K --force
}

@test "export of signed-only backups, which import refuses" {
    "$COFFER" backup -q -o s.cof --sign-only - <content
    accept envelope export s.cof -o s.head
    prints 's.cof: signed only, .*'
    accept verify --quick s.head
    refuse 5 '.*signed but not encrypted: nothing is locked.*' envelope import s.head s.cof --unchecked
    refuse 5 '.*signed but not encrypted: nothing is locked.*' envelope approve s.head "${second[@]}"
    accept restore s.cof --envelope s.head -o out
    cmp out content
}

@test "verbs of envelope and their options" {
    refuse 2 "envelope does export, approve or import, not 'x.cof'" envelope x.cof
    refuse 2 'envelope needs a sub-verb: .*' envelope
    refuse 2 'envelope export needs a FILE or DIR' envelope export
    refuse 2 'envelope import needs a HEAD or BUNDLE, and a FILE or DIR that it goes into' envelope import x.cof
    refuse 2 'envelope works on files: - is not possible' envelope export - -o x
    for option in '-o x' '--slot-size 16K' --force; do
        refuse 2 'envelope import does not take --.*' envelope import x.cof x.cof $option
        refuse 2 'envelope approve does not take --.*' envelope approve x.cof $option
    done
    for option in --unchecked '--keep x' --no-keep; do
        refuse 2 'envelope approve does not take --.*' envelope approve x.cof $option
        refuse 2 'envelope export does not take --.*' envelope export x.cof -o x $option
    done
    for option in --dry-run '--report x' '--expect x' '--min-generation 1' '--expect-custody x'; do
        refuse 2 'envelope export does not take --.*' envelope export x.cof -o x.head $option
    done
    refuse 2 '--min-custodians needs a number from 1 to 8' envelope import x.cof x.cof --min-custodians 9
    refuse 2 '--min-custodians needs a number from 1 to 8' envelope import x.cof x.cof --min-custodians none
}

@test "role confusion: whole backups are no heads, heads are no backups" {
    take x.cof x.head
    refuse 5 'x.cof is a whole backup and no head alone: .*' envelope import x.cof x.cof --unchecked
    refuse 5 'content is neither the head of a backup nor a bundle of them' envelope import content x.cof --unchecked
    refuse 2 'x.head is a head alone itself, not a backup: .*' envelope import x.head x.head "${trust[@]}" --unchecked
    refuse 5 '.*x.head is the head of a backup without its body: give the file with the body, and this one with --envelope' \
        restore x.head --key "$P/ops.key" -o -
    refuse 5 '.*x.head is the head of a backup without its body.*' verify x.head
    refuse 5 '.*x.head is the head of a backup without its body.*' list x.head --key "$P/ops.key"
    refuse 5 '.*is a whole backup and no head alone: .*' verify x.cof --envelope x.cof
    refuse 5 '.*x.head is a head alone: the file with the body is needed as well' verify x.head --envelope x.head
}

@test "a head of another backup, and a bundle without the head, are refused" {
    noise 5 | "$COFFER" backup -q -o y.cof -
    mkdir dir
    cp y.cof dir
    take y.cof y.head
    "$COFFER" envelope export -q dir -o y.cofb
    refuse 3 '.*y.head is the head of another' envelope import y.head x.cof "${trust[@]}" --key "$P/ops.key"
    refuse 3 '.*y.cofb holds no head of it' envelope import y.cofb x.cof "${trust[@]}" --key "$P/ops.key"
    refuse 3 '.*y.head is not the head of the backup x.cof' verify x.cof --envelope y.head
    refuse 3 '.*y.cofb holds no head of the backup x.cof' restore x.cof --envelope y.cofb --key "$P/ops.key" -o -
}

@test "without a key import wants two custodians, or --unchecked" {
    take x.cof x.head
    change x.head --remove "$P/rec.crt"
    refuse 3 '.*nothing shows that the new wrapped keys open the backup: .*' envelope import x.head x.cof "${trust[@]}"
    refuse 4 '.*does not belong to a recipient of the head that is to be imported' \
        envelope import x.head x.cof "${trust[@]}" --key "$P/eve.key"
    accept envelope approve x.head "${second[@]}"
    accept envelope import x.head x.cof "${trust[@]}"
    prints '  signed by   2 trusted custodians; not proven: no key was used to open it'
    change x.cof --add "$P/rec.crt"
    take x.cof x.head
    change x.head --remove "$P/rec.crt"
    accept envelope import x.head x.cof "${trust[@]}" --unchecked
}

@test "several generations at once, and a head that was changed in two places" {
    take x.cof a.head
    cp a.head b.head
    cp x.cof y.cof
    cp x.cof z.cof
    change a.head --add "$P/eve.crt"
    change a.head --remove "$P/rec.crt"
    change a.head --remove "$P/eve.crt"
    accept envelope import a.head x.cof "${trust[@]}" --key "$P/ops.key"
    prints 'x.cof: imported, generation 4 in place of 1'
    accept info x.cof "${trust[@]}"
    prints '  chain       complete, back to generation 1'
    change b.head --add "$P/eve.crt"
    refuse 3 '.*older than the backup.s own.*' envelope import b.head x.cof "${trust[@]}" --key "$P/ops.key"
    change y.cof --remove "$P/rec.crt"
    refuse 3 '.*both are of generation 2 and differ; export the head again, and change that' \
        envelope import b.head y.cof "${trust[@]}" --key "$P/ops.key"
    refuse 3 '.*nothing shows that the head, of generation 4, follows the locks of the backup, of generation 2.*' \
        envelope import a.head y.cof "${trust[@]}" --key "$P/ops.key"
    # With the history dropped the link to generation 1 is gone.
    take z.cof c.head
    change c.head --add "$P/eve.crt"
    change c.head --remove "$P/eve.crt" --drop-history
    change c.head --add "$P/eve.crt" --drop-history
    refuse 3 '.*or what lies between was dropped.*' envelope import c.head z.cof "${trust[@]}" --key "$P/ops.key"
}

@test "nobody but trusted custodians is imported" {
    take x.cof x.head
    warn 9 '.*CN=keeper signs the new list and is not trusted as custodian here.*' \
        rotate x.head --key "$P/ops.key" --sign-key "$P/keeper/signing.key" --remove "$P/rec.crt"
    refuse 3 '.*signed by CN=keeper .*, who is not trusted as custodian, so the head is not imported' \
        envelope import x.head x.cof --key "$P/ops.key"
    refuse 3 '.*signed by CN=keeper .*, who is not trusted as custodian.*' \
        envelope import x.head x.cof --key "$P/ops.key" --trust "$P/home/signing.crt" --trust-maker "$P/keeper/signing.crt"
    refuse 3 '.*not trusted as maker' envelope import x.head x.cof --key "$P/ops.key" \
        --trust-custodian "$P/home/signing.crt" --trust "$P/keeper/signing.crt"
}

@test "--dry-run, --expect, --min-generation, --expect-custody, --min-custodians of import" {
    take x.cof x.head
    change x.head --remove "$P/rec.crt"
    "$COFFER" info --json x.head "${trust[@]}" >i.json
    uuid=$(grep -o '"uuid":"[^"]*' i.json | cut -d'"' -f4)
    hash=$(grep -o '"custody_sha256":"[^"]*' i.json | cut -d'"' -f4)
    into=(envelope import x.head x.cof "${trust[@]}" --key "$P/ops.key")
    before=$(snapshot)
    accept "${into[@]}" --dry-run --expect "$uuid" --min-generation 2 --expect-custody "$hash"
    prints 'x.cof: nothing was written; this would be generation 2 in place of 1'
    [ "$(snapshot)" = "$before" ]
    refuse 10 '.*not the expected one' "${into[@]}" --expect 00000000-0000-4000-8000-000000000000
    refuse 10 '.*older than the 3 that is demanded' "${into[@]}" --min-generation 3
    refuse 10 '.*has the hash [0-9a-f]{64}, not the expected one' "${into[@]}" --expect-custody "${hash//[0-9]/0}"
    refuse 2 '--expect-custody needs 64 hex digits.*' "${into[@]}" --expect-custody abc
    refuse 3 '.*signatures of 1 trusted custodian, and 2 are demanded, so the head is not imported' "${into[@]}" --min-custodians 2
    "$COFFER" envelope approve -q x.head "${second[@]}"
    accept "${into[@]}" --min-custodians 2 --json
    [[ "$output" =~ '"custodians":2' && "$output" =~ '"kept":"./x.cof.generation-1.head"' ]]
}

# IM-4
@test "a head that has outgrown its backup: refused, and the way out" {
    for i in $(seq 40); do "$COFFER" keygen "r$i" --type p256 --no-passphrase -q; done
    mkdir many
    mv r*.crt many
    call rotate x.cof --key "$P/ops.key" "${keeper[@]}" --add many
    [ "$status" -eq 5 ]
    [[ "$errors" =~ '--drop-history makes it smaller, and coffer envelope export --slot-size a larger head, to be used with --envelope' ]]
    accept envelope export x.cof -o x.head --slot-size 128K
    [ "$(stat -c %s x.head)" -eq $((8192 + 2 * 131072)) ]
    accept rotate -q x.head --key "$P/ops.key" "${keeper[@]}" --add many
    refuse 5 '.*the backup has room for 16384: keep the head beside the backup and read it with --envelope.*' \
        envelope import x.head x.cof "${trust[@]}" --key "$P/ops.key"
    chmod 444 x.cof
    accept restore x.cof "${trust[@]}" --envelope x.head --key r17.key -o out
    cmp out content
    accept verify --deep x.cof "${trust[@]}" --envelope x.head --key r40.key
    accept info x.cof "${trust[@]}" --envelope x.head --recipients
    prints '.*CN=r40,.*'
    opens_not x.cof r17.key
}

@test "a body whose head is elsewhere: with a bundle, for a directory" {
    mkdir dir
    mv x.cof dir
    noise 5000 | "$COFFER" backup -q -o dir/y.cof -
    "$COFFER" envelope export -q dir -o heads.cofb
    chmod -R a-w dir
    "$COFFER" rotate -q heads.cofb --key "$P/ops.key" "${keeper[@]}" --replace "$P/rec.crt" --with "$P/eve.crt"
    accept verify --deep dir "${trust[@]}" --envelope heads.cofb --key "$P/eve.key"
    prints 'dir/y.cof: .*CN=eve as decided by CN=keeper .generation 2.'
    cat dir/x.cof | accept restore - "${trust[@]}" --envelope heads.cofb --key "$P/eve.key" -o out
    cmp out content
    chmod -R u+w dir
    # What the head in the file says does not matter, and is not read.
    noise 32768 | dd of=dir/x.cof bs=4096 seek=2 conv=notrunc status=none
    accept verify dir "${trust[@]}" --envelope heads.cofb
    poke dir/x.cof 45000 XXXX
    refuse 3 'dir/x.cof.*' verify dir/x.cof "${trust[@]}" --envelope heads.cofb -q
}

@test "files of a tree with the head elsewhere" {
    mkdir src
    cp content src
    "$COFFER" backup -q -o t.cof src
    take t.cof t.head
    change t.head --replace "$P/rec.crt" --with "$P/eve.crt"
    accept list t.cof "${trust[@]}" --envelope t.head --key "$P/eve.key"
    prints '.*src/content'
    mkdir out
    accept restore t.cof "${trust[@]}" --envelope t.head --key "$P/eve.key" -C out
}

@test "reports of approvals and imports are evidence" {
    take x.cof x.head
    change x.head --remove "$P/rec.crt"
    accept envelope approve x.head "${second[@]}" --report log
    accept envelope import x.head x.cof "${trust[@]}" --report log
    [ "$(wc -l <log)" -eq 2 ]
    grep -q '"verb":"envelope approve"' log
    grep -q '"verb":"envelope import".*"changed":true' log
}
