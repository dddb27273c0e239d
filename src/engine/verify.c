/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Verifying the whole: one walk over every byte of the body, ending in the comparison with the
 * signed manifest.  Nothing is released, so the root may come last.
 */

#include <string.h>

#include "base/error.h"
#include "engine/note.h"
#include "engine/reader.h"
#include "engine/record.h"
#include "engine/walk.h"
#include "format/limits.h"

typedef struct check {
    cof_reader *reader;
    uint64_t at;            /* next body offset to read */
    cof_unsealer *unsealer; /* deep only */
    size_t indexes;         /* INDEX frames met so far */
    bool list_differs;      /* the tail's list of them is not what was met */
} check;

static cof_status check_read(void *ctx, void *out, size_t len, cof_error *err)
{
    check *c = ctx;
    cof_status st = cof_body_read(out, len, &c->reader->opened.body, c->at, err);

    if (st == COF_OK)
        c->at += len;
    return st;
}

static cof_status check_record(void *ctx, const cof_frame *frame, const uint8_t *entry,
                               uint8_t *payload, uint64_t at, cof_error *err)
{
    check *c = ctx;
    cof_slice plain;

    (void)at;
    if (c->unsealer == NULL)
        return COF_OK;
    return cof_unsealer_run(c->unsealer, &plain, frame, cof_entry_header(entry), payload, err);
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

static cof_status walk_body(check *c, cof_error *err)
{
    const cof_opened *o = &c->reader->opened;
    cof_walk_hooks hooks = {
        .read = check_read, .record = check_record, .index = check_index, .ctx = c};
    cof_walk walk;
    cof_status st;

    if ((st = cof_walk_init(&walk, &o->head.preamble, &hooks, o->manifest.volumes[0].bytes, false,
                            &c->reader->options->report, err)) == COF_OK &&
        (st = cof_walk_run(&walk, err)) == COF_OK &&
        (st = cof_walk_check(&walk, &o->manifest, err)) == COF_OK) {
        cof_reader_damaged(c->reader, walk.damaged);
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

cof_status cof_reader_verify(cof_reader *reader, cof_depth depth, cof_error *err)
{
    check c = {.reader = reader};
    cof_status st = COF_OK;

    if (depth == COF_VERIFY_QUICK)
        return COF_OK;
    if (depth == COF_VERIFY_DEEP &&
        ((st = need_key(reader, err)) != COF_OK ||
         (st = cof_unsealer_new(&c.unsealer, &reader->opened.head.preamble, reader->opened.schedule,
                                err)) != COF_OK))
        return st;
    st = walk_body(&c, err);
    cof_unsealer_free(c.unsealer);
    return st;
}
