/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Restoring the content: a stream, or the archive of a tree.  All entries are proven to be under
 * the signed root first; then each record is compared with its entry before a byte of its plaintext
 * is handed on (P4).  A new file, which nobody sees before it is complete, is filled by all threads
 * at once; everything else in order.
 */

#include <coffer/tree.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/catalog.h"
#include "engine/fetch.h"
#include "engine/note.h"
#include "engine/reader.h"
#include "store/sink.h"

typedef cof_status write_fn(void *ctx, const void *data, size_t len, cof_error *err);

/*
 * Is what just failed a damaged piece of the catalog?  The content as one stream does not need it:
 * where that is an archive, each file stands behind its own name, under the same signature.
 */
static bool is_only_catalog(const cof_fetch *f, uint64_t number)
{
    if (!f->damaged || f->header.kind != COF_FRAME_CATALOG || f->header.record != number)
        return false;
    cof_note(&f->reader->options->report,
             "record %" PRIu64
             ", a part of the catalog, is damaged; the content as one stream does "
             "not need it",
             number);
    return true;
}

/* write NULL: the content goes elsewhere as it is fetched. */
static cof_status restore_records(cof_fetch *f, write_fn *write, void *ctx, cof_error *err)
{
    const cof_manifest *m = &f->reader->opened.manifest;
    const cof_report *report = &f->reader->options->report;
    uint64_t plain = 0, end = m->records - m->lineage_records;
    cof_status st = COF_OK;

    for (uint64_t n = 0; st == COF_OK && n < end; n++) {
        st = cof_fetch_in_order(f, n, err);
        if (st != COF_OK && !is_only_catalog(f, n))
            return st;
        st = COF_OK;
        if (f->header.kind == COF_FRAME_DATA) {
            plain += f->plain.len;
            if (write != NULL)
                st = write(ctx, f->plain.data, f->plain.len, err);
        }
        if (st == COF_OK)
            st = cof_tell(report, plain, m->plain_bytes, err);
    }
    if (st == COF_OK && plain != m->plain_bytes)
        st = cof_fail_rule(err, COF_AUTH, "MF-6", COF_NO_OFFSET,
                           "not all of the content was restored");
    return st;
}

static bool is_named(const cof_reader *reader)
{
    const cof_manifest *m = &reader->opened.manifest;

    return m->content == COF_CONTENT_STREAM && m->catalog_records != 0;
}

/* Into write(), in order, or else into put(), in any. */
static cof_status restore(cof_reader *reader, write_fn *write, cof_fetch_put *put, void *ctx,
                          cof_error *err)
{
    cof_fetch fetch;
    cof_status st = cof_fetch_init(&fetch, reader, err);

    if (st == COF_OK && is_named(reader) && fetch.entries.start_count != 1)
        st = cof_fail(err, COF_USAGE,
                      "the backup holds streams with names: restore one with --stream, or all into "
                      "a directory with -C");
    if (st == COF_OK) {
        cof_fetch_put_into(&fetch, put, ctx);
        st = restore_records(&fetch, write, ctx, err);
    }
    cof_fetch_wipe(&fetch);
    return st;
}

cof_status cof_reader_restore(cof_reader *reader,
                              cof_status (*write)(void *ctx, const void *data, size_t len,
                                                  cof_error *err),
                              void *ctx, cof_error *err)
{
    return restore(reader, write, NULL, ctx, err);
}

static cof_status write_sink(void *ctx, const void *data, size_t len, cof_error *err)
{
    return cof_sink_write(ctx, data, len, err);
}

static cof_status put_into_sink(void *ctx, uint64_t offset, const void *data, size_t len,
                                cof_error *err)
{
    return cof_sink_write_at(ctx, offset, data, len, err);
}

static cof_status restore_sink(cof_reader *reader, cof_sink *sink, cof_error *err)
{
    bool is_file = cof_sink_seekable(sink) != NULL;
    cof_status st =
        restore(reader, is_file ? NULL : write_sink, is_file ? put_into_sink : NULL, sink, err);

    return st == COF_OK ? cof_sink_publish(sink, err) : st;
}

cof_status cof_reader_restore_file(cof_reader *reader, const char *path, bool force, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st = cof_fetch_check(reader, err);

    if (st == COF_OK && (st = cof_reader_spares(reader, path, err)) == COF_OK &&
        (st = cof_sink_file(&sink, path, force, err)) == COF_OK)
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

/* ---- one named stream ---- */

static cof_status copy_content(cof_sink *sink, cof_fetch *f, const cof_catalog_entry *e,
                               cof_error *err)
{
    uint64_t at = 0;
    cof_slice piece;
    cof_status st = COF_OK;

    while (st == COF_OK && at < e->length) {
        if ((st = cof_fetch_data(f, &piece, e->position + at, err)) != COF_OK ||
            (st = cof_sink_write(sink, piece.data, piece.len, err)) != COF_OK)
            return st;
        at += piece.len;
        st = cof_tell(&f->reader->options->report, at, e->length, err);
    }
    return st;
}

static cof_status restore_named(cof_reader *reader, const char *name, cof_sink *sink,
                                cof_error *err)
{
    const cof_slice path = {(const uint8_t *)name, strlen(name)};
    char safe[COF_TEXT_NAME_CAP];
    cof_buf copy = COF_BUF_INIT;
    cof_catalog_entry e;
    cof_fetch fetch;
    bool found = false;
    cof_status st = cof_fetch_init(&fetch, reader, err);

    if (st == COF_OK && !is_named(reader))
        st = cof_fail(err, COF_USAGE, "the streams of this backup have no names");
    if (st == COF_OK && (st = cof_catalog_find(&found, &fetch, &e, &copy, path, err)) == COF_OK &&
        !found)
        st = cof_fail(err, COF_USAGE, "there is no stream %s in the backup; coffer list names them",
                      cof_text_safe_str(safe, sizeof(safe), name));
    if (st == COF_OK && (st = copy_content(sink, &fetch, &e, err)) == COF_OK)
        st = cof_sink_publish(sink, err);
    cof_buf_free(&copy);
    cof_fetch_wipe(&fetch);
    return st;
}

cof_status cof_reader_stream_file(cof_reader *reader, const char *name, const char *path,
                                  bool force, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st = cof_fetch_check(reader, err);

    if (st == COF_OK && (st = cof_reader_spares(reader, path, err)) == COF_OK &&
        (st = cof_sink_file(&sink, path, force, err)) == COF_OK)
        st = restore_named(reader, name, sink, err);
    cof_sink_free(sink);
    return st;
}

cof_status cof_reader_stream_fd(cof_reader *reader, const char *name, int fd, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st = cof_sink_fd(&sink, fd, err);

    if (st == COF_OK)
        st = restore_named(reader, name, sink, err);
    cof_sink_free(sink);
    return st;
}
