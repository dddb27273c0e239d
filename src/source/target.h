/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_TARGET_H
#define COF_SOURCE_TARGET_H

/*
 * The directory that a tree is restored into, and the way to any place below it.
 *
 * The way is gone component by component, from an open directory to the next, and never through a
 * symbolic link, whoever put it there and when: so nothing outside the target can be reached.  Only
 * the path of the target itself, which is the user's, is followed.
 */

#include "base/buf.h"

#include <coffer/error.h>

#include <stdbool.h>

typedef struct cof_target {
    int root;     /* -1: not open */
    int dir;      /* the directory that was entered last; -1: none, or the root */
    cof_buf path; /* owned: its path below the root */
    cof_buf name; /* owned: the last component that was handed out, with a NUL */
    char *given;  /* owned: the target as the user wrote it */
} cof_target;

/* A name in an open directory, which is the target's. */
typedef struct cof_spot {
    int dir;
    const char *name;
} cof_spot;

/* Create the directory if it does not exist, and open it.  COF_IO, COF_NOMEM.  The caller wipes. */
cof_status cof_target_open(cof_target *out, const char *path, cof_error *err) COF_MUST_USE;
void cof_target_wipe(cof_target *target);

/*
 * The place of a path below the target; missing directories on the way are created if create is
 * set.  Valid until the next call.  A path of "." is the target itself, under that name.
 * COF_IO: it cannot be reached; COF_NOMEM.
 */
cof_status cof_target_find(cof_target *target, cof_spot *out, cof_slice path, bool create,
                           cof_error *err) COF_MUST_USE;

/* Does the path lie in the directory that was entered last? */
bool cof_target_is_in(const cof_target *t, cof_slice path);

/* The name of a path below the target outside of it, to be freed; NULL: no memory. */
char *cof_target_outside(const cof_target *target, cof_slice path);

#endif
