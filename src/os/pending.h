/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_PENDING_H
#define COF_OS_PENDING_H

/*
 * The files that are to be removed when the process is interrupted; for who makes files.  Any
 * number of threads may add and remove while a signal handler removes them all.
 */

#include <coffer/error.h>

typedef struct cof_pending cof_pending;

/*
 * Remember a path (copied).  *out belongs to the registry; give it back with cof_pending_remove().
 * COF_LIMIT when the path is longer than the system allows, COF_NOMEM; *out is then NULL.
 */
cof_status cof_pending_add(cof_pending **out, const char *path, cof_error *err) COF_MUST_USE;

/* Forget the path: it has been published or removed.  NULL is fine. */
void cof_pending_remove(cof_pending *pending);

/* Remove every remembered file.  Async-signal-safe. */
void cof_pending_unlink_all(void);

#endif
