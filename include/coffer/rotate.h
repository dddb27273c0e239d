/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_ROTATE_H
#define COFFER_ROTATE_H

/*
 * Changing the locks of a backup in place (docs/FORMAT.md, section 8).
 *
 * A rotation wraps the same data key for other certificates.  It reads and writes the head only;
 * power loss at any moment leaves a backup that opens with the old recipients or with the new
 * ones.  It does not change the data key: a copy with the old envelope still opens with the old
 * keys.
 */

#include <coffer/credentials.h>
#include <coffer/error.h>
#include <coffer/report.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cof_rotate_options {
    const char *path;
    const cof_trust *trust;   /* must name the maker, and a custodian of the present envelope */
    const cof_keyring *keys;  /* must open the backup */
    const cof_signer *signer; /* the new custodian */

    /*
     * The change; exactly one of: set (the whole new list); add and/or remove; replace.
     */
    const cof_certs *set;
    const cof_certs *add;
    const char *const *remove; /* certificate files, or fingerprints of a certificate or key */
    size_t remove_count;
    const cof_certs *replace_old, *replace_new; /* one certificate each */

    const cof_keyring *check_key; /* NULL, or must open the new envelope before it is written */
    const char *reason;           /* NULL, or at most 1024 bytes */
    const char *digest;           /* NULL: "sha256" */
    bool drop_history;            /* keep only generation 1 and the latest statement */
    bool reset_custody;           /* with set: go on although the custody verdict is bad */
    bool dry_run;                 /* do everything but write */
    cof_report report;
} cof_rotate_options;

typedef struct cof_rotate_result {
    bool changed;          /* false: skipped, see skipped; or a dry run */
    char skipped[512];     /* why nothing was to do: "CN=… is no recipient"; "" otherwise */
    bool finished_pending; /* an interrupted change was completed first */
    char uuid[37];
    uint64_t generation;       /* of the new envelope */
    cof_cert_info *recipients; /* the whole resulting list; freed by cof_rotate_result_wipe */
    size_t recipient_count;
    cof_cert_info *removed; /* who can no longer open it */
    size_t removed_count;
    size_t added_count;   /* of recipients, the last added_count are new */
    uint64_t nanoseconds; /* spent in this call, from lock to unlock */
} cof_rotate_result;

/*
 * Rotate one backup.  Zero *result first; it is filled also on some failures, wipe it always.
 *
 * COF_AUTH: the maker or the present custodian is not trusted, the proof of possession is wrong,
 * or anything was changed: nothing is written, nothing of the old list is carried over.
 * COF_NO_MATCH, COF_CERT (a new recipient is refused), COF_LIMIT (does not fit in the slot),
 * COF_BUSY, COF_UNSUPPORTED (signed-only: nothing is locked), COF_IO: after a failed fsync the
 * state is unknown, and the sentence says so.
 */
cof_status cof_rotate(const cof_rotate_options *options, cof_rotate_result *result,
                      cof_error *err) COF_MUST_USE;
void cof_rotate_result_wipe(cof_rotate_result *result);

#ifdef __cplusplus
}
#endif

#endif
