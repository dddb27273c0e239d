/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ENVELOPE_H
#define COF_ENGINE_ENVELOPE_H

/* New envelopes out of old ones. */

#include "engine/locks.h"

/*
 * Append e as bytes, with this manifest in place of its own; without any where it would not fit
 * into slot_size then (FORMAT.md, section 2.3).  COF_NOMEM, COF_USAGE.
 */
cof_status cof_envelope_with_manifest(cof_buf *out, const cof_envelope *e, cof_slice manifest,
                                      uint64_t slot_size, cof_protection protection,
                                      cof_error *err) COF_MUST_USE;

/* What a rotation puts into an envelope; everything is borrowed. */
typedef struct cof_renewal {
    const cof_locks *old;
    cof_slice keys, custody; /* the new ones */
    const cof_cert_list *recipients;
    const cof_cert *signer;
    cof_slice manifest;
    const uint8_t *maker; /* 32 bytes: the key that signed the manifest */
    const cof_preamble *preamble;
    uint64_t slot_size;
    bool drop_history; /* keep generation 1 and the latest statement */
    bool reset;        /* the old statements are not to be believed: carry none of them over */
    bool approval;     /* custody is the newest old statement with one signature more */
} cof_renewal;

/*
 * Append the envelope of the next generation: the old statement joins the history; or, for an
 * approval (CH-7), of the same generation.  Of the signers'
 * certificates, which nothing protects, those stay whose key made the manifest or a statement that
 * stays: others, whoever put them there, must not use up the room.
 */
cof_status cof_envelope_renew(cof_buf *out, const cof_renewal *renewal,
                              cof_error *err) COF_MUST_USE;

/* What an import puts into an envelope; everything is borrowed. */
typedef struct cof_joining {
    const cof_locks *present, *next;
    cof_slice manifest;   /* the present one */
    const uint8_t *maker; /* 32 bytes: the key that signed the manifest */
    const cof_preamble *preamble;
    uint64_t slot_size;
    bool approvals; /* of next nothing but the signatures under the newest statement */
} cof_joining;

/*
 * Append the envelope that an import leaves (IM-6).  What is not under the newest signature, the
 * messages of the history and the signers' certificates, a courier could have changed or dropped:
 * so of what both heads have nothing is lost.  COF_AUTH (IM-6): a statement of the history, which
 * only next has, carries no signature of its author.  COF_LIMIT, COF_NOMEM, COF_USAGE.
 */
cof_status cof_envelope_join(cof_buf *out, const cof_joining *joining, cof_error *err) COF_MUST_USE;

#endif
