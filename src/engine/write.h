/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_WRITE_H
#define COF_ENGINE_WRITE_H

/*
 * Writing the volumes of a backup in one pass: records in order, an INDEX where one belongs, the
 * tail at the end (FORMAT.md, section 3).  Where a frame does not fit into a volume any more, that
 * is closed and the next begun, if the sink has a place for one.  Memory does not grow with the
 * length, but for 24 bytes of tail for every 4096 records and 40 for every volume.
 */

#include <coffer/report.h>

#include "engine/record.h"
#include "format/manifest.h"
#include "format/tail.h"
#include "store/sink.h"

typedef struct cof_writer {
    cof_sink *sink;          /* borrowed, as the next two */
    const uint8_t *preamble; /* raw: what later volumes begin with */
    const cof_report *report;
    cof_manifest volumes;  /* those that are closed; nothing else in it is used */
    size_t listed;         /* bytes that these take in a manifest */
    uint32_t volume;       /* the present one */
    uint64_t at;           /* body offset of the next frame in it */
    uint64_t first_record; /* of it */
    uint64_t records;
    uint64_t of_kind[4];    /* records of each kind */
    uint64_t plain_bytes;   /* of DATA records */
    uint64_t lineage_bytes; /* of LINEAGE records */
    cof_merkle tree;
    cof_tail tail;
    uint8_t *pending; /* entries since the last INDEX */
    size_t pending_count;
    uint64_t pending_at;
} cof_writer;

/*
 * sink must stand at the start of the body of volume 1; preamble (COF_PREAMBLE_SIZE bytes), sink
 * and report must outlive the writer.  COF_NOMEM.  The caller wipes *out, also after a failure.
 */
cof_status cof_writer_init(cof_writer *out, cof_sink *sink, const uint8_t *preamble,
                           const cof_report *report, cof_error *err) COF_MUST_USE;
void cof_writer_wipe(cof_writer *writer);

/* The least that the file of volume 1, or of a later one, must be able to take. */
uint64_t cof_writer_least(const cof_preamble *preamble, uint64_t head_len);

/* Where the next record goes, if it is of the lineage. */
cof_frame cof_writer_place_lineage(const cof_writer *writer);

/*
 * Append one sealed record of that kind with plain_len bytes, and an INDEX if it completes a block.
 * COF_IO: there is no room left, nor a further volume; COF_LIMIT;
 * COF_USAGE: volumes are too small for so many of them.
 */
cof_status cof_writer_record(cof_writer *writer, uint8_t kind, const cof_sealed *sealed,
                             size_t plain_len, cof_error *err) COF_MUST_USE;

/* Close the content: the last INDEX. */
cof_status cof_writer_close(cof_writer *writer, cof_error *err) COF_MUST_USE;

/* Fill what the manifest says about the body.  After closing. */
cof_status cof_writer_describe(const cof_writer *writer, cof_manifest *manifest,
                               cof_error *err) COF_MUST_USE;

/*
 * Append both copies of the tail with the signed manifest and those of earlier epochs, newest first
 * (all borrowed during the call).  *again: the volume had no room for them, and another was begun;
 * then describe and sign once more, and call this again.
 */
cof_status cof_writer_end(bool *again, cof_writer *writer, cof_slice manifest_cms,
                          const cof_slices *earlier, cof_error *err) COF_MUST_USE;

#endif
