/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_CATALOG_H
#define COF_ENGINE_CATALOG_H

/*
 * Reading the catalog of a tree as the search tree that it is (FORMAT.md, section 3.8): from the
 * top down to the records that are wanted, in the order of the paths, with one record of each level
 * in memory.
 *
 * Every record that is read is held against the one that led to it (CA-4) and against the
 * beginning of its neighbour (CA-1): so the entries that are handed out are in order and cover
 * their part of the content without a gap, whatever was left out before them.
 */

#include "engine/fetch.h"
#include "format/catalog.h"

typedef struct cof_catalog_visit {
    /*
     * May anything be wanted of the paths from first on, up to but without next (NULL: to the
     * end)?  NULL: everything is.
     */
    bool (*wants)(void *ctx, cof_slice first, const cof_slice *next);

    /* Each entry of the records that may be wanted.  It may fetch other records. */
    cof_status (*entry)(void *ctx, const cof_catalog_entry *entry, cof_error *err);

    /*
     * The record that lists these paths is damaged; why says how.  NULL: that ends the walk, else
     * COF_OK goes on behind them.
     */
    cof_status (*lost)(void *ctx, cof_slice first, const cof_slice *next, const cof_error *why,
                       cof_error *err);
    void *ctx;
} cof_catalog_visit;

/*
 * Walk the catalog.  COF_USAGE: there is none, it is a stream.  COF_FORMAT (CA-1, CA-3), COF_AUTH
 * (CA-4, RC-8), COF_IO, COF_NOMEM, or what a hook returned.
 */
cof_status cof_catalog_walk(cof_fetch *fetch, const cof_catalog_visit *visit,
                            cof_error *err) COF_MUST_USE;

/*
 * Is there nothing behind the last entry but the zeros that end an archive?  COF_AUTH (CA-2), or as
 * cof_fetch_data.
 */
cof_status cof_catalog_check_end(cof_fetch *fetch, cof_error *err) COF_MUST_USE;

/*
 * The entry of one path, if there is one; the caller frees *copy, which holds what *out borrows.
 * Classes as above.
 */
cof_status cof_catalog_find(bool *found, cof_fetch *fetch, cof_catalog_entry *out, cof_buf *copy,
                            cof_slice path, cof_error *err) COF_MUST_USE;

#endif
