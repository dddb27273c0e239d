/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a backup is filled with: bytes, a descriptor, or files.  All of it becomes records of stream
 * 0, or of the named stream that was begun last; files are listed in the catalog at the same time,
 * and its records stand among those.
 */

#include <string.h>

#include "base/error.h"
#include "engine/backup.h"
#include "engine/note.h"
#include "os/os.h"
#include "os/threads.h"

cof_status cof_backup_tell(const cof_backup *b, cof_error *err)
{
    return cof_tell(&b->options->report, b->data_bytes + b->fill, b->total, err);
}

cof_status cof_backup_flush(cof_backup *b, cof_error *err)
{
    const cof_frame where = {
        .kind = COF_FRAME_DATA, .stream = b->stream, .offset = b->stream_bytes};
    size_t len = b->fill;
    cof_status st;

    if (len == 0)
        return COF_OK;
    b->fill = 0;
    if ((st = cof_pipeline_put(b->pipeline, &where, &b->plain, len, err)) != COF_OK)
        return st;
    b->stream_bytes += len;
    b->data_bytes += len;
    return cof_backup_tell(b, err);
}

cof_status cof_backup_collect(cof_backup *b, const void *data, size_t len, cof_error *err)
{
    const uint8_t *p = data;
    cof_status st = COF_OK;

    while (st == COF_OK && len > 0) {
        size_t room = b->preamble.record_size - b->fill;
        size_t n = len < room ? len : room;

        if (p != b->plain + b->fill)
            memcpy(b->plain + b->fill, p, n);
        b->fill += n;
        p += n;
        len -= n;
        if (b->fill == b->preamble.record_size)
            st = cof_backup_flush(b, err);
    }
    return st;
}

/* ---- a stream ---- */

cof_status cof_backup_usable(const cof_backup *b, cof_error *err)
{
    return b->failed ? cof_fail(err, COF_USAGE, "the backup has failed before; begin a new one")
                     : COF_OK;
}

cof_status cof_backup_ended(cof_backup *b, cof_status st)
{
    b->failed |= st != COF_OK && st != COF_USAGE;
    return st;
}

cof_status cof_backup_need_stream(const cof_backup *b, cof_error *err)
{
    if (b->options->tree)
        return cof_fail(err, COF_USAGE, "a backup of files is filled by paths only");
    if (b->options->named && b->stream_count == 0)
        return cof_fail(err, COF_USAGE, "a stream has to be begun, and named, before it is filled");
    return cof_backup_usable(b, err);
}

cof_status cof_backup_write(cof_backup *b, const void *data, size_t len, cof_error *err)
{
    cof_status st = cof_backup_need_stream(b, err);

    return cof_backup_ended(b, st == COF_OK ? cof_backup_collect(b, data, len, err) : st);
}

static cof_status source_failed(cof_error *err)
{
    cof_error cause;

    if (err == NULL)
        return COF_SOURCE;
    cause = *err;
    (void)cof_fail(err, COF_SOURCE, "%s", cause.message);
    err->sys_errno = cause.sys_errno;
    return COF_SOURCE;
}

cof_status cof_backup_pump(cof_backup *b, cof_file *in, cof_error *err)
{
    size_t got, room;
    cof_status st = COF_OK;

    cof_file_advise(in, 0, 0, COF_ADVICE_SEQUENTIAL);
    do {
        room = b->preamble.record_size - b->fill;
        if (cof_file_read_stream(b->plain + b->fill, room, &got, in, err) != COF_OK)
            return source_failed(err);
        b->fill += got;
        if (b->fill == b->preamble.record_size)
            st = cof_backup_flush(b, err);
    } while (st == COF_OK && got == room);
    return st;
}

cof_status cof_backup_read_fd(cof_backup *b, int fd, cof_error *err)
{
    cof_file *in = NULL;
    cof_status st = cof_backup_need_stream(b, err);

    if (st != COF_OK || (st = cof_file_from_fd(&in, fd, "standard input", false, err)) != COF_OK)
        return st;
    if (cof_file_kind(in) == COF_FILE_DIRECTORY) {
        st = cof_fail(err, COF_SOURCE, "the source is a directory, not a stream of bytes");
    } else {
        if (cof_file_kind(in) != COF_FILE_REGULAR || cof_file_size(&b->total, in, NULL) != COF_OK)
            b->total = COF_TOTAL_UNKNOWN;
        st = cof_backup_pump(b, in, err);
    }
    cof_file_free(in);
    return cof_backup_ended(b, st);
}

