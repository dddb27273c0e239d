/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Going down.  One directory is kept open, that of the last path: in the order of a catalog the
 * next path nearly always lies in it or below it.
 */

#include "source/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "os/dir.h"
#include "os/os.h"

#define STEP (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

cof_status cof_target_open(cof_target *out, const char *path, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];
    cof_status st;

    *out = (cof_target){.root = -1, .dir = -1};
    if ((out->given = strdup(path)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = cof_dir_make(path, 0777, err)) != COF_OK)
        return st;
    out->root = cof_os_get()->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    return out->root >= 0 ? COF_OK
                          : cof_fail_sys(err, errno, "cannot open the directory %s",
                                         cof_text_safe_str(safe, sizeof(safe), path));
}

static void leave(cof_target *t)
{
    if (t->dir >= 0)
        (void)cof_os_get()->close(t->dir);
    t->dir = -1;
    t->path.len = 0;
}

void cof_target_wipe(cof_target *t)
{
    leave(t);
    if (t->root >= 0)
        (void)cof_os_get()->close(t->root);
    cof_buf_free(&t->path);
    cof_buf_free(&t->name);
    free(t->given);
    *t = (cof_target){.root = -1, .dir = -1};
}

char *cof_target_outside(const cof_target *t, cof_slice path)
{
    size_t len = strlen(t->given);
    char *out = malloc(len + path.len + 2);

    if (out == NULL)
        return NULL;
    memcpy(out, t->given, len);
    if (len > 0 && out[len - 1] != '/')
        out[len++] = '/';
    memcpy(out + len, path.data, path.len);
    out[len + path.len] = '\0';
    return out;
}

/* name := the bytes, with a NUL behind them. */
static cof_status set_name(cof_target *t, const uint8_t *data, size_t len, cof_error *err)
{
    cof_status st;

    t->name.len = 0;
    if ((st = cof_buf_append(&t->name, data, len, err)) != COF_OK)
        return st;
    return cof_buf_append(&t->name, "", 1, err);
}

static cof_status cannot_enter(cof_slice path, int error, cof_error *err)
{
    char safe[COF_TEXT_NAME_CAP];

    cof_text_safe(safe, sizeof(safe), (const char *)path.data, path.len);
    if (error != ELOOP && error != ENOTDIR)
        return cof_fail_sys(err, error, "cannot enter the directory %s", safe);
    return cof_fail(err, COF_IO,
                    "%s is no directory, or a symbolic link, through which nothing is written",
                    safe);
}

/* Enter the component in name, whose path below the root is `path`. */
static cof_status step(cof_target *t, cof_slice path, bool create, cof_error *err)
{
    const cof_os *os = cof_os_get();
    const char *name = (const char *)t->name.data;
    int from = t->dir >= 0 ? t->dir : t->root;
    int fd = os->openat(from, name, STEP, 0);

    if (fd < 0 && errno == ENOENT && create &&
        (os->mkdirat(from, name, 0777) == 0 || errno == EEXIST))
        fd = os->openat(from, name, STEP, 0);
    if (fd < 0)
        return cannot_enter(path, errno, err);
    if (t->dir >= 0)
        (void)os->close(t->dir);
    t->dir = fd;
    return COF_OK;
}

/* Enter the directory `path`, which is empty for the root. */
static cof_status enter(cof_target *t, cof_slice path, bool create, cof_error *err)
{
    size_t at = t->path.len;
    cof_status st = COF_OK;

    if (at != 0 && !cof_treepath_below(path, cof_buf_slice(&t->path))) {
        leave(t);
        at = 0;
    }
    while (st == COF_OK && at < path.len) {
        size_t from = at == 0 ? 0 : at + 1; /* behind the slash */
        const uint8_t *slash = memchr(path.data + from, '/', path.len - from);
        size_t end = slash != NULL ? (size_t)(slash - path.data) : path.len;

        if ((st = set_name(t, path.data + from, end - from, err)) == COF_OK)
            st = step(t, (cof_slice){path.data, end}, create, err);
        at = end;
    }
    if (st == COF_OK) {
        t->path.len = 0;
        st = cof_buf_append(&t->path, path.data, path.len, err);
    }
    if (st != COF_OK)
        leave(t);
    return st;
}

/* Without the last component and its slash; empty for the root. */
static cof_slice directory_of(cof_slice path)
{
    size_t len = path.len;

    while (len > 0 && path.data[len - 1] != '/')
        len--;
    return (cof_slice){path.data, len > 0 ? len - 1 : 0};
}

bool cof_target_is_in(const cof_target *t, cof_slice path)
{
    return cof_slice_equal(directory_of(path), cof_buf_slice(&t->path));
}

cof_status cof_target_find(cof_target *t, cof_spot *out, cof_slice path, bool create,
                           cof_error *err)
{
    cof_slice dir = directory_of(path);
    cof_status st;

    *out = (cof_spot){-1, ""};
    if (!cof_treepath_valid(path)) /* the catalog has been asked already; this is the last door */
        return cof_fail(err, COF_FORMAT, "a name leads out of the directory that is restored into");
    if ((st = enter(t, dir, create, err)) == COF_OK) {
        size_t at = dir.len > 0 ? dir.len + 1 : 0;

        st = set_name(t, path.data + at, path.len - at, err);
    }
    *out = (cof_spot){t->dir >= 0 ? t->dir : t->root, (const char *)t->name.data};
    return st;
}
