/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_SOURCE_SQLITE_VFS_H
#define COF_SOURCE_SQLITE_VFS_H

/* How SQLite writes a database into a cof_file that has no name: a file system of one file. */

#include "os/file.h"

#include <sqlite3ext.h>

typedef struct cof_sqlite_vfs {
    sqlite3_vfs vfs;
    char name[48];
    cof_file *file;  /* borrowed */
    cof_error cause; /* of the last failure */
} cof_sqlite_vfs;

/*
 * Make `file` known to SQLite as the only file of the file system out->name, until
 * cof_sqlite_vfs_end().  out must not move meanwhile.  Returns a result code of SQLite.
 */
int cof_sqlite_vfs_begin(cof_sqlite_vfs *out, cof_file *file);
void cof_sqlite_vfs_end(cof_sqlite_vfs *vfs);

#endif
