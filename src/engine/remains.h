/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_REMAINS_H
#define COF_ENGINE_REMAINS_H

/*
 * What is left of a head that cannot be read, before another one takes its place (FORMAT.md, CH-6).
 * Nothing that may be newer than the other one, or that somebody else may be able to read, is to be
 * written over.
 */

#include "engine/change.h"

typedef struct cof_remains {
    cof_buf bytes;    /* the whole head as it is; zeros for blocks that cannot be read */
    bool unreadable;  /* there are such blocks */
    int slot;         /* whose envelope can be believed; -1: none */
    cof_locks locks;  /* what it says, then */
    uint64_t highest; /* sequence of the superblocks that are intact, 0 if none is */
} cof_remains;

#define COF_REMAINS_INIT                                                                           \
    {                                                                                              \
        .slot = -1                                                                                 \
    }

/*
 * Look at the first `start` bytes of file, where the head of a body that begins there must be.
 * given is another head of the same backup.  COF_FORMAT (SB-5): start is nowhere where a head could
 * end.  COF_FORMAT, COF_AUTH, COF_UNSUPPORTED, COF_CERT, COF_LIMIT: something is left that must not
 * be written over.  COF_IO, COF_NOMEM.  The caller wipes *out in any case.
 */
cof_status cof_remains_load(cof_remains *out, const cof_file *file, uint64_t start,
                            const cof_head *given, const cof_trust *trust,
                            cof_error *err) COF_MUST_USE;

/* Plan the head that comes there: around the envelope that is left, else the given one. */
cof_status cof_remains_plan(cof_change *out, const cof_remains *remains, const cof_head *given,
                            cof_error *err) COF_MUST_USE;

/*
 * Keep the bytes durably as PATH.lost.head before the plan is carried out.  They are kept as well
 * by what a run that was interrupted has kept, if all that differs is as that run had to leave it:
 * as planned.  COF_USAGE: something else has that name.
 */
cof_status cof_remains_keep(const cof_remains *remains, const cof_change *plan, const char *path,
                            cof_error *err) COF_MUST_USE;

void cof_remains_wipe(cof_remains *remains);

#endif
