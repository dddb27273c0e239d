/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_ENVELOPE_H
#define COFFER_ENVELOPE_H

/*
 * Heads that travel (docs/FORMAT.md, section 10).
 *
 * All that a rotation reads and writes is the head of a backup.  So a head can be taken to where a
 * private key is, changed there, and brought back; many of them travel as one bundle.
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

/* ---- heads alone and bundles, to be read ---- */

/*
 * Open what path names, and check a bundle from end to end: that it is the file that was sent.
 * Whether a head in it can be believed is in the head.  COF_FORMAT, COF_UNSUPPORTED: neither a head
 * alone nor a bundle, or damaged; COF_LIMIT, COF_IO, COF_USAGE, COF_BUSY, COF_NOMEM.
 */
cof_status cof_heads_open(cof_heads **out, const char *path, cof_error *err) COF_MUST_USE;
void cof_heads_free(cof_heads *heads);

size_t cof_heads_count(const cof_heads *heads);

/* Does the file begin as a bundle does?  False also for what cannot be read. */
bool cof_path_is_bundle(const char *path);

/* ---- export ---- */

typedef struct cof_export_options {
    const char *output;
    bool bundle;        /* else one head */
    uint64_t slot_size; /* room for the envelope in each head; 0: as in the backup, or more where
                           that is too small */
    bool force;         /* replace a file that is there, unless it is a backup or read for this */
    const cof_trust *trust; /* NULL, or who should have made the backups: others are warned of */
} cof_export_options;

typedef struct cof_export_result {
    char uuid[37];
    uint64_t generation; /* 0: signed only */
    uint64_t slot_bytes, envelope_bytes;
} cof_export_result;

typedef struct cof_exporter cof_exporter;

/* options and what it points to must live as long.  COF_USAGE, COF_IO, COF_NOMEM. */
cof_status cof_exporter_new(cof_exporter **out, const cof_export_options *options,
                            cof_error *err) COF_MUST_USE;

/*
 * Take the head of one backup; its body is not read, but for the manifest where the head has none.
 * After a failure others can still be added.  COF_USAGE: a second one where one was asked for, or
 * the same backup with other recipients; the very same head twice is taken once.  COF_LIMIT: it
 * does not fit into slot_size.
 */
cof_status cof_exporter_add(cof_exporter *exporter, const char *path, const cof_report *report,
                            cof_export_result *result, cof_error *err) COF_MUST_USE;

/* Write the file, whole or not at all.  COF_USAGE: nothing was added, or it exists; COF_IO. */
cof_status cof_exporter_finish(cof_exporter *exporter, cof_error *err) COF_MUST_USE;
void cof_exporter_free(cof_exporter *exporter);

/* ---- approval ---- */

typedef struct cof_approve_options {
    const cof_trust *trust;   /* must name the maker, and the custodian of the statement */
    const cof_keyring *keys;  /* NULL, or must open it: then the proof of possession is checked */
    const cof_signer *signer; /* who approves */
    const cof_expectation *expected; /* may be NULL */
    bool dry_run;
    cof_report report;
} cof_approve_options;

typedef struct cof_approve_result {
    bool changed;
    char skipped[512]; /* why nothing was to do; "" otherwise */
    char uuid[37];
    uint64_t generation;
    char custody_sha256[65];   /* of the statement, which stays the same */
    size_t custodians;         /* how many different trusted keys have signed it now */
    bool proven;               /* a private key showed that its author knew the data key */
    cof_cert_info *recipients; /* whom the statement names; freed by cof_approve_result_wipe */
    size_t recipient_count;
} cof_approve_result;

/*
 * Add a signature to the newest custody statement of a backup or of a head alone: over the same
 * bytes, generation unchanged, written in the same order as a rotation.  Zero *result first, wipe
 * it always.  COF_AUTH: the maker or the present custody verdict is not good; COF_LIMIT: there are
 * eight, or it does not fit; COF_UNSUPPORTED, COF_CERT, COF_POLICY, COF_BUSY, COF_IO.
 */
cof_status cof_approve(const char *path, const cof_approve_options *options,
                       cof_approve_result *result, cof_error *err) COF_MUST_USE;
void cof_approve_result_wipe(cof_approve_result *result);

/* The same for each head of a bundle; see cof_rotate_bundle. */
cof_status cof_approve_bundle(const char *path, const cof_approve_options *options,
                              void (*each)(void *ctx, size_t number,
                                           const cof_approve_result *result, cof_status status,
                                           const cof_error *err),
                              void *ctx, cof_error *err) COF_MUST_USE;

/* ---- import ---- */

typedef struct cof_import_options {
    const cof_heads *heads;
    const cof_trust *trust;          /* must name the maker, and a custodian of the new statement */
    const cof_keyring *keys;         /* NULL, or must open the new envelope */
    size_t min_custodians;           /* so many must have signed; 0 counts as 1 */
    const cof_expectation *expected; /* of the new head; may be NULL */
    bool unchecked; /* go on with neither a key nor two custodians: nothing then shows that the new
                       wrapped keys are any good; or go back over a list by somebody not trusted,
                       which nothing shows to be bad */
    const char *keep; /* the head that is replaced goes to this file, or into this directory; NULL:
                         beside the backup */
    bool discard;     /* do not keep it; only with keys */
    bool skip_others; /* a backup that heads hold nothing of is skipped, not refused */
    bool dry_run;
    cof_report report;
} cof_import_options;

typedef struct cof_import_result {
    bool changed;
    bool approvals_only;   /* the same statement, with more signatures */
    char skipped[512];     /* why nothing was to do; "" otherwise */
    bool finished_pending; /* an interrupted change was completed first */
    char uuid[37];
    uint64_t from, generation; /* the generations before and after */
    size_t custodians;         /* how many different trusted keys have signed the new statement */
    bool proven;               /* a private key has opened it */
    char kept[4096];           /* where the head that was replaced is; "" if it is not kept */
    cof_cert_info *recipients; /* freed by cof_import_result_wipe */
    size_t recipient_count;
    cof_cert_info *removed;
    size_t removed_count;
} cof_import_result;

/*
 * Put the head that options->heads holds for the backup in path into its place (IM-1 to IM-6). Zero
 * *result first, wipe it always.
 *
 * COF_AUTH: maker or custodian is not trusted, nothing shows that it can be opened, it is of
 * another backup, or it does not follow the present statement: older, or another change was made
 * meanwhile. COF_NO_MATCH: no key given opens it.  COF_LIMIT: it does not fit.  Nothing is written
 * then. COF_POLICY, COF_UNSUPPORTED (signed-only: nothing is locked), COF_USAGE, COF_BUSY, COF_IO.
 */
cof_status cof_import(const char *path, const cof_import_options *options,
                      cof_import_result *result, cof_error *err) COF_MUST_USE;
void cof_import_result_wipe(cof_import_result *result);

#ifdef __cplusplus
}
#endif

#endif
