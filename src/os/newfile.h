/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_NEWFILE_H
#define COF_OS_NEWFILE_H

/*
 * New files that appear under their final name whole or not at all.
 *
 * The file is written as ".NAME.RANDOM.tmp" in the same directory, readable by its owner only, and
 * gets its name in one step after its bytes are on the disk.  Until then it is locked, where the
 * file system has locks, so that it can be told from what a killed process left behind.  Whatever
 * goes wrong before that, the temporary file is removed: by cof_newfile_free(), or by
 * cof_newfile_abandon_all() from a signal handler.
 */

#include "os/file.h"

#include <coffer/error.h>

#include <stdbool.h>
#include <sys/types.h>

typedef struct cof_newfile cof_newfile;

/* As mode: leave the permissions as they are, for a caller that uses cof_file_copy_attributes(). */
#define COF_NEWFILE_MODE_AS_IS ((mode_t)-1)

/*
 * How much of the name is in that of the temporary file, which must fit NAME_MAX; what is set aside
 * has to have it whole.
 */
#define COF_NEWFILE_NAME_MAX 200

/*
 * Start a file that will be called final_path (copied); its permissions will be exactly `mode`,
 * whatever the umask.  The caller owns *out, NULL on failure.  COF_IO; COF_USAGE when the path
 * ends in a slash; COF_LIMIT when it is too long; COF_NOMEM.
 */
cof_status cof_newfile_create(cof_newfile **out, const char *final_path, mode_t mode,
                              cof_error *err) COF_MUST_USE;

/* Borrowed until cof_newfile_free(); stays open after publishing, no longer locked. */
cof_file *cof_newfile_file(cof_newfile *nf);

/* Borrowed: the path that it will have. */
const char *cof_newfile_path(const cof_newfile *nf);

/*
 * Sync the bytes, give the file its name, sync the directory.  Without `force`, an existing file
 * of that name is never replaced: COF_USAGE.  With it, it is replaced in one step.  A symbolic
 * link of that name counts as the existing file: resolve with cof_path_real() what is to be kept.
 *
 * COF_IO: after a failure before the renaming nothing has changed under the final name; if only
 * the directory could not be synced, the file is there, and the message says that a power loss may
 * still undo it.  Once per file.
 */
cof_status cof_newfile_publish(cof_newfile *nf, bool force, cof_error *err) COF_MUST_USE;

/* Has it its name?  After a failure of cof_newfile_publish() this tells which one it was. */
bool cof_newfile_has_name(const cof_newfile *nf);

/*
 * Set the permissions and sync the bytes, if that was not done yet: what publishing begins with.
 * COF_IO.  Nothing may be written afterwards.
 */
cof_status cof_newfile_sync(cof_newfile *nf, cof_error *err) COF_MUST_USE;

/*
 * Sync it, and close it before it gets its name, which it can still get and which it still loses
 * with cof_newfile_free(); cof_newfile_file() is NULL from then on.  For whoever makes more files
 * than can be open.  COF_IO.
 */
cof_status cof_newfile_close(cof_newfile *nf, cof_error *err) COF_MUST_USE;

/*
 * Publish files that belong together: all of them or none.  Their bytes are synced first; then all
 * but the first get their names, and these directories are synced; then the first, whose name says
 * that the others are there.  Signals are held back meanwhile.
 *
 * What has to make room for another than the first (with force) is set aside under a name that
 * begins with a dot, and removed at the end; so at every moment either the old files are all there,
 * or the new ones.  After a failure that happened before the first had its name, all is as before;
 * after one that leaves it open whether the first keeps its name, what was set aside stays.
 * Classes as cof_newfile_publish(); COF_LIMIT for what would have to be set aside and has a name of
 * more than COF_NEWFILE_NAME_MAX bytes.
 */
cof_status cof_newfile_publish_set(cof_newfile *const *files, size_t count, bool force,
                                   cof_error *err) COF_MUST_USE;

/* What made room for it and may still be there, after publishing; NULL: nothing.  Borrowed. */
const char *cof_newfile_left_aside(const cof_newfile *nf);

/* Is this a name that a temporary file gets: exactly ".NAME.RANDOM.tmp"? */
bool cof_newfile_is_temporary(const char *name) COF_MUST_USE;

/* The same, and one that a file gets which will be called final_name (without directories)? */
bool cof_newfile_is_temporary_of(const char *name, const char *final_name) COF_MUST_USE;

/* Is this a name of what was set aside, ".NAME.RANDOM.old", and *len the length of NAME in it? */
bool cof_newfile_is_aside(const char *name, size_t *len) COF_MUST_USE;

/* Close it; remove the temporary file unless it was published.  NULL is fine. */
void cof_newfile_free(cof_newfile *nf);

/*
 * Remove every temporary file of this process that is not published yet.  Async-signal-safe: for
 * the handler of a command that is about to end.  The files must not be published afterwards.
 * Paths are used as they were given: a relative one needs an unchanged working directory.
 */
void cof_newfile_abandon_all(void);

#endif
