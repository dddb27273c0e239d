/* SPDX-License-Identifier: Apache-2.0 */

/* The descent.  It recurses once for each level, of which there are at most sixteen. */

#include "engine/catalog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/limits.h"

typedef struct descent {
    cof_fetch *fetch;
    const cof_catalog_visit *visit;
    uint64_t records; /* CATALOG records met */
    bool skipped;     /* some were not asked for, or are lost */
    uint8_t *named;   /* of named streams: a bit for each that was met; else NULL */
    size_t filled;    /* how many of these have bytes */
} descent;

/* Where the paths and positions below a record end. */
typedef struct bound {
    bool last; /* no path comes behind */
    cof_slice path;
    uint64_t position;
} bound;

static cof_status wrong(cof_status class, const char *rule, uint64_t record, const char *problem,
                        cof_error *err)
{
    return cof_fail_rule(err, class, rule, COF_NO_OFFSET,
                         "the catalog is not as it must be: record %" PRIu64 " %s", record,
                         problem);
}

static cof_status visit_record(descent *d, const cof_catalog_item *item, int level,
                               const bound *end, cof_error *err);

/* ---- level 0 ---- */

/* RC-10, CA-2: is it a stream that is there, so long, and not named before?  Finds its place. */
static cof_status meet_stream(descent *d, cof_catalog_entry *e, uint64_t record, cof_error *err)
{
    uint8_t *byte, bit = (uint8_t)(1U << e->stream % 8);
    uint64_t len;

    if ((d->named != NULL) != (e->type == COF_ENTRY_NAMED_STREAM))
        return wrong(COF_FORMAT, "RC-10", record, "lists what such a backup does not hold", err);
    if (d->named == NULL)
        return COF_OK;
    byte = &d->named[e->stream / 8];
    if ((*byte & bit) != 0)
        return wrong(COF_FORMAT, "RC-10", record, "names a stream that has a name", err);
    *byte |= bit;
    e->position = cof_entries_stream(&len, &d->fetch->entries, e->stream);
    if (len != e->length)
        return wrong(COF_AUTH, "CA-2", record, "is wrong about the length of a stream", err);
    d->filled += len != 0;
    return COF_OK;
}

static cof_status visit_entries(descent *d, cof_catalog_view *view, const cof_catalog_item *item,
                                const bound *end, cof_error *err)
{
    cof_catalog_entry e;
    bool first = true, done = false;
    cof_status st;

    while ((st = cof_catalog_view_entry(view, &e, &done, err)) == COF_OK && !done) {
        if (first && item->path.len != 0 && !cof_slice_equal(e.path, item->path))
            return wrong(COF_AUTH, "CA-4", item->record, "does not begin with the path looked for",
                         err);
        if (!end->last && cof_treepath_compare(e.path, end->path) >= 0)
            return wrong(COF_FORMAT, "CA-1", item->record, "goes beyond the next one", err);
        if (view->position > end->position)
            return wrong(COF_FORMAT, "CA-1", item->record, "covers more than its part", err);
        if ((st = meet_stream(d, &e, item->record, err)) != COF_OK ||
            (st = d->visit->entry(d->visit->ctx, &e, err)) != COF_OK)
            return st;
        first = false;
    }
    if (st == COF_OK && view->position != end->position)
        st = wrong(COF_FORMAT, "CA-1", item->record, "does not end where the next one begins", err);
    return st;
}

/* ---- higher levels ---- */

/* Visit a record of the level below, if anything of it is wanted. */
static cof_status visit_item(descent *d, const cof_catalog_item *item, uint64_t parent, int level,
                             const bound *end, cof_error *err)
{
    const cof_catalog_visit *v = d->visit;

    if (item->record >= parent)
        return wrong(COF_FORMAT, "CA-3", parent, "leads to one that comes after it", err);
    if (!end->last && cof_treepath_compare(item->path, end->path) >= 0)
        return wrong(COF_FORMAT, "CA-1", parent, "goes beyond the next one", err);
    if (v->wants == NULL || v->wants(v->ctx, item->path, end->last ? NULL : &end->path))
        return visit_record(d, item, level - 1, end, err);
    d->skipped = true;
    return COF_OK;
}

