/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Restoring the content: a stream, or the archive of a tree.  All entries are proven to be under
 * the signed root first; then each record is compared with its entry before a byte of its plaintext
 * is handed on (P4).
 */

#include "base/error.h"
#include "engine/fetch.h"
#include "engine/note.h"
#include "engine/reader.h"
#include "store/sink.h"

typedef cof_status write_fn(void *ctx, const void *data, size_t len, cof_error *err);

static cof_status restore_records(cof_fetch *f, write_fn *write, void *ctx, cof_error *err)
{
    const cof_manifest *m = &f->reader->opened.manifest;
    const cof_report *report = &f->reader->options->report;
    uint64_t plain = 0, end = m->records - m->lineage_records;
    cof_status st = COF_OK;

    for (uint64_t n = 0; st == COF_OK && n < end; n++) {
        if ((st = cof_fetch_record(f, n, err)) != COF_OK)
            return st;
        if (f->header.kind == COF_FRAME_DATA) {
            plain += f->plain.len;
            st = write(ctx, f->plain.data, f->plain.len, err);
        }
        if (st == COF_OK)
            st = cof_tell(report, plain, m->plain_bytes, err);
    }
    return st;
}

cof_status cof_reader_restore(cof_reader *reader,
                              cof_status (*write)(void *ctx, const void *data, size_t len,
                                                  cof_error *err),
                              void *ctx, cof_error *err)
{
    cof_fetch fetch;
    cof_status st = cof_fetch_init(&fetch, reader, err);

    if (st == COF_OK)
        st = restore_records(&fetch, write, ctx, err);
    cof_fetch_wipe(&fetch);
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
    cof_status st = cof_fetch_check(reader, err);

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
