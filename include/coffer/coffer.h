/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_COFFER_H
#define COFFER_COFFER_H

/* Everything that libcoffer offers. */

#include <coffer/backup.h>
#include <coffer/credentials.h>
#include <coffer/error.h>
#include <coffer/prune.h>
#include <coffer/reader.h>
#include <coffer/rekey.h>
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

/*
 * Remove the unpublished temporary files of this process.  Async-signal-safe: for a handler that
 * ends the process afterwards.
 */
void cof_cleanup_on_signal(void);

#ifdef __cplusplus
}
#endif

#endif
