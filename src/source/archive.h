/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_ARCHIVE_H
#define COF_SOURCE_ARCHIVE_H

/*
 * A pax archive, written front to back (FORMAT.md section 3.7).  libarchive makes the bytes.
 */

#include "base/treeentry.h"
#include "source/attributes.h"

#include <stdbool.h>

typedef struct cof_archive cof_archive;

/* A part of a file that is no hole. */
typedef struct cof_extent {
    uint64_t offset, len;
} cof_extent;

/* Where the data of a file with holes is.  count 0: nowhere. */
typedef struct cof_extents {
    bool sparse; /* false: all of the file is data, and the rest means nothing */
    cof_extent *items;
    size_t count;
} cof_extents;

/*
 * The bytes go to write, whose class other than COF_OK ends everything with that class.
 * COF_NOMEM, COF_INTERNAL; *out is NULL then.
 */
cof_status cof_archive_new(cof_archive **out,
                           cof_status (*write)(void *ctx, const void *data, size_t len,
                                               cof_error *err),
                           void *ctx, cof_error *err) COF_MUST_USE;
void cof_archive_free(cof_archive *archive);

/* How many bytes were written so far: where the next entry begins. */
uint64_t cof_archive_position(const cof_archive *archive);

/*
 * Begin an entry: its headers.  type, mode, user, group, size, mtime, path, target are used; path
 * and target are NUL-terminated.  attributes and extents may be NULL.  *refused: NULL, or why an
 * attribute could not be stored, the rest being fine; static storage.  COF_SOURCE: the archive
 * cannot hold such a thing; nothing was written, and there is no entry to end.
 */
cof_status cof_archive_begin(cof_archive *archive, const char **refused,
                             const cof_catalog_entry *entry, const cof_attributes *attributes,
                             const cof_extents *extents, cof_error *err) COF_MUST_USE;

/* The next bytes of the file; in a hole they are not looked at. */
cof_status cof_archive_data(cof_archive *archive, const void *data, size_t len,
                            cof_error *err) COF_MUST_USE;

/* End the entry.  What is missing of the size in its header becomes zeros. */
cof_status cof_archive_end(cof_archive *archive, cof_error *err) COF_MUST_USE;

/* Write the end of the archive. */
cof_status cof_archive_close(cof_archive *archive, cof_error *err) COF_MUST_USE;

#endif
