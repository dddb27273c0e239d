/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_SQLITE_H
#define COF_SOURCE_SQLITE_H

/*
 * A database of SQLite as it was after one committed transaction, while others write to it.
 *
 * The copy is made by SQLite's own backup interface under one read transaction, so it holds in
 * whatever journal mode the database is.  It goes into a file without a name beside the database:
 * its plaintext leaves neither that folder nor anything behind.  So the database is locked for as
 * long as copying takes, and not for as long as compressing, encrypting and sending it takes.
 *
 * The code is compiled twice: for the library, with -DSQLITE_CORE, and for the loadable extension,
 * where it calls the SQLite of the program that has loaded it.  Two copies of SQLite in one process
 * would undo each other's locks.
 */

#include "os/file.h"

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cof_sqlite_request {
    const char *path;
    uint64_t wait_ms; /* how long to wait for others' locks */

    /* Called now and then with pages done and to be done in all; false: stop.  May be NULL. */
    bool (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
} cof_sqlite_request;

/*
 * Copy the database into *out, a file without a name, read from its beginning; the caller frees it.
 * COF_SOURCE: there is no such database, it is none or damaged, or others kept it locked.
 * COF_IO: the copy cannot be written.  COF_CANCELLED, COF_NOMEM.
 */
cof_status cof_sqlite_snapshot(cof_file **out, const cof_sqlite_request *request,
                               cof_error *err) COF_MUST_USE;

#endif
