/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_LOCK_H
#define COF_ENGINE_LOCK_H

#include "os/file.h"

/*
 * Refuse a path that names something other than a regular file, before it is opened: opening a
 * FIFO would wait for a writer.  COF_USAGE, COF_IO; what does not exist is left to the opening.
 */
cof_status cof_require_regular(const char *path, cof_error *err) COF_MUST_USE;

/*
 * Writers hold an exclusive lock from before they read the head until they have changed it.
 * Readers hold none, so that no reader, however slow or stuck, is ever in a writer's way: what they
 * read proves itself, and where it does not they look again (head.h).
 */

#define COF_LOCK_PATIENCE_NS UINT64_C(10000000000) /* how long anybody waits for anybody */

/* So long from now, on cof_clock_monotonic_ns(). */
uint64_t cof_lock_deadline(void);

/* Sleep for a moment, before another look. */
void cof_lock_nap(void);

/*
 * Open path for a change and lock it.  What was opened may have been replaced while this waited for
 * the lock; then it is opened anew, so that no change is ever made to a file that nobody will read.
 * COF_BUSY if it is still in use at the deadline, or is replaced without end; one that is over, 0
 * for example, means that it is tried once.  COF_IO if it was removed meanwhile, or has no locks.
 */
cof_status cof_open_for_change(cof_file **out, const char *path, uint64_t deadline,
                               cof_error *err) COF_MUST_USE;

/*
 * Is a file that was changed still what this path names?  The lock was held all the time; but a
 * program without manners may have replaced the file.  COF_BUSY: then nobody will read the change.
 */
cof_status cof_require_in_place(const cof_file *file, const char *path,
                                cof_error *err) COF_MUST_USE;

#endif
