/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Removing files.  The order is what keeps it safe: lock, see that the path still names what was
 * looked at, unlink, sync the directory.  Whoever changes a backup holds the same lock.
 */

#include <coffer/prune.h>

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/lock.h"
#include "engine/reader.h"
#include "engine/volumes.h"
#include "os/dir.h"
#include "os/newfile.h"
#include "os/os.h"

#define MOMENT 60 /* seconds */

/* COF_BUSY unless the path itself, not a link at its end, names the file. */
static cof_status require_same(const char *path, const cof_file *file, cof_error *err)
{
    struct stat there;
    cof_file_id id;
    cof_status st = cof_file_identity(&id, file, err);

    if (st != COF_OK)
        return st;
    if (cof_os_get()->lstat(path, &there) != 0)
        return cof_fail_sys(err, errno, "cannot examine %s", cof_file_label(file));
    if (S_ISLNK(there.st_mode))
        return cof_fail(err, COF_USAGE, "%s is a symbolic link; remove what it leads to",
                        cof_file_label(file));
    if (there.st_dev != id.dev || there.st_ino != id.ino)
        return cof_fail(err, COF_BUSY, "%s is another file now; it was not removed",
                        cof_file_label(file));
    return COF_OK;
}

static cof_status unlink_durably(const char *path, const cof_file *file, cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    char *dir = NULL;
    cof_status st = cof_path_parent(&dir, path, err);

    if (st != COF_OK)
        return st;
    if (cof_os_get()->unlink(path) != 0)
        st = cof_fail_sys(err, errno, "cannot remove %s", cof_file_label(file));
    else if (cof_dir_sync(dir, &local) != COF_OK)
        st = cof_fail_sys(err, local.sys_errno,
                          "%s is removed, but a power loss may still bring it back",
                          cof_file_label(file));
    free(dir);
    return st;
}

static cof_status remove_first(const cof_reader *reader, cof_error *err)
{
    const char *path = reader->options->path;
    cof_file *file = NULL;
    cof_status st;

    if ((st = require_same(path, reader->file, err)) != COF_OK ||
        (st = cof_open_for_change(&file, path, cof_lock_deadline(), err)) != COF_OK ||
        (st = require_same(path, reader->file, err)) != COF_OK ||
        (st = require_same(path, file, err)) != COF_OK)
        goto out;
    st = unlink_durably(path, file, err);
out:
    cof_file_free(file);
    return st;
}

/* Only who is named by a superblock of this backup goes, and only the file that was looked at. */
static cof_status open_later(cof_file **out, const cof_body *body, uint32_t number, cof_error *err)
{
    cof_file_id id = cof_body_identity(body, number), there;
    cof_status st;

    if ((st = cof_file_open_regular(out, cof_body_path(body, number), err)) != COF_OK ||
        (st = cof_file_identity(&there, *out, err)) != COF_OK)
        return st;
    if (there.dev != id.dev || there.ino != id.ino)
        return cof_fail(err, COF_BUSY, "%s is another file now; it was not removed",
                        cof_file_label(*out));
    return require_same(cof_body_path(body, number), *out, err);
}

static cof_status each_later(const cof_opened *o, bool remove, cof_error *err)
{
    cof_status st = COF_OK;

    for (uint32_t n = 2; st == COF_OK && n <= o->manifest.volume_count; n++) {
        cof_file *file = NULL;

        if ((st = open_later(&file, o->body, n, err)) == COF_OK && remove)
            st = unlink_durably(cof_body_path(o->body, n), file, err);
        cof_file_free(file);
    }
    return st;
}

cof_status cof_reader_remove(const cof_reader *reader, cof_error *err)
{
    const cof_opened *o = &reader->opened;
    cof_status st;

    if (reader->options->path == NULL)
        return cof_fail(err, COF_USAGE, "a backup from a pipe cannot be removed");
    if ((st = cof_volumes_require(o, true, err)) != COF_OK ||
        (st = each_later(o, false, err)) != COF_OK || (st = remove_first(reader, err)) != COF_OK)
        return st;
    return each_later(o, true, err);
}

