/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Restoring the content: a stream, or the archive of a tree.  All entries are proven to be under
 * the signed root first; then each record is compared with its entry before a byte of its plaintext
 * is handed on (P4).
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "engine/entries.h"
#include "engine/note.h"
#include "engine/reader.h"
#include "engine/record.h"
#include "engine/walk.h"
#include "store/sink.h"

typedef cof_status write_fn(void *ctx, const void *data, size_t len, cof_error *err);

typedef struct restore {
    cof_reader *reader;
    cof_entries entries;
    cof_unsealer *unsealer;
    cof_sha256_ctx *sha;
    uint8_t *frame; /* the largest frame of a record */
    cof_order order;
    uint64_t plain; /* handed on so far */
} restore;

static cof_status check_openable(const cof_reader *r, cof_error *err)
{
    const cof_preamble *p = &r->opened.head.preamble;

    if (p->content == COF_CONTENT_STREAM && r->opened.manifest.catalog_records != 0)
        return cof_fail(err, COF_UNSUPPORTED,
                        "the backup holds several streams, which this version does not restore");
    if (p->epoch != 0)
        return cof_fail(err, COF_UNSUPPORTED,
                        "the backup was re-encrypted (epoch %" PRIu32
                        "), which this version does not restore",
                        p->epoch);
    if (p->protection == COF_PROTECTION_SEALED && r->opened.schedule == NULL)
        return cof_fail(err, COF_NO_MATCH,
                        "the backup is encrypted: a private key of a recipient "
                        "is needed (--key)");
    if (r->opened.maker.standing != COF_STANDING_TRUSTED)
        return cof_fail(err, COF_AUTH, "the maker of the backup is not trusted");
    return COF_OK;
}

static cof_status prepare(restore *x, cof_reader *r, cof_error *err)
{
    size_t damaged = 0;
    cof_status st;

    x->reader = r;
    x->frame = malloc(COF_FRAME_SIZE + (size_t)cof_frame_stored_max(&r->opened.head.preamble));
    if (x->frame == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = cof_unsealer_new(&x->unsealer, &r->opened.head.preamble, r->opened.schedule, err)) !=
            COF_OK ||
        (st = cof_sha256_new(&x->sha, err)) != COF_OK)
        return st;
    st = cof_entries_prove(&x->entries, &r->opened, &r->options->report, &damaged, err);
    cof_reader_damaged(r, damaged);
    return st;
}

static void release(restore *x)
{
    cof_entries_wipe(&x->entries);
    cof_unsealer_free(x->unsealer);
    cof_sha256_free(x->sha);
    free(x->frame);
}

/* RC-8, RC-9: is this frame the one that its proven entry describes? */
static cof_status prove(const restore *x, const uint8_t *entry, const cof_frame *f, uint64_t at,
                        cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    bool same = memcmp(x->frame, cof_entry_header(entry), COF_FRAME_SIZE) == 0;
    cof_status st;

    if ((st = cof_sha256_init(x->sha, err)) != COF_OK ||
        (st = cof_sha256_update(x->sha, x->frame + COF_FRAME_SIZE, f->stored_len, err)) != COF_OK ||
        (st = cof_sha256_final(x->sha, sha256, err)) != COF_OK)
        return st;
    if (same && memcmp(sha256, cof_entry_payload_sha256(entry), sizeof(sha256)) == 0)
        return COF_OK;
    return cof_fail_rule(err, COF_AUTH, same ? "RC-8" : "RC-9", at,
                         "record %" PRIu64 " is not the one that was signed: it was changed or is "
                         "damaged",
                         f->record);
}

static cof_status restore_record(restore *x, const uint8_t *entry, uint64_t *at, write_fn *write,
                                 void *ctx, cof_error *err)
{
    const cof_opened *o = &x->reader->opened;
    cof_slice plain;
    cof_frame f;
    cof_status st;

    if ((st = cof_frame_parse(&f, cof_entry_header(entry), err)) != COF_OK ||
        (st = cof_order_check(&x->order, &f, &o->head.preamble, *at, err)) != COF_OK ||
        (st = cof_body_read(x->frame, COF_FRAME_SIZE + (size_t)f.stored_len, &o->body, *at, err)) !=
            COF_OK ||
        (st = prove(x, entry, &f, *at, err)) != COF_OK ||
        (st = cof_unsealer_run(x->unsealer, &plain, &f, x->frame, x->frame + COF_FRAME_SIZE,
                               err)) != COF_OK)
        return st;
    *at += COF_FRAME_SIZE + f.stored_len;
    if (f.kind != COF_FRAME_DATA)
        return COF_OK;
    x->plain += plain.len;
    return write(ctx, plain.data, plain.len, err);
}

static cof_status restore_block(restore *x, size_t b, write_fn *write, void *ctx, cof_error *err)
{
    const cof_report *report = &x->reader->options->report;
    uint64_t total = x->reader->opened.manifest.plain_bytes;
    uint64_t at;
    cof_status st = cof_entries_load(&x->entries, b, err);

    at = x->entries.offset;
    for (size_t i = 0; st == COF_OK && i < x->entries.count; i++) {
        st = restore_record(x, x->entries.entries + i * COF_ENTRY_SIZE, &at, write, ctx, err);
        if (st == COF_OK)
            st = cof_tell(report, x->plain, total, err);
    }
    return st;
}

cof_status cof_reader_restore(cof_reader *reader,
                              cof_status (*write)(void *ctx, const void *data, size_t len,
                                                  cof_error *err),
                              void *ctx, cof_error *err)
{
    restore x;
    cof_status st = check_openable(reader, err);

    if (st != COF_OK)
        return st;
    memset(&x, 0, sizeof(x));
    st = prepare(&x, reader, err);
    for (size_t b = 0; st == COF_OK && b < x.entries.blocks; b++)
        st = restore_block(&x, b, write, ctx, err);
    if (st == COF_OK && x.plain != reader->opened.manifest.plain_bytes)
        st = cof_fail_rule(err, COF_AUTH, "MF-6", COF_NO_OFFSET,
                           "the content does not have the length that was signed");
    release(&x);
    return st;
}

static cof_status write_sink(void *ctx, const void *data, size_t len, cof_error *err)
{
    return cof_sink_write(ctx, data, len, err);
}

static cof_status restore_sink(cof_reader *reader, cof_sink *sink, cof_error *err)
{
    cof_status st = cof_reader_restore(reader, write_sink, sink, err);

    return st == COF_OK ? cof_sink_publish(sink, err) : st;
}

cof_status cof_reader_restore_file(cof_reader *reader, const char *path, bool force, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st = check_openable(reader, err);

    if (st == COF_OK && (st = cof_sink_file(&sink, path, force, err)) == COF_OK)
        st = restore_sink(reader, sink, err);
    cof_sink_free(sink);
    return st;
}

cof_status cof_reader_restore_fd(cof_reader *reader, int fd, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st = cof_sink_fd(&sink, fd, err);

    if (st == COF_OK)
        st = restore_sink(reader, sink, err);
    cof_sink_free(sink);
    return st;
}
