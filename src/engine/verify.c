/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Verifying the whole: one walk over every byte of the body, ending in the comparison with the
 * signed manifest.  Nothing is released, so the root may come last.  Deep, of files, they are then
 * read once more as restoring does: what is said to be good can be restored.
 */

#include <string.h>

#include "base/error.h"
#include "engine/examine.h"
#include "engine/note.h"
#include "engine/reader.h"
#include "engine/record.h"
#include "engine/walk.h"
#include "format/catalog_tree.h"
#include "format/limits.h"

typedef struct check {
    cof_reader *reader;
    cof_unsealer *unsealer;       /* deep only */
    cof_catalog_checker *catalog; /* deep only, of a tree */
    uint64_t stream_len;          /* of stream 0 */
    size_t indexes;               /* INDEX frames met so far */
    bool list_differs;            /* the tail's list of them is not what was met */
} check;

static cof_status check_read(void *ctx, void *out, size_t len, cof_place from, cof_error *err)
{
    check *c = ctx;

    return cof_body_read(out, len, c->reader->opened.body, from.volume, from.offset, err);
}

static cof_status check_record(void *ctx, const cof_frame *frame, const uint8_t *entry,
                               uint8_t *payload, cof_place at, cof_error *err)
{
    check *c = ctx;
    cof_slice plain;
    cof_status st;

    (void)at;
    if (frame->kind == COF_FRAME_DATA)
        c->stream_len += frame->plain_len;
    if (c->unsealer == NULL || (c->catalog != NULL && frame->kind == COF_FRAME_DATA))
        return COF_OK; /* the content of files is unsealed when they are examined */
    st = cof_unsealer_run(c->unsealer, &plain, frame, cof_entry_header(entry), payload, err);
    if (st != COF_OK || c->catalog == NULL || frame->kind != COF_FRAME_CATALOG)
        return st;
    return cof_catalog_checker_record(c->catalog, frame->record, plain, err);
}

static cof_status check_index(void *ctx, const cof_index_ref *ref, cof_error *err)
{
    check *c = ctx;
    const cof_tail *tail = &c->reader->opened.ending.tail;
    size_t i = c->indexes++;

    (void)err;
    if (i >= tail->index_count || tail->indexes[i].volume != ref->volume ||
        tail->indexes[i].count != ref->count || tail->indexes[i].offset != ref->offset ||
        tail->indexes[i].first_record != ref->first_record)
        c->list_differs = true;
    return COF_OK;
}

/* TL-5: the tail lists exactly the INDEX frames that there are. */
static void report_list(const check *c)
{
    const cof_ending *ending = &c->reader->opened.ending;

    if (!ending->found || (!c->list_differs && c->indexes == ending->tail.index_count))
        return;
    cof_note(&c->reader->options->report,
             "the closing record's list of indexes is wrong; it is not needed to read the backup");
    cof_reader_damaged(c->reader, 1);
}

/* IX-3, VE-1, once the root has shown that it is the index and not the records. */
static void report_frames(const check *c, size_t damaged, size_t damaged_ends)
{
    if (damaged > 0)
        cof_note(&c->reader->options->report,
                 "%zu of %zu indexes are damaged; they are not needed to read the backup", damaged,
                 c->indexes);
    if (damaged_ends > 0)
        cof_note(&c->reader->options->report,
                 "the marks at the end of %zu volumes are damaged; they are not needed to read the "
                 "backup",
                 damaged_ends);
    cof_reader_damaged(c->reader, damaged + damaged_ends);
}

static cof_status walk_body(check *c, cof_error *err)
{
    const cof_opened *o = &c->reader->opened;
    cof_walk_hooks hooks = {
        .read = check_read, .record = check_record, .index = check_index, .ctx = c};
    cof_walk walk;
    cof_status st;

    if ((st = cof_walk_init(&walk, &o->head.preamble, &hooks, &o->manifest,
                            &c->reader->options->report, err)) == COF_OK &&
        (st = cof_walk_run(&walk, err)) == COF_OK &&
        (st = cof_walk_check(&walk, &o->manifest, err)) == COF_OK &&
        (c->catalog == NULL ||
         (st = cof_catalog_checker_finish(c->catalog, c->stream_len, err)) == COF_OK)) {
        report_frames(c, walk.damaged, walk.damaged_ends);
        report_list(c);
    }
    cof_walk_wipe(&walk);
    return st;
}

static cof_status need_key(const cof_reader *r, cof_error *err)
{
    if (r->opened.head.preamble.protection == COF_PROTECTION_SIGNED_ONLY ||
        r->opened.schedule != NULL)
        return COF_OK;
    return cof_fail(err, COF_NO_MATCH,
                    "the backup is encrypted: a private key of a recipient is "
                    "needed (--key)");
}

static cof_status go_deep(check *c, cof_error *err)
{
    const cof_opened *o = &c->reader->opened;
    cof_status st = need_key(c->reader, err);

    if (st == COF_OK)
        st = cof_unsealer_new(&c->unsealer, &o->head.preamble, o->schedule, err);
    if (st == COF_OK && o->head.preamble.content == COF_CONTENT_TREE)
        st = cof_catalog_checker_new(&c->catalog, err);
    return st;
}

cof_status cof_reader_verify(cof_reader *reader, cof_depth depth, cof_error *err)
{
    check c = {.reader = reader};
    cof_status st = COF_OK;

    if (reader->opened.maker.standing != COF_STANDING_TRUSTED)
        return cof_fail_rule(err, COF_AUTH, "ST-2", COF_NO_OFFSET,
                             "the maker of the backup is not trusted");
    if (depth == COF_VERIFY_QUICK)
        return COF_OK;
    if (depth == COF_VERIFY_DEEP)
        st = go_deep(&c, err);
    if (st == COF_OK)
        st = walk_body(&c, err);
    if (st == COF_OK && c.catalog != NULL)
        st = cof_reader_examine(reader, err);
    cof_unsealer_free(c.unsealer);
    cof_catalog_checker_free(c.catalog);
    return st;
}
