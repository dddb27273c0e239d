/* SPDX-License-Identifier: Apache-2.0 */

/* Entries by index, or by walking when there is no index to be trusted. */

#include "engine/entries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/note.h"
#include "engine/walk.h"
#include "format/index.h"
#include "format/limits.h"
#include "store/spool.h"
#include "wire/wire.h"

#define BLOCK_BYTES ((size_t)COF_MERKLE_BLOCK * COF_ENTRY_SIZE)

static size_t block_records(const cof_entries *e, size_t b)
{
    uint64_t left = e->opened->manifest.records - (uint64_t)b * COF_MERKLE_BLOCK;

    return left < COF_MERKLE_BLOCK ? (size_t)left : COF_MERKLE_BLOCK;
}

/* A record takes at least a header and a byte: more cannot be in this body. */
static cof_status allocate(cof_entries *e, cof_error *err)
{
    uint64_t records = e->opened->manifest.records;

    if (records > e->opened->body.len / (COF_FRAME_SIZE + 1))
        return cof_fail_rule(err, COF_FORMAT, "MF-5", COF_NO_OFFSET,
                             "the manifest counts more records than the file can hold");
    e->blocks = (size_t)((records + COF_MERKLE_BLOCK - 1) / COF_MERKLE_BLOCK);
    e->roots = calloc(e->blocks + 1, sizeof(*e->roots));
    e->data_at = calloc(e->blocks + 1, sizeof(*e->data_at));
    e->entries = malloc(BLOCK_BYTES);
    if (e->roots == NULL || e->data_at == NULL || e->entries == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return COF_OK;
}

/*
 * The block that is loaded is the next one: check the order of its records, and note where its data
 * lies in stream 0.
 */
static cof_status note_block(cof_entries *e, cof_order *order, size_t b, cof_error *err)
{
    cof_frame f;
    cof_status st = COF_OK;

    e->data_at[b] = order->stream_end[0];
    for (size_t i = 0; st == COF_OK && i < e->count; i++) {
        st = cof_frame_parse(&f, cof_entry_header(e->entries + i * COF_ENTRY_SIZE), err);
        if (st == COF_OK)
            st = cof_order_check(order, &f, &e->opened->head.preamble, COF_NO_OFFSET, err);
    }
    e->stream_len = order->stream_end[0];
    return st;
}

size_t cof_entries_block_at(const cof_entries *e, uint64_t offset)
{
    size_t low = 0, high = e->blocks;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (e->data_at[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* ---- from INDEX frames ---- */

static cof_status broken(uint64_t at, cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "IX-3", at, "an index is damaged");
}

/* Read the entries of block b from its INDEX frame; nothing in it is believed yet. */
static cof_status read_index(cof_entries *e, size_t b, cof_error *err)
{
    const cof_index_ref *ref = &e->opened->ending.tail.indexes[b];
    uint8_t header[COF_FRAME_SIZE + COF_INDEX_HEADER_SIZE];
    uint32_t count = (uint32_t)block_records(e, b);
    cof_slice payload = {header + COF_FRAME_SIZE, COF_INDEX_HEADER_SIZE};
    cof_frame frame;
    cof_status st;

    if (ref->volume != 1 || ref->count != count || ref->first_record != b * COF_MERKLE_BLOCK)
        return broken(ref->offset, err);
    if ((st = cof_body_read(header, sizeof(header), &e->opened->body, ref->offset, err)) != COF_OK)
        return st;
    if (cof_frame_parse(&frame, header, NULL) != COF_OK || frame.kind != COF_FRAME_INDEX ||
        frame.stored_len != COF_INDEX_HEADER_SIZE + count * COF_ENTRY_SIZE)
        return broken(ref->offset, err);
    e->count = count;
    e->offset = cof_be64_load(payload.data + 8);
    return cof_body_read(e->entries, count * (size_t)COF_ENTRY_SIZE, &e->opened->body,
                         ref->offset + sizeof(header), err);
}

static cof_status check_root(const cof_entries *e, cof_error *err)
{
    const cof_manifest *m = &e->opened->manifest;
    uint8_t root[COF_SHA256_SIZE];
    cof_status st =
        cof_merkle_combine(root, (const uint8_t(*)[COF_SHA256_SIZE])e->roots, e->blocks, err);

    if (st == COF_OK && memcmp(root, m->root, sizeof(root)) != 0)
        st = cof_fail_rule(err, COF_AUTH, "RC-8", COF_NO_OFFSET,
                           "the content is not the one that was signed: it was changed or is "
                           "damaged");
    return st;
}

/* Bytes of the frames of the records whose entries are loaded. */
static uint64_t frames_len(const cof_entries *e)
{
    uint64_t len = 0;

    for (size_t i = 0; i < e->count; i++)
        len += COF_FRAME_SIZE + cof_be32_load(e->entries + i * COF_ENTRY_SIZE + 12);
    return len;
}

/* Are there only ancillary frames between two body offsets? */
static bool only_ancillary(const cof_body *body, uint64_t from, uint64_t to)
{
    uint8_t raw[COF_FRAME_SIZE];
    cof_frame f;

    while (from < to) {
        if (cof_body_read(raw, sizeof(raw), body, from, NULL) != COF_OK ||
            cof_frame_parse(&f, raw, NULL) != COF_OK || f.kind < COF_FRAME_ANCILLARY)
            return false;
        from += COF_FRAME_SIZE + f.stored_len;
    }
    return from == to;
}

/*
 * Offsets are not under the root, but they follow from it: the records of a block end where its
 * INDEX stands, and begin behind the INDEX before it.  *at is where that was.
 */
static bool offsets_fit(const cof_entries *e, size_t b, uint64_t *at)
{
    uint64_t index_at = e->opened->ending.tail.indexes[b].offset;
    uint64_t len = frames_len(e);

    if (e->offset > index_at || index_at - e->offset != len ||
        !only_ancillary(&e->opened->body, *at, e->offset))
        return false;
    *at = index_at + COF_FRAME_SIZE + COF_INDEX_HEADER_SIZE + e->count * COF_ENTRY_SIZE;
    return true;
}

static cof_status prove_by_index(cof_entries *e, cof_error *err)
{
    cof_order order = {0};
    uint64_t at = 0;
    cof_status st = COF_OK;

    if (!e->opened->ending.found || e->opened->ending.tail.index_count != e->blocks)
        return broken(COF_NO_OFFSET, err);
    for (size_t b = 0; st == COF_OK && b < e->blocks; b++) {
        if ((st = read_index(e, b, err)) != COF_OK)
            return st;
        if (!offsets_fit(e, b, &at))
            return broken(e->opened->ending.tail.indexes[b].offset, err);
        if ((st = note_block(e, &order, b, err)) == COF_OK)
            st = cof_merkle_block_root(e->roots[b], e->entries, e->count, err);
    }
    return st == COF_OK ? check_root(e, err) : st;
}

/* ---- by walking ---- */

typedef struct rebuild {
    cof_entries *e;
    cof_order order;
    const cof_body *body;
    uint64_t at;
} rebuild;

static cof_status rebuild_read(void *ctx, void *out, size_t len, cof_error *err)
{
    rebuild *r = ctx;
    cof_status st = cof_body_read(out, len, r->body, r->at, err);

    if (st == COF_OK)
        r->at += len;
    return st;
}

/* Collect a block's entries, then its root, then spool them. */
static cof_status flush_block(rebuild *r, size_t b, cof_error *err)
{
    cof_entries *e = r->e;
    cof_status st = note_block(e, &r->order, b, err);

    if (st == COF_OK)
        st = cof_merkle_block_root(e->roots[b], e->entries, e->count, err);
    if (st == COF_OK)
        st = cof_file_write_at(e->spool, (uint64_t)b * BLOCK_BYTES, e->entries,
                               e->count * COF_ENTRY_SIZE, err);
    e->count = 0;
    return st;
}

static cof_status rebuild_record(void *ctx, const cof_frame *frame, const uint8_t *entry,
                                 uint8_t *payload, uint64_t at, cof_error *err)
{
    cof_entries *e = ((rebuild *)ctx)->e;
    size_t b = (size_t)(frame->record / COF_MERKLE_BLOCK);

    (void)payload;
    if (b >= e->blocks)
        return cof_fail_rule(err, COF_AUTH, "MF-6", at, "there are more records than were signed");
    if (e->count == 0)
        e->spool_offset[b] = at;
    memcpy(e->entries + e->count * COF_ENTRY_SIZE, entry, COF_ENTRY_SIZE);
    e->count++;
    return e->count == block_records(e, b) ? flush_block(ctx, b, err) : COF_OK;
}

static cof_status prove_by_walking(cof_entries *e, cof_error *err)
{
    static const cof_report silent = {NULL, NULL, NULL};
    const cof_opened *o = e->opened;
    rebuild r = {.e = e, .body = &o->body};
    cof_walk_hooks hooks = {.read = rebuild_read, .record = rebuild_record, .ctx = &r};
    cof_walk walk;
    cof_status st;

    e->count = 0;
    e->spool_offset = calloc(e->blocks + 1, sizeof(*e->spool_offset));
    if (e->spool_offset == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = cof_walk_init(&walk, &o->head.preamble, &hooks, o->manifest.volumes[0].bytes, &silent,
                            err)) != COF_OK ||
        (st = cof_spool_new(&e->spool, NULL, err)) != COF_OK ||
        (st = cof_walk_run(&walk, err)) != COF_OK ||
        (st = cof_walk_check(&walk, &o->manifest, err)) != COF_OK)
        goto out;
    st = check_root(e, err);
out:
    cof_walk_wipe(&walk);
    return st;
}

/* ---- */

cof_status cof_entries_prove(cof_entries *out, const cof_opened *opened, const cof_report *report,
                             size_t *damaged, cof_error *err)
{
    cof_status st;

    memset(out, 0, sizeof(*out));
    out->opened = opened;
    if ((st = allocate(out, err)) != COF_OK)
        return st;
    st = prove_by_index(out, err);
    if (st != COF_FORMAT && st != COF_AUTH && st != COF_UNSUPPORTED && st != COF_LIMIT)
        return st;
    if ((st = prove_by_walking(out, err)) != COF_OK)
        return st;
    cof_note(report, "the index is damaged; it was rebuilt by reading the whole backup");
    (*damaged)++;
    return COF_OK;
}

cof_status cof_entries_load(cof_entries *e, size_t b, cof_error *err)
{
    uint8_t root[COF_SHA256_SIZE];
    cof_status st;

    if (e->spool == NULL) {
        st = read_index(e, b, err);
    } else {
        e->count = block_records(e, b);
        e->offset = e->spool_offset[b];
        st = cof_file_read_full(e->entries, e->count * COF_ENTRY_SIZE, e->spool,
                                (uint64_t)b * BLOCK_BYTES, err);
    }
    if (st == COF_OK)
        st = cof_merkle_block_root(root, e->entries, e->count, err);
    if (st == COF_OK && memcmp(root, e->roots[b], sizeof(root)) != 0)
        st = cof_fail_rule(err, COF_AUTH, "RC-8", COF_NO_OFFSET,
                           "the index changed while it was read");
    return st;
}

void cof_entries_wipe(cof_entries *e)
{
    free(e->roots);
    free(e->data_at);
    free(e->entries);
    free(e->spool_offset);
    cof_file_free(e->spool);
    memset(e, 0, sizeof(*e));
}
