/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Verifying the whole: one walk over every byte of the body, ending in the comparison with the
 * signed manifest.  Nothing is released, so the root may come last.  Deep, of files, they are then
 * read once more as restoring does: what is said to be good can be restored.
 */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/examine.h"
#include "engine/fetch.h"
#include "engine/note.h"
#include "engine/reader.h"
#include "engine/volumes.h"
#include "engine/walk.h"
#include "format/catalog_tree.h"
#include "format/limits.h"
#include "os/pool.h"
#include "os/threads.h"

/* What a thread needs to unseal. */
typedef struct unsealing {
    cof_unsealer *unsealer;
    uint8_t *room; /* for a plaintext */
} unsealing;

typedef struct check {
    cof_reader *reader;
    unsigned threads;
    unsealing unsealing[COF_POOL_WORKERS_MAX]; /* deep, or with a lineage to be proven; those that
                                                  several threads need only of a stream */
    bool deep;                                 /* decompress, too */
    cof_fetch *lineage;                        /* NULL, or what the lineage is read with */
    cof_catalog_checker *catalog;              /* deep only, of a tree */
    uint64_t stream_len;                       /* of stream 0 */
    size_t indexes;                            /* INDEX frames met so far */
    bool list_differs;                         /* the tail's list of them is not what was met */
} check;

static cof_status check_read(void *ctx, void *out, size_t len, cof_place from, cof_error *err)
{
    check *c = ctx;

    return cof_body_read(out, len, c->reader->opened.body, from.volume, from.offset, err);
}

/* 6 of LI-1 */
static cof_status check_origin(check *c, const cof_frame *frame, cof_slice content, cof_error *err)
{
    cof_origin *origin = c->lineage != NULL ? c->lineage->origin : NULL;
    cof_status st;

    if (origin == NULL || frame->record >= cof_origin_records(origin))
        return COF_OK;
    if ((st = cof_origin_seek(origin, frame->record, err)) != COF_OK)
        return st;
    return cof_origin_check(origin, frame, content, err);
}

static cof_status unseal(cof_slice *plain, const unsealing *u, const cof_frame *frame,
                         const uint8_t *header, uint8_t *payload, cof_error *err)
{
    cof_slice content;
    cof_status st = cof_unsealer_decrypt(u->unsealer, &content, frame, header, payload, err);

    return st == COF_OK ? cof_unsealer_unpack(u->unsealer, plain, frame, content, u->room, err)
                        : st;
}

/* Content that is not listed, deep: does it decrypt and decompress?  In any thread. */
static cof_status work(void *ctx, unsigned worker, const cof_frame *frame, const uint8_t *header,
                       uint8_t *payload, cof_error *err)
{
    const check *c = ctx;
    cof_slice plain;

    return unseal(&plain, &c->unsealing[worker], frame, header, payload, err);
}

/* Is that left to work()? */
static bool by_workers(const check *c)
{
    return c->deep && c->catalog == NULL && c->lineage == NULL;
}

static cof_status check_record(void *ctx, const cof_frame *frame, const uint8_t *entry,
                               uint8_t *payload, cof_place at, cof_error *err)
{
    check *c = ctx;
    const unsealing *u = &c->unsealing[0];
    cof_slice plain, content;
    cof_status st;

    (void)at;
    if (frame->kind == COF_FRAME_DATA)
        c->stream_len += frame->plain_len;
    if (u->unsealer == NULL || by_workers(c) ||
        (c->catalog != NULL && c->lineage == NULL && frame->kind == COF_FRAME_DATA))
        return COF_OK; /* the content of files is unsealed when they are examined */
    if ((st = cof_unsealer_decrypt(u->unsealer, &content, frame, cof_entry_header(entry), payload,
                                   err)) != COF_OK ||
        (st = check_origin(c, frame, content, err)) != COF_OK || !c->deep)
        return st;
    st = cof_unsealer_unpack(u->unsealer, &plain, frame, content, u->room, err);
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
    if (i >= tail->index_count || !cof_index_ref_same(&tail->indexes[i], ref))
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
                 "the end marks of %zu of %zu volumes are damaged; they are not needed to read the "
                 "backup",
                 damaged_ends, c->reader->opened.manifest.volume_count);
    cof_reader_damaged(c->reader, damaged + damaged_ends);
}

/* Is there a catalog?  Then the content is examined as it says. */
static bool is_listed(const cof_reader *r)
{
    return r->opened.head.preamble.content == COF_CONTENT_TREE ||
           r->opened.manifest.catalog_records != 0;
}

/* Where the archive ends; named streams have none, and positions stay at its beginning. */
static uint64_t archive_len(const check *c)
{
    return c->reader->opened.head.preamble.content == COF_CONTENT_TREE ? c->stream_len
                                                                       : COF_CATALOG_END;
}

