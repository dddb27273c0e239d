/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One connection writes one database, in exclusive possession of the file and without a journal: so
 * there is nothing to lock, nothing to make durable, and no second file.
 */

#include "source/sqlite_vfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

SQLITE_EXTENSION_INIT3

typedef struct vfs_file {
    sqlite3_file base;
    cof_sqlite_vfs *vfs;
} vfs_file;

static cof_sqlite_vfs *vfs_of(sqlite3_file *file)
{
    return ((vfs_file *)file)->vfs;
}

static int file_close(sqlite3_file *file)
{
    (void)file; /* it stays the caller's */
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    cof_sqlite_vfs *v = vfs_of(file);
    size_t got = 0;

    if (cof_file_pread_some(out, (size_t)len, &got, v->file, (uint64_t)at, &v->cause) != COF_OK)
        return SQLITE_IOERR_READ;
    if (got == (size_t)len)
        return SQLITE_OK;
    memset((uint8_t *)out + got, 0, (size_t)len - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    cof_sqlite_vfs *v = vfs_of(file);

    if (cof_file_write_at(v->file, (uint64_t)at, data, (size_t)len, &v->cause) != COF_OK)
        return SQLITE_IOERR_WRITE;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    cof_sqlite_vfs *v = vfs_of(file);

    if (cof_file_truncate(v->file, (uint64_t)size, &v->cause) != COF_OK)
        return SQLITE_IOERR_TRUNCATE;
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    cof_sqlite_vfs *v = vfs_of(file);
    uint64_t size;

    if (cof_file_size(&size, v->file, &v->cause) != COF_OK)
        return SQLITE_IOERR_FSTAT;
    *out = (sqlite3_int64)size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int kind)
{
    (void)file;
    (void)kind;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    (void)file;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
};

/* ---- the file system ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    vfs_file *f = (vfs_file *)file;

    (void)name;
    *f = (vfs_file){.vfs = vfs->pAppData};
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return SQLITE_CANTOPEN; /* there is no other file */
    f->base.pMethods = &methods;
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    (void)name;
    (void)flags;
    *out = 0;
    return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int cap, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)cap, "%s", name) < cap ? SQLITE_OK : SQLITE_CANTOPEN;
}

int cof_sqlite_vfs_begin(cof_sqlite_vfs *out, cof_file *file)
{
    const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

    if (usual == NULL)
        return SQLITE_ERROR;
    memset(out, 0, sizeof(*out));
    out->file = file;
    (void)snprintf(out->name, sizeof(out->name), "coffer-%" PRIxPTR, (uintptr_t)out);
    out->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(vfs_file),
        .mxPathname = 512,
        .zName = out->name,
        .pAppData = out,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_name,
        /* These do not look at the file system that they are called with. */
        .xRandomness = usual->xRandomness,
        .xSleep = usual->xSleep,
        .xCurrentTime = usual->xCurrentTime,
        .xGetLastError = usual->xGetLastError,
    };
    return sqlite3_vfs_register(&out->vfs, 0);
}

void cof_sqlite_vfs_end(cof_sqlite_vfs *v)
{
    if (v->file != NULL)
        (void)sqlite3_vfs_unregister(&v->vfs);
    v->file = NULL;
}