static cof_status copy_item(cof_catalog_item *item, cof_buf *path, cof_error *err)
{
    cof_status st;

    path->len = 0;
    if ((st = cof_buf_append(path, item->path.data, item->path.len, err)) == COF_OK)
        item->path = cof_buf_slice(path);
    return st;
}

/* Each item once the one behind it is known, where it ends. */
static cof_status visit_items(descent *d, cof_catalog_view *view, const cof_catalog_item *self,
                              const bound *end, cof_error *err)
{
    cof_catalog_item item, next;
    cof_buf path = COF_BUF_INIT;
    bool done = false;
    cof_status st;

    if ((st = cof_catalog_view_item(view, &item, &done, err)) != COF_OK ||
        (st = copy_item(&item, &path, err)) != COF_OK)
        goto out;
    if (self->path.len != 0 && !cof_slice_equal(item.path, self->path)) {
        st = wrong(COF_AUTH, "CA-4", self->record, "does not begin with the path looked for", err);
        goto out;
    }
    while (st == COF_OK && !done) {
        bound until = *end;

        if ((st = cof_catalog_view_item(view, &next, &done, err)) != COF_OK)
            break;
        if (!done) {
            until = (bound){false, next.path, next.position};
            if (next.record <= item.record) {
                st = wrong(COF_FORMAT, "CA-3", self->record, "has items out of order", err);
                break;
            }
        }
        if ((st = visit_item(d, &item, self->record, view->level, &until, err)) != COF_OK || done)
            break;
        item = next;
        st = copy_item(&item, &path, err);
    }
out:
    cof_buf_free(&path);
    return st;
}

/* ---- one record ---- */

/* The plaintext, copied: whoever is visited fetches other records. */
static cof_status fetch_copy(descent *d, cof_buf *out, uint64_t number, cof_error *err)
{
    cof_status st = cof_fetch_record(d->fetch, number, err);

    if (st != COF_OK)
        return st;
    if (d->fetch->header.kind != COF_FRAME_CATALOG)
        return wrong(COF_AUTH, "CA-4", number, "is none of the catalog", err);
    return cof_buf_append(out, d->fetch->plain.data, d->fetch->plain.len, err);
}

static cof_status check_header(const cof_catalog_view *view, const cof_catalog_item *item,
                               int level, cof_error *err)
{
    if (level >= 0 && view->level != level)
        return wrong(COF_AUTH, "CA-4", item->record, "is not of the level looked for", err);
    if (view->position != item->position)
        return wrong(level >= 0 ? COF_AUTH : COF_FORMAT, level >= 0 ? "CA-4" : "CA-1", item->record,
                     "does not begin at the position looked for", err);
    if (level < 0 && view->level > 0 && view->count < 2)
        return wrong(COF_FORMAT, "CA-1", item->record, "is a top with one item", err);
    return COF_OK;
}

/* level -1: the top, of whatever level, whose first path is not known. */
static cof_status visit_record(descent *d, const cof_catalog_item *item, int level,
                               const bound *end, cof_error *err)
{
    cof_buf plain = COF_BUF_INIT;
    cof_catalog_view view = {.level = 0};
    cof_error why = COF_ERROR_INIT;
    cof_status st = fetch_copy(d, &plain, item->record, &why);

    d->records++;
    if (st != COF_OK) {
        cof_buf_free(&plain);
        d->skipped = true;
        if (d->fetch->damaged && d->visit->lost != NULL)
            return d->visit->lost(d->visit->ctx, item->path, end->last ? NULL : &end->path, &why,
                                  err);
        if (err != NULL)
            *err = why;
        return st;
    }
    if ((st = cof_catalog_view_open(&view, cof_buf_slice(&plain), err)) == COF_OK &&
        (st = check_header(&view, item, level, err)) == COF_OK)
        st = view.level == 0 ? visit_entries(d, &view, item, end, err)
                             : visit_items(d, &view, item, end, err);
    cof_catalog_view_wipe(&view);
    cof_buf_free(&plain);
    return st;
}

