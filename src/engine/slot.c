/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Damage and want of trust are told apart here: what is only not trusted may be the newest list of
 * recipients that there is, and nobody may write over it.
 */

#include "engine/slot.h"

#include <string.h>

#include "base/error.h"
#include "format/limits.h"
#include "format/manifest.h"

/*
 * Is the copy of the manifest, which no custody statement covers, as somebody signed it?  If not,
 * this slot is the damaged one.  Whether the signer is trusted is for later.
 */
static bool manifest_intact(const cof_locks *locks)
{
    cof_slice copy = locks->envelope.manifest;
    cof_manifest manifest = COF_MANIFEST_INIT;
    cof_signed *message = NULL;
    cof_judgement judgement;
    bool good = copy.len == 0;

    if (!good && cof_signed_parse(&message, copy, COF_OID_MANIFEST, 1, NULL) == COF_OK &&
        cof_manifest_parse(&manifest, cof_signed_content(message), NULL) == COF_OK &&
        cof_judge(&judgement, message, manifest.by, &locks->candidates, COF_ROLE_MAKER, NULL) ==
            COF_OK)
        good = judgement.standing != COF_STANDING_BAD;
    cof_manifest_wipe(&manifest);
    cof_signed_free(message);
    return good;
}

/* Is the certificate at hand of the key that the statement says it is by? */
static bool knows(const cof_locks *locks, const uint8_t by[32])
{
    for (size_t i = 0; i < locks->candidates.count; i++)
        if (memcmp(cof_cert_spki_sha256(locks->candidates.items[i].cert), by, 32) == 0)
            return true;
    return false;
}

/* Of two reasons not to use it, want of trust comes first: only mere damage may be written over. */
static cof_status believe(const cof_locks *locks, const cof_trust *trust, cof_error *err)
{
    const cof_link *newest = cof_locks_newest(locks);
    char fingerprint[COF_FINGERPRINT_TEXT_MAX];
    cof_standing standing;

    if (newest != NULL) {
        standing = newest->judgement.standing;
        if (standing == COF_STANDING_BAD && knows(locks, newest->custody.by))
            return cof_fail_rule(err, COF_FORMAT, "EN-5", COF_NO_OFFSET,
                                 "the signature under the list of recipients is damaged");
        cof_fingerprint_format(fingerprint, newest->custody.by);
        if (standing == COF_STANDING_BAD ||
            (standing == COF_STANDING_CLAIMED && cof_trust_count(trust) > 0))
            return cof_fail_rule(err, COF_AUTH, "EN-5", COF_NO_OFFSET,
                                 "its list of recipients can be read, and is by the custodian %s, "
                                 "who is not trusted here (--trust-custodian)",
                                 fingerprint);
    }
    if (manifest_intact(locks)) /* of a signed-only backup, the manifest decides later */
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "EN-5", COF_NO_OFFSET,
                         "the manifest in the envelope is damaged");
}

/* What no trust would heal: a statement that was changed, a certificate that is not the one meant.
 */
static bool is_damage(const cof_error *why)
{
    return why->status == COF_AUTH &&
           (strcmp(why->rule, "SD-12") == 0 || strcmp(why->rule, "CU-3") == 0);
}

cof_status cof_slot_weigh(cof_locks *out, cof_slice slot, const cof_preamble *preamble,
                          const uint8_t core[32], const cof_trust *trust, cof_error *err)
{
    cof_error why = COF_ERROR_INIT;
    uint64_t len;
    cof_status st;

    *out = (cof_locks)COF_LOCKS_INIT;
    if ((st = cof_envelope_peek_len(&len, slot.data, slot.len, err)) != COF_OK)
        return st;
    st = cof_locks_load(out, (cof_slice){slot.data, len}, preamble, core, trust, &why);
    if (is_damage(&why))
        return cof_fail_rule(err, COF_FORMAT, why.rule, COF_NO_OFFSET, "%s", why.message);
    if (st != COF_OK && err != NULL)
        *err = why;
    if (st == COF_OK && (st = believe(out, trust, err)) != COF_OK)
        cof_locks_wipe(out);
    return st;
}

cof_status cof_slot_prefer_second(bool *out, const cof_locks *a, const cof_locks *b, cof_error *err)
{
    const cof_link *x = cof_locks_newest(a), *y = cof_locks_newest(b);

    *out = true;
    if (x == NULL || y == NULL)
        return COF_OK;
    if (x->custody.generation != y->custody.generation) {
        *out = y->custody.generation > x->custody.generation;
        return COF_OK;
    }
    if (memcmp(x->json_sha256, y->json_sha256, sizeof(x->json_sha256)) != 0)
        return cof_fail_rule(err, COF_AUTH, "EN-5", COF_NO_OFFSET,
                             "the head holds two different lists of recipients of the same "
                             "generation, and nothing says which is right");
    *out = y->judgement.valid_keys >= x->judgement.valid_keys;
    return COF_OK;
}
