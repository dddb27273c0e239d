#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who changed the locks: approvals, how many custodians are demanded, and which statement is expected.

load helper

setup_file() {
    people
    "$COFFER" init --home "$P/second" --name second -r "$P/ops.crt" -q
}

setup() {
    workdir
    echo hello >content
    "$COFFER" backup -q -o x.cof - <content
    both=(--trust "$P/home/signing.crt" --trust-custodian "$P/second/signing.crt")
    approve=(envelope approve x.cof --sign-key "$P/second/signing.key" "${both[@]}")
}

# hash: of the newest custody statement of x.cof.
hash() {
    "$COFFER" info --json x.cof "${both[@]}" | grep -o '"custody_sha256":"[^"]*' | cut -d'"' -f4
}

@test "an approval: the same statement, with a second signature" {
    before=$(hash)
    accept "${approve[@]}"
    prints 'x.cof: approved, generation 1'
    prints '  opens for   CN=ops, .*'
    prints '  signed by   2 trusted custodians; not proven: no key was used to open it'
    prints "  hash        $before"
    [ "$(hash)" = "$before" ]
    accept info x.cof "${both[@]}"
    prints '  custody     generation 1, .*, by CN=db1 \(trusted\), 2 recipients'
    prints '                approved by CN=second \(trusted\)'
    prints '  chain       complete, back to generation 1'
    prints "  hash        $before of the newest statement"
    accept info x.cof
    prints '                approved by CN=second \(claimed, not trusted\)'
    accept "${approve[@]}"
    prints 'x.cof: nothing to do: CN=second has signed it already'
    accept envelope approve x.cof --sign-key "$P/home/signing.key" "${both[@]}"
    prints 'x.cof: nothing to do: CN=db1 has signed it already'
    opens x.cof "$P/ops.key" content
    accept verify x.cof
}

# twin KEY NAME: the same RSA key, as one that is only for PSS.
twin() {
    openssl rsa -in "$1" -traditional -outform DER -out key.der 2>/dev/null
    printf '%s\n' asn1=SEQUENCE:key '[key]' version=INTEGER:0 algorithm=SEQUENCE:pss \
        "key=FORMAT:HEX,OCTETSTRING:$(od -An -v -tx1 key.der | tr -d ' \n')" '[pss]' oid=OID:rsassaPss >key.conf
    openssl asn1parse -genconf key.conf -noout -out pkcs8.der
    openssl pkey -inform DER -in pkcs8.der -out "$2.key"
    chmod 600 "$2.key"
    openssl req -x509 -key "$2.key" -subj "/CN=$2" -days 30 -out "$2.crt" 2>/dev/null
}

@test "one key in two certificates approves nothing that it has signed" {
    openssl req -x509 -newkey rsa:3072 -nodes -keyout one.key -subj /CN=one -days 30 -out one.crt 2>/dev/null
    chmod 600 one.key
    twin one.key two
    both=(--trust one.crt --trust-custodian two.crt)
    "$COFFER" backup -q -o t.cof --sign-key one.key -r "$P/ops.crt" - <content
    accept envelope approve t.cof --sign-key two.key "${both[@]}"
    prints 't.cof: nothing to do: CN=two has signed it already'
    refuse 3 '.*1 trusted custodian, and 2 are demanded' verify t.cof "${both[@]}" --min-custodians 2 --strict-custody
}

@test "an approval is remembered when the locks change again" {
    "$COFFER" envelope approve -q x.cof --sign-key "$P/second/signing.key" "${both[@]}"
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --remove "$P/rec.crt"
    accept info x.cof "${both[@]}"
    prints '              generation 1, .*, by CN=db1 \(trusted\), 2 recipients'
    prints '                approved by CN=second \(trusted\)'
}

@test "with a key, an approval says that the list is proven" {
    accept "${approve[@]}" --key "$P/rec.key"
    prints '  signed by   2 trusted custodians; a key has opened it'
    refuse 4 '.*does not belong to a recipient.*' envelope approve x.cof --key "$P/eve.key" "${both[@]}"
}

@test "an approval is a change: --dry-run, expectations, trust" {
    before=$(snapshot)
    accept "${approve[@]}" --dry-run --min-generation 1
    prints 'x.cof: nothing was written; this would be approved: generation 1'
    [ "$(snapshot)" = "$before" ]
    refuse 10 '.*older than the 2 that is demanded' "${approve[@]}" --min-generation 2
    refuse 10 '.*not the expected one' "${approve[@]}" --expect 00000000-0000-4000-8000-000000000000
    refuse 3 '.*not trusted as maker' envelope approve x.cof --sign-key "$P/second/signing.key" --trust "$P/eve.crt"
    refuse 3 '.*not trusted as custodian, so it is not approved' \
        envelope approve x.cof --sign-key "$P/second/signing.key" --trust-maker "$P/home/signing.crt"
    warn 9 'x.cof: CN=second approves and is not trusted as custodian here: .*' \
        envelope approve x.cof --sign-key "$P/second/signing.key"
}

