/* SPDX-License-Identifier: Apache-2.0 */

/* The two places that a new backup can go to, behind one interface. */

#include "store/sink.h"

#include <stdlib.h>

#include "base/error.h"
#include "os/dir.h"
#include "os/newfile.h"

struct cof_sink {
    cof_newfile *newfile; /* owned; or NULL, and */
    cof_file *stream;     /* owned wrapper of a borrowed descriptor */
    uint64_t written;
    bool force;
};

static cof_status sink_new(cof_sink **out, cof_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

cof_status cof_sink_file(cof_sink **out, const char *path, bool force, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st = COF_OK;

    *out = NULL;
    if ((!force &&
         (st = cof_path_must_be_free(path, "; use --force to replace it", err)) != COF_OK) ||
        (st = sink_new(&sink, err)) != COF_OK ||
        (st = cof_newfile_create(&sink->newfile, path, 0600, err)) != COF_OK)
        goto out;
    sink->force = force;
    *out = sink;
    sink = NULL; /* transferred */
out:
    cof_sink_free(sink);
    return st;
}

cof_status cof_sink_fd(cof_sink **out, int fd, cof_error *err)
{
    cof_sink *sink = NULL;
    cof_status st;

    *out = NULL;
    if ((st = sink_new(&sink, err)) != COF_OK ||
        (st = cof_file_from_fd(&sink->stream, fd, "the output", false, err)) != COF_OK)
        goto out;
    *out = sink;
    sink = NULL; /* transferred */
out:
    cof_sink_free(sink);
    return st;
}

cof_status cof_sink_write(cof_sink *sink, const void *data, size_t len, cof_error *err)
{
    cof_file *file = sink->newfile != NULL ? cof_newfile_file(sink->newfile) : sink->stream;
    cof_status st = cof_file_write_stream(file, data, len, err);

    if (st == COF_OK)
        sink->written += len;
    return st;
}

uint64_t cof_sink_written(const cof_sink *sink)
{
    return sink->written;
}

cof_file *cof_sink_seekable(cof_sink *sink)
{
    return sink->newfile != NULL ? cof_newfile_file(sink->newfile) : NULL;
}

const char *cof_sink_path(const cof_sink *sink)
{
    return sink->newfile != NULL ? cof_newfile_path(sink->newfile) : "";
}

cof_status cof_sink_publish(cof_sink *sink, cof_error *err)
{
    return sink->newfile != NULL ? cof_newfile_publish(sink->newfile, sink->force, err) : COF_OK;
}

void cof_sink_free(cof_sink *sink)
{
    if (sink == NULL)
        return;
    cof_newfile_free(sink->newfile);
    cof_file_free(sink->stream);
    free(sink);
}
