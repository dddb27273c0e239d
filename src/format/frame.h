/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_FRAME_H
#define COF_FORMAT_FRAME_H

/* The header of a frame (FORMAT.md sections 3.1, 3.2), and the payload of VOLUME-END (3.5). */

#include "base/error.h"
#include "format/preamble.h"

#include <stdbool.h>
#include <stdint.h>

#define COF_FRAME_SIZE      32
#define COF_VOLUME_END_SIZE 16

/* Kinds; COF_FRAME_ANCILLARY and above are skipped. */
#define COF_FRAME_DATA       1
#define COF_FRAME_CATALOG    2
#define COF_FRAME_LINEAGE    3
#define COF_FRAME_INDEX      4
#define COF_FRAME_VOLUME_END 5
#define COF_FRAME_TAIL       6
#define COF_FRAME_ANCILLARY  0x80

/* Codec numbers; codec/codec.h knows which of them this build can read. */
#define COF_FRAME_CODEC_MAX 3

#define COF_FRAME_PADDED 0x01 /* flag */

#define COF_STREAM_DATA_MAX 0xFFFD
#define COF_STREAM_CATALOG  0xFFFE
#define COF_STREAM_LINEAGE  0xFFFF

typedef struct cof_frame {
    uint8_t kind;
    uint8_t codec;
    uint8_t flags;
    uint16_t stream;
    uint32_t plain_len;
    uint32_t stored_len; /* of the payload that follows the header */
    uint64_t record;
    uint64_t offset; /* of the first plain byte in its stream */
} cof_frame;

/* Write the header as it is; what it says is the caller's. */
void cof_frame_emit(uint8_t out[COF_FRAME_SIZE], const cof_frame *frame);

/*
 * Read a header: FR-1, FR-2.  Fields of an ancillary frame other than kind and stored_len mean
 * nothing.  COF_FORMAT, COF_UNSUPPORTED; *out is then untouched.
 */
cof_status cof_frame_parse(cof_frame *out, const uint8_t raw[COF_FRAME_SIZE],
                           cof_error *err) COF_MUST_USE;

/* DATA, CATALOG or LINEAGE? */
bool cof_frame_is_record(const cof_frame *frame);

/*
 * What a record's header alone tells: RC-2 (without the order of records), RC-3, no LINEAGE in
 * epoch 0 (RC-4) and none compressed or padded (LI-3), record number in bounds (GE-2).  To be
 * called before the payload is allocated or read.  COF_FORMAT, COF_LIMIT; COF_INTERNAL if it is no
 * record.
 */
cof_status cof_frame_check_record(const cof_frame *frame, const cof_preamble *preamble,
                                  cof_error *err) COF_MUST_USE;

/*
 * The same for INDEX (IX-2), VOLUME-END (VE-1) and TAIL: can the payload be of this length?
 * Ancillary frames may have any.  COF_FORMAT, COF_LIMIT; COF_INTERNAL if it is a record.
 */
cof_status cof_frame_check_other(const cof_frame *frame, cof_error *err) COF_MUST_USE;

/* The largest stored length that cof_frame_check_record() lets pass in this backup. */
uint32_t cof_frame_stored_max(const cof_preamble *preamble);

/* The header of an INDEX, VOLUME-END, TAIL frame with a payload of this length. */
cof_frame cof_frame_other(uint8_t kind, uint32_t stored_len);

/* The payload of VOLUME-END: the number of the volume that ends, and of the next record. */
void cof_volume_end_emit(uint8_t out[COF_VOLUME_END_SIZE], uint32_t volume, uint64_t next_record);

#endif
