/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fetching records.  Where a record stands follows from the proven entries before it in its block;
 * that is still only a hint, and what is found there is compared with the record's own entry.
 */

#include "engine/fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "engine/volumes.h"

cof_status cof_fetch_check(const cof_reader *r, cof_error *err)
{
    const cof_preamble *p = &r->opened.head.preamble;

    if (p->protection == COF_PROTECTION_SEALED && r->opened.schedule == NULL)
        return cof_fail(err, COF_NO_MATCH,
                        "the backup is encrypted: a private key of a recipient "
                        "is needed (--key)");
    if (!cof_opened_trusted(&r->opened))
        return cof_fail(err, COF_AUTH, "the maker of the backup is not trusted");
    return cof_volumes_require(&r->opened, true, err);
}

static bool counts_fit(const cof_entries *e, const cof_manifest *m)
{
    return e->stream_len == m->plain_bytes && e->of_kind[COF_FRAME_DATA] == m->data_records &&
           e->of_kind[COF_FRAME_CATALOG] == m->catalog_records &&
           e->of_kind[COF_FRAME_LINEAGE] == m->lineage_records;
}

/* LI-4 */
static cof_status prove_origin(cof_fetch *f, cof_error *err)
{
    cof_status st;

    if (!f->reader->opened.needs_lineage)
        return COF_OK;
    if ((st = cof_origin_new(&f->origin, f, true, err)) == COF_OK)
        cof_reader_proven(f->reader);
    return st;
}

cof_status cof_fetch_init(cof_fetch *out, cof_reader *reader, cof_error *err)
{
    const cof_opened *o = &reader->opened;
    size_t damaged = 0;
    cof_status st;

    memset(out, 0, sizeof(*out));
    out->reader = reader;
    out->block = SIZE_MAX;
    if ((st = cof_fetch_check(reader, err)) != COF_OK)
        return st;
    out->frame = malloc(COF_FRAME_SIZE + (size_t)cof_frame_stored_max(&o->head.preamble));
    if (out->frame == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = cof_unsealer_new(&out->unsealer, &o->head.preamble, o->schedule, err)) != COF_OK ||
        (st = cof_sha256_new(&out->sha, err)) != COF_OK)
        return st;
    st = cof_entries_prove(&out->entries, o, &reader->options->report, &damaged, err);
    cof_reader_damaged(reader, damaged);
    if (st == COF_OK && !counts_fit(&out->entries, &o->manifest))
        st = cof_fail_rule(err, COF_AUTH, "MF-6", COF_NO_OFFSET,
                           "the content does not have the length that was signed");
    return st == COF_OK ? prove_origin(out, err) : st;
}

void cof_fetch_wipe(cof_fetch *f)
{
    cof_origin_free(f->origin);
    cof_entries_wipe(&f->entries);
    cof_unsealer_free(f->unsealer);
    cof_sha256_free(f->sha);
    free(f->frame);
    memset(f, 0, sizeof(*f));
}

/* RC-8, RC-9: is the frame that was read the one that its proven entry describes? */
static cof_status prove(const cof_fetch *f, const uint8_t *entry, uint64_t at, cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    bool same = memcmp(f->frame, cof_entry_header(entry), COF_FRAME_SIZE) == 0;
    cof_status st;

    if ((st = cof_sha256_init(f->sha, err)) != COF_OK ||
        (st = cof_sha256_update(f->sha, f->frame + COF_FRAME_SIZE, f->header.stored_len, err)) !=
            COF_OK ||
        (st = cof_sha256_final(f->sha, sha256, err)) != COF_OK)
        return st;
    if (same && memcmp(sha256, cof_entry_payload_sha256(entry), sizeof(sha256)) == 0)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, same ? "RC-8" : "RC-9", at,
                         "record %" PRIu64 " is not the one that was signed: it was changed or is "
                         "damaged",
                         f->header.record);
}

static const uint8_t *entry_of(const cof_fetch *f, uint64_t number)
{
    return f->entries.entries + (size_t)(number % COF_MERKLE_BLOCK) * COF_ENTRY_SIZE;
}

static uint32_t stored_len(const cof_fetch *f, uint64_t number, cof_frame *frame)
{
    /* Parsed before, when the entries were proven. */
    return cof_frame_parse(frame, cof_entry_header(entry_of(f, number)), NULL) == COF_OK
               ? frame->stored_len
               : 0;
}

/* next becomes its first record. */
cof_status cof_fetch_load_block(cof_fetch *f, size_t b, cof_error *err)
{
    cof_status st;

    if (f->block == b)
        return COF_OK;
    f->block = SIZE_MAX;
    if ((st = cof_entries_load(&f->entries, b, err)) == COF_OK)
        f->block = b;
    return st;
}

/*
 * Where the frame of a record in the loaded block stands: forward from next if that helps, else
 * from the first of its run.
 */
static cof_place find(cof_fetch *f, uint64_t number)
{
    const cof_run *run = cof_entries_run(&f->entries, number);
    cof_frame frame;

    if (f->next > number || f->next <= run->first) {
        f->next = run->first;
        f->next_at = run->at.offset;
    }
    for (; f->next < number; f->next++)
        f->next_at += COF_FRAME_SIZE + stored_len(f, f->next, &frame);
    return (cof_place){run->at.volume, f->next_at};
}

