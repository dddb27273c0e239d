/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk.  It keeps at most one payload and the entries since the last INDEX, however long the
 * body is.
 */

#include "engine/walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "engine/note.h"
#include "engine/payloads.h"
#include "format/index.h"
#include "format/limits.h"
#include "format/manifest.h"

/* RC-10: the DATA records of named streams stand one stream behind the other, without stream 0. */
static bool begins_stream(const cof_order *o, const cof_frame *f, const cof_preamble *preamble)
{
    return preamble->content == COF_CONTENT_STREAM && f->stream > o->stream &&
           (o->stream != 0 || o->data == 0);
}

static uint64_t *stream_end(cof_order *o, const cof_frame *f)
{
    return f->kind == COF_FRAME_CATALOG ? &o->catalog_end : &o->lineage_end;
}

cof_status cof_order_check(cof_order *o, const cof_frame *f, const cof_preamble *preamble,
                           uint64_t at, cof_error *err)
{
    bool data = f->kind == COF_FRAME_DATA, begins = data && f->stream != o->stream;
    cof_status st;

    if (!cof_frame_is_record(f))
        return cof_fail_rule(err, COF_FORMAT, "FR-3", at,
                             "a frame that is no record stands among the records");
    if ((st = cof_frame_check_record(f, preamble, err)) != COF_OK)
        return st;
    if (f->record != o->next)
        return cof_fail_rule(err, COF_FORMAT, "RC-1", at,
                             "record %" PRIu64 " stands where record %" PRIu64 " belongs",
                             f->record, o->next);
    if (begins && !begins_stream(o, f, preamble))
        return cof_fail_rule(err, COF_FORMAT, "RC-10", at,
                             "record %" PRIu64 " is of a stream that has no place there",
                             f->record);
    if (f->offset != (begins ? 0 : data ? o->data - o->begin : *stream_end(o, f)))
        return cof_fail_rule(err, COF_FORMAT, "RC-2", at,
                             "record %" PRIu64 " does not go on where its stream ended", f->record);
    if (o->lineage && f->kind != COF_FRAME_LINEAGE)
        return cof_fail_rule(err, COF_FORMAT, "RC-4", at,
                             "record %" PRIu64 " stands behind the lineage", f->record);
    o->lineage = f->kind == COF_FRAME_LINEAGE;
    if (begins) {
        o->stream = f->stream;
        o->begin = o->data;
    }
    *(data ? &o->data : stream_end(o, f)) += f->plain_len;
    o->of_kind[f->kind]++;
    o->next++;
    return COF_OK;
}

cof_status cof_order_finish(const cof_order *o, const cof_manifest *m, cof_error *err)
{
    bool catalog = m->catalog_records != 0;

    if (m->content != COF_CONTENT_STREAM || o->data == 0 || catalog == (o->stream != 0))
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "RC-10", COF_NO_OFFSET,
                         catalog ? "there is a catalog of named streams, and no named stream"
                                 : "there are named streams, and no catalog that names them");
}

#define END_SIZE (COF_FRAME_SIZE + COF_VOLUME_END_SIZE)

static bool is_last(const cof_walk *w)
{
    return w->manifest == NULL || w->volume == w->manifest->volume_count;
}

/* Where the frames of the volume end that the walk has come to. */
static cof_status enter_volume(cof_walk *w, uint32_t number, cof_error *err)
{
    const cof_manifest_volume *v;

    w->volume = number;
    w->at = 0;
    w->end = COF_NO_OFFSET;
    w->after_index = w->closing = false;
    if (w->manifest == NULL)
        return COF_OK;
    v = &w->manifest->volumes[number - 1];
    if (v->first_record != w->order.next)
        return cof_fail_rule(err, COF_AUTH, "MF-6", 0,
                             "volume %" PRIu32 " begins with record %" PRIu64
                             ", not with the one that was signed",
                             number, w->order.next);
    if (!is_last(w) && v->bytes < END_SIZE)
        return cof_fail_rule(err, COF_FORMAT, "MF-5", 0,
                             "the manifest leaves no room for the end of volume %" PRIu32, number);
    w->end = is_last(w) ? v->bytes : v->bytes - END_SIZE;
    return COF_OK;
}