@test "--min-custodians: a warning when reading, fatal for a change" {
    for verb in "verify x.cof" "info x.cof" "restore x.cof --key $P/ops.key -o out --force"; do
        # shellcheck disable=SC2086 # several words
        warn 9 '(x.cof: )?the list of recipients carries the signatures of 1 trusted custodian, and 2 are demanded.*' \
            $verb --min-custodians 2
    done
    refuse 3 '.*1 trusted custodian, and 2 are demanded' verify x.cof --min-custodians 2 --strict-custody
    refuse 3 '.*1 trusted custodian, and 2 are demanded' restore x.cof --key "$P/ops.key" -o new --min-custodians 2 --strict-custody
    refuse 3 '.*1 trusted custodian, and 2 are demanded, so nothing of it is carried over.*' \
        rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt" --min-custodians 2
    "${COFFER}" "${approve[@]}" -q
    accept verify x.cof --min-custodians 2 --strict-custody "${both[@]}"
    accept rotate x.cof --key "$P/ops.key" --remove "$P/rec.crt" --min-custodians 2 "${both[@]}"
    for bad in 0 9 two; do
        for verb in verify info "restore --key $P/ops.key -o -" "list --key $P/ops.key" "rotate --key $P/ops.key --add $P/eve.crt"; do
            # shellcheck disable=SC2086
            refuse 2 '--min-custodians needs a number from 1 to 8' $verb x.cof --min-custodians $bad
        done
    done
}

@test "--expect-custody, --expect and --min-generation: on restore, verify, info and rotate" {
    right=$(hash)
    wrong=${right//[0-9]/0}
    accept verify x.cof --expect-custody "${right^^}"
    accept restore x.cof --key "$P/ops.key" -o out --expect-custody "$right" --min-generation 1
    cmp out content
    refuse 10 '.*has the hash [0-9a-f]{64}, not the expected one' verify x.cof --expect-custody "$wrong"
    refuse 10 '.*not the expected one' restore x.cof --key "$P/ops.key" -o new --expect-custody "$wrong"
    refuse 10 '.*older than the 2 that is demanded' restore x.cof --key "$P/ops.key" -o new --min-generation 2
    refuse 10 '.*not the expected one' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --expect-custody "$wrong"
    refuse 10 '.*older than the 2 that is demanded' rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --min-generation 2
    call info x.cof --expect-custody "$wrong"
    [ "$status" -eq 10 ]
    for bad in abc "${right}0" "${right/?/g}"; do
        for verb in verify info "restore --key $P/ops.key -o -" "rotate --key $P/ops.key --add $P/eve.crt"; do
            # shellcheck disable=SC2086
            refuse 2 '--expect-custody needs 64 hex digits.*' $verb x.cof --expect-custody "$bad"
        done
    done
    "$COFFER" backup -q -o s.cof --sign-only - <content
    refuse 10 '.*signed only: it has no custody statement.*' verify s.cof --expect-custody "$right"
    accept rotate x.cof --key "$P/ops.key" --add "$P/eve.crt" --expect-custody "$right"
    refuse 10 '.*not the expected one' verify x.cof --expect-custody "$right"
}

@test "the same demanded of list, rekey and repair: nothing is told, written or repaired" {
    mkdir src
    mv content src
    rm x.cof
    "$COFFER" backup -q -o x.cof src
    right=$(hash)
    wrong=${right//[0-9]/0}
    for verb in "list --key $P/ops.key" "rekey --key $P/ops.key -r $P/eve.crt" repair; do
        # shellcheck disable=SC2086 # several words
        {
            refuse 10 '.*has the hash [0-9a-f]{64}, not the expected one' $verb x.cof --expect-custody "$wrong"
            refuse 10 '.*older than the 2 that is demanded' $verb x.cof --min-generation 2
            refuse 10 '.*it is the backup [0-9a-f-]{36}, not the expected one' \
                $verb x.cof --expect 00000000-0000-4000-8000-000000000000
            refuse 2 '--expect-custody needs 64 hex digits.*' $verb x.cof --expect-custody abc
            refuse 2 '--expect needs a UUID.*' $verb x.cof --expect abc
            refuse 2 '--min-generation needs a number from 1 on' $verb x.cof --min-generation 0
        }
    done
    accept list x.cof --key "$P/ops.key" --expect-custody "$right" --min-generation 1
    prints 'src/content'
    accept repair x.cof --expect-custody "$right" --min-generation 1
    prints 'x.cof: nothing is damaged'
    cp x.cof older
    accept rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --expect-custody "$right" --min-generation 1
    accept list x.cof --key "$P/eve.key" --min-generation 2
    cp older x.cof # put back by the storage
    refuse 10 '.*older than the 2 that is demanded' \
        rekey x.cof --key "$P/ops.key" -r "$P/eve.crt" --min-generation 2
}

@test "a list is not proven without a key, and verify says so" {
    accept verify x.cof
    prints '.* as decided by CN=db1 \(generation 1, not proven\)'
    accept verify x.cof --key "$P/ops.key"
    prints '.* as decided by CN=db1 \(generation 1\)'
    accept verify --json x.cof
    [[ "$output" =~ '"custody_proven":false' ]]
    accept verify --json x.cof --key "$P/ops.key"
    [[ "$output" =~ '"custody_proven":true' ]]
}

@test "info warns before the room in the head is used up" {
    accept info x.cof
    i=0
    while "$COFFER" info -q x.cof >/dev/null 2>&1; do
        i=$((i + 1))
        [ "$i" -lt 40 ]
        change=$([ $((i % 2)) -eq 1 ] && echo remove || echo add)
        "$COFFER" rotate -q x.cof --key "$P/ops.key" --"$change" "$P/rec.crt"
    done
    warn 9 'x.cof: the room for recipients and history is nearly full: 1[0-9]{4} of 16384 bytes; .*--drop-history.*' info x.cof
    "$COFFER" rotate -q x.cof --key "$P/ops.key" --add "$P/eve.crt" --drop-history
    accept info x.cof
    prints '  chain       starts at generation [0-9]+: what was before is gone, but for the first'
}