/* ---- a tree ---- */

cof_status cof_backup_catalog_record(void *ctx, uint64_t *number, cof_slice plain, cof_error *err)
{
    cof_backup *b = ctx;
    const cof_frame where = {
        .kind = COF_FRAME_CATALOG, .stream = COF_STREAM_CATALOG, .offset = b->catalog_bytes};
    cof_status st;

    *number = cof_pipeline_next(b->pipeline);
    if ((st = cof_pipeline_copy(b->pipeline, &where, plain, err)) != COF_OK)
        return st;
    b->catalog_bytes += plain.len;
    return cof_backup_tell(b, err);
}

static void *on_place(void *ctx, size_t *room)
{
    const cof_backup *b = ctx;

    *room = b->preamble.record_size - b->fill;
    return b->plain + b->fill;
}

/* Is it in the record that is being filled, but not where that goes on? */
static bool is_displaced(const cof_backup *b, const void *data)
{
    uintptr_t at = (uintptr_t)data - (uintptr_t)b->plain;

    return at < b->preamble.record_size && at != b->fill;
}

static cof_status on_data(void *ctx, const void *data, size_t len, cof_error *err)
{
    cof_backup *b = ctx;

    /* Had the archive put something before them, that would have been written over them. */
    if (is_displaced(b, data))
        return cof_fail(err, COF_INTERNAL, "the archive does not go on where it was");
    return cof_backup_collect(b, data, len, err);
}

static cof_status on_entry(void *ctx, const cof_catalog_entry *entry, cof_error *err)
{
    return cof_catalog_writer_add(((cof_backup *)ctx)->catalog, entry, err);
}

static void on_problem(void *ctx, const char *sentence)
{
    cof_note(&((cof_backup *)ctx)->options->report, "%s", sentence);
}

/* The files that are being written must not be read into themselves. */
static bool is_own(void *ctx, cof_file_id file)
{
    return cof_sink_holds(((cof_backup *)ctx)->sink, file);
}

static cof_status read_tree(cof_backup *b, const cof_tree_options *o, const cof_patterns *exclude,
                            cof_error *err)
{
    const cof_tree_hooks hooks = {on_place, on_data, on_entry, on_problem, b};
    const cof_tree_request request = {
        .paths = o->paths,
        .path_count = o->path_count,
        .exclude = exclude,
        .exclude_caches = o->exclude_caches,
        .one_file_system = o->one_file_system,
        .strict = o->strict,
        .ahead = cof_threads_for(b->options->jobs, 2) > 1,
        .skip = is_own,
        .skip_ctx = b,
    };
    cof_status st;

    if ((st = cof_tree_read(&b->totals, &request, &hooks, err)) != COF_OK ||
        (st = cof_backup_flush(b, err)) != COF_OK)
        return st;
    return cof_catalog_writer_finish(b->catalog, err); /* the top is the last record */
}

cof_status cof_backup_tree(cof_backup *b, const cof_tree_options *o, cof_error *err)
{
    cof_patterns exclude = COF_PATTERNS_INIT;
    cof_status st = cof_backup_usable(b, err);

    if (st != COF_OK)
        return st;
    if (!b->options->tree || b->tree_read)
        return cof_fail(err, COF_USAGE, "files go once into a backup that was begun for them");
    if (o->path_count == 0)
        return cof_fail(err, COF_USAGE, "no path was given to back up");
    for (size_t i = 0; st == COF_OK && i < o->exclude_count; i++)
        st = cof_patterns_add(&exclude, o->exclude[i], err);
    if (st == COF_OK)
        st = read_tree(b, o, &exclude, err);
    b->tree_read = st == COF_OK;
    cof_patterns_wipe(&exclude);
    return cof_backup_ended(b, st);
}
