/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_PAYLOADS_H
#define COF_ENGINE_PAYLOADS_H

/*
 * The payloads of a walk: read and hashed by several threads, handed back in order.  Part of walk.
 */

#include "crypto/digest.h"
#include "engine/walk.h"

typedef struct cof_payloads cof_payloads;

typedef struct cof_payload {
    cof_frame frame;
    uint8_t header[COF_FRAME_SIZE];
    cof_place at;
    size_t used;    /* so much of bytes was filled at most, unless all is only hashed */
    uint8_t *bytes; /* what follows the header, if hooks.body is NULL: to be filled in */
    uint8_t sha256[COF_SHA256_SIZE]; /* of it: filled in by the time it is handed back */

    cof_span span; /* where to read it */
} cof_payload;

/* Both are borrowed.  COF_NOMEM; *out is NULL then. */
cof_status cof_payloads_new(cof_payloads **out, const cof_preamble *preamble,
                            const cof_walk_hooks *hooks, cof_error *err) COF_MUST_USE;
void cof_payloads_free(cof_payloads *p);

/* One to be filled in, or NULL: some must be taken back first. */
cof_payload *cof_payloads_get(cof_payloads *p);

/*
 * Put it in.  *again: too many volumes are read at once; take one back, and call this again.
 * Classes as of cof_body_hold_ahead().
 */
cof_status cof_payloads_put(bool *again, cof_payloads *p, cof_payload *x,
                            cof_error *err) COF_MUST_USE;

/* The oldest that was put in, until the next call; *out is NULL when there is none. */
cof_status cof_payloads_take(cof_payload **out, cof_payloads *p, cof_error *err) COF_MUST_USE;

#endif
