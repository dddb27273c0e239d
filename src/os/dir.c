/* SPDX-License-Identifier: Apache-2.0 */

/* Directories and paths.  Paths are bytes: nothing here assumes that a name is valid UTF-8. */

#include "os/dir.h"

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cof_status fail_path(cof_error *err, int errno_value, const char *what, const char *path)
{
    char label[COF_TEXT_NAME_CAP];
    return cof_fail_sys(err, errno_value, "cannot %s %s", what,
                        cof_text_safe_str(label, sizeof label, path));
}

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

/* Append a copy of the name; *cap is how many the array has room for. */
static cof_status add_name(cof_names *names, size_t *cap, const char *name, cof_error *err)
{
    if (names->count == *cap) {
        size_t more = *cap == 0 ? 32 : 2 * *cap;
        char **grown = reallocarray(names->names, more, sizeof *grown);
        if (grown == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        names->names = grown;
        *cap = more;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    names->names[names->count++] = copy;
    return COF_OK;
}

cof_status cof_dir_list(cof_names *out, const char *path, cof_error *err)
{
    *out = (cof_names)COF_NAMES_INIT;
    const cof_os *os = cof_os_get();
    cof_names names = COF_NAMES_INIT;
    size_t cap = 0;
    cof_status st = COF_OK;
    DIR *dir = os->opendir(path);
    if (dir == NULL)
        return fail_path(err, errno, "list the directory", path);

    struct dirent *entry;
    while (errno = 0, (entry = os->readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((st = add_name(&names, &cap, entry->d_name, err)) != COF_OK)
            goto out;
    }
    if (errno != 0) {
        st = fail_path(err, errno, "list the directory", path);
        goto out;
    }
    if (names.count > 1)
        qsort(names.names, names.count, sizeof *names.names, compare_names);
    *out = names;
    names = (cof_names)COF_NAMES_INIT; /* transferred */

out:
    cof_names_free(&names);
    (void)os->closedir(dir);
    return st;
}

void cof_names_free(cof_names *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (cof_names)COF_NAMES_INIT;
}

cof_status cof_dir_make(const char *path, mode_t mode, cof_error *err)
{
    struct stat info;
    if (cof_os_get()->mkdir(path, mode) == 0)
        return COF_OK;
    int error = errno;
    if (error == EEXIST && cof_os_get()->stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return COF_OK;
    return fail_path(err, error, "create the directory", path);
}

cof_status cof_dir_sync(const char *path, cof_error *err)
{
    const cof_os *os = cof_os_get();
    int fd = os->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fail_path(err, errno, "open the directory", path);
    cof_status st = COF_OK;
    if (os->fsync(fd) != 0 && errno != EINVAL && errno != EOPNOTSUPP)
        st = fail_path(err, errno, "write safely to disk the directory", path);
    (void)os->close(fd);
    return st;
}

cof_status cof_dir_space(uint64_t *out, const char *path, cof_error *err)
{
    struct statvfs info;
    uint64_t bytes;
    if (cof_os_get()->statvfs(path, &info) != 0)
        return fail_path(err, errno, "ask for the free space of", path);
    *out = cof_mul_u64(info.f_bavail, info.f_frsize, &bytes) ? bytes : UINT64_MAX;
    return COF_OK;
}

cof_status cof_path_kind(cof_path_type *out, const char *path, cof_error *err)
{
    struct stat info;
    if (cof_os_get()->stat(path, &info) == 0)
        *out = S_ISREG(info.st_mode)   ? COF_PATH_REGULAR
               : S_ISDIR(info.st_mode) ? COF_PATH_DIRECTORY
                                       : COF_PATH_OTHER;
    else if (errno == ENOENT || errno == ENOTDIR)
        *out = COF_PATH_NOTHING;
    else
        return fail_path(err, errno, "examine", path);
    return COF_OK;
}

cof_status cof_path_same(bool *out, const char *a, const char *b, cof_error *err)
{
    const char *const paths[2] = {a, b};
    struct stat info[2];
    *out = false;
    for (int i = 0; i < 2; i++)
        if (cof_os_get()->stat(paths[i], &info[i]) != 0)
            return errno == ENOENT || errno == ENOTDIR ? COF_OK
                                                       : fail_path(err, errno, "examine", paths[i]);
    *out = info[0].st_dev == info[1].st_dev && info[0].st_ino == info[1].st_ino;
    return COF_OK;
}

cof_status cof_path_must_be_free(const char *path, const char *advice, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];
    cof_path_type kind;
    cof_status st = cof_path_kind(&kind, path, err);

    if (st != COF_OK || kind == COF_PATH_NOTHING)
        return st;
    return cof_fail(err, COF_USAGE, "%s exists already%s",
                    cof_text_safe_str(name, sizeof(name), path), advice);
}

cof_status cof_path_may_be_replaced(const char *path, cof_error *err)
{
    char name[COF_TEXT_NAME_CAP];
    struct stat info;

    if (cof_os_get()->lstat(path, &info) != 0 || S_ISREG(info.st_mode) || S_ISLNK(info.st_mode))
        return COF_OK;
    return cof_fail(err, COF_USAGE, "%s is no regular file, and is not replaced by one",
                    cof_text_safe_str(name, sizeof(name), path));
}

cof_status cof_path_others_can_write(bool *out, const char *path, cof_error *err)
{
    struct stat info;
    if (cof_os_get()->stat(path, &info) != 0)
        return fail_path(err, errno, "examine", path);
    *out =
        (info.st_uid != 0 && info.st_uid != geteuid()) || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    return COF_OK;
}

cof_status cof_path_real(char **out, const char *path, cof_error *err)
{
    *out = cof_os_get()->realpath(path);
    if (*out != NULL)
        return COF_OK;
    if (errno == ENOMEM)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return fail_path(err, errno, "find", path);
}

cof_status cof_path_parent(char **out, const char *path, cof_error *err)
{
    size_t len = (size_t)(cof_path_name(path) - path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    *out = len == 0 ? strdup(".") : strndup(path, len);
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

const char *cof_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

cof_status cof_path_join(char **out, const char *dir, const char *name, cof_error *err)
{
    *out = NULL;
    size_t dir_len = strlen(dir);
    size_t name_len = strlen(name);
    bool slash = dir_len > 0 && dir[dir_len - 1] != '/';
    char *path = malloc(dir_len + name_len + 2);
    if (path == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    memcpy(path, dir, dir_len);
    if (slash)
        path[dir_len++] = '/';
    memcpy(path + dir_len, name, name_len + 1);
    *out = path;
    return COF_OK;
}
