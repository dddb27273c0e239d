#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Changing the locks: who can open it afterwards, what is said, and that a refusal changes nothing.

load helper

reminder='The data key is unchanged: copies with the old envelope still open with the old keys.'

setup() {
    workdir
    noise 100000 >content
    "$COFFER" backup -q -o x.cof - <content
}

@test "-r sets the whole list, and prints it whole" {
    accept rotate x.cof --key "$P/ops.key" -r "$P/ops.crt" -r "$P/eve.crt" --reason 'Rec has left'
    prints 'x.cof: locks changed, generation 2, .* m?s'
    prints '  opens for   CN=ops, until [0-9-]+, EC-P-256'
    prints '              CN=eve, until [0-9-]+, EC-P-256 \(new\)'
    prints '  no longer   CN=rec, until [0-9-]+, EC-P-256'
    prints "$reminder"
    opens x.cof "$P/eve.key" content
    opens x.cof "$P/ops.key" content
    opens_not x.cof "$P/rec.key"
    accept verify --deep --key "$P/eve.key" x.cof
}

@test "--add and --remove" {
    accept rotate x.cof --key "$P/rec.key" --add "$P/eve.crt"
    prints_not 'data key'
    opens x.cof "$P/eve.key" content
    accept rotate x.cof --key "$P/rec.key" --remove "$P/eve.crt" --remove "$P/ops.crt"
    prints "$reminder"
    opens x.cof "$P/rec.key" content
    opens_not x.cof "$P/eve.key"
    opens_not x.cof "$P/ops.key"
}

