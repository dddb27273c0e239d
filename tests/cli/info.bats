#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Describing backups: what is trusted, what is only claimed, what needs attention.

load helper
load clock

setup() {
    workdir
    echo hello | "$COFFER" backup -q -o x.cof --label nightly --reason 'first night' -
}

@test "with the home's trust everything is trusted" {
    accept info x.cof
    prints 'x.cof'
    prints '  backup      [0-9a-f-]{36}, label nightly'
    prints '  made        [0-9-]+ [0-9:]+ UTC to [0-9-]+ [0-9:]+ UTC, by coffer [0-9.]+'
    prints '  content     6 bytes of a stream in 1 record, .* in the file'
    prints '  encrypted   AES-256-GCM'
    prints '  locks       generation 1, epoch 0'
    prints '  maker       CN=db1 \(trusted\)'
    prints '  custodian   CN=db1 \(trusted\)'
    prints '  opens for   CN=ops, until [0-9-]+, EC-P-256'
    prints '              CN=rec, until [0-9-]+, EC-P-256'
    prints '              SHA256:([0-9A-F]{2}:){31}[0-9A-F]{2}'
    prints '  custody     generation 1, .* UTC, by CN=db1 \(trusted\), 2 recipients: first night'
    prints_not '^  state'
}

@test "without trust everything is claimed, and that is no failure" {
    COFFER_HOME=none accept info x.cof
    prints '  maker       CN=db1 \(claimed, not trusted\)'
    prints '  custodian   CN=db1 \(claimed, not trusted\)'
    prints_not '\(trusted\)'
}

@test "whoever is trusted instead" {
    call info --trust "$P/eve.crt" x.cof
    [[ $status -eq 0 || $status -eq 9 ]]
    prints '  maker       CN=db1 \(claimed, not trusted\)'
}

@test "with a key it says which recipient it belongs to" {
    accept info --key "$P/rec.key" x.cof
    prints '              CN=rec, until [0-9-]+, EC-P-256, opened it here'
    prints '  opens for   CN=ops, until [0-9-]+, EC-P-256'
}

@test "from a pipe" {
    cat x.cof | accept info -
    prints 'standard input'
    prints '  maker       CN=db1 \(trusted\)'
}

@test "--recipients prints only who can open it" {
    accept info --recipients x.cof
    [ "$(wc -l <<<"$output")" -eq 5 ]
}

@test "--recipients over many: whose certificate opens how many, and until when" {
    mkdir dir
    certificate soon --to-day 30
    mv x.cof dir
    echo hello | "$COFFER" backup -q -o dir/y.cof -r "$P/ops.crt" -r soon.crt -
    echo hello | "$COFFER" backup -q -o dir/z.cof --sign-only -
    accept info --recipients dir
    [ "$(head -1 <<<"$output")" = '3 backups' ]
    prints '  2 opened by CN=ops, until [0-9-]+, EC-P-256'
    prints '  1 opened by CN=rec, until [0-9-]+, EC-P-256'
    prints '  1 opened by CN=soon, until [0-9-]+, EXPIRES SOON, EC-P-256'
    prints '  1 signed only, not encrypted: everybody can read it'
    [ "$(wc -l <<<"$output")" -eq 5 ]
    COFFER_HOME=none accept info --recipients dir
    prints '  2 opened by CN=ops, .* \(of 2 that is claimed, not trusted\)'
    accept info --recipients --json dir
    [ "$(wc -l <<<"$output")" -eq 3 ]
}

@test "--recipients over many: whose certificate has expired" {
    mkdir dir
    clock
    certificate soon --to-day 30
    mv x.cof dir
    echo hello | "$COFFER" backup -q -o dir/y.cof -r soon.crt -
    at '+31 days' "$COFFER" info --recipients dir >said
    grep -Eqx '  1 opened by CN=soon, EXPIRED on [0-9-]+, EC-P-256' said
    grep -Eqx '  1 opened by CN=ops, until [0-9-]+, EC-P-256' said
    at '+31 days' "$COFFER" info dir/y.cof | grep -Eq ' CN=soon, EXPIRED on [0-9-]+, EC-P-256'
}

@test "recipients that have expired or are about to are marked" {
    certificate soon --to-day 30
    certificate later --to-day 90
    certificate old --to-day 2
    echo hello | "$COFFER" backup -q -o y.cof -r soon.crt -r later.crt -r old.crt -
    accept info y.cof
    prints '.* CN=soon, until [0-9-]+, EXPIRES SOON, EC-P-256'
    prints '.* CN=later, until [0-9-]+, EC-P-256'
    prints '.* CN=old, until [0-9-]+, EXPIRES SOON, EC-P-256'
}

@test "--json has it all" {
    accept info --json x.cof
    /usr/bin/python3 - "$output" <<'PY'
import json, os, sys
o = json.loads(sys.argv[1])
assert o["path"] == "x.cof" and o["status"] == "OK" and o["exit"] == 0 and o["warnings"] == []
assert o["label"] == "nightly" and o["generation"] == 1 and o["epoch"] == 0 and o["sealed"] is True
assert o["content"] == "stream" and o["cipher"] == "AES-256-GCM" and o["complete"] is True
assert o["maker"]["standing"] == o["custodian"]["standing"] == "trusted"
assert [r["subject"] for r in o["recipients"]] == ["CN=ops", "CN=rec"]
assert all(len(r["sha256"]) == 64 and r["key"] == "EC-P-256" for r in o["recipients"])
assert len(o["custody"]) == 1 and o["custody"][0]["reason"] == "first night"
assert o["chain_complete"] is True and o["pending"] is False and o["damaged"] == 0
assert o["file_bytes"] == os.path.getsize("x.cof") and len(o["root"]) == 64
PY
}

@test "the chain of custody after rotations" {
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --add "$P/eve.crt" --reason 'Eve is back'
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    accept info x.cof
    prints '  locks       generation 3, epoch 0'
    prints '  custody     generation 3, .*, 2 recipients'
    prints '              generation 2, .*, 3 recipients: Eve is back'
    prints '              generation 1, .*, 2 recipients: first night'
    prints '  opens for   CN=ops, .*'
    prints '              CN=eve, .*'
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --add "$P/rec.crt" --drop-history
    accept info x.cof
    prints '  chain       starts at generation 3: what was before is gone, but for the first'
}

@test "text from a file is made safe for the terminal" {
    certificate odd --cn $'bell\aesc\e[31mred'
    echo hello | "$COFFER" backup -q -o y.cof -r odd.crt --reason $'line\nfeed\e[2J' -
    accept info y.cof
    prints_safely
}

@test "damage is a warning, status 9, and described" {
    poke x.cof 100 XXXX
    warn 9 'x.cof: .*' info x.cof
    prints '  state       .*damaged.*'
    prints '  maker       CN=db1 \(trusted\)'
}

@test "several, and what is no backup among them" {
    cp x.cof y.cof
    echo hello >text
    call info x.cof text y.cof none
    [ "$status" -eq 5 ]
    [ "$(grep -c '^  maker' <<<"$output")" -eq 2 ]
    [ "$(wc -l <<<"$errors")" -eq 2 ]
    refuse 5 'text is not a coffer backup' info text
}
