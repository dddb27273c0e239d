/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_WRITE_H
#define COF_ENGINE_WRITE_H

/*
 * Writing a body in one pass: records in order, an INDEX where one belongs, the tail at the end
 * (FORMAT.md, section 3).  Memory does not grow with the length, but for 24 bytes of tail for
 * every 4096 records.
 */

#include "engine/record.h"
#include "format/manifest.h"
#include "format/tail.h"
#include "store/sink.h"

typedef struct cof_writer {
    cof_sink *sink; /* borrowed */
    uint64_t at;    /* body offset of the next frame */
    uint64_t records;
    uint64_t catalog_records;
    uint64_t plain_bytes;   /* of DATA records */
    uint64_t catalog_bytes; /* of CATALOG records */
    cof_merkle tree;
    cof_tail tail;
    uint8_t *pending; /* entries since the last INDEX */
    size_t pending_count;
    uint64_t pending_at;
} cof_writer;

/* COF_NOMEM.  sink must stand at the start of the body. */
cof_status cof_writer_init(cof_writer *out, cof_sink *sink, cof_error *err) COF_MUST_USE;
void cof_writer_wipe(cof_writer *writer);

/*
 * Where the next record goes, if it is of this kind: DATA of stream 0, or CATALOG.
 */
cof_frame cof_writer_place(const cof_writer *writer, uint8_t kind);

/*
 * Append one sealed record of that kind with plain_len bytes, and an INDEX if it completes a block.
 */
cof_status cof_writer_record(cof_writer *writer, uint8_t kind, const cof_sealed *sealed,
                             size_t plain_len, cof_error *err) COF_MUST_USE;

/* Close the content: the last INDEX. */
cof_status cof_writer_close(cof_writer *writer, cof_error *err) COF_MUST_USE;

/* Fill what the manifest says about the body.  After closing. */
cof_status cof_writer_describe(const cof_writer *writer, cof_manifest *manifest,
                               cof_error *err) COF_MUST_USE;

/* Append both copies of the tail with the signed manifest (borrowed during the call). */
cof_status cof_writer_end(cof_writer *writer, cof_slice manifest_cms, cof_error *err) COF_MUST_USE;

#endif