@test "--remove by fingerprint, of the key and of the certificate" {
    key=$(openssl x509 -in "$P/rec.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
    accept rotate x.cof --key "$P/ops.key" --remove "$key"
    opens_not x.cof "$P/rec.key"
    cert=$(openssl x509 -in "$P/rec.crt" -outform DER | sha256sum | cut -c1-64)
    accept rotate x.cof --key "$P/ops.key" --add "$P/rec.crt"
    opens x.cof "$P/rec.key" content
    accept rotate x.cof --key "$P/ops.key" --remove "SHA256:$(tr a-f A-F <<<"$cert" | sed 's/../&:/g; s/:$//')"
    opens_not x.cof "$P/rec.key"
}

@test "--replace: done, done already, and not a recipient at all" {
    accept rotate x.cof --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt"
    prints 'x.cof: locks changed, generation 2, .*'
    opens x.cof "$P/eve.key" content
    opens_not x.cof "$P/rec.key"
    cp x.cof before
    accept rotate x.cof --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt"
    prints 'x.cof: nothing to do: .*'
    cmp x.cof before
}

@test "the content is neither read nor written" {
    poke x.cof 60000 XXXX
    cp x.cof before
    accept rotate x.cof --key "$P/ops.key" --add "$P/eve.crt"
    slot=16384
    cmp --ignore-initial=$((8192 + 2 * slot)) x.cof before
    refuse 3 '.*' verify x.cof
}

@test "-q prints nothing; --json prints one object" {
    accept rotate -q x.cof --key "$P/ops.key" --add "$P/eve.crt"
    [ -z "$output" ]
    accept rotate --json x.cof --key "$P/ops.key" --remove "$P/eve.crt"
    /usr/bin/python3 -c 'import json, sys
o = json.loads(sys.argv[1])
assert o["changed"] is True and o["dry_run"] is False and o["generation"] == 3 and o["exit"] == 0
assert [r["subject"] for r in o["recipients"]] == ["CN=ops", "CN=rec"] and o["added"] == 0
assert [r["subject"] for r in o["removed"]] == ["CN=eve"] and o["nanoseconds"] > 0' "$output"
}

# ---- refusals ----

@test "what to change must be said, once" {
    refuse 2 'say what to change: .*' rotate x.cof --key "$P/ops.key"
    refuse 2 '-r \(the whole set\), --add or --remove, and --replace exclude each other' \
        rotate x.cof --key "$P/ops.key" -r "$P/ops.crt" --add "$P/eve.crt"
    refuse 2 '-r \(the whole set\), --add or --remove, and --replace exclude each other' \
        rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt" --replace "$P/ops.crt" --with "$P/eve.crt"
    refuse 2 '--replace OLD and --with NEW belong together' rotate x.cof --key "$P/ops.key" --replace "$P/ops.crt"
    refuse 2 '--replace OLD and --with NEW belong together' rotate x.cof --key "$P/ops.key" --with "$P/ops.crt"
    refuse 2 '--reset-custody carries nobody over: .*' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --reset-custody
    refuse 2 '--check-key-passphrase-file needs --check-key' \
        rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --check-key-passphrase-file p
    cat "$P/ops.crt" "$P/rec.crt" >two.crt
    refuse 2 '--with takes one certificate, and two.crt holds several' \
        rotate x.cof --key "$P/ops.key" --replace "$P/ops.crt" --with two.crt
}

@test "a key is needed, and one that fits" {
    refuse 2 'say with --key which private key opens it now' rotate x.cof --add "$P/eve.crt"
    refuse 4 'x.cof: .*private key.*' rotate x.cof --key "$P/eve.key" --add "$P/eve.crt"
    refuse 7 '.*holds no private key.*' rotate x.cof --key "$P/eve.crt" --add "$P/eve.crt"
}

@test "new recipients are looked at strictly" {
    certificate old --to-day -1
    certificate weak --type rsa1024
    echo hello >text
    refuse 7 '.*expired.*' rotate x.cof --key "$P/ops.key" --add old.crt
    refuse 7 '.*CN=weak.*' rotate x.cof --key "$P/ops.key" --add weak.crt
    refuse 7 '.*CN=weak.*' rotate x.cof --key "$P/ops.key" -r "$P/ops.crt" -r weak.crt
    refuse 7 '.*expired.*' rotate x.cof --key "$P/ops.key" --replace "$P/rec.crt" --with old.crt
    refuse 7 'text holds no certificate.*' rotate x.cof --key "$P/ops.key" --add text
    refuse 7 '.*sign.*' rotate x.cof --key "$P/ops.key" --add "$P/home/signing.crt"
}

@test "nobody would be left" {
    refuse 2 '.*nobody would be left.*' rotate x.cof --key "$P/ops.key" --remove "$P/ops.crt" --remove "$P/rec.crt"
}

@test "--check-key: a key that does not fit refuses before anything is written" {
    refuse 4 '.*check.*nothing was changed.*' \
        rotate x.cof --key "$P/ops.key" --replace "$P/ops.crt" --with "$P/eve.crt" --check-key "$P/ops.key"
    accept rotate x.cof --key "$P/ops.key" --replace "$P/ops.crt" --with "$P/eve.crt" --check-key "$P/eve.key"
}

@test "--check-key with a passphrase" {
    openssl pkcs8 -topk8 -in "$P/eve.key" -out enc.key -passout pass:right
    (umask 077; echo right >right; echo wrong >wrong)
    refuse 7 '.*passphrase.*enc.key.*wrong.*' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" \
        --check-key enc.key --check-key-passphrase-file wrong
    accept rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --check-key enc.key --check-key-passphrase-file right
}

@test "--dry-run writes nothing" {
    cp x.cof before
    accept rotate x.cof --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt" --dry-run
    prints 'x.cof: nothing was written; this would be generation 2, .*'
    prints '              CN=eve, until [0-9-]+, EC-P-256 \(new\)'
    prints '  no longer   CN=rec, .*'
    prints_not 'data key'
    cmp x.cof before
}

@test "trust is needed, in the maker and in the custodian" {
    refuse 3 'x.cof: .*CN=db1.*' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --trust "$P/eve.crt"
    refuse 3 'x.cof: .*' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --trust-maker "$P/home/signing.crt"
    cp -r "$P/home" home
    rm home/trusted/*
    refuse 3 'x.cof: .*' rotate --home home x.cof --key "$P/ops.key" --add "$P/eve.crt"
}

@test "an untrusted custodian: nothing is carried over, -r with --reset-custody begins anew" {
    certificate mallory
    warn 9 'x.cof: CN=mallory .*not trusted as custodian.*' \
        rotate -q x.cof --key "$P/ops.key" --add "$P/eve.crt" --sign-key mallory.key
    refuse 3 'x.cof: .*' rotate x.cof --key "$P/ops.key" --add "$P/rec.crt"
    refuse 3 'x.cof: .*' rotate x.cof --key "$P/ops.key" -r "$P/rec.crt"
    call rotate x.cof --key "$P/ops.key" -r "$P/ops.crt" -r "$P/rec.crt" --reset-custody
    [[ $status -eq 0 || $status -eq 9 ]]
    opens x.cof "$P/rec.key" content
    opens_not x.cof "$P/eve.key"
    accept verify x.cof
}

@test "no signing key" {
    cp -r "$P/home" home
    rm home/signing.*
    refuse 2 'there is no signing key: .*' rotate --home home x.cof --key "$P/ops.key" --add "$P/eve.crt"
}

@test "what is no backup" {
    echo hello >text
    : >empty
    mkfifo fifo
    refuse 5 'text is not a coffer backup' rotate text --key "$P/ops.key" --add "$P/eve.crt"
    refuse 5 'empty is not a coffer backup' rotate empty --key "$P/ops.key" --add "$P/eve.crt"
    refuse 2 'fifo is (a pipe or device, )?not a regular file.*' rotate fifo --key "$P/ops.key" --add "$P/eve.crt"
    refuse 6 '.*none.*No such file or directory.*' rotate none --key "$P/ops.key" --add "$P/eve.crt"
    refuse 2 'rotate changes files in place: - is not possible' rotate - --key "$P/ops.key" --add "$P/eve.crt" <x.cof
    head -c 30000 x.cof >cut
    refuse 5 '.*cut.*' rotate cut --key "$P/ops.key" --add "$P/eve.crt"
}

@test "a backup that may not be written" {
    mkdir disk
    run unshare -m sh -c "mount -t tmpfs none disk && cp x.cof disk && mount -o remount,ro disk &&
        \"\$COFFER\" rotate disk/x.cof --key '$P/ops.key' --add '$P/eve.crt'"
    [ "$status" -eq 6 ]
    [[ ${lines[0]} =~ ^coffer:\ .*disk/x.cof.*Read-only\ file\ system ]]
}

@test "an envelope that does not fit is refused before anything is written" {
    mkdir many
    for i in $(seq 20); do certificate "many/$i"; done
    refuse 5 '.*room.*' rotate x.cof --key "$P/ops.key" -r many
}

# ---- many ----

@test "a directory with a mix" {
    mkdir dir
    cp x.cof dir/a.cof
    cp x.cof dir/b.cof
    "$COFFER" backup -q -o dir/c.cof -r "$P/ops.crt" - <content
    head -c 30000 x.cof >dir/cut.cof
    certificate mallory
    "$COFFER" backup -q -o dir/m.cof --sign-key mallory.key -r "$P/ops.crt" -r "$P/rec.crt" - <content
    echo hello >dir/text
    cp dir/cut.cof cut
    cp dir/m.cof m
    cp dir/c.cof c
    call rotate dir --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt"
    [ "$status" -eq 3 ]
    prints 'dir/a.cof: opens for CN=ops, CN=eve; no longer for CN=rec; generation 2, .*'
    prints 'dir/b.cof: opens for CN=ops, CN=eve; no longer for CN=rec; generation 2, .*'
    prints 'dir/c.cof: skipped: .*CN=rec.*'
    prints '2 changed, 1 skipped \(.*CN=rec.*\), 2 refused \(.*; others for other reasons\), .* m?s'
    prints 'The data keys are unchanged: copies with the old envelope still open with the old keys.'
    [ "$(wc -l <<<"$errors")" -eq 2 ]
    cmp cut dir/cut.cof
    cmp m dir/m.cof
    cmp c dir/c.cof
    opens dir/a.cof "$P/eve.key" content
    opens dir/b.cof "$P/eve.key" content
    opens_not dir/b.cof "$P/rec.key"
}

@test "the same run again has nothing left to do" {
    mkdir dir
    cp x.cof dir/a.cof
    cp x.cof dir/b.cof
    accept rotate dir --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt"
    accept rotate dir --key "$P/ops.key" --replace "$P/rec.crt" --with "$P/eve.crt"
    prints '0 changed, 2 skipped \(.*\), .*'
}

@test "several with -r or --add need --yes, and are listed before" {
    mkdir dir
    cp x.cof dir/a.cof
    cp x.cof dir/b.cof
    for change in "-r $P/eve.crt" "--add $P/eve.crt"; do
        before=$(snapshot)
        # shellcheck disable=SC2086
        call rotate dir --key "$P/ops.key" $change
        [ "$status" -eq 2 ]
        [ "$errors" = 'coffer: nothing was written: this changes who can open several backups; say --yes if that is meant' ]
        prints 'dir/a.cof: would open for .*CN=eve.*'
        prints 'dir/b.cof: would open for .*CN=eve.*'
        prints '2 would change, .*'
        [ "$before" = "$(snapshot)" ]
    done
    accept rotate dir --key "$P/ops.key" --add "$P/eve.crt" --dry-run
    prints '2 would change, .*'
    accept rotate dir --key "$P/ops.key" --add "$P/eve.crt" --yes
    prints '2 changed, .*'
    opens dir/b.cof "$P/eve.key" content
    accept rotate dir --key "$P/ops.key" --remove "$P/eve.crt"
    opens_not dir/a.cof "$P/eve.key"
}

@test "--json over several: a line each, the failed ones too" {
    echo hello >text
    call rotate --json x.cof text --key "$P/ops.key" --remove "$P/rec.crt"
    [ "$status" -eq 5 ]
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/stdout" <<'PY'
import json, sys
o = {e["path"]: e for e in map(json.loads, open(sys.argv[1]))}
assert o["x.cof"]["changed"] is True and o["text"]["status"] == "FORMAT"
PY
}

# ---- at once ----

@test "two at once: each is done or says that it is busy, and the backup is whole" {
    certificate one
    certificate two
    first=0
    second=0
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --add one.crt 2>err1 &
    pid=$!
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --add two.crt 2>err2 || second=$?
    wait "$pid" || first=$?
    [[ $first -eq 0 || $first -eq 11 ]]
    [[ $second -eq 0 || $second -eq 11 ]]
    [[ $first -eq 0 || $second -eq 0 ]]
    accept verify --deep --key "$P/ops.key" x.cof
    if [ "$first" -eq 0 ]; then opens x.cof one.key content; fi
    if [ "$second" -eq 0 ]; then opens x.cof two.key content; fi
}

@test "while somebody else holds the lock: busy, status 11, nothing is written" {
    /usr/bin/python3 - x.cof <<'PY' &
import fcntl, struct, sys, time
f = open(sys.argv[1], "r+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("locked", "w").close()
time.sleep(60)
PY
    holder=$!
    for _ in $(seq 100); do [ -e locked ] || sleep 0.1; done
    [ -e locked ]
    refuse 11 'x.cof.*' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt"
    end "$holder"
    accept rotate x.cof --key "$P/ops.key" --add "$P/eve.crt"
}

# ---- many ----

@test "many: a passphrase is asked for once, threads or not, and each has a line in the report" {
    mkdir dir
    for i in $(seq 30); do cp x.cof "dir/$i.cof"; done
    openssl pkey -in "$P/ops.key" -aes256 -passout pass:sesame -out locked.key
    accept rotate -q dir --jobs 4 --replace "$P/rec.crt" --with "$P/eve.crt" --report report \
        --key locked.key --key-passphrase-fd 5 5<<<sesame
    [ "$(wc -l <report)" -eq 30 ]
    for i in 1 15 30; do
        opens "dir/$i.cof" "$P/eve.key" content
        opens_not "dir/$i.cof" "$P/rec.key"
    done
    accept rotate dir -j 1 --replace "$P/rec.crt" --with "$P/eve.crt" --key "$P/ops.key"
    prints '0 changed, 30 skipped \(CN=rec is no recipient\), .*'
    refuse 2 '--jobs is a number from 1 to 64' rotate dir --jobs 0 --key "$P/ops.key" --add "$P/rec.crt"
    refuse 2 '--jobs is a number from 1 to 64' rotate dir --jobs 65 --key "$P/ops.key" --add "$P/rec.crt"
    refuse 2 '--jobs is a number from 1 to 64' rotate dir --jobs two --key "$P/ops.key" --add "$P/rec.crt"
}

@test "many: two locked keys, one prompt for each in all, on a terminal or from a descriptor" {
    mkdir dir
    for i in 1 2 3 4; do
        "$COFFER" backup -q -o "dir/ops$i.cof" -r "$P/ops.crt" - <content
        "$COFFER" backup -q -o "dir/rec$i.cof" -r "$P/rec.crt" - <content
    done
    openssl pkey -in "$P/ops.key" -aes256 -passout pass:sesame -out first.key
    openssl pkey -in "$P/rec.key" -aes256 -passout pass:barley -out second.key
    keys=(--key first.key --key second.key)
    run -0 /usr/bin/python3 "$here/terminal.py" --answer sesame --answer barley \
        "$COFFER" rotate dir --jobs 4 "${keys[@]}" --add "$P/eve.crt" --yes
    [ "$(grep -o 'Passphrase for [^:]*: ' <<<"$output")" = $'Passphrase for first.key: \nPassphrase for second.key: ' ]
    [[ $output == *'8 changed, '* ]]
    for i in 1 4; do
        opens "dir/ops$i.cof" "$P/eve.key" content
        opens "dir/rec$i.cof" "$P/eve.key" content
    done
    accept rotate dir --jobs 4 "${keys[@]}" --remove "$P/eve.crt" --key-passphrase-fd 5 5<<<$'sesame\nbarley'
    prints '8 changed, .*'
    run -7 /usr/bin/python3 "$here/terminal.py" --answer sesame --answer sesame \
        "$COFFER" rotate dir --jobs 4 "${keys[@]}" --add "$P/eve.crt" --yes
    [[ $output == *'second.key'* && $output != *'changed'* ]]
}

# A fleet whose first backups are bad ones: cut short, and signed by somebody not trusted.
bad_fleet() {
    mkdir dir
    head -c 30000 x.cof >dir/a.cof
    certificate mallory
    "$COFFER" backup -q -o dir/b.cof --sign-key mallory.key -r "$P/ops.crt" -r "$P/rec.crt" - <content
    for i in 1 2 3; do cp x.cof "dir/good$i.cof"; done
}

@test "many: who is refused is named behind all the others, and before the summary" {
    bad_fleet
    status=0
    "$COFFER" rotate dir --key "$P/ops.key" --remove "$P/rec.crt" >all 2>&1 || status=$?
    [ "$status" -eq 3 ]
    [[ $(sed -n 1,3p all | sort) =~ ^dir/good1.cof:\ opens\ for\ .*dir/good2.cof:\ opens\ for\ .*dir/good3.cof:\ opens\ for ]]
    [[ $(sed -n 4,5p all | sort) =~ ^coffer:\ dir/a.cof:?\ .*coffer:\ dir/b.cof:?\ .*CN=mallory ]]
    [[ $(sed -n 6p all) =~ ^3\ changed,\ 2\ refused\ \(.*\;\ others\ for\ other\ reasons\),\  ]]
}

@test "many: the report has a line for each, with what was refused and why" {
    bad_fleet
    call rotate -q dir --key "$P/ops.key" --remove "$P/rec.crt" --reason leaver --report report
    [ "$status" -eq 3 ]
    /usr/bin/python3 - report "$errors" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
o = {e["path"]: e for e in lines}
assert len(lines) == 5 and sorted(o) == ["dir/a.cof", "dir/b.cof"] + [f"dir/good{i}.cof" for i in (1, 2, 3)]
for e in lines:
    assert e["verb"] == "rotate" and e["reason"] == "leaver" and e["dry_run"] is False and e["checked"]
    good = "good" in e["path"]
    assert e["changed"] is good and (e["exit"] == 0) is good and ("error" in e) is not good
    assert good or e["error"] in sys.argv[2]
assert o["dir/a.cof"]["status"] == "FORMAT" and o["dir/a.cof"]["exit"] == 5
assert o["dir/b.cof"]["status"] == "AUTH" and o["dir/b.cof"]["exit"] == 3
assert [r["subject"] for r in o["dir/good2.cof"]["removed"]] == ["CN=rec"] and o["dir/good2.cof"]["generation"] == 2
PY
}

@test "many: more than a batch, and more than there may be open files" {
    mkdir dir
    for i in $(seq 300); do ln x.cof "dir/$i.cof" 2>/dev/null || cp x.cof "dir/$i.cof"; done
    for i in 10 20 30 40 50; do rm "dir/$i.cof" && cp x.cof "dir/$i.cof"; done
    ulimit -n 40
    accept rotate dir --replace "$P/rec.crt" --with "$P/eve.crt" --key "$P/ops.key"
    prints '6 changed, 294 skipped .*'
    opens dir/30.cof "$P/eve.key" content
    opens dir/299.cof "$P/eve.key" content
}
