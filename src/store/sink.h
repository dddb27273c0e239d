/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_STORE_SINK_H
#define COF_STORE_SINK_H

/*
 * Where a new backup goes: a file that appears under its final name whole or not at all, or a
 * descriptor that takes it front to back.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stdint.h>

#include "os/file.h"

typedef struct cof_sink cof_sink;

/*
 * A file that will be called path.  An existing one is COF_USAGE unless force, at once and again
 * when it is published.  Mode 0600.
 */
cof_status cof_sink_file(cof_sink **out, const char *path, bool force, cof_error *err) COF_MUST_USE;

/* A descriptor, which stays the caller's. */
cof_status cof_sink_fd(cof_sink **out, int fd, cof_error *err) COF_MUST_USE;

/* Append bytes. */
cof_status cof_sink_write(cof_sink *sink, const void *data, size_t len,
                          cof_error *err) COF_MUST_USE;

/* How many bytes have been appended. */
uint64_t cof_sink_written(const cof_sink *sink);

/* The file, for changing what was written before; NULL for a descriptor. */
cof_file *cof_sink_seekable(cof_sink *sink);

/* The final path, "" for a descriptor.  Borrowed. */
const char *cof_sink_path(const cof_sink *sink);

/* Make a file durable and give it its name; for a descriptor nothing is left to do. */
cof_status cof_sink_publish(cof_sink *sink, cof_error *err) COF_MUST_USE;

/* NULL is fine; an unpublished file is removed. */
void cof_sink_free(cof_sink *sink);

#endif
