/* SPDX-License-Identifier: Apache-2.0 */

/* Entries by index, or by walking when there is no index to be trusted. */

#include "engine/entries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/note.h"
#include "format/index.h"
#include "format/limits.h"
#include "os/pool.h"
#include "os/threads.h"
#include "store/spool.h"
#include "wire/wire.h"

#define BLOCK_BYTES ((size_t)COF_MERKLE_BLOCK * COF_ENTRY_SIZE)

static size_t block_records(const cof_entries *e, size_t b)
{
    uint64_t left = e->opened->manifest.records - (uint64_t)b * COF_MERKLE_BLOCK;

    return left < COF_MERKLE_BLOCK ? (size_t)left : COF_MERKLE_BLOCK;
}

/* A record takes at least a header and a byte: more cannot be in these volumes. */
static bool can_hold(const cof_opened *o, uint64_t records)
{
    for (uint32_t v = 1; v <= cof_body_highest(o->body); v++) {
        uint64_t most = cof_body_len(o->body, v) / (COF_FRAME_SIZE + 1);

        if (records <= most)
            return true;
        records -= most;
    }
    return false;
}

static cof_status allocate(cof_entries *e, cof_error *err)
{
    uint64_t records = e->opened->manifest.records;

    cof_status st = cof_opened_need_body(e->opened, err);

    if (st != COF_OK)
        return st;
    if (!can_hold(e->opened, records))
        return cof_fail_rule(err, COF_FORMAT, "MF-5", COF_NO_OFFSET,
                             "the manifest counts more records than its volumes can hold");
    e->blocks = (size_t)((records + COF_MERKLE_BLOCK - 1) / COF_MERKLE_BLOCK);
    e->roots = calloc(e->blocks + 1, sizeof(*e->roots));
    e->data_at = calloc(e->blocks + 1, sizeof(*e->data_at));
    e->entries = malloc(BLOCK_BYTES);
    if (e->roots == NULL || e->data_at == NULL || e->entries == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return COF_OK;
}

static cof_status add_start(cof_entries *e, uint16_t stream, uint64_t at, cof_error *err)
{
    size_t cap = e->start_cap == 0 ? 16 : 2 * e->start_cap;
    cof_start *more;

    if (e->start_count == e->start_cap) {
        if ((more = reallocarray(e->starts, cap, sizeof(*more))) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        e->starts = more;
        e->start_cap = cap;
    }
    e->starts[e->start_count++] = (cof_start){stream, at};
    return COF_OK;
}

uint64_t cof_entries_stream(uint64_t *len, const cof_entries *e, uint16_t stream)
{
    size_t low = 0, high = e->start_count;

    *len = 0;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (e->starts[mid].stream <= stream)
            low = mid;
        else
            high = mid;
    }
    if (e->start_count == 0 || e->starts[low].stream != stream)
        return 0;
    *len = (low + 1 < e->start_count ? e->starts[low + 1].at : e->stream_len) - e->starts[low].at;
    return e->starts[low].at;
}

/*
 * The block that is loaded is the next one: check the order of its records, and note where its data
 * lies in the content.
 */
static cof_status note_block(cof_entries *e, cof_order *order, size_t b, cof_error *err)
{
    cof_frame f;
    cof_status st = COF_OK;

    e->data_at[b] = order->data;
    for (size_t i = 0; st == COF_OK && i < e->count; i++) {
        st = cof_frame_parse(&f, cof_entry_header(e->entries + i * COF_ENTRY_SIZE), err);
        if (st == COF_OK)
            st = cof_order_check(order, &f, &e->opened->head.preamble, COF_NO_OFFSET, err);
        if (st == COF_OK && f.kind == COF_FRAME_DATA && f.offset == 0)
            st = add_start(e, f.stream, order->begin, err);
    }
    e->stream_len = order->data;
    memcpy(e->of_kind, order->of_kind, sizeof(e->of_kind));
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

/* ---- runs ---- */

static cof_status add_run(cof_entries *e, const cof_run *run, cof_error *err)
{
    size_t cap = e->run_cap == 0 ? 16 : 2 * e->run_cap;
    cof_run *more;

    if (e->run_count == e->run_cap) {
        if ((more = reallocarray(e->runs, cap, sizeof(*more))) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        e->runs = more;
        e->run_cap = cap;
    }
    e->runs[e->run_count++] = *run;
    return COF_OK;
}

const cof_run *cof_entries_run(const cof_entries *e, uint64_t record)
{
    size_t low = 0, high = e->run_count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (e->runs[mid].first <= record)
            low = mid;
        else
            high = mid;
    }
    return &e->runs[low];
}

/* ---- from INDEX frames ---- */

static cof_status broken(uint64_t at, cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "IX-3", at, "an index is damaged");
}

/*
 * Append the entries of an INDEX frame to the block that is being loaded, and say where its first
 * record is.  Nothing in it is believed yet; that the list has no gaps was checked with the tail
 * (TL-5).
 */
static cof_status read_index(cof_entries *e, const cof_index_ref *ref, cof_run *run, cof_error *err)
{
    uint8_t header[COF_FRAME_SIZE + COF_INDEX_HEADER_SIZE];
    cof_body *body = e->opened->body;
    cof_index index;
    cof_frame frame;
    cof_status st;

    if (e->count + ref->count > COF_MERKLE_BLOCK)
        return broken(ref->offset, err);
    if ((st = cof_body_read(header, sizeof(header), body, ref->volume, ref->offset, err)) != COF_OK)
        return st;
    if (cof_frame_parse(&frame, header, NULL) != COF_OK || frame.kind != COF_FRAME_INDEX ||
        cof_index_parse(&index, header + COF_FRAME_SIZE, frame.stored_len, NULL) != COF_OK ||
        index.volume != ref->volume || index.first_record != ref->first_record ||
        index.count != ref->count)
        return broken(ref->offset, err);
    *run = (cof_run){index.first_record, {index.volume, index.first_offset}};
    st = cof_body_read(e->entries + e->count * COF_ENTRY_SIZE, ref->count * (size_t)COF_ENTRY_SIZE,
                       body, ref->volume, ref->offset + sizeof(header), err);
    e->count += ref->count;
    return st;
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

/* Bytes of the frames of the records whose entries were loaded last. */
static uint64_t frames_len(const cof_entries *e, size_t count)
{
    uint64_t len = 0;

    for (size_t i = e->count - count; i < e->count; i++)
        len += COF_FRAME_SIZE + cof_be32_load(e->entries + i * COF_ENTRY_SIZE + 12);
    return len;
}

/* Are there only ancillary frames between two offsets in the body of a volume? */
static bool only_ancillary(cof_body *body, uint32_t volume, uint64_t from, uint64_t to)
{
    uint8_t raw[COF_FRAME_SIZE];
    cof_frame f;

    while (from < to) {
        if (cof_body_read(raw, sizeof(raw), body, volume, from, NULL) != COF_OK ||
            cof_frame_parse(&f, raw, NULL) != COF_OK || f.kind < COF_FRAME_ANCILLARY)
            return false;
        from += COF_FRAME_SIZE + f.stored_len;
    }
    return from == to;
}

/* IX-1: is an INDEX due behind the last of these records?  *next follows it in the list, or NULL.
 */
static bool index_belongs(const cof_index_ref *ref, const cof_index_ref *next)
{
    return (ref->first_record + ref->count) % COF_INDEX_RECORDS == 0 || next == NULL ||
           next->volume != ref->volume;
}

/* Does what follows the last INDEX of a volume, which ended at `at`, end the volume? */
static bool volume_ends(const cof_entries *e, cof_place at)
{
    const cof_manifest *m = &e->opened->manifest;
    uint64_t end = m->volumes[at.volume - 1].bytes;
    uint64_t closing = at.volume < m->volume_count ? COF_FRAME_SIZE + COF_VOLUME_END_SIZE : 0;

    return end >= closing && at.offset <= end - closing &&
           only_ancillary(e->opened->body, at.volume, at.offset, end - closing);
}

/* Go on from *at to the start of a later volume, which begins with this record. */
static bool enter_volume(const cof_entries *e, cof_place *at, uint32_t volume, uint64_t record)
{
    const cof_manifest *m = &e->opened->manifest;

    while (at->volume < volume) {
        if (at->volume >= m->volume_count || !volume_ends(e, *at) ||
            m->volumes[at->volume].first_record != record)
            return false;
        *at = (cof_place){at->volume + 1, 0};
    }
    return true;
}

/*
 * Offsets are not under the root, but they follow from it: the records of an INDEX end where it
 * stands, and begin behind the INDEX before it, or with their volume.  *at is where that was.
 */
static bool offsets_fit(const cof_entries *e, const cof_index_ref *ref, const cof_run *run,
                        cof_place *at)
{
    if (!enter_volume(e, at, ref->volume, run->first) || run->at.offset > ref->offset ||
        ref->offset - run->at.offset != frames_len(e, ref->count) ||
        !only_ancillary(e->opened->body, ref->volume, at->offset, run->at.offset))
        return false;
    *at = (cof_place){ref->volume, ref->offset + COF_FRAME_SIZE + COF_INDEX_HEADER_SIZE +
                                       (uint64_t)ref->count * COF_ENTRY_SIZE};
    return true;
}

/* Load block b, whose first INDEX frame is number *next in the list, and learn its runs. */
static cof_status load_first(cof_entries *e, size_t b, size_t *next, cof_place *at, cof_error *err)
{
    const cof_tail *tail = &e->opened->ending.tail;
    cof_run run;
    cof_status st = COF_OK;

    for (e->count = 0; st == COF_OK && e->count < block_records(e, b);) {
        const cof_index_ref *ref = &tail->indexes[*next];

        if (++*next > tail->index_count)
            return broken(COF_NO_OFFSET, err);
        if ((st = read_index(e, ref, &run, err)) != COF_OK)
            return st;
        if (!index_belongs(ref, *next < tail->index_count ? ref + 1 : NULL) ||
            !offsets_fit(e, ref, &run, at))
            return broken(ref->offset, err);
        st = add_run(e, &run, err);
    }
    return st;
}

static cof_status prove_by_index(cof_entries *e, cof_error *err)
{
    const cof_manifest *m = &e->opened->manifest;
    cof_order order = {0};
    cof_place at = {1, 0};
    size_t next = 0;
    cof_status st = COF_OK;

    if (!e->opened->ending.found || cof_tail_records(&e->opened->ending.tail) != m->records)
        return broken(COF_NO_OFFSET, err);
    for (size_t b = 0; st == COF_OK && b < e->blocks; b++) {
        if ((st = load_first(e, b, &next, &at, err)) == COF_OK &&
            (st = note_block(e, &order, b, err)) == COF_OK)
            st = cof_merkle_block_root(e->roots[b], e->entries, e->count, err);
    }
    if (st == COF_OK &&
        !(enter_volume(e, &at, (uint32_t)m->volume_count, m->records) && volume_ends(e, at)))
        return broken(at.offset, err);
    if (st == COF_OK && (st = check_root(e, err)) == COF_OK)
        st = cof_order_finish(&order, &e->opened->manifest, err);
    return st;
}

/* ---- by walking ---- */

typedef struct rebuild {
    cof_entries *e;
    cof_order order;
} rebuild;

static cof_status rebuild_read(void *ctx, void *out, size_t len, cof_place from, cof_error *err)
{
    rebuild *r = ctx;

    return cof_body_read(out, len, r->e->opened->body, from.volume, from.offset, err);
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

/* A run goes on while its block and its volume do. */
static cof_status note_run(cof_entries *e, uint64_t record, cof_place at, cof_error *err)
{
    const cof_run run = {record, at};

    if (e->count > 0 && e->runs[e->run_count - 1].at.volume == at.volume)
        return COF_OK;
    return add_run(e, &run, err);
}

static cof_status rebuild_record(void *ctx, const cof_frame *frame, const uint8_t *entry,
                                 uint8_t *payload, cof_place at, cof_error *err)
{
    cof_entries *e = ((rebuild *)ctx)->e;
    size_t b = (size_t)(frame->record / COF_MERKLE_BLOCK);
    cof_status st;

    (void)payload;
    if (b >= e->blocks)
        return cof_fail_rule(err, COF_AUTH, "MF-6", at.offset,
                             "there are more records than were signed");
    if ((st = note_run(e, frame->record, at, err)) != COF_OK)
        return st;
    memcpy(e->entries + e->count * COF_ENTRY_SIZE, entry, COF_ENTRY_SIZE);
    e->count++;
    return e->count == block_records(e, b) ? flush_block(ctx, b, err) : COF_OK;
}

static cof_status prove_by_walking(cof_entries *e, cof_error *err)
{
    static const cof_report silent = {NULL, NULL, NULL};
    const cof_opened *o = e->opened;
    rebuild r = {.e = e};
    cof_walk_hooks hooks = {
        .read = rebuild_read,
        .record = rebuild_record,
        .threads = cof_threads_for(0, COF_POOL_WORKERS_MAX),
        .body = o->body,
        .hash_only = true,
        .ctx = &r,
    };
    cof_walk walk;
    cof_status st;

    e->count = e->run_count = e->start_count = 0;
    if ((st = cof_walk_init(&walk, &o->head.preamble, &hooks, &o->manifest, &silent, err)) !=
            COF_OK ||
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
    /* An index is a hint: one that the disk does not give back is a damaged one (IX-3). */
    st = prove_by_index(out, err);
    if (st != COF_FORMAT && st != COF_AUTH && st != COF_UNSUPPORTED && st != COF_LIMIT &&
        st != COF_IO)
        return st;
    if ((st = prove_by_walking(out, err)) != COF_OK)
        return st;
    cof_note(report, "the index is damaged; it was rebuilt by reading the whole backup");
    (*damaged)++;
    return COF_OK;
}

/* Load block b once more from its INDEX frames, each of which is one run. */
static cof_status load_again(cof_entries *e, size_t b, cof_error *err)
{
    const cof_tail *tail = &e->opened->ending.tail;
    size_t i = (size_t)(cof_entries_run(e, (uint64_t)b * COF_MERKLE_BLOCK) - e->runs);
    cof_run run;
    cof_status st = COF_OK;

    for (e->count = 0; st == COF_OK && e->count < block_records(e, b); i++)
        st = read_index(e, &tail->indexes[i], &run, err);
    return st;
}

cof_status cof_entries_load(cof_entries *e, size_t b, cof_error *err)
{
    uint8_t root[COF_SHA256_SIZE];
    cof_status st;

    if (e->spool == NULL) {
        st = load_again(e, b, err);
    } else {
        e->count = block_records(e, b);
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
    free(e->runs);
    free(e->starts);
    cof_file_free(e->spool);
    memset(e, 0, sizeof(*e));
}
