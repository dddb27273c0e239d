#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
#
# Rekeyed backups, of the independent writer and of its forger: stock tools prove the first maker (LI-1),
# or refuse, as everybody else does.

load common

bats_require_minimum_version 1.5.0

# Outside of where the backups of the other tests lie, all of which both readers have to agree on.
setup_file() {
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/lineage.XXXXXXXXXX")
    export scratch world=$scratch/world
    "$BATS_TEST_DIRNAME/../reference/forge" --out "$world" >/dev/null
}

teardown_file() {
    rm -rf "$scratch"
}

# first STATUS CASE...: what the script says who trusts the first maker as maker, and who rekeyed it as
# custodian only
first() {
    local wanted=$1 name status volumes
    shift
    for name in "$@"; do
        volumes=("$world/cases/$name/backup.cof")
        for volume in "$world/cases/$name"/backup.[0-9]*.cof; do
            [ ! -e "$volume" ] || volumes+=("$volume")
        done
        status=0
        "${RECOVER_SH:-dash}" "$root/scripts/recover.sh" "${volumes[@]}" --trust "$world/keys/maker.crt" \
            --trust-custodian "$world/keys/custodian.crt" --key "$world/keys/alice.key" \
            -o "$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/said" || status=$?
        [ "$status" -eq "$wanted" ] || {
            echo "$name: $status, not $wanted" && cat "$BATS_TEST_TMPDIR/said" && return 1
        }
        if [ "$wanted" -eq 0 ] || [ "$wanted" -eq 9 ]; then
            grep -q '^recover: lineage: the first maker is ' "$BATS_TEST_TMPDIR/said"
            cmp "$BATS_TEST_TMPDIR/out" "$world/text"
        else
            [ ! -e "$BATS_TEST_TMPDIR/out" ]
        fi
        rm -f "$BATS_TEST_TMPDIR/out"
    done
}

@test "every cipher: his tags are made again with openssl mac" {
    first 0 good-rekeyed good-rekeyed-cipher good-rekeyed-from-aes-128
}

@test "rekeyed twice, padded, in volumes, incomplete" {
    first 0 good-rekeyed-twice good-rekeyed-compressed good-rekeyed-volumes
    first 9 good-rekeyed-incomplete
}

@test "a rekeyer who is trusted as custodian only changes nothing of the content" {
    first 3 rekey-byte rekey-byte-hashed rekey-other-day rekey-record-added-hashed rekey-complete rekey-says-finished
}

@test "nor what the lineage holds" {
    first 3 lineage-dek lineage-hashes-swapped lineage-manifest-resigned lineage-preamble-salt lineage-second-previous
}

@test "a lineage that is not well-formed is refused (LI-2, LI-3)" {
    first 5 lineage-item-twice lineage-hashes-too-few lineage-border lineage-compressed lineage-bytes-behind
}

@test "without a key the first maker is not proven" {
    run -3 "${RECOVER_SH:-dash}" "$root/scripts/recover.sh" "$world/cases/good-rekeyed/backup.cof" \
        --trust "$world/keys/maker.crt" --trust-custodian "$world/keys/custodian.crt" --verify
    [[ "$output" == *'the first maker is proven with --key' ]]
    run -3 "${RECOVER_SH:-dash}" "$root/scripts/recover.sh" "$world/cases/rekeyed-by-stranger/backup.cof" \
        --trust "$world/keys/maker.crt" --trust-custodian "$world/keys/custodian.crt" \
        --key "$world/keys/alice.key" -o "$BATS_TEST_TMPDIR/out"
}

@test "whoever rekeyed it and is trusted as maker answers for it" {
    "${RECOVER_SH:-dash}" "$root/scripts/recover.sh" "$world/cases/good-rekeyed/backup.cof" \
        --trust "$world/keys/custodian.crt" --key "$world/keys/alice.key" -o "$BATS_TEST_TMPDIR/out"
    cmp "$BATS_TEST_TMPDIR/out" "$world/text"
}
