/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_REPAIR_H
#define COFFER_REPAIR_H

/*
 * Renewing what a backup holds twice, or what follows from the rest of it, after damage:
 * superblocks and slots, the frames around records, the closing record (docs/FORMAT.md, section 8).
 *
 * Nothing is written that does not follow from what was proven to be the maker's, nor anywhere but
 * where something else stands; so a repair that is interrupted has only repaired less.
 */

#include <coffer/credentials.h>
#include <coffer/envelope.h>
#include <coffer/error.h>
#include <coffer/reader.h>
#include <coffer/report.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cof_repair_kind {
    COF_REPAIR_SUPERBLOCK,    /* one of the two copies in a volume */
    COF_REPAIR_SLOT,          /* one of the two copies of the envelope */
    COF_REPAIR_RECORD_HEADER, /* 32 bytes before a record that is intact itself */
    COF_REPAIR_INDEX,
    COF_REPAIR_VOLUME_END,
    COF_REPAIR_TAIL,  /* one of the two copies of the closing record */
    COF_REPAIR_RECORD /* what a record holds: there is one copy only, so it stays damaged */
} cof_repair_kind;

/* One place that is not as it must be. */
typedef struct cof_repair_item {
    cof_repair_kind kind;
    bool repairable;
    uint32_t volume;         /* from 1 */
    uint64_t offset, length; /* of the damaged piece, in the file of that volume */
    uint64_t record;         /* of RECORD and RECORD_HEADER: its number */
    char text[160];          /* what it is: "superblock copy B" */
} cof_repair_item;

typedef struct cof_repair_options {
    const char *path;               /* of the first volume */
    const char *const *volume_dirs; /* as in cof_open_options */
    size_t volume_dir_count;
    const char *head; /* NULL, or the file of a head alone, as cof_envelope_export writes it: it
                         takes the place of a head of which nothing can be read any more */
    const cof_trust *trust;  /* must name the maker; and a custodian, where both copies of the
                                envelope have to be weighed */
    const cof_keyring *keys; /* NULL, or: then the files are named that damaged records hold */
    const cof_expectation *expected; /* of the backup with the head that the repair leaves it; may
                                        be NULL */
    bool dry_run;                    /* do everything but write */

    /* Called for each damaged place, before anything is written.  May be NULL. */
    void (*found)(void *ctx, const cof_repair_item *item);

    /* With keys: a file of the tree whose data is in a record that stays damaged; path_len bytes,
     * as they are in the backup.  May be NULL. */
    void (*lost_file)(void *ctx, const char *path, size_t path_len);

    void *ctx; /* handed to both */
    cof_report report;
} cof_repair_options;

typedef struct cof_repair_result {
    char uuid[37];
    uint64_t generation;
    size_t repairable; /* places that were repaired, or, in a dry run, would be */
    size_t lost;       /* places that stay damaged */
    bool changed;      /* something was written */
} cof_repair_result;

/*
 * Look at every byte of a backup and repair what can be.  A backup without damage is COF_OK, and
 * both counts are 0.  An interrupted change of the recipients is completed, as the next rotation
 * would do it.
 *
 * With head, the content must be proven before the head is written, and a warning says which
 * generation it is of: later changes of the recipients are lost with the head that was lost.  An
 * envelope that is left and can be believed comes before the one in head; one that may be newer, or
 * that is by a custodian not trusted here, is never written over (COF_AUTH, COF_UNSUPPORTED).  The
 * old bytes are kept as PATH.lost.head before (COF_USAGE: something else has that name).
 *
 * COF_FORMAT: something stays damaged; what could be repaired was.  COF_AUTH: the maker is not
 * trusted, or the content is another than was signed: nothing is written.  COF_POLICY: nothing is
 * written either.  COF_FORMAT, COF_IO: what is left does not prove anything; nothing is written.
 * COF_USAGE (head is given and not needed), COF_BUSY, COF_LIMIT (more damage than is kept count
 * of), COF_NO_MATCH, COF_CANCELLED.  After a failed fsync nothing is undone, and the next run says
 * what is left.
 *
 * Zero *result first.
 */
cof_status cof_repair(const cof_repair_options *options, cof_repair_result *result,
                      cof_error *err) COF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
