/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frame headers.  The header is additional data of the record's encryption and part of its leaf,
 * so parse and emit are exact opposites for every header that parse accepts.
 */

#include "format/frame.h"

#include "format/index.h"
#include "format/pad.h"
#include "format/tail.h"
#include "wire/wire.h"

#include <inttypes.h>

#define MAGIC 0xC0FE

bool cof_frame_is_record(const cof_frame *frame)
{
    return frame->kind >= COF_FRAME_DATA && frame->kind <= COF_FRAME_LINEAGE;
}

cof_frame cof_frame_other(uint8_t kind, uint32_t stored_len)
{
    return (cof_frame){.kind = kind, .stored_len = stored_len};
}

void cof_frame_emit(uint8_t out[COF_FRAME_SIZE], const cof_frame *frame)
{
    cof_be16_store(out, MAGIC);
    out[2] = frame->kind;
    out[3] = frame->codec;
    out[4] = frame->flags;
    out[5] = 0;
    cof_be16_store(out + 6, frame->stream);
    cof_be32_store(out + 8, frame->plain_len);
    cof_be32_store(out + 12, frame->stored_len);
    cof_be64_store(out + 16, frame->record);
    cof_be64_store(out + 24, frame->offset);
}

static bool stream_fits_kind(const cof_frame *f)
{
    switch (f->kind) {
    case COF_FRAME_DATA:
        return f->stream <= COF_STREAM_DATA_MAX;
    case COF_FRAME_CATALOG:
        return f->stream == COF_STREAM_CATALOG;
    default:
        return f->stream == COF_STREAM_LINEAGE;
    }
}

static cof_status check_fields(const cof_frame *f, cof_error *err)
{
    if (f->kind >= COF_FRAME_ANCILLARY)
        return COF_OK;
    if (f->kind == 0 || f->kind > COF_FRAME_TAIL)
        return cof_fail_rule(err, COF_UNSUPPORTED, "FR-2", COF_NO_OFFSET,
                             "a frame of unknown kind %u", f->kind);
    if (!cof_frame_is_record(f)) {
        if (f->codec != 0 || f->flags != 0 || f->stream != 0 || f->plain_len != 0 ||
            f->record != 0 || f->offset != 0)
            return cof_fail_rule(err, COF_FORMAT, "FR-1", COF_NO_OFFSET,
                                 "a frame of kind %u has fields that it must not have", f->kind);
        return COF_OK;
    }
    if ((f->flags & ~COF_FRAME_PADDED) != 0)
        return cof_fail_rule(err, COF_FORMAT, "FR-1", COF_NO_OFFSET, "a record has unknown flags");
    if (!stream_fits_kind(f))
        return cof_fail_rule(err, COF_FORMAT, "FR-1", COF_NO_OFFSET,
                             "a record of kind %u is in stream %u", f->kind, f->stream);
    if (f->codec > COF_FRAME_CODEC_MAX)
        return cof_fail_rule(err, COF_UNSUPPORTED, "FR-2", COF_NO_OFFSET,
                             "a record is compressed by unknown codec %u", f->codec);
    return COF_OK;
}

cof_status cof_frame_parse(cof_frame *out, const uint8_t raw[COF_FRAME_SIZE], cof_error *err)
{
    cof_frame f = {
        .kind = raw[2],
        .codec = raw[3],
        .flags = raw[4],
        .stream = cof_be16_load(raw + 6),
        .plain_len = cof_be32_load(raw + 8),
        .stored_len = cof_be32_load(raw + 12),
        .record = cof_be64_load(raw + 16),
        .offset = cof_be64_load(raw + 24),
    };
    cof_status st;

    if (cof_be16_load(raw) != MAGIC || raw[5] != 0)
        return cof_fail_rule(err, COF_FORMAT, "FR-1", COF_NO_OFFSET,
                             "there is no frame where one must stand");
    if ((st = check_fields(&f, err)) != COF_OK)
        return st;
    *out = f;
    return COF_OK;
}

uint32_t cof_frame_stored_max(const cof_preamble *preamble)
{
    uint32_t tag = cof_preamble_tag_len(preamble);
    uint32_t pad = preamble->protection == COF_PROTECTION_SEALED ? COF_PAD_TRAILER_SIZE : 0;

    return preamble->record_size + pad + tag; /* R is at most 2^24 */
}

