/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_ROTATE_H
#define COFFER_ROTATE_H

/*
 * Changing the locks of a backup, or of its head alone, in place (docs/FORMAT.md, section 8).
 *
 * A rotation wraps the same data key for other certificates.  It reads and writes the head only;
 * power loss at any moment leaves a backup that opens with the old recipients or with the new
 * ones.  It does not change the data key: a copy with the old envelope still opens with the old
 * keys.
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

typedef struct cof_rotate_options {
    const char *path;               /* of several volumes the first */
    const char *const *volume_dirs; /* where else than beside it the last volume may be, which is */
    size_t volume_dir_count;        /* needed only where the head has no copy of the manifest */
    const cof_trust *trust;   /* must name the maker, and a custodian of the present envelope */
    const cof_keyring *keys;  /* must open the backup */
    const cof_signer *signer; /* the new custodian */
    size_t min_custodians;    /* so many must have signed the present list; 0 counts as 1 */
    const cof_expectation *expected; /* of the present head; may be NULL */

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
    uint64_t nanoseconds; /* from lock to unlock; of many at once, those beside it included */
} cof_rotate_result;

/*
 * Rotate one backup.  Zero *result first; it is filled also on some failures, wipe it always.
 *
 * COF_AUTH: the maker or the present custodian is not trusted, the proof of possession is wrong,
 * or anything was changed: nothing is written, nothing of the old list is carried over.
 * COF_NO_MATCH, COF_CERT (a new recipient is refused), COF_LIMIT (does not fit in the slot),
 * COF_POLICY, COF_BUSY, COF_UNSUPPORTED (signed-only: nothing is locked), COF_IO: after a failed
 * fsync the state is unknown, and the sentence says so.
 */
cof_status cof_rotate(const cof_rotate_options *options, cof_rotate_result *result,
                      cof_error *err) COF_MUST_USE;
void cof_rotate_result_wipe(cof_rotate_result *result);

/*
 * Rotate each head of the bundle in options->path.  each is called once for every head, with its
 * number from 1 on; status and err are those of its rotation.  One that is refused stays as it is
 * and does not stop the others.  Then, if any was changed, the bundle is replaced by a new file in
 * one step: whenever power fails, the old bundle is there, whole, or the new one.  The old wrapped
 * keys are gone with the old file, but its bytes are not overwritten: what is left of them on the
 * disk is for the file system.
 *
 * COF_OK says that the file is right, whatever each was told; else, after COF_IO, COF_BUSY and
 * others, it is as it was before, and the report is told so; or it is the new one, but its
 * directory could not be made durable, as the error says.
 */
cof_status cof_rotate_bundle(const cof_rotate_options *options,
                             void (*each)(void *ctx, size_t number, const cof_rotate_result *result,
                                          cof_status status, const cof_error *err),
                             void *ctx, cof_error *err) COF_MUST_USE;

/* ---- many ---- */

/* What became of one of many; all of it is borrowed, for the length of the call. */
typedef struct cof_rotate_outcome {
    size_t index;                    /* of its path */
    cof_status status;               /* as cof_rotate returns it */
    const cof_error *error;          /* if status is not COF_OK */
    const cof_rotate_result *result; /* as cof_rotate fills it */
    const char *const *warnings;     /* sentences, safe for a terminal */
    size_t warning_count;
} cof_rotate_outcome;

typedef struct cof_rotate_many {
    const char *const *paths;
    size_t count;
    unsigned jobs; /* threads that wrap and sign; 0: as many as there are processors */

    /*
     * Called once for every path, by the thread that called cof_rotate_all, as outcomes become
     * known: in the order of the paths, but for those that somebody else had locked, which are
     * tried again at the end.
     */
    void (*outcome)(void *ctx, const cof_rotate_outcome *outcome);

    /*
     * Called after each batch, whose outcomes have been told, with how many of the paths are done.
     * Return false to stop there.  May be NULL.
     */
    bool (*progress)(void *ctx, size_t done, size_t total);

    void *ctx; /* handed to both */
} cof_rotate_many;

/*
 * Rotate many backups in the same way.  options->path and options->report are not looked at.
 *
 * Each is rotated as cof_rotate does it, and a failure of one is an outcome and no reason to stop.
 * Up to 256 go side by side through the steps of FORMAT.md, section 8, and share what makes a step
 * durable: one sync of the file system where that is as good as an fsync of each file.  If such a
 * shared sync fails, every backup of that batch that waited for it has COF_IO as its outcome, in
 * the words of an unknown state; those of the batch on other file systems are finished; nothing
 * more is begun, and those that were not have COF_IO too.
 *
 * Locks are held for the time of a batch, and while any is held no other is waited for, so that
 * two such calls over the same backups never wait for each other: COF_BUSY is for a backup that was
 * in use for ten seconds.  Memory does not grow with the number of backups.
 *
 * keys, signer, trust and certificates are used by all threads at once; nobody may add to them
 * meanwhile.  COF_OK whatever the outcomes; COF_USAGE: the options make no sense, and there are no
 * outcomes; COF_IO: stopped by a failed sync; COF_CANCELLED; COF_NOMEM.
 */
cof_status cof_rotate_all(const cof_rotate_options *options, const cof_rotate_many *many,
                          cof_error *err) COF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