cof_status cof_walk_init(cof_walk *out, const cof_preamble *preamble, const cof_walk_hooks *hooks,
                         const cof_manifest *manifest, const cof_report *report, cof_error *err)
{
    cof_status st;

    memset(out, 0, sizeof(*out));
    out->preamble = preamble;
    out->hooks = *hooks;
    out->manifest = manifest;
    out->report = report;
    cof_merkle_init(&out->tree);
    if ((st = enter_volume(out, 1, err)) != COF_OK)
        return st;
    out->pending = malloc((size_t)COF_INDEX_RECORDS * COF_ENTRY_SIZE);
    out->payload =
        malloc(cof_max_size(cof_frame_stored_max(preamble), COF_FRAME_SIZE + COF_INDEX_SIZE_MAX));
    if (out->pending == NULL || out->payload == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return cof_payloads_new(&out->payloads, preamble, &out->hooks, err);
}

void cof_walk_wipe(cof_walk *w)
{
    cof_payloads_free(w->payloads);
    free(w->pending);
    free(w->payload);
    w->payloads = NULL;
    w->pending = w->payload = NULL;
}

/* Read what stands at a body offset, and hand it on. */
static cof_status take(cof_walk *w, void *out, size_t len, uint64_t from, cof_error *err)
{
    cof_status st = w->hooks.read(w->hooks.ctx, out, len, (cof_place){w->volume, from}, err);

    if (st == COF_OK && w->hooks.copy != NULL)
        st = w->hooks.copy(w->hooks.ctx, out, len, err);
    return st;
}

/*
 * Read what follows from what was read before, and is only compared with it: where the disk does
 * not give it back, zeros stand for it, as for any other damage.  A pipe gives nothing twice.
 */
static cof_status take_known(cof_walk *w, void *out, size_t len, uint64_t from, cof_error *err)
{
    cof_status st = take(w, out, len, from, err);

    if (st != COF_IO || w->manifest == NULL)
        return st;
    memset(out, 0, len);
    return COF_OK;
}

/* Hand on what must stand at a place, if something else does. */
static cof_status compare(const cof_walk *w, size_t *differing, cof_slice expected,
                          const uint8_t *found, cof_error *err)
{
    if (cof_slice_equal(expected, (cof_slice){found, expected.len}))
        return COF_OK;
    ++*differing;
    if (w->hooks.differs == NULL)
        return COF_OK;
    return w->hooks.differs(w->hooks.ctx, (cof_place){w->volume, w->at}, expected, err);
}

/* FR-4 */
static cof_status check_room(const cof_walk *w, uint64_t stored, cof_error *err)
{
    uint64_t next = w->at + COF_FRAME_SIZE + stored;

    if (w->end == COF_NO_OFFSET || next <= w->end)
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "FR-4", w->at,
                         "a frame at body offset %" PRIu64 " crosses the end of the content",
                         w->at);
}

/* ---- payloads, into the tree ---- */

/* The oldest payload comes back: put its entry into the tree.  *done: there was none. */
static cof_status settle_one(cof_walk *w, bool *done, cof_error *err)
{
    cof_payload *x = NULL;
    uint8_t *entry;
    cof_status st = cof_payloads_take(&x, w->payloads, err);

    *done = x == NULL;
    w->broken = st != COF_OK;
    if (st != COF_OK || x == NULL)
        return st;
    entry = w->pending + (size_t)(x->frame.record - w->pending_first) * COF_ENTRY_SIZE;
    cof_entry_make(entry, x->header, x->sha256);
    if ((st = cof_merkle_add_entry(&w->tree, entry, err)) == COF_OK && w->hooks.record != NULL)
        st = w->hooks.record(w->hooks.ctx, &x->frame, entry, w->hooks.hash_only ? NULL : x->bytes,
                             x->at, err);
    w->broken = st != COF_OK;
    return st;
}

/* All records that were walked are in the tree. */
static cof_status settle(cof_walk *w, cof_error *err)
{
    bool done = false;
    cof_status st = COF_OK;

    while (st == COF_OK && !done)
        st = settle_one(w, &done, err);
    return st;
}

/* ---- INDEX ---- */

static size_t index_payload_len(const cof_walk *w)
{
    return COF_INDEX_HEADER_SIZE + w->pending_count * COF_ENTRY_SIZE;
}

/* Must an INDEX stand here, whatever the bytes say?  (The end of a pipe is not known.) */
static bool index_due(const cof_walk *w)
{
    if (w->pending_count == 0)
        return false;
    return w->order.next % COF_INDEX_RECORDS == 0 ||
           w->at + COF_FRAME_SIZE + index_payload_len(w) == w->end;
}

/* The whole frame that must stand here. */
static cof_status expect_index(cof_buf *out, const cof_walk *w, cof_error *err)
{
    cof_frame frame = cof_frame_other(COF_FRAME_INDEX, (uint32_t)index_payload_len(w));
    cof_index index = {w->volume, (uint32_t)w->pending_count, w->pending_at,
                       w->order.next - w->pending_count, w->pending};
    uint8_t header[COF_FRAME_SIZE];
    cof_status st;

    cof_frame_emit(header, &frame);
    if ((st = cof_buf_append(out, header, sizeof(header), err)) != COF_OK)
        return st;
    return cof_index_emit(out, &index, err);
}

