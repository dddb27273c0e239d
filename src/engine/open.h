/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_OPEN_H
#define COF_ENGINE_OPEN_H

/*
 * The one way into a backup (FORMAT.md, section 7), shared by every reader and by rotate.
 *
 * What cof_opened_load returned has passed, in this order: superblocks, preamble, envelope, custody
 * statement against preamble, wrapped keys and certificates; the manifest's signature under a
 * trusted maker; the manifest against all of these and against the length of the file; only then
 * were private keys used, and the commitment compared.
 */

#include <coffer/reader.h>

#include "crypto/signed.h"
#include "engine/ending.h"
#include "engine/head.h"
#include "engine/heads.h"
#include "format/manifest.h"
#include "format/schedule.h"
#include "store/body.h"

/* Where the later volumes are looked for.  All borrowed. */
typedef struct cof_volume_search {
    const char *first; /* path of volume 1: beside it; or NULL */
    const char *const *dirs;
    size_t dir_count;
} cof_volume_search;

typedef struct cof_opened {
    const cof_file *file;   /* borrowed: volume 1 */
    const char *first_path; /* borrowed: the path of it, if it has one */
    cof_head head;
    cof_body *body;    /* owned: of what was found of the volumes */
    cof_ending ending; /* not looked for if has_body is false and the head has the manifest */
    bool head_only;    /* the body is not looked at, or there is none: a head alone */
    bool has_body;     /* all volumes are there, and their lengths are right */
    cof_error trouble; /* the first thing that is wrong with a later volume; COF_OK if nothing is */
    uint32_t trouble_volume;

    cof_slice manifest_cms; /* borrowed from head or ending */
    cof_signed *manifest_message;
    cof_manifest manifest;
    cof_judgement maker;
    bool needs_lineage; /* LI-4: the content counts only if the lineage shows that it is the first
                           maker's */

    cof_secret *dek;        /* if a key opened it and the caller asked to keep it */
    cof_schedule *schedule; /* NULL: no private key, or signed-only */
    size_t opened_by;       /* index of the recipient, if schedule is not NULL */

    char custody_problem[512]; /* the custody verdict; "" is good */
    bool custody_proven;       /* CU-6 was checked with a private key, and holds */
    size_t damaged;            /* redundant copies that are not as they should be */
} cof_opened;

typedef struct cof_opening {
    const cof_trust *trust;
    bool prove_maker; /* as if the signer of a later epoch were not trusted as maker */
    bool claimed;     /* go on without trust, to describe only */
    const cof_keyring *keys;
    bool head_only; /* the body is neither needed nor looked at, if that can be avoided */
    bool alone;     /* a head without its body will do */
    const cof_heads *envelope; /* NULL, or where the head of this body is (HA-2) */
    bool rescue;               /* as in cof_open_options */
    size_t min_custodians;     /* so many must have signed the list of recipients; 0 counts as 1 */
    bool keep_dek;
    cof_volume_search volumes;
    const cof_report *report;
} cof_opening;

/* Open file, which must outlive *out.  Classes as cof_reader_open.  The caller wipes *out. */
cof_status cof_opened_load(cof_opened *out, const cof_file *file, const cof_opening *how,
                           cof_error *err) COF_MUST_USE;

/*
 * May a private key be used, and content be released, if all else is right: did somebody sign who
 * is trusted as maker, or as custodian where the lineage will be proven?
 */
bool cof_opened_trusted(const cof_opened *opened);

void cof_opened_wipe(cof_opened *opened);

/* Is there a body to read?  COF_UNSUPPORTED (SB-3) for a head alone. */
cof_status cof_opened_need_body(const cof_opened *opened, cof_error *err) COF_MUST_USE;

/* Is it what the caller expects (may be NULL: anything)?  COF_POLICY. */
cof_status cof_opened_expect(const cof_opened *opened, const cof_expectation *expected,
                             cof_error *err) COF_MUST_USE;

/* The same, of a backup with this preamble, were these its locks. */
cof_status cof_locks_expect(const cof_locks *locks, const cof_preamble *preamble,
                            const cof_expectation *expected, cof_error *err) COF_MUST_USE;

#endif
