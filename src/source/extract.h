/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_EXTRACT_H
#define COF_SOURCE_EXTRACT_H

/*
 * Putting what a tree backup holds back into a directory.
 *
 * Nothing outside the target is ever touched (source/target.h).  Everything but a directory is made
 * completely, and then given its name in one step: a file has none until then, so that a killed
 * process leaves nothing of it; other things, and files where the file system knows no such files,
 * have a temporary one beside their place.  A directory gets its permissions and times when the
 * last thing in it is there.
 */

#include "source/settle.h"

typedef struct cof_extract cof_extract;

typedef struct cof_extract_request {
    const char *target; /* created if it does not exist, when the first thing is put into it */
    cof_settling settling;
    bool skip_old; /* what is there already stays */
    bool force;    /* what is there already is replaced, unless it is a directory */

    unsigned threads; /* that make small files, 1 to COF_POOL_WORKERS_MAX */

    /* One sentence about something that is not as it was; safe for a terminal. */
    void (*problem)(void *ctx, const char *sentence);
    /*
     * A file that was put off could not be put, for a reason that cof_extract_put() might have
     * returned.  COF_OK: it does not matter, or the status with which all is to end.
     */
    cof_status (*failed)(void *ctx, cof_slice name, bool local, const cof_error *why,
                         cof_error *err);
    void *ctx;
} cof_extract_request;

typedef struct cof_extract_totals {
    uint64_t files, directories, others, hard_links;
    uint64_t bytes;        /* content of files */
    uint64_t skipped;      /* there already */
    uint64_t problems;     /* how often problem was called */
    uint64_t elsewhere_ns; /* that other threads than the caller's worked, all together */
} cof_extract_totals;

/* request is copied, what it points to borrowed.  COF_NOMEM; *out is NULL then. */
cof_status cof_extract_new(cof_extract **out, const cof_extract_request *request,
                           cof_error *err) COF_MUST_USE;
void cof_extract_free(cof_extract *x);

/*
 * Put one thing at `name` below the target; names come in the order of the catalog.  A small file
 * may only be read now, and put later.  entry has been begun in unpack, and is read to its end if
 * need be.  link is the name below the target of what a hard link is one of.  *local, where the
 * failure is one of this thing only: its place cannot be reached, is taken, or the like.  COF_IO,
 * COF_USAGE (taken), COF_AUTH, COF_NOMEM, or what reading said.
 */
cof_status cof_extract_put(cof_extract *x, bool *local, const cof_catalog_entry *entry,
                           cof_member *member, cof_slice name, cof_slice link, cof_unpack *unpack,
                           cof_error *err) COF_MUST_USE;

/* Have everything put that was put off.  What request.failed says. */
cof_status cof_extract_catch_up(cof_extract *x, cof_error *err) COF_MUST_USE;

/* The same, and settle the directories that are open, and make all durable.  COF_IO, COF_NOMEM. */
cof_status cof_extract_finish(cof_extract *x, cof_error *err) COF_MUST_USE;

const cof_extract_totals *cof_extract_get_totals(const cof_extract *x);

#endif
