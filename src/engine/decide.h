/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_DECIDE_H
#define COF_ENGINE_DECIDE_H

/*
 * Deciding who may open a backup: the same data key wrapped afresh for a list of certificates, and
 * the signed statement that says so (FORMAT.md, sections 4.2, 5, 6).  Used when a backup is made
 * and whenever its locks are changed.
 */

#include <coffer/report.h>

#include "crypto/signed.h"
#include "engine/credentials.h"
#include "format/preamble.h"
#include "format/schedule.h"

/* What the decision is about, and who takes it.  Everything is borrowed. */
typedef struct cof_decision {
    const cof_preamble *preamble;
    const uint8_t *core; /* 32 bytes */
    const cof_secret *dek;
    const cof_schedule *schedule;
    const cof_cert_list *recipients;
    uint64_t generation;
    const uint8_t *previous; /* 32 bytes, or NULL in generation 1 */
    const cof_signer *signer;
    cof_digest digest;
    const char *reason; /* NULL or UTF-8 */
} cof_decision;

/* Append KEYS and the signed statement to the two buffers.  COF_CERT, COF_UNSUPPORTED, ... */
cof_status cof_decide(cof_buf *keys, cof_buf *custody, const cof_decision *decision,
                      cof_error *err) COF_MUST_USE;

/*
 * May these certificates be *new* recipients now?  Each must be in date, strong enough and made for
 * it, and none the signing key itself, whose thief could then read.  What passes is appended to
 * out.  With skip_expired, expired ones are left out with a warning and counted in *skipped, as
 * long as one remains.  COF_CERT with the first that is refused; out is then unchanged.
 */
cof_status cof_recipients_accept(cof_cert_list *out, const cof_cert_list *wanted,
                                 const cof_signer *signer, bool skip_expired,
                                 const cof_report *report, size_t *skipped,
                                 cof_error *err) COF_MUST_USE;

/* "sha256", "sha384", "sha512"; NULL is "sha256".  COF_USAGE. */
cof_status cof_digest_from_name(cof_digest *out, const char *name, cof_error *err) COF_MUST_USE;

#endif
