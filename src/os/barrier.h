/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_BARRIER_H
#define COF_OS_BARRIER_H

/* Making the bytes of many files durable at once. */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

#include "os/file.h"

/* How it went with one file. */
typedef struct cof_barrier_item {
    cof_file *file; /* NULL: there is none */
    bool failed;    /* out: it may not be durable, and trying again would prove nothing */
} cof_barrier_item;

/*
 * Force data and sizes of all files to stable storage, with one sync of the file system for those
 * that lie on the same one, where that is known to be as good as an fsync of each (os.h,
 * syncfs_tells), else in up to `jobs` threads one by one.  All files must have been opened before
 * what is to be made durable was written.
 *
 * COF_IO if a sync of a file system failed: all of its files are then marked as failed.  Failures
 * of single files are only marked.  COF_NOMEM: nothing was done, and all are marked.
 */
cof_status cof_barrier(cof_barrier_item *items, size_t count, unsigned jobs,
                       cof_error *err) COF_MUST_USE;

#endif
