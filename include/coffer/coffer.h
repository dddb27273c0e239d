/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_COFFER_H
#define COFFER_COFFER_H

/* Everything that libcoffer offers. */

#include <coffer/backup.h>
#include <coffer/credentials.h>
#include <coffer/envelope.h>
#include <coffer/error.h>
#include <coffer/prune.h>
#include <coffer/reader.h>
#include <coffer/rekey.h>
#include <coffer/repair.h>
#include <coffer/report.h>
#include <coffer/rotate.h>
#include <coffer/tree.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0".  Static storage. */
const char *cof_version(void);

/*
 * Get the process ready: check that the cryptographic library is new enough, and that this process
 * leaves no core dump.  Call once before anything else; COF_UNSUPPORTED where the library is too
 * old.  Thread-safe.
 */
cof_status cof_init(cof_error *err) COF_MUST_USE;

/* Whether all secrets of this process so far are in memory that is never swapped out. */
bool cof_secrets_locked(void);

/* What cof_confine() leaves: any of them, or 0. */
#define COF_KEEP_NAMES      1u
#define COF_KEEP_ATTRIBUTES 2u /* for whoever makes or changes files that have a name */

/*
 * Give up for good what reading and writing of backups does not need, so that whoever finds a hole
 * in a parser is in a process that can do little.  From now on this process, and threads that it
 * begins after this call, can
 *  - write, create, rename and remove files only at the `count` paths: a directory stands for all
 *    that is below it, a file for itself.  What is open already stays as it is;
 *  - change permissions, owners, times and attributes of files only with COF_KEEP_ATTRIBUTES, then
 *    those of any file that is its user's: by this, the kernel does not tell one path from another;
 *  - start no program, and open no socket: with COF_KEEP_NAMES, those of the same machine
 * (AF_UNIX), by which the names of users and groups are looked up;
 *  - neither trace other processes, nor send them signals, nor put input into a terminal, nor use
 *    calls of the kernel that a backup has no need of.
 * Reading is not restricted: what is read cannot leave.
 *
 * To be called when keys and certificates are loaded and before anything of a backup is read;
 * not by who still has to start a command (cof_backup_command).  *out_missing is NULL, or says in a
 * few words what of it the system does not offer (static storage); the rest is given up all the
 * same.  COF_IO: a path that is to be written cannot be found, or the kernel refuses.
 */
cof_status cof_confine(const char **out_missing, const char *const *paths, size_t count,
                       unsigned keep, cof_error *err) COF_MUST_USE;

/*
 * Remove the unpublished temporary files of this process.  Async-signal-safe: for a handler that
 * ends the process afterwards.
 */
void cof_cleanup_on_signal(void);

#ifdef __cplusplus
}
#endif

#endif
