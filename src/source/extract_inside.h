/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_EXTRACT_INSIDE_H
#define COF_SOURCE_EXTRACT_INSIDE_H

/* What the files of extract share. */

#include "source/extract.h"

/* A directory that is not settled yet. */
typedef struct cof_open_dir {
    size_t path_len; /* its path is so much of dir_path */
    cof_member member;
} cof_open_dir;

#define COF_TEMP_CAP 40

struct cof_extract {
    cof_extract_request request;
    bool no_tmpfile;    /* the file system knows no files without a name */
    cof_target target;  /* root -1 until the first thing */
    cof_target links;   /* the same once more: where hard links point to */
    cof_open_dir *dirs; /* owned: each in the one before it */
    size_t dir_count, dir_cap;
    cof_buf dir_path; /* owned: of the last of them */
    cof_extract_totals totals;
};

/* Tell that the thing called name is restored, but not as it was. */
void cof_extract_problem(cof_extract *x, cof_slice name, const char *what);

/* Settle every directory that `next` does not lie in; next empty: all.  COF_NOMEM. */
cof_status cof_extract_leave(cof_extract *x, cof_slice next, cof_error *err) COF_MUST_USE;

/* Make a directory, and remember it to be settled; takes *member. */
cof_status cof_extract_directory(cof_extract *x, const cof_spot *spot, cof_member *member,
                                 cof_slice name, cof_error *err) COF_MUST_USE;

#endif
