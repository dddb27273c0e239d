/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_RECORD_H
#define COF_ENGINE_RECORD_H

/*
 * One record: from plaintext to frame and back (FORMAT.md, sections 3.2 and 6).
 *
 * Records are independent of each other.  A sealer or opener holds all that one worker needs - its
 * compressor, cipher, hash and buffers - and nothing that two workers would have to share; in the
 * steady state it allocates nothing.
 */

#include <coffer/report.h>

#include "base/buf.h"
#include "codec/codec.h"
#include "format/frame.h"
#include "format/merkle.h"
#include "format/schedule.h"

/* ---- writing ---- */

typedef struct cof_sealer cof_sealer;

/* What becomes of one piece of plaintext. */
typedef struct cof_sealed {
    uint8_t header[COF_FRAME_SIZE];
    cof_slice payload; /* in one of the buffers that the sealer was given */
    uint8_t entry[COF_ENTRY_SIZE];
} cof_sealed;

/* Bytes of a buffer in which a record of this backup is sealed. */
size_t cof_sealer_room(const cof_preamble *preamble);

/* preamble and schedule are borrowed.  COF_NOMEM, COF_USAGE (level), COF_UNSUPPORTED (codec). */
cof_status cof_sealer_new(cof_sealer **out, const cof_preamble *preamble,
                          const cof_schedule *schedule, cof_codec codec, int level,
                          cof_error *err) COF_MUST_USE;

/*
 * Compress, seal and hash the record of `where` (kind, stream, record, offset are used) with len
 * bytes of plaintext, 1 to the record size.  plain and packed are buffers of cof_sealer_room()
 * bytes, and both overwritten: the payload comes to lie in packed where it could be compressed,
 * else in plain, so that nothing is copied.
 */
cof_status cof_sealer_run(cof_sealer *sealer, cof_sealed *out, const cof_frame *where,
                          uint8_t *plain, size_t len, uint8_t *packed, cof_error *err) COF_MUST_USE;

/*
 * Seal what was sealed before: the sealed content of a record (compressed and padded as it is)
 * under its own header, which stays the same to the byte.  The payload then lies in the sealer,
 * until this is called again.
 */
cof_status cof_sealer_again(cof_sealer *sealer, cof_sealed *out, const cof_frame *frame,
                            cof_slice content, cof_error *err) COF_MUST_USE;

/* The same in place: `len` bytes of content in a buffer of cof_sealer_room(). */
cof_status cof_sealer_again_in_place(cof_sealer *sealer, cof_sealed *out, const cof_frame *frame,
                                     uint8_t *content, size_t len, cof_error *err) COF_MUST_USE;

/* What the sealer has counted so far. */
const cof_stats *cof_sealer_stats(const cof_sealer *sealer);

void cof_sealer_free(cof_sealer *sealer);

/* ---- reading ---- */

typedef struct cof_unsealer cof_unsealer;

/* preamble and schedule are borrowed; schedule is NULL for signed-only. */
cof_status cof_unsealer_new(cof_unsealer **out, const cof_preamble *preamble,
                            const cof_schedule *schedule, cof_error *err) COF_MUST_USE;

/*
 * Decrypt.  The payload (frame->stored_len bytes) is overwritten; *content becomes the sealed
 * content, which lies in it.  COF_AUTH (RC-7).
 */
cof_status cof_unsealer_decrypt(cof_unsealer *unsealer, cof_slice *content, const cof_frame *frame,
                                const uint8_t header[COF_FRAME_SIZE], uint8_t *payload,
                                cof_error *err) COF_MUST_USE;

/*
 * Take off the padding and decompress.  *plain lies in room, which takes a record's size of bytes,
 * or is the content itself. It must not be released before the caller has proven the entry.
 * COF_FORMAT (RC-5, RC-6), COF_UNSUPPORTED (codec).
 */
cof_status cof_unsealer_unpack(cof_unsealer *unsealer, cof_slice *plain, const cof_frame *frame,
                               cof_slice content, uint8_t *room, cof_error *err) COF_MUST_USE;

void cof_unsealer_free(cof_unsealer *unsealer);

#endif