/* ---- leftovers ---- */

static bool is_leftover(const char *path, uint64_t seconds)
{
    struct stat st;
    uint64_t now = cof_clock_now();

    return cof_newfile_is_temporary(cof_path_name(path)) && cof_os_get()->lstat(path, &st) == 0 &&
           S_ISREG(st.st_mode) && st.st_mtime >= 0 && (uint64_t)st.st_mtime <= now &&
           now - (uint64_t)st.st_mtime >= seconds;
}

static cof_status add_path(cof_paths *out, char **path, cof_error *err)
{
    char **grown = realloc(out->path, (out->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    out->path = grown;
    out->path[out->count++] = *path;
    *path = NULL; /* transferred */
    return COF_OK;
}

cof_status cof_leftovers_find(cof_paths *out, const char *dir, uint64_t seconds, cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    cof_status st = cof_dir_list(&names, dir, err);

    *out = (cof_paths){NULL, 0, 0};
    for (size_t i = 0; st == COF_OK && i < names.count; i++) {
        char *path = NULL;

        if ((st = cof_path_join(&path, dir, names.names[i], err)) == COF_OK &&
            is_leftover(path, seconds))
            st = add_path(out, &path, err);
        free(path);
    }
    cof_names_free(&names);
    if (st != COF_OK)
        cof_paths_wipe(out);
    return st;
}

/*
 * Is it on its way to its name, by a process that lives?  One that was touched a moment ago is not
 * tried: its lock, for that moment, could be missed by who has just made it.
 */
static bool is_being_written(const char *path)
{
    cof_file *file = NULL;
    bool busy;

    if (!is_leftover(path, MOMENT))
        return true;
    busy = cof_file_open_rw(&file, path, NULL) == COF_OK &&
           cof_lock_exclusive(file, false, NULL) == COF_BUSY;
    cof_file_free(file);
    return busy;
}

/*
 * Whoever writes a backup of very many volumes closes those that are complete, and a lock goes with
 * that: none is taken from a directory in which anybody is still writing.
 */
static cof_status require_quiet(const char *path, cof_error *err)
{
    cof_names names = COF_NAMES_INIT;
    char name[COF_TEXT_NAME_CAP], *dir = NULL;
    bool busy = false;
    cof_status st = cof_path_parent(&dir, path, err);

    if (st == COF_OK)
        st = cof_dir_list(&names, dir, err);
    for (size_t i = 0; st == COF_OK && !busy && i < names.count; i++) {
        char *other = NULL;

        if ((st = cof_path_join(&other, dir, names.names[i], err)) == COF_OK)
            busy = is_leftover(other, 0) && is_being_written(other);
        free(other);
    }
    cof_names_free(&names);
    free(dir);
    if (st != COF_OK || !busy)
        return st;
    return cof_fail(err, COF_BUSY, "%s may belong to what is being written beside it",
                    cof_text_safe_str(name, sizeof(name), path));
}

cof_status cof_leftover_remove(const char *path, uint64_t seconds, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];
    cof_file *file = NULL;
    cof_status st;

    cof_text_safe_str(name, sizeof(name), path);
    if (!cof_newfile_is_temporary(cof_path_name(path)))
        return cof_fail(err, COF_USAGE, "%s is not the name of an unfinished file", name);
    if (!is_leftover(path, seconds))
        return cof_fail(err, COF_BUSY, "%s has changed; it was not removed", name);
    if (seconds > 0 && (st = require_quiet(path, err)) != COF_OK)
        return st;
    if ((st = cof_file_open_rw(&file, path, err)) != COF_OK)
        return st;
    /* Without locks the age has to be enough. */
    if ((st = cof_lock_exclusive(file, false, err)) == COF_BUSY)
        goto out;
    if ((st = require_same(path, file, err)) != COF_OK)
        goto out;
    st = is_leftover(path, seconds)
             ? unlink_durably(path, file, err)
             : cof_fail(err, COF_BUSY, "%s has changed; it was not removed", name);
out:
    cof_file_free(file);
    return st;
}
