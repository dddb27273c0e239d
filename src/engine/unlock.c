/* SPDX-License-Identifier: Apache-2.0 */

/* The only place where a private key of a recipient is used. */

#include "engine/unlock.h"

#include "base/error.h"
#include "crypto/keys.h"

static cof_status try_key(cof_secret **dek, cof_schedule **schedule, size_t *which,
                          const cof_head *head, const uint8_t commitment[32], const cof_key *key,
                          cof_error *err)
{
    const cof_locks *locks = &head->locks;
    cof_status st;

    *dek = NULL;
    *schedule = NULL;
    st = cof_keys_open(dek, locks->envelope.keys, locks->recipients.certs, locks->recipients.count,
                       which, key, err);
    if (st == COF_AUTH)
        return cof_fail_rule(err, COF_AUTH, "KS-1", COF_NO_OFFSET, COF_KS1_MESSAGE);
    if (st != COF_OK)
        return st;
    if ((st = cof_schedule_new(schedule, head->core, *dek, head->preamble.cipher, err)) == COF_OK)
        st = cof_schedule_check_commitment(*schedule, commitment, err);
    if (st != COF_OK) {
        cof_schedule_free(*schedule);
        cof_secret_free(*dek);
        *schedule = NULL;
        *dek = NULL;
    }
    return st;
}

cof_status cof_unlock(cof_secret **dek, cof_schedule **schedule, size_t *which,
                      const cof_head *head, const uint8_t commitment[32], const cof_keyring *keys,
                      cof_error *err)
{
    cof_status worst = COF_NO_MATCH;

    *dek = NULL;
    *schedule = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        cof_status st = try_key(dek, schedule, which, head, commitment, keys->keys[i], err);

        if (st != COF_NO_MATCH && st != COF_AUTH)
            return st;
        if (st == COF_AUTH)
            worst = COF_AUTH;
    }
    if (worst == COF_AUTH)
        return cof_fail_rule(err, COF_AUTH, "KS-1", COF_NO_OFFSET, COF_KS1_MESSAGE);
    return cof_fail(err, COF_NO_MATCH,
                    keys->count == 1
                        ? "the private key given does not belong to a recipient of this backup"
                        : "the private keys given do not belong to recipients of this backup");
}

cof_status cof_unlock_check_proof(bool *out, const cof_schedule *schedule,
                                  const cof_custody *custody, cof_error *err)
{
    uint8_t proof[COF_SHA256_SIZE];
    cof_status st = cof_schedule_proof_of(proof, schedule, custody, err);

    *out = st == COF_OK && cof_equal_consttime(proof, custody->proof, sizeof(proof));
    return st;
}