/* Does a record have to be shown to be the first maker's? */
static bool needs_origin(const cof_fetch *f, uint64_t number)
{
    return f->origin != NULL && number < cof_origin_records(f->origin);
}

/* The record that is at hand in the loaded block. */
static cof_status fetch_found(cof_fetch *f, cof_slice *content, uint64_t number, cof_place at,
                              cof_error *err)
{
    const cof_opened *o = &f->reader->opened;
    const uint8_t *entry = entry_of(f, number);
    cof_status st;

    if ((st = cof_frame_parse(&f->header, cof_entry_header(entry), err)) != COF_OK ||
        (st = cof_frame_check_record(&f->header, &o->head.preamble, err)) != COF_OK)
        return st;
    if (f->header.record != number)
        return cof_fail_rule(err, COF_AUTH, "RC-9", at.offset,
                             "record %" PRIu64 " is not in its place", number);
    if ((st = cof_body_read(f->frame, COF_FRAME_SIZE + (size_t)f->header.stored_len, o->body,
                            at.volume, at.offset, err)) != COF_OK ||
        (st = prove(f, entry, at.offset, err)) != COF_OK ||
        (st = cof_unsealer_decrypt(f->unsealer, content, &f->header, f->frame,
                                   f->frame + COF_FRAME_SIZE, err)) != COF_OK)
        return st;
    return needs_origin(f, number) ? cof_origin_check(f->origin, &f->header, *content, err)
                                   : COF_OK;
}

void cof_fetch_forget(cof_fetch *f)
{
    f->held = false;
    cof_wipe(f->frame, COF_FRAME_SIZE + cof_frame_stored_max(&f->reader->opened.head.preamble));
}

cof_status cof_fetch_sealed(cof_fetch *f, cof_slice *content, uint64_t number, cof_error *err)
{
    cof_place at;
    cof_status st = COF_OK;

    f->damaged = false;
    f->held = false;
    if ((needs_origin(f, number) && (st = cof_origin_seek(f->origin, number, err)) != COF_OK) ||
        (st = cof_fetch_load_block(f, (size_t)(number / COF_MERKLE_BLOCK), err)) != COF_OK)
        return st;
    at = find(f, number);
    if ((st = fetch_found(f, content, number, at, err)) == COF_OK) {
        f->next = number + 1;
        f->next_at = at.offset + COF_FRAME_SIZE + f->header.stored_len;
    }
    f->damaged = st == COF_AUTH || st == COF_FORMAT || st == COF_IO;
    return cof_volumes_locate(&f->reader->opened, at.volume, st, err);
}

cof_status cof_fetch_record(cof_fetch *f, uint64_t number, cof_error *err)
{
    cof_slice content;
    cof_status st;

    f->damaged = false;
    if (f->held && f->header.record == number)
        return COF_OK;
    if ((st = cof_fetch_sealed(f, &content, number, err)) != COF_OK)
        return st;
    st = cof_unsealer_unpack(f->unsealer, &f->plain, &f->header, content, err);
    f->held = st == COF_OK;
    f->damaged = st == COF_AUTH || st == COF_FORMAT;
    return st;
}

/* Where the first byte of a record of DATA lies in the content. */
static uint64_t content_at(const cof_fetch *f, const cof_frame *frame)
{
    uint64_t len;

    return cof_entries_stream(&len, &f->entries, frame->stream) + frame->offset;
}

static bool covers(const cof_fetch *f, const cof_frame *frame, uint64_t offset)
{
    uint64_t at;

    if (frame->kind != COF_FRAME_DATA)
        return false;
    at = content_at(f, frame);
    return at <= offset && offset - at < frame->plain_len;
}

/* The number of the DATA record in the loaded block that covers an offset. */
static cof_status search(const cof_fetch *f, uint64_t *out, uint64_t offset, cof_error *err)
{
    uint64_t first = (uint64_t)f->block * COF_MERKLE_BLOCK;
    cof_frame frame;

    for (*out = first; *out < first + f->entries.count; ++*out)
        if (stored_len(f, *out, &frame) != 0 && covers(f, &frame, offset))
            return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "RC-9", COF_NO_OFFSET,
                         "no record holds the content at offset %" PRIu64, offset);
}

cof_status cof_fetch_data(cof_fetch *f, cof_slice *out, uint64_t offset, cof_error *err)
{
    uint64_t number;
    size_t skip;
    cof_status st;

    f->damaged = false;
    if (!f->held || !covers(f, &f->header, offset)) {
        if ((st = cof_fetch_load_block(f, cof_entries_block_at(&f->entries, offset), err)) !=
                COF_OK ||
            (st = search(f, &number, offset, err)) != COF_OK ||
            (st = cof_fetch_record(f, number, err)) != COF_OK)
            return st;
    }
    skip = (size_t)(offset - content_at(f, &f->header));
    *out = (cof_slice){f->plain.data + skip, f->plain.len - skip};
    return COF_OK;
}
