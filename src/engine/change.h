/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_CHANGE_H
#define COF_ENGINE_CHANGE_H

/*
 * A change of one head as a row of writes, each of which is durable before the next one begins
 * (FORMAT.md, section 8, CH-2).
 *
 * Planning does everything that can fail for another reason than the disk; afterwards the head is
 * no longer needed.  The steps are numbered alike in every plan, so that the changes of many heads
 * can go side by side and share what makes a step durable: step k of all of them, one barrier, step
 * k + 1.  A barrier stands before the first step as well.
 */

#include "engine/head.h"
#include "os/file.h"

#define COF_CHANGE_STEPS 8 /* 0 to 3 put a head to rest, 4 to 7 replace its envelope */

typedef struct cof_change_step {
    uint64_t at;        /* offset in the file */
    const uint8_t *raw; /* a superblock; or NULL, and */
    cof_slice envelope; /* what a slot holds, with zeros behind it; empty: nothing to do */
} cof_change_step;

typedef struct cof_change {
    uint64_t slot_size;
    cof_buf present, future; /* envelopes; empty where they are not written */
    uint8_t present_raw[COF_SUPERBLOCK_SIZE], future_raw[COF_SUPERBLOCK_SIZE];
    cof_change_step steps[COF_CHANGE_STEPS];
} cof_change;

#define COF_CHANGE_INIT                                                                            \
    {                                                                                              \
        .slot_size = 0                                                                             \
    }

/*
 * Plan to put the head to rest, if it is not, and then to replace its envelope, if `envelope` is
 * not NULL; *envelope is taken.  COF_LIMIT if it does not fit, COF_FORMAT (CH-4), COF_NOMEM.  The
 * plan refers to itself: it must not be moved.  The caller wipes it, also after a failure.
 */
cof_status cof_change_plan(cof_change *out, const cof_head *head, cof_buf *envelope,
                           cof_error *err) COF_MUST_USE;

/*
 * Plan to write a whole head where none can be read any more: this envelope, described by a
 * superblock like this one, in both slots before the superblocks; slot `last` after the other one.
 * old is the head as it is, and what is right in it is left alone; empty: not known.  Classes and
 * care as above.
 */
cof_status cof_change_rebuild(cof_change *out, const cof_superblock *like, cof_slice envelope,
                              int last, cof_slice old, cof_error *err) COF_MUST_USE;

/* Is there a write in this step? */
bool cof_change_has(const cof_change *change, size_t step);

/* Will the head be put to rest before anything else, because it was not? */
bool cof_change_settles(const cof_change *change);

/* Bytes that the plan holds. */
size_t cof_change_size(const cof_change *change);

/*
 * Append the head as it is after a change that replaces the envelope: for a file that is written
 * anew.  COF_NOMEM.
 */
cof_status cof_change_image(cof_buf *out, const cof_change *change, cof_error *err) COF_MUST_USE;

/* Append the head as it is after cof_change_rebuild() has been carried out.  COF_NOMEM. */
cof_status cof_change_rebuilt(cof_buf *out, const cof_change *change, cof_error *err) COF_MUST_USE;

/* Do what this step has to do, if anything.  COF_IO: the change must not go on. */
cof_status cof_change_write(const cof_change *change, size_t step, cof_file *file,
                            cof_error *err) COF_MUST_USE;

/*
 * A failed fsync may have thrown the bytes away, and trying again would prove nothing: say that the
 * state is unknown.  Returns COF_IO.
 */
cof_status cof_change_unknown(const cof_file *file, cof_error *err);

/* All steps of one change, each with a barrier of its own.  COF_IO. */
cof_status cof_change_run(const cof_change *change, cof_file *file, cof_error *err) COF_MUST_USE;

void cof_change_wipe(cof_change *change);

#endif
