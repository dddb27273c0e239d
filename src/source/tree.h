/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_TREE_H
#define COF_SOURCE_TREE_H

/*
 * Files and directories as a pax archive and the entries of its catalog (FORMAT.md sections 3.7
 * and 3.8), read in the order of their paths, each once.
 *
 * A tree is read while others change it.  So everything is opened below its directory without
 * following symbolic links, and described by what was opened; what vanishes, changes or cannot be
 * read is told, gets its state in the catalog, and does not end the work unless `strict` is set.
 * Memory does not grow with the number of files.
 */

#include "base/treeentry.h"
#include "os/file.h"
#include "source/pattern.h"

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cof_tree_request {
    const char *const *paths; /* at least one */
    size_t path_count;
    const cof_patterns *exclude;
    bool exclude_caches;  /* of a directory with a CACHEDIR.TAG only that file */
    bool one_file_system; /* do not go into other file systems; their mount points are stored */
    bool strict;          /* the first problem is COF_SOURCE */
    bool ahead;           /* other threads may look at what is read next (source/scouts.h) */
    bool (*skip)(void *ctx, cof_file_id file); /* NULL, or is this one to be left out? */
    void *skip_ctx;
} cof_tree_request;

/* A class other than COF_OK from a hook ends the walk with it. */
typedef struct cof_tree_hooks {
    /*
     * Where the next bytes of the archive may be put, and at most *room of them, one or more,
     * before `data` is called with that very place: then they need not be copied once more.
     */
    void *(*place)(void *ctx, size_t *room);
    /* The next bytes of the archive, wherever they lie. */
    cof_status (*data)(void *ctx, const void *data, size_t len, cof_error *err);
    /* An entry whose bytes are complete; what it borrows lives until the hook returns. */
    cof_status (*entry)(void *ctx, const cof_catalog_entry *entry, cof_error *err);
    /* One sentence about what is missing or changed; safe for a terminal. */
    void (*problem)(void *ctx, const char *sentence);
    void *ctx;
} cof_tree_hooks;

typedef struct cof_tree_totals {
    uint64_t files; /* names of regular files in the archive */
    uint64_t directories;
    uint64_t others;     /* symbolic links, devices, FIFOs */
    uint64_t hard_links; /* further names of what is in the archive already; also counted above */
    uint64_t sockets;    /* left out: a socket is nothing without its process */
    uint64_t excluded;
    uint64_t problems; /* how often hooks.problem was called; 0: complete */
} cof_tree_totals;

/*
 * Read the tree.  COF_USAGE: paths that cannot be told apart inside; COF_SOURCE: strict and a
 * problem, or there was nothing at all; COF_NOMEM, COF_INTERNAL, or what a hook said.
 */
cof_status cof_tree_read(cof_tree_totals *out, const cof_tree_request *request,
                         const cof_tree_hooks *hooks, cof_error *err) COF_MUST_USE;

#endif
