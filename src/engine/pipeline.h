/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_PIPELINE_H
#define COF_ENGINE_PIPELINE_H

/*
 * Plaintext in, body out: whole records are compressed, sealed and hashed by several threads, and
 * written in order by the one that puts them in (os/pool.h).  Which records there are, and each
 * byte of them, does not depend on how many threads there are.
 *
 * It holds (threads + 2) times two buffers of a record, and what a compressor needs for each
 * thread.
 */

#include "engine/write.h"

typedef struct cof_pipeline cof_pipeline;

typedef struct cof_pipeline_plan {
    const cof_preamble *preamble; /* borrowed, as the next one */
    const cof_schedule *schedule; /* NULL: signed only */
    cof_codec codec;
    int level;
    unsigned threads;   /* 0: as many as there are processors */
    cof_writer *writer; /* borrowed; only the pipeline writes records to it */
} cof_pipeline_plan;

/* COF_NOMEM, COF_USAGE (level), COF_UNSUPPORTED (codec); *out is NULL then. */
cof_status cof_pipeline_new(cof_pipeline **out, const cof_pipeline_plan *plan,
                            cof_error *err) COF_MUST_USE;

/* A buffer for the plaintext of one record, to begin with; the caller frees it.  COF_NOMEM. */
cof_status cof_pipeline_buffer(uint8_t **out, const cof_pipeline *pipeline,
                               cof_error *err) COF_MUST_USE;

/*
 * Put in a record of len bytes in *plain, which is a buffer of the kind above, and becomes another
 * one of that kind: nothing is copied.  Of where, kind, stream and offset are used.  Fails with the
 * first record that could not be sealed or written; then only free is left to call.
 */
cof_status cof_pipeline_put(cof_pipeline *pipeline, const cof_frame *where, uint8_t **plain,
                            size_t len, cof_error *err) COF_MUST_USE;

/* The same with a copy of the plaintext. */
cof_status cof_pipeline_copy(cof_pipeline *pipeline, const cof_frame *where, cof_slice plain,
                             cof_error *err) COF_MUST_USE;

/*
 * Put in what was sealed before: the sealed content of a record, which is copied, under its own
 * header.  Its number must be that of the record that is put in next.
 */
cof_status cof_pipeline_again(cof_pipeline *pipeline, const cof_frame *frame, cof_slice content,
                              cof_error *err) COF_MUST_USE;

/* The number of the record that is put in next. */
uint64_t cof_pipeline_next(const cof_pipeline *pipeline);

/* Wait until all records are written. */
cof_status cof_pipeline_drain(cof_pipeline *pipeline, cof_error *err) COF_MUST_USE;

/* Add what has been counted so far; stats may be NULL. */
void cof_pipeline_stats(const cof_pipeline *pipeline, cof_stats *stats);

/* Ends whatever is going on.  NULL is fine. */
void cof_pipeline_free(cof_pipeline *pipeline);

#endif