static cof_status run_walk(cof_walk *walk, const cof_opened *o, cof_error *err)
{
    cof_status st = cof_walk_run(walk, err);

    return cof_volumes_locate(o, walk->volume, st, err);
}

static cof_status walk_body(check *c, cof_error *err)
{
    const cof_opened *o = &c->reader->opened;
    cof_walk_hooks hooks = {
        .read = check_read,
        .record = check_record,
        .work = by_workers(c) ? work : NULL,
        .index = check_index,
        .threads = c->threads,
        .body = o->body,
        .stats = c->reader->options->stats,
        .hash_only = c->unsealing[0].unsealer == NULL,
        .ctx = c,
    };
    cof_walk walk;
    cof_status st;

    if ((st = cof_walk_init(&walk, &o->head.preamble, &hooks, &o->manifest,
                            &c->reader->options->report, err)) == COF_OK &&
        (st = run_walk(&walk, o, err)) == COF_OK &&
        (st = cof_walk_check(&walk, &o->manifest, err)) == COF_OK &&
        (c->catalog == NULL ||
         (st = cof_catalog_checker_finish(c->catalog, archive_len(c), err)) == COF_OK)) {
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

/* Have what so many threads need to unseal. */
static cof_status unseal_with(check *c, unsigned threads, cof_error *err)
{
    const cof_opened *o = &c->reader->opened;
    cof_status st = COF_OK;

    for (unsigned i = 0; st == COF_OK && i < threads; i++) {
        unsealing *u = &c->unsealing[i];

        if (u->unsealer == NULL)
            st = cof_unsealer_new(&u->unsealer, &o->head.preamble, o->schedule, err);
        if (st == COF_OK && u->room == NULL &&
            (u->room = malloc(o->head.preamble.record_size)) == NULL)
            st = cof_fail(err, COF_NOMEM, "out of memory");
    }
    return st;
}

static cof_status go_deep(check *c, cof_error *err)
{
    cof_status st = need_key(c->reader, err);

    c->deep = true;
    if (st == COF_OK && is_listed(c->reader))
        st = cof_catalog_checker_new(&c->catalog, err);
    return st == COF_OK ? unseal_with(c, by_workers(c) ? c->threads : 1, err) : st;
}

/* LI-4: 1 to 5 of LI-1 now, 6 in the walk. */
static cof_status prove_lineage(check *c, cof_fetch *fetch, cof_error *err)
{
    const cof_opened *o = &c->reader->opened;
    cof_status st;

    if (!o->needs_lineage || o->body == NULL) /* a head alone releases nothing */
        return COF_OK;
    if (o->schedule == NULL)
        return cof_fail_rule(err, COF_AUTH, "LI-4", COF_NO_OFFSET,
                             "the backup was re-encrypted by somebody who is not trusted as maker: "
                             "only with a private key (--key) it can be shown that the content is "
                             "still the first maker's");
    c->lineage = fetch;
    if ((st = cof_fetch_init(fetch, c->reader, err)) != COF_OK)
        return st;
    return unseal_with(c, 1, err);
}

static cof_status verify_content(check *c, cof_depth depth, cof_fetch *fetch, cof_error *err)
{
    cof_status st = prove_lineage(c, fetch, err);

    if (st == COF_OK && depth == COF_VERIFY_QUICK && c->lineage != NULL)
        c->reader->info.lineage = COF_LINEAGE_REQUIRED; /* no record was compared */
    if (st != COF_OK || depth == COF_VERIFY_QUICK ||
        (st = cof_opened_need_body(&c->reader->opened, err)) != COF_OK)
        return st;
    if (depth == COF_VERIFY_DEEP && (st = go_deep(c, err)) != COF_OK)
        return st;
    if ((st = walk_body(c, err)) != COF_OK || c->catalog == NULL)
        return st;
    return cof_reader_examine(c->reader, err);
}

cof_status cof_reader_verify(cof_reader *reader, cof_depth depth, cof_error *err)
{
    check c = {
        .reader = reader,
        .threads = cof_threads_for(reader->options->jobs, COF_POOL_WORKERS_MAX),
    };
    cof_fetch fetch = {.reader = NULL};
    cof_status st;

    if (!cof_opened_trusted(&reader->opened))
        return cof_fail_rule(err, COF_AUTH, "ST-2", COF_NO_OFFSET,
                             "the maker of the backup is not trusted");
    if ((st = cof_volumes_require(&reader->opened, depth != COF_VERIFY_QUICK, err)) != COF_OK)
        return st;
    st = verify_content(&c, depth, &fetch, err);
    if (c.lineage != NULL)
        cof_fetch_wipe(&fetch);
    for (unsigned i = 0; i < COF_POOL_WORKERS_MAX; i++) {
        cof_unsealer_free(c.unsealing[i].unsealer);
        free(c.unsealing[i].room);
    }
    cof_catalog_checker_free(c.catalog);
    return st;
}
