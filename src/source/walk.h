/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_WALK_H
#define COF_SOURCE_WALK_H

/* The inside of cof_tree_read(), shared by its parts. */

#include "source/archive.h"
#include "source/links.h"
#include "source/tree.h"

#include <sys/stat.h>

#define COF_WALK_BUFFER (UINT32_C(1) << 20)

typedef struct cof_walk_state {
    const cof_tree_request *request; /* borrowed */
    const cof_tree_hooks *hooks;     /* borrowed */
    cof_tree_totals totals;
    cof_archive *archive;
    cof_links *links;
    bool links_full, links_told;

    cof_buf path;           /* inside the backup, of what is being read; with a NUL behind it */
    const char *root_given; /* how the present root was written ... */
    size_t root_len;        /* ... and how long its name is inside */

    cof_attributes attributes; /* of what is being read */
    cof_extents extents;
    size_t extents_cap;
    uint8_t *buffer; /* COF_WALK_BUFFER bytes */
    uint8_t *zeros;  /* as many */
    char *target;    /* of a symbolic link: COF_TREEPATH_MAX and a NUL */
} cof_walk_state;

/* Where a thing is: a name in an open directory; AT_FDCWD and a path for a root. */
typedef struct cof_place {
    int dir;
    const char *name;
} cof_place;

/*
 * Tell a problem with what is being read: "PATH WHAT", and the text of errno_value unless that is
 * 0.  COF_SOURCE when strict.
 */
cof_status cof_walk_problem(cof_walk_state *w, int errno_value, const char *what,
                            cof_error *err) COF_MUST_USE;

/* The entry of what is being read: path and what stat says. */
cof_catalog_entry cof_walk_describe(const cof_walk_state *w, const struct stat *st);

/*
 * Open without following a symbolic link, without waiting, and, where that is allowed, without
 * leaving a trace.  -1 and errno.
 */
int cof_walk_open(const cof_place *place, int flags);

/*
 * Put an entry into the catalog that is not in the archive, for this reason: vanished, if that is
 * what errno_value says, else unreadable.  st may be NULL: nothing is known but the name.
 */
cof_status cof_walk_lost(cof_walk_state *w, const struct stat *st, int errno_value,
                         const char *what, cof_error *err) COF_MUST_USE;

/* Store the thing in place that is no directory, and put it into the catalog. */
cof_status cof_walk_member(cof_walk_state *w, const cof_place *place, const struct stat *st,
                           cof_error *err) COF_MUST_USE;

/*
 * The same for a directory that is open (fd), or that could not be opened (-1, errno_value).  What
 * is in it is the caller's; list_error: errno with which its names could not be read, or 0.
 */
cof_status cof_walk_directory(cof_walk_state *w, int fd, int open_error, int list_error,
                              const struct stat *st, cof_error *err) COF_MUST_USE;

/* Find the holes of an open file: fill w->extents. */
cof_status cof_walk_holes(cof_walk_state *w, int fd, const struct stat *st,
                          cof_error *err) COF_MUST_USE;

/*
 * Copy the content of an open file into the archive, as many bytes as st says.  *state says whether
 * all of them could be read, and whether the file is still as st says; that was then told.
 */
cof_status cof_walk_content(cof_walk_state *w, cof_entry_state *state, int fd,
                            const struct stat *st, cof_error *err) COF_MUST_USE;

#endif
