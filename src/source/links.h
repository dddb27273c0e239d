/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_LINKS_H
#define COF_SOURCE_LINKS_H

/*
 * Which files with several names have been stored, and under which name.
 *
 * A file is forgotten when all its names were seen.  What is remembered is bounded: when it is
 * full, further files are stored once for each name.
 */

#include "base/buf.h"

#include <coffer/error.h>

#include <stdbool.h>
#include <sys/stat.h>

typedef struct cof_links cof_links;

/* At most `bytes` of memory.  COF_NOMEM; *out is NULL then. */
cof_status cof_links_new(cof_links **out, size_t bytes, cof_error *err) COF_MUST_USE;
void cof_links_free(cof_links *links);

/*
 * The path under which this very file was stored (borrowed until the next call), or an empty slice.
 * Counts the name as seen.
 */
cof_slice cof_links_find(cof_links *links, const struct stat *st);

/*
 * Remember that the file was stored under path.  *full (in, out) is set when there was no room for
 * it.  COF_NOMEM.
 */
cof_status cof_links_add(cof_links *links, const struct stat *st, cof_slice path, bool *full,
                         cof_error *err) COF_MUST_USE;

#endif
