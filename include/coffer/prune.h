/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_PRUNE_H
#define COFFER_PRUNE_H

/*
 * Removing: a backup that is no longer needed, and what a killed run left behind.
 *
 * Which backups are needed is for the caller to say.  What is kept true here is that only that very
 * file goes which the caller has looked at, and that it stays gone after a power loss.
 */

#include <coffer/error.h>
#include <coffer/reader.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Remove the backup that a reader was opened from, by its path: under an exclusive lock, after
 * checking that the path still names the same file and is no symbolic link, and durably.  The
 * reader can still be asked, and is to be freed as ever.
 *
 * Of several volumes, all must be there.  The first goes first: from then on there is no backup,
 * and what a power loss may leave of the others is never taken for one.
 *
 * COF_USAGE: it was not opened from a path, or the path is a symbolic link.  COF_BUSY: another
 * process is working on it, or has put another file in its place; nothing was removed.  COF_IO: not
 * removed, or, as the sentence then says, removed but perhaps not after a power loss.  COF_NOMEM.
 */
cof_status cof_reader_remove(const cof_reader *reader, cof_error *err) COF_MUST_USE;

/*
 * What killed runs left in a directory: regular files with a name that coffer gives to a file that
 * is not finished, unchanged for at least so many seconds.  Free with cof_paths_wipe.  COF_IO,
 * COF_NOMEM; *out is then empty.
 */
cof_status cof_leftovers_find(cof_paths *out, const char *dir, uint64_t seconds,
                              cof_error *err) COF_MUST_USE;

/*
 * Remove one of them, if it still is one: the same conditions are checked again under an exclusive
 * lock, which whoever writes such a file holds.  COF_BUSY: it is being written, or is no leftover
 * any more, or, where `seconds` is not 0, others beside it are being written; nothing was removed.
 * COF_USAGE: the name is not of that kind.  COF_IO, COF_NOMEM.
 */
cof_status cof_leftover_remove(const char *path, uint64_t seconds, cof_error *err) COF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