/* IX-1, IX-3: step over the INDEX that must stand here; the header has been read into payload. */
static cof_status walk_index(cof_walk *w, cof_error *err)
{
    cof_index_ref ref = {w->volume, (uint32_t)w->pending_count, w->at,
                         w->order.next - w->pending_count};
    size_t len = index_payload_len(w);
    cof_buf expected = COF_BUF_INIT;
    cof_status st;

    if ((st = settle(w, err)) != COF_OK || (st = check_room(w, len, err)) != COF_OK ||
        (st = take_known(w, w->payload + COF_FRAME_SIZE, len, w->at + COF_FRAME_SIZE, err)) !=
            COF_OK ||
        (st = expect_index(&expected, w, err)) != COF_OK ||
        (st = compare(w, &w->damaged, cof_buf_slice(&expected), w->payload, err)) != COF_OK)
        goto out;
    w->closing = w->order.next % COF_INDEX_RECORDS != 0;
    w->after_index = true;
    w->pending_count = 0;
    w->at += COF_FRAME_SIZE + len;
    st = w->hooks.index != NULL ? w->hooks.index(w->hooks.ctx, &ref, err) : COF_OK;
out:
    cof_buf_free(&expected);
    return st;
}

/* ---- records ---- */

/* Hand the payload that stands here to those who hash. */
static cof_status send(cof_walk *w, const cof_frame *f, const uint8_t *header, cof_error *err)
{
    bool again = true, done;
    cof_payload *x;
    cof_status st = COF_OK;

    while ((x = cof_payloads_get(w->payloads)) == NULL)
        if ((st = settle_one(w, &done, err)) != COF_OK)
            return st;
    x->frame = *f;
    x->at = (cof_place){w->volume, w->at};
    memcpy(x->header, header, sizeof(x->header));
    if (w->hooks.body == NULL &&
        (st = take(w, x->bytes, f->stored_len, w->at + COF_FRAME_SIZE, err)) != COF_OK)
        return st;
    while (st == COF_OK && again)
        if ((st = cof_payloads_put(&again, w->payloads, x, err)) == COF_OK && again)
            st = settle_one(w, &done, err);
    return st;
}

static cof_status walk_record(cof_walk *w, const cof_frame *f, cof_error *err)
{
    uint8_t header[COF_FRAME_SIZE];
    cof_status st;

    memcpy(header, w->payload, sizeof(header));
    if (w->closing)
        return cof_fail_rule(err, COF_FORMAT, "IX-1", w->at,
                             "an index stands at body offset %" PRIu64 " where none belongs",
                             w->at);
    if ((st = cof_order_check(&w->order, f, w->preamble, w->at, err)) != COF_OK ||
        (st = check_room(w, f->stored_len, err)) != COF_OK)
        return st;
    if (w->pending_count++ == 0) {
        w->pending_at = w->at;
        w->pending_first = f->record;
    }
    if ((st = send(w, f, header, err)) != COF_OK)
        return st;
    w->after_index = false;
    w->by_kind[f->kind]++;
    if (f->kind == COF_FRAME_DATA)
        w->plain_bytes += f->plain_len;
    w->at += COF_FRAME_SIZE + f->stored_len;
    return COF_OK;
}

/* FR-3: skip what later versions may put behind an index. */
static cof_status walk_ancillary(cof_walk *w, const cof_frame *f, cof_error *err)
{
    uint64_t end = w->at + COF_FRAME_SIZE + f->stored_len;
    size_t most = cof_frame_stored_max(w->preamble);
    cof_status st = COF_OK;

    if (!w->after_index)
        return cof_fail_rule(
            err, COF_FORMAT, "FR-3", w->at,
            "an ancillary frame stands at body offset %" PRIu64 ", not behind an index", w->at);
    if ((st = check_room(w, f->stored_len, err)) != COF_OK)
        return st;
    for (size_t left = f->stored_len; st == COF_OK && left > 0; left -= cof_min_size(left, most))
        st = take(w, w->payload, cof_min_size(left, most), end - left, err);
    w->at = end;
    return st;
}

/* ---- VOLUME-END ---- */

/* VE-1: what stands there follows from the manifest, so a damaged one is stepped over, too. */
static cof_status walk_volume_end(cof_walk *w, cof_error *err)
{
    cof_frame frame = cof_frame_other(COF_FRAME_VOLUME_END, COF_VOLUME_END_SIZE);
    uint8_t expected[END_SIZE], found[END_SIZE];
    cof_status st;

    if (w->pending_count > 0)
        return cof_fail_rule(err, COF_FORMAT, "IX-1", w->at,
                             "volume %" PRIu32 " ends without an index", w->volume);
    cof_frame_emit(expected, &frame);
    cof_volume_end_emit(expected + COF_FRAME_SIZE, w->volume, w->order.next);
    if ((st = take_known(w, found, sizeof(found), w->at, err)) != COF_OK ||
        (st = compare(w, &w->damaged_ends, (cof_slice){expected, sizeof(expected)}, found, err)) !=
            COF_OK)
        return st;
    w->before += w->at + END_SIZE;
    return enter_volume(w, w->volume + 1, err);
}