/* RC-3; plain_len is within 1 ... R already, so nothing here can overflow. */
static bool stored_len_valid(const cof_frame *f, const cof_preamble *p)
{
    uint32_t tag = cof_preamble_tag_len(p);

    if ((f->flags & COF_FRAME_PADDED) != 0)
        return p->protection == COF_PROTECTION_SEALED &&
               f->stored_len >= tag + COF_PAD_TRAILER_SIZE &&
               f->stored_len <= cof_frame_stored_max(p);
    if (f->codec == 0)
        return f->stored_len == f->plain_len + tag;
    return f->stored_len > tag && f->stored_len < f->plain_len + tag;
}

cof_status cof_frame_check_record(const cof_frame *f, const cof_preamble *p, cof_error *err)
{
    if (!cof_frame_is_record(f))
        return cof_fail(err, COF_INTERNAL, "a frame of kind %u taken for a record", f->kind);
    if (f->record >= COF_RECORDS_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "record number %" PRIu64 " is too large", f->record);
    if (f->plain_len == 0 || f->plain_len > p->record_size)
        return cof_fail_rule(err, COF_FORMAT, "RC-2", COF_NO_OFFSET,
                             "record %" PRIu64 " claims %" PRIu32 " bytes, not 1 to %" PRIu32,
                             f->record, f->plain_len, p->record_size);
    if (f->offset >= COF_STREAM_END_MAX - f->plain_len)
        return cof_fail_rule(err, COF_FORMAT, "RC-2", COF_NO_OFFSET,
                             "record %" PRIu64 " lies beyond the end of any stream", f->record);
    if (!stored_len_valid(f, p))
        return cof_fail_rule(err, COF_FORMAT, "RC-3", COF_NO_OFFSET,
                             "record %" PRIu64 " has an impossible stored length %" PRIu32,
                             f->record, f->stored_len);
    if (f->kind == COF_FRAME_LINEAGE && p->epoch == 0)
        return cof_fail_rule(err, COF_FORMAT, "RC-4", COF_NO_OFFSET,
                             "record %" PRIu64 " is lineage of a backup that was never rekeyed",
                             f->record);
    if (f->kind == COF_FRAME_LINEAGE && (f->codec != 0 || f->flags != 0))
        return cof_fail_rule(err, COF_FORMAT, "LI-3", COF_NO_OFFSET,
                             "record %" PRIu64 " is lineage, and compressed or padded", f->record);
    return COF_OK;
}

static bool index_len_valid(uint32_t len)
{
    return len >= COF_INDEX_HEADER_SIZE + COF_ENTRY_SIZE && len <= COF_INDEX_SIZE_MAX &&
           (len - COF_INDEX_HEADER_SIZE) % COF_ENTRY_SIZE == 0;
}

cof_status cof_frame_check_other(const cof_frame *f, cof_error *err)
{
    if (cof_frame_is_record(f))
        return cof_fail(err, COF_INTERNAL, "record %" PRIu64 " taken for another frame", f->record);
    if (f->kind == COF_FRAME_INDEX && !index_len_valid(f->stored_len))
        return cof_fail_rule(err, COF_FORMAT, "IX-2", COF_NO_OFFSET,
                             "an index of impossible length %" PRIu32, f->stored_len);
    if (f->kind == COF_FRAME_VOLUME_END && f->stored_len != COF_VOLUME_END_SIZE)
        return cof_fail_rule(err, COF_FORMAT, "VE-1", COF_NO_OFFSET,
                             "the end of a volume has an impossible length %" PRIu32,
                             f->stored_len);
    if (f->kind == COF_FRAME_TAIL && f->stored_len > COF_TAIL_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET,
                             "the tail claims %" PRIu32 " bytes", f->stored_len);
    return COF_OK;
}

void cof_volume_end_emit(uint8_t out[COF_VOLUME_END_SIZE], uint32_t volume, uint64_t next_record)
{
    cof_be32_store(out, volume);
    cof_be32_store(out + 4, 0);
    cof_be64_store(out + 8, next_record);
}
