/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_REKEYING_H
#define COF_ENGINE_REKEYING_H

/* The inside of a rekey: what it works on, and the new backup that it makes. */

#include <coffer/rekey.h>

#include "engine/reader.h"
#include "engine/write.h"

typedef struct cof_rekeying {
    const cof_rekey_options *options; /* borrowed */
    cof_open_options reading;         /* what a reader of the old backup is told */
    cof_reader old;
    char *path;   /* of the old file, without symbolic links */
    char **later; /* of its volumes 2 …, likewise */
    size_t later_count;
    cof_digest digest;
    cof_cert_list recipients, removed;

    /* The new backup. */
    cof_preamble preamble;
    uint8_t preamble_raw[COF_PREAMBLE_SIZE];
    uint8_t core[COF_SHA256_SIZE];
    uint8_t commitment[COF_SHA256_SIZE];
    cof_secret *dek;
    cof_schedule *schedule;
    cof_buf keys, custody;
    cof_superblock sb;
    cof_sink *sink;
    cof_writer writer;
} cof_rekeying;

/*
 * Preamble, data key, wrapped keys and the size of the head of the new backup, and whether it opens
 * with the key to check (RK-1).  recipients are chosen.  Nothing is written.  Classes as cof_rekey.
 */
cof_status cof_rekeying_prepare(cof_rekeying *rekeying, cof_error *err) COF_MUST_USE;

/*
 * Where the later volumes of the old backup really are: what is reached by a link is replaced
 * there, so that none of the old ciphertext stays.  Where they are to be replaced, COF_LIMIT for a
 * name that cannot be set aside; COF_IO, COF_NOMEM.
 */
cof_status cof_rekeying_locate(cof_rekeying *rekeying, cof_error *err) COF_MUST_USE;

void cof_rekeying_wipe_located(cof_rekeying *rekeying);

/*
 * Where the new volumes go: each in the place of an old one, or under the name that was asked for;
 * cut where the old ones were.
 */
cof_status cof_rekeying_open_sink(cof_rekeying *rekeying, cof_error *err) COF_MUST_USE;

/* COF_BUSY: the name of a later volume has another file now, which is not to be replaced. */
cof_status cof_rekeying_require_old(const cof_rekeying *rekeying, cof_error *err) COF_MUST_USE;

/* After it is published in the old one's place: old volumes that have no successor go (RK-4). */
void cof_rekeying_remove_old(const cof_rekeying *rekeying);

/*
 * What runs that were killed have left: unfinished files on their way to the names of this backup,
 * and volumes of it from before an earlier rekey.  Counts them.  COF_IO, COF_NOMEM.
 */
cof_status cof_rekeying_remove_leftovers(const cof_rekeying *rekeying, size_t *count,
                                         cof_error *err) COF_MUST_USE;

/* Write it, and give it its name (RK-2, RK-4). */
cof_status cof_rekeying_write(cof_rekeying *rekeying, cof_error *err) COF_MUST_USE;

#endif