/* ---- the walk ---- */

static cof_status unexpected(const cof_walk *w, const cof_frame *f, cof_error *err)
{
    if (f->kind == COF_FRAME_VOLUME_END && w->manifest == NULL)
        return cof_fail_rule(err, COF_UNSUPPORTED, "VE-1", w->at,
                             "the backup goes on in another volume, and only a whole one can come "
                             "through a pipe");
    if (f->kind == COF_FRAME_VOLUME_END)
        return cof_fail_rule(err, COF_FORMAT, "VE-1", w->at,
                             "a volume ends at body offset %" PRIu64 ", where it must not", w->at);
    return cof_fail_rule(err, COF_FORMAT, "IX-1", w->at,
                         "the content ends at body offset %" PRIu64 " without an index", w->at);
}

/* One frame; *done when it was the one that ends the content. */
static cof_status step(cof_walk *w, bool *done, cof_error *err)
{
    uint8_t *header = w->payload;
    bool due = index_due(w);
    cof_frame f;
    cof_status st;

    if ((st = check_room(w, 0, err)) != COF_OK ||
        (st = (due ? take_known : take)(w, header, COF_FRAME_SIZE, w->at, err)) != COF_OK)
        return st;
    if (due)
        return walk_index(w, err);
    if ((st = cof_frame_parse(&f, header, err)) != COF_OK)
        return st;
    if (f.kind >= COF_FRAME_ANCILLARY)
        return walk_ancillary(w, &f, err);
    if (cof_frame_is_record(&f))
        return walk_record(w, &f, err);
    if (f.kind == COF_FRAME_INDEX && w->pending_count > 0)
        return walk_index(w, err);
    if (f.kind != COF_FRAME_TAIL || w->pending_count > 0 || w->manifest != NULL)
        return unexpected(w, &f, err);
    w->tail = f;
    *done = true;
    return cof_frame_check_other(&f, err);
}

/* Bytes of all volumes together; COF_NO_OFFSET where nobody knows. */
static uint64_t total_bytes(const cof_walk *w)
{
    uint64_t total = 0;

    if (w->manifest == NULL)
        return COF_NO_OFFSET;
    for (size_t i = 0; i < w->manifest->volume_count; i++)
        total += w->manifest->volumes[i].bytes; /* 65,535 numbers below 2^53 */
    return total;
}

/* What is wrong with a record that was walked before comes before what ended the walk. */
static cof_status first_cause(cof_walk *w, cof_status st, cof_error *err)
{
    cof_error earlier = COF_ERROR_INIT;
    cof_status settled = w->broken ? COF_OK : settle(w, &earlier);

    if (settled == COF_OK)
        return st;
    if (err != NULL)
        *err = earlier;
    return settled;
}

cof_status cof_walk_run(cof_walk *w, cof_error *err)
{
    uint64_t total = total_bytes(w);
    bool done = false;
    cof_status st = COF_OK;

    while (st == COF_OK && !done && !(w->at == w->end && is_last(w))) {
        st = w->at == w->end ? walk_volume_end(w, err) : step(w, &done, err);
        if (st == COF_OK && !done)
            st = cof_tell(w->report, w->before + w->at, total, err);
    }
    if (st == COF_OK && w->pending_count > 0)
        st = cof_fail_rule(err, COF_FORMAT, "IX-1", w->at, "the content ends without an index");
    return first_cause(w, st, err);
}

cof_status cof_walk_check(const cof_walk *w, const cof_manifest *m, cof_error *err)
{
    uint8_t root[COF_SHA256_SIZE];
    cof_status st = cof_merkle_root(root, &w->tree, err);

    if (st != COF_OK)
        return st;
    if (w->volume != m->volume_count || w->at != m->volumes[m->volume_count - 1].bytes)
        return cof_fail_rule(err, COF_FORMAT, "MF-5", w->at,
                             "the content does not have the length that was signed");
    if (w->order.next != m->records || w->by_kind[COF_FRAME_DATA] != m->data_records ||
        w->by_kind[COF_FRAME_CATALOG] != m->catalog_records ||
        w->by_kind[COF_FRAME_LINEAGE] != m->lineage_records || w->plain_bytes != m->plain_bytes ||
        memcmp(root, m->root, sizeof(root)) != 0)
        return cof_fail_rule(err, COF_AUTH, "MF-6", COF_NO_OFFSET,
                             "the content is not the one that was signed: it was changed or is "
                             "damaged");
    return cof_order_finish(&w->order, m, err);
}
