/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_PROOF_H
#define COF_ENGINE_PROOF_H

/*
 * From a proven entry to the plaintext of its record: read, compare, decrypt, decompress, all of it
 * in one buffer, so that what is decrypted is what was compared (FORMAT.md, RC-8, RC-9; P4).  Any
 * thread may do it.
 */

#include "engine/origin.h"
#include "engine/record.h"
#include "engine/walk.h"
#include "store/body.h"

/* One record.  What its owner fills in is above the line, what cof_prover_run() yields below it. */
typedef struct cof_proof {
    uint64_t number;
    cof_place at; /* of its frame: a hint */
    cof_span span;
    uint8_t entry[COF_ENTRY_SIZE];
    uint8_t *frame; /* owned: the largest frame of a record */
    size_t used;    /* so much of it was written to at most; wiped in the end */
    uint8_t *room;  /* owned: the largest plaintext */

    cof_frame header;
    cof_slice content; /* sealed content, in frame */
    cof_slice plain;   /* in frame or in room */
    bool not_put;      /* the failure is that of whoever was given the plaintext */
} cof_proof;

/* The two buffers.  COF_NOMEM.  The caller wipes *out, also after a failure. */
cof_status cof_proof_init(cof_proof *out, const cof_preamble *preamble,
                          cof_error *err) COF_MUST_USE;
void cof_proof_wipe(cof_proof *proof);

/* What one thread needs for it. */
typedef struct cof_prover cof_prover;

/* Both are borrowed; schedule is NULL for signed-only.  COF_NOMEM; *out is NULL then. */
cof_status cof_prover_new(cof_prover **out, const cof_preamble *preamble,
                          const cof_schedule *schedule, cof_error *err) COF_MUST_USE;

/*
 * From now on each record of the first epoch must be the first maker's, too (LI-1).  origin is
 * borrowed; it was told to seek the record before that is proven, and belongs to one thread.
 */
void cof_prover_demand(cof_prover *prover, cof_origin *origin);

/* All of it.  COF_AUTH (RC-7, RC-8, RC-9, LI-1), COF_FORMAT, COF_UNSUPPORTED, COF_IO. */
cof_status cof_prover_run(cof_prover *prover, cof_proof *proof, cof_error *err) COF_MUST_USE;

/* The same up to its sealed content: nothing is decompressed. */
cof_status cof_prover_decrypt(cof_prover *prover, cof_proof *proof, cof_error *err) COF_MUST_USE;

/* What the prover has counted so far; its thread may add to it. */
cof_stats *cof_prover_stats(cof_prover *prover);

void cof_prover_free(cof_prover *prover);

#endif
