/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ENTRIES_H
#define COF_ENGINE_ENTRIES_H

/*
 * The entries of all records, proven to be under the signed root before a record is touched, so
 * that plaintext can be released record by record (FORMAT.md, RC-8).
 *
 * They are read twice: once to compute the roots of all blocks, which combine to the signed root
 * and are kept (32 bytes for 4096 records), and then block by block as they are needed, each
 * compared with its kept root.  They come from the INDEX frames, or, where these are damaged, from
 * a walk over all frames whose entries are spooled.
 */

#include "engine/open.h"
#include "engine/walk.h"

/* Records whose frames follow each other: a block of them, or what of it lies in one volume. */
typedef struct cof_run {
    uint64_t first; /* record number */
    cof_place at;   /* of its frame: a hint (RC-9) */
} cof_run;

/* Where a stream begins in the content. */
typedef struct cof_start {
    uint16_t stream;
    uint64_t at;
} cof_start;

/* The content is all bytes of DATA, in the order of their records: stream 0, or all named streams.
 */
typedef struct cof_entries {
    const cof_opened *opened; /* borrowed */
    uint8_t (*roots)[COF_SHA256_SIZE];
    uint64_t *data_at; /* offset in the content at which the DATA of each block begins, or would */
    size_t blocks;
    uint64_t stream_len; /* of the content */
    uint64_t of_kind[4]; /* records of each kind */
    cof_start *starts;   /* of each stream that has bytes, in order */
    size_t start_count, start_cap;
    cof_run *runs; /* one for each INDEX frame, in order */
    size_t run_count, run_cap;
    cof_file *spool; /* NULL: the entries are in the INDEX frames */

    /* The block that is loaded. */
    uint8_t *entries;
    size_t count;
} cof_entries;

/*
 * Prove the entries of an opened backup.  A damaged index is reported, counted in *damaged, and
 * rebuilt.  COF_AUTH: the records are not those that were signed.  COF_FORMAT, COF_IO, COF_NOMEM.
 * The caller wipes *out, also after a failure.
 */
cof_status cof_entries_prove(cof_entries *out, const cof_opened *opened, const cof_report *report,
                             size_t *damaged, cof_error *err) COF_MUST_USE;

/* Where the content of a stream begins, and how long it is; a stream without bytes has length 0. */
uint64_t cof_entries_stream(uint64_t *len, const cof_entries *entries, uint16_t stream);

/* The block that holds the DATA record which covers an offset below stream_len. */
size_t cof_entries_block_at(const cof_entries *entries, uint64_t offset);

/* Load block number b (records b * 4096 on) into entries and count. */
cof_status cof_entries_load(cof_entries *entries, size_t b, cof_error *err) COF_MUST_USE;

/* The run that a record, which is below manifest.records, lies in. */
const cof_run *cof_entries_run(const cof_entries *entries, uint64_t record);

void cof_entries_wipe(cof_entries *entries);

#endif
