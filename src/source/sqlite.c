/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The snapshot.  A read transaction is held on the source from the first page to the last: another
 * process can then not change what is read, with a rollback journal because it waits, with a WAL
 * because the reader stays with what it has begun with.  So SQLite never has to begin anew.
 *
 * This process must not open the database by itself: closing it again would drop the locks that
 * SQLite holds for other connections (POSIX locks belong to the process).
 */

#include "source/sqlite.h"

#include "base/error.h"
#include "base/text.h"
#include "os/os.h"
#include "source/sqlite_vfs.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

SQLITE_EXTENSION_INIT3

#define PAGES_AT_ONCE 1024
#define NAP_MS        2

typedef struct snapshot {
    const cof_sqlite_request *request;
    char label[COF_TEXT_NAME_CAP]; /* the path, safe for messages */
    uint64_t deadline;             /* for waiting, on the monotonic clock */
    sqlite3 *from, *to;
    cof_sqlite_vfs vfs;
    cof_file *file;
    bool lonely; /* nobody else had the database open in WAL mode */
} snapshot;

/* Called by SQLite where somebody else holds a lock: nonzero to try again. */
static int on_busy(void *ctx, int count)
{
    const snapshot *s = ctx;

    (void)count;
    if (cof_clock_monotonic_ns() >= s->deadline)
        return 0;
    (void)sqlite3_sleep(NAP_MS);
    return 1;
}

/* What SQLite says about the source. */
static cof_status source_failed(const snapshot *s, int code, cof_error *err)
{
    char safe[200];

    if (code == SQLITE_NOMEM)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return cof_fail(err, COF_SOURCE,
                        "the database %s was locked by others all the time; wait longer, or let "
                        "it use a WAL",
                        s->label);
    return cof_fail(err, COF_SOURCE, "cannot read the database %s: %s", s->label,
                    cof_text_safe_str(safe, sizeof(safe),
                                      s->from != NULL && sqlite3_errcode(s->from) != SQLITE_OK
                                          ? sqlite3_errmsg(s->from)
                                          : sqlite3_errstr(code)));
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* ---- the source ---- */

/* "file:" at the beginning would make it a URI where SQLite is built so. */
static cof_status open_source(snapshot *s, cof_error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const char *path = s->request->path;
    char plain[PATH_MAX];
    int code;

    if (snprintf(plain, sizeof(plain), "%s%s", path[0] == '/' ? "" : "./", path) >=
        (int)sizeof(plain))
        return cof_fail(err, COF_USAGE, "the path of the database is too long");
    if ((code = sqlite3_open_v2(plain, &s->from, flags, NULL)) != SQLITE_OK ||
        (code = sqlite3_busy_handler(s->from, on_busy, s)) != SQLITE_OK ||
        (code = run(s->from, "PRAGMA query_only=1")) != SQLITE_OK)
        return source_failed(s, code, err);
    return COF_OK;
}

/*
 * Take the lock or the place in the WAL that keeps things as they are.  Whoever closes a WAL
 * database last moves all of it into the database and removes it: that is not for a backup to do,
 * unless there was no WAL before it came.
 */
static cof_status hold_source(snapshot *s, cof_error *err)
{
    const char *wal = sqlite3_filename_wal(sqlite3_db_filename(s->from, "main"));
    struct stat ignored;
    int code;

    s->lonely = wal == NULL || cof_os_get()->stat(wal, &ignored) != 0;
    (void)sqlite3_db_config(s->from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, s->lonely ? 0 : 1, NULL);
    if ((code = run(s->from, "BEGIN; SELECT count(*) FROM sqlite_master")) != SQLITE_OK)
        return source_failed(s, code, err);
    return COF_OK;
}

/* ---- the copy ---- */

/* The folder of the database itself, not of a symbolic link to it. */
static cof_status make_file(snapshot *s, cof_error *err)
{
    const char *full = sqlite3_db_filename(s->from, "main");
    const char *slash = full != NULL ? strrchr(full, '/') : NULL;
    char dir[PATH_MAX];

    if (slash == NULL || (size_t)(slash - full) + 2 > sizeof(dir))
        return cof_fail(err, COF_SOURCE, "%s is no database in a file", s->label);
    (void)snprintf(dir, sizeof(dir), "%.*s/", (int)(slash - full), full);
    return cof_file_create_unlinked(&s->file, dir, err);
}

static cof_status open_copy(snapshot *s, cof_error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code;

    if ((code = cof_sqlite_vfs_begin(&s->vfs, s->file)) != SQLITE_OK ||
        (code = sqlite3_open_v2("copy", &s->to, flags, s->vfs.name)) != SQLITE_OK ||
        (code = run(s->to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")) != SQLITE_OK)
        return cof_fail(err, COF_INTERNAL, "cannot make a copy of a database: %s",
                        sqlite3_errstr(code));
    return COF_OK;
}

/* The copying failed: whose fault was it? */
static cof_status copy_failed(const snapshot *s, int code, cof_error *err)
{
    if (s->vfs.cause.status == COF_OK)
        return source_failed(s, code, err);
    if (err != NULL)
        *err = s->vfs.cause;
    return s->vfs.cause.status;
}

static cof_status copy_pages(snapshot *s, cof_error *err)
{
    const cof_sqlite_request *r = s->request;
    sqlite3_backup *backup = sqlite3_backup_init(s->to, "main", s->from, "main");
    bool go_on = true;
    int code;

    if (backup == NULL)
        return cof_fail(err, COF_INTERNAL, "cannot copy a database: %s", sqlite3_errmsg(s->to));
    do {
        uint64_t total, left;

        code = sqlite3_backup_step(backup, PAGES_AT_ONCE);
        total = (uint64_t)sqlite3_backup_pagecount(backup);
        left = (uint64_t)sqlite3_backup_remaining(backup);
        if (r->progress != NULL)
            go_on = r->progress(r->ctx, total - left, total);
        if ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && on_busy(s, 0) != 0)
            code = SQLITE_OK;
    } while (code == SQLITE_OK && go_on);
    (void)sqlite3_backup_finish(backup);
    if (!go_on)
        return cof_fail(err, COF_CANCELLED, "stopped on request");
    return code == SQLITE_DONE ? COF_OK : copy_failed(s, code, err);
}

static void close_all(snapshot *s)
{
    (void)sqlite3_close(s->to);
    (void)sqlite3_close(s->from); /* ends its transaction */
    cof_sqlite_vfs_end(&s->vfs);
    cof_file_free(s->file);
}

cof_status cof_sqlite_snapshot(cof_file **out, const cof_sqlite_request *request, cof_error *err)
{
    snapshot s = {.request = request};
    cof_status st;

    *out = NULL;
    (void)cof_text_safe_str(s.label, sizeof(s.label), request->path);
    s.deadline = cof_clock_monotonic_ns() + request->wait_ms * 1000000;
    if ((st = open_source(&s, err)) != COF_OK || (st = hold_source(&s, err)) != COF_OK ||
        (st = make_file(&s, err)) != COF_OK || (st = open_copy(&s, err)) != COF_OK ||
        (st = copy_pages(&s, err)) != COF_OK)
        goto out;
    *out = s.file;
    s.file = NULL; /* transferred */
out:
    close_all(&s);
    return st;
}
