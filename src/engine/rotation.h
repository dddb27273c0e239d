/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ROTATION_H
#define COF_ENGINE_ROTATION_H

/*
 * One rotation in two halves: everything that can be refused, and then the writes.  Between them
 * only the file, locked, and the plan are kept, so that many can wait side by side for a barrier
 * that they share.
 */

#include <coffer/rotate.h>

#include "engine/change.h"

typedef struct cof_rotation {
    cof_file *file; /* locked exclusively, until it is freed */
    cof_change change;
    bool writes; /* not a dry run: the plan is to be carried out, its first barrier in any case */
} cof_rotation;

/*
 * Open, lock (cof_open_for_change), verify, unwrap, decide, wrap, plan.  Nothing is written.
 * *result is filled as far as things are known.  Classes as cof_rotate.  The caller wipes *out,
 * also after a failure.
 */
cof_status cof_rotation_prepare(cof_rotation *out, const cof_rotate_options *options,
                                uint64_t deadline, cof_rotate_result *result,
                                cof_error *err) COF_MUST_USE;

/*
 * The second part of it: for a file that is open, be it a head of a bundle that will not be written
 * to.  *out is empty before, its file is left alone.
 */
cof_status cof_rotation_plan(cof_rotation *out, const cof_rotate_options *options,
                             const cof_file *file, cof_rotate_result *result,
                             cof_error *err) COF_MUST_USE;

/*
 * The plan was carried out: is it the file at this path that it was carried out on?  Fills *result.
 * COF_BUSY if somebody has put another in its place meanwhile.
 */
cof_status cof_rotation_conclude(const cof_rotation *rotation, const char *path,
                                 cof_rotate_result *result, cof_error *err) COF_MUST_USE;

/* Unlock and close. */
void cof_rotation_wipe(cof_rotation *rotation);

/* What does not depend on the backup: COF_USAGE. */
cof_status cof_rotate_options_check(const cof_rotate_options *options, cof_error *err) COF_MUST_USE;

#endif
