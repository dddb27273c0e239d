/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_REKEY_H
#define COFFER_REKEY_H

/*
 * Encrypting a backup anew under another data key (docs/FORMAT.md, section 9), for the day on which
 * a rotation is not enough: somebody who knows the data key shall not be able to read what is kept
 * from now on.
 *
 * The whole backup is read, proven, and written anew; at every moment the old one or the new one is
 * there whole.  It stays provable that the content is the one that its first maker signed.
 */

#include <coffer/credentials.h>
#include <coffer/error.h>
#include <coffer/reader.h>
#include <coffer/report.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cof_rekey_options {
    const char *path;
    const char *const *volume_dirs; /* where else than beside it its later volumes may be */
    size_t volume_dir_count;
    const char *output;          /* NULL: in the place of path; else a new file, or a directory */
    const cof_trust *trust;      /* must name the maker, and a custodian of the present envelope */
    const cof_keyring *keys;     /* must open the backup */
    const cof_signer *signer;    /* answers for the content and the recipients from now on */
    const cof_certs *recipients; /* all who can open it from now on */

    size_t min_custodians;           /* so many must have signed the present list; 0 counts as 1 */
    const cof_expectation *expected; /* of the backup as it is; may be NULL */
    const cof_keyring *check_key; /* NULL, or has to open the new envelope; tried before writing */
    const char *cipher;           /* NULL: the same as before */
    const char *reason;           /* NULL, or at most 1024 bytes */
    const char *digest;           /* NULL: "sha256" */
    bool drop_history;            /* keep only generation 1 and the latest statement */
    bool reset_custody;           /* go on although the custody verdict is bad */
    bool dry_run;                 /* check what can be checked without reading the content */
    cof_report report;
} cof_rekey_options;

typedef struct cof_rekey_result {
    bool changed;    /* false after a dry run */
    char path[4096]; /* of the new file */
    char uuid[37];
    uint64_t generation;
    uint32_t epoch;
    const char *cipher; /* "AES-256-GCM" */
    uint64_t records, plain_bytes, stored_bytes;
    cof_cert_info *recipients; /* freed by cof_rekey_result_wipe, as the next */
    size_t recipient_count;
    cof_cert_info *removed; /* who could open it before */
    size_t removed_count;
    size_t leftovers; /* of runs that were killed, removed at the beginning */
    uint64_t nanoseconds;
} cof_rekey_result;

/*
 * Rekey one backup.  Zero *result first; it is filled also on some failures, wipe it always.
 *
 * While it runs, readers can read and nobody can change the old file.  Owner, permissions and
 * extended attributes of a replaced file are kept, a symbolic link is followed.
 *
 * COF_AUTH: the maker or the present custodian is not trusted, or something is not what was signed.
 * COF_POLICY, COF_NO_MATCH, COF_CERT (a new recipient is refused), COF_UNSUPPORTED (signed-only),
 * COF_BUSY (it is being changed, or another file took its place), COF_LIMIT, COF_USAGE, COF_IO: the
 * old backup is there as before, unless the sentence says that the new one has its name and may
 * lose it again.
 */
cof_status cof_rekey(const cof_rekey_options *options, cof_rekey_result *result,
                     cof_error *err) COF_MUST_USE;
void cof_rekey_result_wipe(cof_rekey_result *result);

#ifdef __cplusplus
}
#endif

#endif