/* All records were met: was all met that there is? */
static cof_status check_met(const descent *d, cof_error *err)
{
    if (d->records != d->fetch->reader->opened.manifest.catalog_records)
        return cof_fail_rule(err, COF_FORMAT, "CA-3", COF_NO_OFFSET,
                             "the catalog does not lead to all of its records");
    if (d->named != NULL && d->filled != d->fetch->entries.start_count)
        return cof_fail_rule(err, COF_FORMAT, "RC-10", COF_NO_OFFSET,
                             "the catalog does not name all streams");
    return COF_OK;
}

cof_status cof_catalog_walk(cof_fetch *fetch, const cof_catalog_visit *visit, cof_error *err)
{
    const cof_manifest *m = &fetch->reader->opened.manifest;
    descent d = {.fetch = fetch, .visit = visit};
    cof_catalog_item top = {.record = m->records - m->lineage_records - 1};
    bound end = {.last = true};
    cof_status st;

    if (m->content == COF_CONTENT_STREAM && m->catalog_records == 0)
        return cof_fail(err, COF_USAGE,
                        "the backup is a stream, not files: restore it with -o FILE or -o -");
    if (m->content == COF_CONTENT_STREAM) {
        if ((d.named = calloc(1, (COF_STREAM_DATA_MAX + 8) / 8)) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
    } else if (m->catalog_records == 0 || fetch->entries.stream_len < COF_CATALOG_END) {
        return cof_fail_rule(err, COF_FORMAT, "CA-3", COF_NO_OFFSET,
                             "the backup of files has no catalog, or no content");
    } else {
        end.position = fetch->entries.stream_len - COF_CATALOG_END;
    }
    st = visit_record(&d, &top, -1, &end, err);
    if (st == COF_OK && !d.skipped)
        st = check_met(&d, err);
    free(d.named);
    return st;
}

cof_status cof_catalog_check_end(cof_fetch *fetch, cof_error *err)
{
    uint64_t end = fetch->entries.stream_len;
    uint64_t at = end - COF_CATALOG_END;
    cof_slice piece;
    cof_status st = COF_OK;

    if (fetch->reader->opened.manifest.content != COF_CONTENT_TREE)
        return COF_OK; /* of named streams all is listed by their numbers */

    while (st == COF_OK && at < end) {
        if ((st = cof_fetch_data(fetch, &piece, at, err)) != COF_OK)
            return st;
        for (size_t i = 0; i < piece.len; i++)
            if (piece.data[i] != 0)
                return cof_fail_rule(err, COF_AUTH, "CA-2", COF_NO_OFFSET,
                                     "the catalog does not list all that is in the content");
        at += piece.len;
    }
    return st;
}

/* ---- one path ---- */

typedef struct lookup {
    cof_slice path;
    cof_catalog_entry *out;
    cof_buf *copy;
    bool found;
} lookup;

static bool lookup_wants(void *ctx, cof_slice first, const cof_slice *next)
{
    cof_slice path = ((lookup *)ctx)->path;

    return cof_treepath_compare(first, path) <= 0 &&
           (next == NULL || cof_treepath_compare(path, *next) < 0);
}

static cof_status lookup_entry(void *ctx, const cof_catalog_entry *e, cof_error *err)
{
    lookup *l = ctx;
    cof_status st;

    if (l->found || !cof_slice_equal(e->path, l->path))
        return COF_OK;
    *l->out = *e;
    if ((st = cof_buf_append(l->copy, e->path.data, e->path.len, err)) != COF_OK ||
        (st = cof_buf_append(l->copy, e->target.data, e->target.len, err)) != COF_OK)
        return st;
    l->out->path = (cof_slice){l->copy->data, e->path.len};
    l->out->target = (cof_slice){l->copy->data + e->path.len, e->target.len};
    l->found = true;
    return COF_OK;
}

cof_status cof_catalog_find(bool *found, cof_fetch *fetch, cof_catalog_entry *out, cof_buf *copy,
                            cof_slice path, cof_error *err)
{
    lookup l = {.path = path, .out = out, .copy = copy};
    const cof_catalog_visit visit = {.wants = lookup_wants, .entry = lookup_entry, .ctx = &l};
    cof_status st = cof_catalog_walk(fetch, &visit, err);

    *found = st == COF_OK && l.found;
    return st;
}
