/* SPDX-License-Identifier: Apache-2.0 */

/* Recording: a file is known by its inode, whatever names and descriptors it has. */

#include "record.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_FILE STORAGE_FILES

static struct {
    op_log *log;
    const char *dir;
    const image *from;
    cof_os base, os;
    ino_t directory;
    ino_t files[STORAGE_FILES];
    size_t count;
} r;

static void must(bool right, const char *what)
{
    if (right)
        return;
    perror(what);
    exit(1);
}

static const char *in_dir(const char *dir, const char *name)
{
    static char path[PATH_MAX];

    must((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path), name);
    return path;
}

/* ---- the directory as it is ---- */

static int is_file(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void for_each_name(const char *dir, void (*call)(void *ctx, const char *path), void *ctx)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, is_file, alphasort);

    must(count >= 0, dir);
    for (int i = 0; i < count; i++) {
        call(ctx, in_dir(dir, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
}

static void remove_file(void *ctx, const char *path)
{
    (void)ctx;
    must(unlink(path) == 0, path);
}

/* A file with several names is one file.  in_dir has room for one path at a time. */
static bool lay_link(const char *dir, const image *i, size_t k)
{
    char first[PATH_MAX];
    size_t other = 0;

    while (i->names[other].file != i->names[k].file)
        other++;
    if (other == k)
        return false;
    snprintf(first, sizeof(first), "%s", in_dir(dir, i->names[other].name));
    must(link(first, in_dir(dir, i->names[k].name)) == 0, first);
    return true;
}

void record_lay(const char *dir, const image *i)
{
    for_each_name(dir, remove_file, NULL);
    for (size_t k = 0; k < i->name_count; k++) {
        size_t file = i->names[k].file, len = i->files[file].len;
        int fd;

        if (lay_link(dir, i, k))
            continue;
        fd = open(in_dir(dir, i->names[k].name), O_WRONLY | O_CREAT | O_EXCL, 0600);
        must(fd >= 0 && write(fd, i->files[file].data, len) == (ssize_t)len && close(fd) == 0,
             i->names[k].name);
    }
}

static void read_file(void *ctx, const char *path)
{
    int fd = open(path, O_RDONLY);
    uint8_t *data;
    struct stat s;

    must(fd >= 0 && fstat(fd, &s) == 0, path);
    data = malloc((size_t)s.st_size + 1);
    must(data != NULL && read(fd, data, (size_t)s.st_size) == s.st_size && close(fd) == 0, path);
    image_add(ctx, strrchr(path, '/') + 1, data, (size_t)s.st_size);
    free(data);
}

void record_read(image *out, const char *dir)
{
    memset(out, 0, sizeof(*out));
    for_each_name(dir, read_file, out);
}

/* ---- noting ---- */

/* The name in the directory that a path means; NULL: another place. */
static const char *name_of(const char *path)
{
    size_t len = strlen(r.dir);

    if (strncmp(path, r.dir, len) != 0 || path[len] != '/' || path[len + 1] == '\0' ||
        strchr(path + len + 1, '/') != NULL)
        return NULL;
    return path + len + 1;
}

static size_t file_of_inode(ino_t inode)
{
    for (size_t i = 0; i < r.count; i++)
        if (r.files[i] == inode)
            return i;
    return NO_FILE;
}

static size_t file_of(int fd)
{
    struct stat s;

    return r.base.fstat(fd, &s) == 0 ? file_of_inode(s.st_ino) : NO_FILE;
}

static size_t file_at(const char *path)
{
    struct stat s;

    return r.base.lstat(path, &s) == 0 ? file_of_inode(s.st_ino) : NO_FILE;
}

static void note_name(op_kind kind, size_t file, const char *name, const char *to)
{
    op what = {.kind = kind, .file = file};

    if (file == NO_FILE)
        return;
    snprintf(what.name, sizeof(what.name), "%s", name);
    snprintf(what.to, sizeof(what.to), "%s", to);
    op_log_add(r.log, &what, NULL);
}

static void note_bytes(op_kind kind, int fd, uint64_t off, size_t len, const uint8_t *data)
{
    const op what = {.kind = kind, .file = file_of(fd), .off = off, .len = len};

    if (what.file != NO_FILE)
        op_log_add(r.log, &what, data);
}

/* ---- the calls ---- */

static int noting_open(const char *path, int flags, mode_t mode)
{
    const char *name = name_of(path);
    bool created = name != NULL && (flags & O_CREAT) != 0 && file_at(path) == NO_FILE;
    int fd = r.base.open(path, flags, mode);
    struct stat s;

    if (fd < 0 || name == NULL)
        return fd;
    if (created) {
        must(r.count < STORAGE_FILES && fstat(fd, &s) == 0, "a new file");
        r.files[r.count++] = s.st_ino;
        note_name(OP_NAME, r.count - 1, name, "");
    } else if ((flags & O_TRUNC) != 0) {
        note_bytes(OP_TRUNCATE, fd, 0, 0, NULL);
    }
    return fd;
}

static ssize_t noting_write(int fd, const void *data, size_t len)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = r.base.write(fd, data, len);

    if (n > 0 && at >= 0)
        note_bytes(OP_WRITE, fd, (uint64_t)at, (size_t)n, data);
    return n;
}

static ssize_t noting_pwrite(int fd, const void *data, size_t len, off_t off)
{
    ssize_t n = r.base.pwrite(fd, data, len, off);

    if (n > 0)
        note_bytes(OP_WRITE, fd, (uint64_t)off, (size_t)n, data);
    return n;
}

static int noting_ftruncate(int fd, off_t len)
{
    int result = r.base.ftruncate(fd, len);

    if (result == 0)
        note_bytes(OP_TRUNCATE, fd, 0, (size_t)len, NULL);
    return result;
}

static int noting_fsync(int fd)
{
    int result = r.base.fsync(fd);
    const op names = {.kind = OP_SYNC_NAMES};
    struct stat s;

    if (result == 0 && r.base.fstat(fd, &s) == 0 && s.st_ino == r.directory)
        op_log_add(r.log, &names, NULL);
    else if (result == 0)
        note_bytes(OP_SYNC, fd, 0, 0, NULL);
    return result;
}

static int noting_syncfs(int fd)
{
    const op all = {.kind = OP_SYNC_ALL};
    int result = r.base.syncfs(fd);

    if (result == 0)
        op_log_add(r.log, &all, NULL);
    return result;
}

static int note_rename(int result, const char *from, const char *to)
{
    const char *old = name_of(from), *new = name_of(to);

    if (result == 0 && old != NULL && new != NULL)
        note_name(OP_RENAME, file_at(to), old, new);
    return result;
}

static int noting_rename(const char *from, const char *to)
{
    return note_rename(r.base.rename(from, to), from, to);
}

static int noting_rename_noreplace(const char *from, const char *to)
{
    return note_rename(r.base.rename_noreplace(from, to), from, to);
}

static int noting_link(const char *from, const char *to)
{
    int result = r.base.link(from, to);

    if (result == 0 && name_of(to) != NULL)
        note_name(OP_NAME, file_at(to), name_of(to), "");
    return result;
}

static int noting_unlink(const char *path)
{
    size_t file = name_of(path) != NULL ? file_at(path) : NO_FILE;
    int result = r.base.unlink(path);

    if (result == 0)
        note_name(OP_UNNAME, file, name_of(path) != NULL ? name_of(path) : "", "");
    return result;
}

/* ---- start and stop ---- */

static void know_the_files(void)
{
    struct stat s;

    memset(r.files, 0, sizeof(r.files));
    r.count = r.from->file_count;
    for (size_t i = 0; i < r.from->name_count; i++) {
        must(stat(in_dir(r.dir, r.from->names[i].name), &s) == 0, r.from->names[i].name);
        r.files[r.from->names[i].file] = s.st_ino;
    }
}

void record_start(op_log *log, const char *dir, const image *from, const cof_os *base)
{
    struct stat s;

    r.log = log;
    r.dir = dir;
    r.from = from;
    r.base = base != NULL ? *base : *cof_os_real();
    must(stat(dir, &s) == 0, dir);
    r.directory = s.st_ino;
    know_the_files();
    r.os = r.base;
    r.os.open = noting_open;
    r.os.write = noting_write;
    r.os.pwrite = noting_pwrite;
    r.os.ftruncate = noting_ftruncate;
    r.os.fsync = noting_fsync;
    r.os.syncfs = noting_syncfs;
    r.os.rename = noting_rename;
    r.os.rename_noreplace = noting_rename_noreplace;
    r.os.link = noting_link;
    r.os.unlink = noting_unlink;
    cof_os_set(&r.os);
}

bool record_stop(void)
{
    image noted, real;
    bool same;

    cof_os_set(NULL);
    image_copy(&noted, r.from);
    for (size_t i = 0; i < r.log->count; i++)
        image_do(&noted, &r.log->ops[i]);
    record_read(&real, r.dir);
    same = image_hash(&noted) == image_hash(&real);
    image_wipe(&noted);
    image_wipe(&real);
    return same;
}
