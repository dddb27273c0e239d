/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_LISTING_H
#define COF_SOURCE_LISTING_H

/*
 * The names in a directory, in the order of their bytes, in bounded memory: as many as fit, the
 * first ones first; the rest by reading the directory again.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct cof_listing {
    char *bytes; /* owned: the names, each with its NUL */
    size_t used, cap;
    size_t *at; /* owned: where each name begins in bytes, sorted */
    size_t count, at_cap;
    size_t next;    /* for the caller: which name comes next */
    bool more;      /* there are names behind the last one here */
    int read_error; /* errno with which the directory could not be read to its end, or 0 */
} cof_listing;

/* A name.  Borrowed until the listing changes. */
const char *cof_listing_name(const cof_listing *listing, size_t i);

/*
 * Fill the listing with the names of the open directory that come behind `after` (NULL: all),
 * about `budget` bytes of them at most.  dir stays the caller's, and its position does not matter.
 * Start from zero or from a listing in use, in which `after` may be.  COF_NOMEM.
 */
cof_status cof_listing_read(cof_listing *listing, int dir, const char *after, size_t budget,
                            cof_error *err) COF_MUST_USE;

/* Exactly one name.  COF_NOMEM. */
cof_status cof_listing_single(cof_listing *listing, const char *name, cof_error *err) COF_MUST_USE;

void cof_listing_wipe(cof_listing *listing);

#endif
