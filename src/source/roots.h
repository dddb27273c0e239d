/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_ROOTS_H
#define COF_SOURCE_ROOTS_H

/* The paths that a tree backup was asked for, and what each is called inside it (FORMAT.md 3.7). */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct cof_root {
    char *given;  /* owned: as the caller wrote it */
    char *inside; /* owned: a path as cof_treepath_valid() wants it */
    bool nested;  /* it lies in a root before it, and does not exist: to be told, not walked */
} cof_root;

typedef struct cof_roots {
    cof_root *items; /* owned, in the order of the catalog */
    size_t count;
} cof_roots;

#define COF_ROOTS_INIT                                                                             \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/*
 * Put paths in order.  One that lies in another is dropped; two different things that would have
 * one name are refused.  COF_USAGE, COF_NOMEM; *out is then empty.
 */
cof_status cof_roots_make(cof_roots *out, const char *const *paths, size_t count,
                          cof_error *err) COF_MUST_USE;

/* What a path is called inside.  The caller frees it; NULL: out of memory. */
char *cof_root_inside(const char *given);

void cof_roots_wipe(cof_roots *roots);

#endif
