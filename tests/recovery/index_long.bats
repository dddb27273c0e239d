#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
#
# More records than an INDEX frame holds. recover.sh starts a few processes for each record, which
# takes minutes: scripts/check long.

load common

@test "more than one index frame, and the Merkle tree over them" {
    need_coffer
    cd "$BATS_TEST_TMPDIR" || return 1
    export keys=$BATS_TEST_TMPDIR
    signer "$keys/maker" ec -pkeyopt ec_paramgen_curve:P-256
    "$COFFER" keygen "$keys/rsa" --no-passphrase --type p256
    "$COFFER" keygen "$keys/p256" --no-passphrase --type p256
    head -c $((4099 * 4096)) /dev/zero | backup m.cof maker --record-size 4096
    run recover m.cof --trust "$keys/maker.crt" --verify
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"verified: 4099 records"* ]]
}
