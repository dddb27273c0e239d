/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_HEADS_H
#define COF_ENGINE_HEADS_H

/*
 * Heads that travel: a head alone, or a bundle of them, to be read (FORMAT.md, section 10).
 *
 * A bundle is looked through whole before any of its heads is used, one head in memory at a time.
 * That shows that it arrived as it was sent; whether a head can be believed is in the head.
 */

#include <coffer/envelope.h>

#include "format/bundle.h"
#include "os/file.h"

typedef struct cof_heads_item {
    uint64_t at, len; /* in the file */
    uint8_t core[32];
} cof_heads_item;

struct cof_heads {
    cof_file *file; /* owned */
    bool bundle;
    cof_heads_item *items; /* owned, count of them, in the order of core */
    size_t count;
};

/* As cof_heads_open, for a file that is open.  *file is taken. */
cof_status cof_heads_take(cof_heads **out, cof_file **file, cof_error *err) COF_MUST_USE;

/* Head i as a file of its own, to be read; heads must outlive it.  COF_NOMEM. */
cof_status cof_heads_file(cof_file **out, const cof_heads *heads, size_t i,
                          cof_error *err) COF_MUST_USE;

/* Which of them belongs to this core?  False: none. */
bool cof_heads_find(size_t *out, const cof_heads *heads, const uint8_t core[32]);

#endif
