/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_LOCKS_H
#define COF_ENGINE_LOCKS_H

/*
 * One envelope, read and checked as far as its own bytes and the preamble go (FORMAT.md, sections
 * 2.3, 4.2, 5): the wrapped keys, the certificates that they are for, and the statements that say
 * so.  Whether the newest statement is by somebody trusted is in its judgement; nothing here fails
 * for want of trust.
 */

#include "crypto/cert.h"
#include "crypto/signed.h"
#include "engine/judge.h"
#include "format/custody.h"
#include "format/envelope.h"
#include "format/preamble.h"

/* A custody statement of the chain. */
typedef struct cof_link {
    cof_slice cms; /* borrowed from the envelope */
    cof_signed *message;
    cof_custody custody;
    uint8_t json_sha256[32];
    cof_judgement judgement; /* for the oldest and the newest; others: cof_locks_judge_history() */
} cof_link;

typedef struct cof_locks {
    cof_slice raw; /* borrowed: the whole envelope */
    cof_envelope envelope;
    cof_cert_list recipients, signers;
    cof_candidates candidates;
    cof_link *chain; /* oldest first, the newest (CUSTODY) last; empty for signed-only */
    size_t chain_count;
} cof_locks;

#define COF_LOCKS_INIT                                                                             \
    {                                                                                              \
        .chain = NULL                                                                              \
    }

/*
 * Read the envelope in raw, which must outlive *out.  COF_FORMAT, COF_UNSUPPORTED, COF_AUTH,
 * COF_LIMIT, COF_NOMEM; *out is then empty.  The caller wipes it.
 */
cof_status cof_locks_load(cof_locks *out, cof_slice raw, const cof_preamble *preamble,
                          const uint8_t core[32], const cof_trust *trust,
                          cof_error *err) COF_MUST_USE;

void cof_locks_wipe(cof_locks *locks);

/* Judge the statements between the oldest and the newest as well: to show them. */
cof_status cof_locks_judge_history(cof_locks *locks, cof_error *err) COF_MUST_USE;

/*
 * Two messages around one statement: has each custodian among known who signed the first signed the
 * second too?
 */
bool cof_locks_keeps_signatures(const cof_candidates *known, const cof_link *first,
                                const cof_link *second);

/* The newest statement; NULL for signed-only. */
const cof_link *cof_locks_newest(const cof_locks *locks);

/* From which generation on the chain is complete; 1: from the start. */
cof_status cof_locks_chain_start(uint64_t *out, const cof_locks *locks,
                                 cof_error *err) COF_MUST_USE;

/* What recipients[i] of a statement must say about a certificate (CU-3).  COF_NOMEM, COF_LIMIT. */
cof_status cof_locks_add_recipient(cof_custody *custody, const cof_cert *cert,
                                   cof_error *err) COF_MUST_USE;

#endif
