/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_HEAD_H
#define COF_ENGINE_HEAD_H

/*
 * The head of a backup, read with all its redundancy (FORMAT.md, section 2).  How it is changed is
 * in change.h.
 *
 * Who wants to change it holds the lock of writers (lock.h) before he reads it.  Who only reads
 * holds none.
 */

#include <coffer/report.h>

#include "engine/locks.h"
#include "format/superblock.h"
#include "os/file.h"

typedef struct cof_head {
    uint8_t raw[2][COF_SUPERBLOCK_SIZE]; /* the superblocks as they are in the file */
    cof_superblock sb;                   /* the one that counts */
    cof_superblock_state sb_state;
    cof_preamble preamble;
    uint8_t core[32];
    cof_buf slots[2]; /* whole slots, padding included */
    int slot;         /* which of them holds the envelope that counts */
    cof_locks locks;  /* what it says */
    bool fell_back;   /* it is not the one that the superblock meant */
    bool unreadable;  /* the disk does not give back some of its blocks; zeros stand for them */
    bool busy;        /* somebody was changing it all the time that a reader waits */
    bool at_rest;     /* both superblocks and both slots are the same: nothing pending or damaged */
} cof_head;

/*
 * Read the head of file, of a whole backup or alone (sb.role says which), as it was at one moment,
 * even if somebody changes it meanwhile: SB, PR, EN, CU and KY rules, and of a head alone HA-1.
 * COF_FORMAT, COF_UNSUPPORTED, COF_AUTH, COF_LIMIT, COF_IO, COF_NOMEM; *out is then empty.  The
 * caller wipes it.
 */
cof_status cof_head_load(cof_head *out, const cof_file *file, const cof_trust *trust,
                         cof_error *err) COF_MUST_USE;

void cof_head_wipe(cof_head *head);

/*
 * Only where the body of the whole backup in file starts, and to which core it belongs: for a body
 * whose head is elsewhere.  The slots are not looked at.  Classes as cof_head_load.
 */
cof_status cof_head_find_body(uint64_t *out, uint8_t core[32], const cof_file *file,
                              cof_error *err) COF_MUST_USE;

/* The length of this head: where the body starts. */
uint64_t cof_head_length(const cof_head *head);

/* Tell the caller what is damaged or pending; returns how many copies are not as they should be. */
size_t cof_head_report(const cof_head *head, const cof_report *report);

/* Both superblocks and slots differ as an interrupted change leaves them? */
bool cof_head_pending(const cof_head *head);

/* The bytes of a new head at rest: both superblocks, both slots.  Appended to out. */
cof_status cof_head_emit(cof_buf *out, const cof_superblock *sb, cof_slice envelope,
                         cof_error *err) COF_MUST_USE;

/* Fill the fields of sb that describe an envelope.  COF_LIMIT if it does not fit into the slot. */
cof_status cof_head_describe(cof_superblock *sb, cof_slice envelope, cof_error *err) COF_MUST_USE;

#endif
