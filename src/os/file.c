/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Opening, closing and asking about files.  Each file carries its path twice: as given, for the
 * system, and made safe, for messages.  Reading and writing are in fileio.c.
 */

#include "os/file.h"

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct cof_file {
    int fd;
    bool own;
    cof_file_type type;
    bool window;
    uint64_t at, len; /* of a window */
    char *path;       /* owned */
    char label[COF_TEXT_NAME_CAP];
};

static cof_file_type type_of(mode_t mode)
{
    if (S_ISREG(mode))
        return COF_FILE_REGULAR;
    if (S_ISDIR(mode))
        return COF_FILE_DIRECTORY;
    if (S_ISFIFO(mode) || S_ISSOCK(mode))
        return COF_FILE_PIPE;
    return COF_FILE_OTHER;
}

cof_status cof_file_from_fd(cof_file **out, int fd, const char *name, bool own, cof_error *err)
{
    *out = NULL;
    const cof_os *os = cof_os_get();
    cof_status st = COF_OK;
    struct stat info;
    cof_file *file = calloc(1, sizeof *file);
    if (file == NULL || (file->path = strdup(name)) == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    cof_text_safe_str(file->label, sizeof file->label, name);
    if (os->fstat(fd, &info) != 0) {
        st = cof_fail_sys(err, errno, "cannot examine %s", file->label);
        goto out;
    }
    file->type = type_of(info.st_mode);
    if (S_ISCHR(info.st_mode) && os->isatty(fd))
        file->type = COF_FILE_PIPE;
    file->fd = fd;
    file->own = own;
    *out = file;
    file = NULL; /* transferred */

out:
    if (st != COF_OK && own)
        (void)os->close(fd);
    if (file != NULL)
        free(file->path);
    free(file);
    return st;
}

cof_status cof_file_window(cof_file **out, const cof_file *of, uint64_t at, uint64_t len,
                           const char *name, cof_error *err)
{
    cof_status st = cof_file_from_fd(out, of->fd, name, false, err);
    if (st != COF_OK)
        return st;
    (*out)->window = true;
    (*out)->at = at;
    (*out)->len = len;
    return COF_OK;
}

bool cof_file_is_window(const cof_file *file)
{
    return file->window;
}

bool cof_file_place(const cof_file *file, uint64_t *off, size_t *len)
{
    if (!file->window)
        return true;
    if (*off >= file->len)
        return false;
    *len = (size_t)cof_min_u64(*len, file->len - *off);
    return cof_add_u64(*off, file->at, off);
}

/* Open with these flags; `what` is the verb of the sentence on failure. */
static cof_status open_path(cof_file **out, const char *path, int flags, mode_t mode,
                            const char *what, cof_error *err)
{
    *out = NULL;
    char label[COF_TEXT_NAME_CAP];
    int fd;
    do {
        fd = cof_os_get()->open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && errno == EISDIR)
        return cof_fail(err, COF_USAGE, "%s is a directory, not a file",
                        cof_text_safe_str(label, sizeof label, path));
    if (fd < 0)
        return cof_fail_sys(err, errno, "cannot %s %s%s", what,
                            cof_text_safe_str(label, sizeof label, path),
                            flags == O_RDWR ? " for writing" : "");
    return cof_file_from_fd(out, fd, path, true, err);
}

cof_status cof_file_open_read(cof_file **out, const char *path, cof_error *err)
{
    cof_status st = open_path(out, path, O_RDONLY, 0, "open", err);
    if (st == COF_OK && (*out)->type == COF_FILE_DIRECTORY) {
        st = cof_fail(err, COF_USAGE, "%s is a directory, not a file", (*out)->label);
        cof_file_free(*out);
        *out = NULL;
    }
    return st;
}

cof_status cof_file_open_regular(cof_file **out, const char *path, cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    cof_status st = open_path(out, path, O_RDONLY | O_NONBLOCK, 0, "open", &local);
    if (st == COF_OK && (*out)->type != COF_FILE_REGULAR) {
        st = cof_fail(&local, COF_USAGE, "%s is not a regular file", (*out)->label);
        cof_file_free(*out);
        *out = NULL;
    }
    if (local.sys_errno == EWOULDBLOCK) /* a regular file that somebody has leased, for seconds */
        return open_path(out, path, O_RDONLY, 0, "open", err);
    if (st != COF_OK && err != NULL)
        *err = local;
    return st;
}

cof_status cof_file_open_rw(cof_file **out, const char *path, cof_error *err)
{
    return open_path(out, path, O_RDWR, 0, "open", err);
}

cof_status cof_file_create_excl(cof_file **out, const char *path, mode_t mode, cof_error *err)
{
    return open_path(out, path, O_RDWR | O_CREAT | O_EXCL, mode, "create", err);
}

/* For file systems without O_TMPFILE: create under some name, and take the name away at once. */
static cof_status create_then_unlink(cof_file **out, const char *dir, cof_error *err)
{
    *out = NULL;
    char path[PATH_MAX];
    int n =
        snprintf(path, sizeof path, "%s/.coffer.%016" PRIx64 ".tmp", dir, cof_os_get()->token());
    if (n < 0 || (size_t)n >= sizeof path)
        return cof_fail_sys(err, ENAMETOOLONG, "cannot create a temporary file");

    cof_status st = cof_file_create_excl(out, path, 0600, err);
    if (st == COF_OK && cof_os_get()->unlink(path) != 0) {
        st = cof_fail_sys(err, errno, "cannot remove %s", (*out)->label);
        cof_file_free(*out);
        *out = NULL;
    }
    return st;
}

cof_status cof_file_create_unlinked(cof_file **out, const char *dir, cof_error *err)
{
    *out = NULL;
    char label[COF_TEXT_NAME_CAP], name[COF_TEXT_NAME_CAP + 32];
    cof_text_safe_str(label, sizeof label, dir);
    int fd;
    do {
        fd = cof_os_get()->open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        return create_then_unlink(out, dir, err);
    if (fd < 0)
        return cof_fail_sys(err, errno, "cannot create a temporary file in %s", label);
    snprintf(name, sizeof name, "a temporary file in %s", dir);
    return cof_file_from_fd(out, fd, name, true, err);
}

cof_status cof_file_close(cof_file **file, cof_error *err)
{
    cof_file *f = *file;
    cof_status st = COF_OK;
    *file = NULL;
    if (f == NULL)
        return COF_OK;
    /* After EINTR the descriptor is gone too; closing again could hit somebody else's. */
    if (f->own && cof_os_get()->close(f->fd) != 0 && errno != EINTR)
        st = cof_fail_sys(err, errno, "cannot finish writing %s", f->label);
    free(f->path);
    free(f);
    return st;
}

void cof_file_free(cof_file *file)
{
    cof_status ignored = cof_file_close(&file, NULL);
    (void)ignored;
}

cof_file_type cof_file_kind(const cof_file *file)
{
    return file->type;
}

const char *cof_file_path(const cof_file *file)
{
    return file->path;
}

const char *cof_file_label(const cof_file *file)
{
    return file->label;
}

int cof_file_fd(const cof_file *file)
{
    return file->fd;
}

static cof_status examine(struct stat *out, const cof_file *file, cof_error *err)
{
    if (cof_os_get()->fstat(file->fd, out) != 0)
        return cof_fail_sys(err, errno, "cannot examine %s", file->label);
    return COF_OK;
}

cof_status cof_file_size(uint64_t *out, const cof_file *file, cof_error *err)
{
    struct stat info;
    if (file->type != COF_FILE_REGULAR)
        return cof_fail(err, COF_USAGE, "%s is not a regular file, so it has no size", file->label);
    cof_status st = examine(&info, file, err);
    if (st != COF_OK)
        return st;
    *out = (uint64_t)info.st_size;
    if (file->window)
        *out = cof_min_u64(file->len, *out - cof_min_u64(*out, file->at));
    return COF_OK;
}

cof_status cof_file_identity(cof_file_id *out, const cof_file *file, cof_error *err)
{
    struct stat info;
    cof_status st = examine(&info, file, err);
    if (st == COF_OK)
        *out = (cof_file_id){info.st_dev, info.st_ino};
    return st;
}

cof_status cof_file_link_count(uint64_t *out, const cof_file *file, cof_error *err)
{
    struct stat info;
    cof_status st = examine(&info, file, err);
    if (st == COF_OK)
        *out = (uint64_t)info.st_nlink;
    return st;
}

cof_status cof_file_still_at_path(bool *out, const cof_file *file, const char *path, cof_error *err)
{
    struct stat here, there;
    char label[COF_TEXT_NAME_CAP];
    cof_status st = examine(&here, file, err);
    if (st != COF_OK)
        return st;
    if (cof_os_get()->stat(path, &there) == 0)
        *out = here.st_dev == there.st_dev && here.st_ino == there.st_ino;
    else if (errno == ENOENT || errno == ENOTDIR)
        *out = false;
    else
        return cof_fail_sys(err, errno, "cannot examine %s",
                            cof_text_safe_str(label, sizeof label, path));
    return COF_OK;
}
