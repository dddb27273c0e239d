#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Evidence for an auditor: a line for each backup, added to a file.

load helper

setup() {
    workdir
    mkdir dir
    noise 100000 | "$COFFER" backup -q -o dir/a.cof --label nightly -
}

@test "verify --report: what was checked, when, by whose signature, with what result" {
    cp dir/a.cof dir/b.cof
    poke dir/b.cof 60000 XXXX
    cp dir/a.cof dir/c.cof
    poke dir/c.cof 100 XXXX
    call verify dir --report evidence
    [ "$status" -eq 3 ]
    [ "$(stat -c %a evidence)" = 600 ]
    accept verify --quick dir/a.cof --report evidence
    /usr/bin/python3 - evidence "$("$COFFER" info --json dir/a.cof)" <<'PY'
import datetime, json, sys
a, b, c, again = map(json.loads, open(sys.argv[1]))
info = json.loads(sys.argv[2])
when = datetime.datetime.strptime(a["checked"], "%Y-%m-%dT%H:%M:%SZ")
assert abs((datetime.datetime.utcnow() - when).total_seconds()) < 600
assert a["tool"] == "coffer" and a["version"] and a["verb"] == "verify" and a["depth"] == "full"
assert (a["path"], a["status"], a["exit"], a["warnings"]) == ("dir/a.cof", "OK", 0, [])
for key in "uuid", "label", "root", "generation", "custody_sha256", "finished":
    assert a[key] == info[key], key
assert a["maker"]["standing"] == "trusted" and a["maker"]["fingerprint"] == info["maker"]["fingerprint"]
assert b["status"] == "AUTH" and b["exit"] == 3 and b["error"] and b["uuid"] == info["uuid"]
assert c["exit"] == 9 and c["warnings"]
assert again["depth"] == "quick" and again["path"] == "dir/a.cof"
PY
}

@test "what cannot even be opened has a line, too" {
    COFFER_HOME=none call verify dir --report evidence
    [ "$status" -eq 3 ]
    /usr/bin/python3 - evidence <<'PY'
import json, sys
(o,) = map(json.loads, open(sys.argv[1]))
assert o["status"] == "AUTH" and o["exit"] == 3 and "uuid" not in o
PY
}

@test "rotate --report" {
    accept rotate -q dir/a.cof --key "$P/ops.key" --add "$P/eve.crt" --reason holidays --report evidence
    "$COFFER" rotate -q dir/a.cof --key "$P/eve.key" --remove "$P/ops.crt" --dry-run --report evidence
    call rotate -q dir/a.cof --key none --remove "$P/rec.crt" --report evidence
    [ "$status" -eq 6 ]
    /usr/bin/python3 - evidence <<'PY'
import json, sys
added, tried = map(json.loads, open(sys.argv[1]))
assert added["verb"] == "rotate" and added["changed"] is True and added["generation"] == 2 and added["exit"] == 0
assert [r["subject"] for r in added["recipients"]] == ["CN=ops", "CN=rec", "CN=eve"] and added["removed"] == []
assert tried["changed"] is False and tried["dry_run"] is True and [r["subject"] for r in tried["removed"]] == ["CN=ops"]
PY
}

@test "restore --report: as a stream, as files, and refused" {
    cp "$P/ops.crt" file
    "$COFFER" backup -q -o tree.cof file
    accept restore -q dir/a.cof --key "$P/ops.key" -o out --report evidence
    accept restore -q tree.cof --key "$P/ops.key" -C files --report evidence
    "$COFFER" restore -q tree.cof --key "$P/ops.key" --stdout file --report evidence >/dev/null
    call restore -q dir/a.cof --key "$P/eve.key" -o no --report evidence
    [ "$status" -eq 4 ]
    /usr/bin/python3 - evidence <<'PY'
import json, sys
stream, tree, out, refused = map(json.loads, open(sys.argv[1]))
assert (stream["verb"], stream["output"], stream["exit"]) == ("restore", "out", 0) and stream["uuid"]
assert (tree["output"], tree["files"], tree["lost"]) == ("files", 1, 0)
assert (out["output"], out["files"]) == ("-", 1)
assert refused["exit"] == 4 and refused["error"]
PY
}

@test "verify --max-age: a series without a backup that is new enough has a line of its own" {
    sleep 2
    call verify -q dir --max-age 1s --report evidence
    [ "$status" -eq 10 ]
    /usr/bin/python3 - evidence <<'PY'
import json, sys
checked, late = map(json.loads, open(sys.argv[1]))
assert checked["exit"] == 0
assert (late["exit"], late["label"], late["max_age"]) == (10, "nightly", "1s") and late["error"]
PY
}

@test "it is only ever added to, and a line that was cut does not swallow the next one" {
    printf '{"cut":' >evidence
    accept verify -q dir --report evidence
    [ "$(head -1 evidence)" = '{"cut":' ]
    [ "$(wc -l <evidence)" -eq 2 ]
}

@test "a report that cannot be written: status 6" {
    refuse 6 'cannot open the report none/evidence: .*' verify dir --report none/evidence
    mkfifo fifo
    refuse '2|6' '.*' verify dir --report fifo
    refuse '2|6' '.*' verify dir --report /dev/full
    run -0 on_small_disk 'cp dir/a.cof disk; : >disk/evidence; cat /dev/zero >disk/fill 2>/dev/null
        "$COFFER" verify -q disk/a.cof --report disk/evidence; [ "$?" -eq 6 ]'
    [[ $output == *'cannot write the report disk/evidence: No space left on device'* ]]
}

@test "what is no report is not added to" {
    cp dir/a.cof before
    echo text >text
    for other in dir/a.cof text; do
        for verb in "verify dir/a.cof" "restore dir/a.cof --key $P/ops.key -o out" \
            "rotate dir/a.cof --key $P/ops.key --add $P/eve.crt"; do
            set -- $verb
            refuse 2 ".*$other is no report, since it does not begin as one; name another file" "$@" --report "$other"
        done
    done
    cmp before dir/a.cof
    [ "$(cat text)" = text ]
    [ ! -e out ]
}
