/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_JUDGE_H
#define COF_ENGINE_JUDGE_H

/*
 * Who signed a statement, and is that somebody whom the caller trusts (FORMAT.md, ST-2)?
 *
 * The keys that are tried are those of the trust set and of the certificates that came with the
 * backup.  Only the former create trust; the latter let a fingerprint find its key, and let us
 * name who *claims* to have signed.
 */

#include <coffer/reader.h>

#include "crypto/signed.h"
#include "engine/credentials.h"

typedef struct cof_candidate {
    cof_cert *cert; /* owned reference */
    unsigned roles; /* COF_ROLE_* that the trust set gives to its key */
    bool named; /* the trust set names this very certificate: its subject is the caller's word */
} cof_candidate;

typedef struct cof_candidates {
    cof_candidate *items; /* owned, count of them */
    size_t count;
} cof_candidates;

#define COF_CANDIDATES_INIT                                                                        \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* All certificates of trust (may be NULL) and all of signers, each with its roles.  COF_NOMEM. */
cof_status cof_candidates_collect(cof_candidates *out, const cof_trust *trust,
                                  const cof_cert_list *signers, cof_error *err) COF_MUST_USE;
void cof_candidates_wipe(cof_candidates *candidates);

typedef struct cof_judgement {
    cof_standing standing; /* of the key named by the statement itself */
    size_t trusted_keys;   /* how many different trusted keys signed, that one included */
    size_t valid_keys;     /* how many different keys known here signed */
} cof_judgement;

/*
 * Judge a statement that says it is by the key with SPKI hash by, for one role.  Not being signed
 * by anybody known is a judgement (COF_STANDING_BAD), not a failure.  COF_NOMEM, COF_INTERNAL.
 */
cof_status cof_judge(cof_judgement *out, const cof_signed *statement, const uint8_t by[32],
                     const cof_candidates *candidates, cof_role role, cof_error *err) COF_MUST_USE;

/*
 * Fill a party for display.  A trusted key does not make a certificate true that somebody else
 * wrote about it and put into the head, so the subject is shown as it is only if the trust set has
 * that very certificate, or the key itself signed it; else as what the key "calls itself".
 */
void cof_party_describe(cof_party *out, const uint8_t by[32], cof_standing standing,
                        const cof_candidates *candidates);

#endif
