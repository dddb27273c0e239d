/* SPDX-License-Identifier: Apache-2.0 */

/* One thing of the tree: into the archive, then into the catalog. */

#include "source/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/text.h"
#include "base/treepath.h"
#include "os/os.h"

/* ---- words ---- */

/* Where the present thing lies outside: the root as it was given, and the rest of the path. */
static void outside_path(char *out, size_t cap, const cof_walk_state *w)
{
    char path[2 * COF_TEXT_NAME_CAP];
    const char *rest = (const char *)w->path.data + w->root_len;
    size_t given = strlen(w->root_given);
    bool slash = given > 0 && w->root_given[given - 1] == '/';

    if (*rest == '/')
        rest++;
    (void)snprintf(path, sizeof(path), "%s%s%s", w->root_given, slash || *rest == '\0' ? "" : "/",
                   rest);
    cof_text_safe_str(out, cap, path);
}

cof_status cof_walk_problem(cof_walk_state *w, int errno_value, const char *what, cof_error *err)
{
    char sentence[1024], path[COF_TEXT_NAME_CAP], reason[96];

    outside_path(path, sizeof(path), w);
    (void)snprintf(sentence, sizeof(sentence), "%s %s%s%s", path, what,
                   errno_value != 0 ? ": " : "",
                   errno_value != 0 ? strerror_r(errno_value, reason, sizeof(reason)) : "");
    w->totals.problems++;
    if (w->request->strict)
        return cof_fail(err, COF_SOURCE, "%s", sentence);
    w->hooks->problem(w->hooks->ctx, sentence);
    return COF_OK;
}

/* ---- entries ---- */

static cof_entry_type type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return COF_ENTRY_FILE;
    case S_IFDIR:
        return COF_ENTRY_DIRECTORY;
    case S_IFLNK:
        return COF_ENTRY_SYMLINK;
    case S_IFCHR:
        return COF_ENTRY_CHAR_DEVICE;
    case S_IFBLK:
        return COF_ENTRY_BLOCK_DEVICE;
    case S_IFIFO:
        return COF_ENTRY_FIFO;
    default:
        return COF_ENTRY_UNKNOWN;
    }
}

static uint64_t size_of(const struct stat *st)
{
    if (S_ISREG(st->st_mode))
        return (uint64_t)st->st_size;
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        return (uint64_t)major(st->st_rdev) << 32 | minor(st->st_rdev);
    return 0;
}

cof_catalog_entry cof_walk_describe(const cof_walk_state *w, const struct stat *st)
{
    cof_catalog_entry e = {
        .position = cof_archive_position(w->archive),
        .path = {w->path.data, w->path.len},
    };

    if (st == NULL)
        return e;
    e.type = type_of(st->st_mode);
    e.mode = (uint16_t)(st->st_mode & 07777);
    e.user = st->st_uid;
    e.group = st->st_gid;
    e.size = size_of(st);
    e.mtime = st->st_mtim.tv_sec;
    e.mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
    return e;
}

static void count(cof_walk_state *w, const cof_catalog_entry *e, cof_entry_type type)
{
    if (type == COF_ENTRY_FILE)
        w->totals.files++;
    else if (type == COF_ENTRY_DIRECTORY)
        w->totals.directories++;
    else
        w->totals.others++;
    if (e->type == COF_ENTRY_HARDLINK)
        w->totals.hard_links++;
}

/* The bytes of the entry, for a thing of this type, are complete: put it into the catalog. */
static cof_status finish(cof_walk_state *w, cof_catalog_entry *e, cof_entry_type type,
                         cof_error *err)
{
    e->length = cof_archive_position(w->archive) - e->position;
    count(w, e, type);
    return w->hooks->entry(w->hooks->ctx, e, err);
}

cof_status cof_walk_lost(cof_walk_state *w, const struct stat *st, int errno_value,
                         const char *what, cof_error *err)
{
    bool vanished = errno_value == ENOENT || errno_value == ENOTDIR || errno_value == ELOOP;
    cof_catalog_entry e = cof_walk_describe(w, st);
    const char *gone =
        w->path.len == w->root_len ? "does not exist" : "was gone when it was to be read";
    cof_status status =
        cof_walk_problem(w, vanished ? 0 : errno_value, vanished ? gone : what, err);

    e.state = vanished ? COF_ENTRY_VANISHED : COF_ENTRY_UNREADABLE;
    return status == COF_OK ? w->hooks->entry(w->hooks->ctx, &e, err) : status;
}

/* Begin the entry in the archive; problems with attributes are told and change its state. */
static cof_status begin(cof_walk_state *w, cof_catalog_entry *e, const cof_attributes *attributes,
                        const cof_extents *extents, cof_error *err)
{
    const char *refused = NULL;
    cof_status st = cof_archive_begin(w->archive, &refused, e, attributes, extents, err);

    if (st == COF_OK && refused != NULL) {
        char what[160];

        e->state = COF_ENTRY_UNREADABLE;
        (void)snprintf(what, sizeof(what), "is not stored completely: %s", refused);
        st = cof_walk_problem(w, 0, what, err);
    }
    if (st == COF_OK && attributes != NULL && attributes->error != 0) {
        e->state = COF_ENTRY_UNREADABLE;
        st = cof_walk_problem(w, attributes->error, "has attributes that could not be read", err);
    }
    return st;
}

/* An entry without content, for a thing of this type. */
static cof_status store_plain(cof_walk_state *w, cof_catalog_entry *e, cof_entry_type type,
                              const cof_attributes *attributes, cof_error *err)
{
    cof_status st = begin(w, e, attributes, NULL, err);

    if (st == COF_OK)
        st = cof_archive_end(w->archive, err);
    return st == COF_OK ? finish(w, e, type, err) : st;
}

int cof_walk_open(const cof_place *place, int flags)
{
    const cof_os *os = cof_os_get();
    int all = flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW;
    int fd;

    do {
        fd = os->openat(place->dir, place->name, all | O_NOATIME, 0);
        if (fd < 0 && errno == EPERM) /* only the owner may ask for O_NOATIME */
            fd = os->openat(place->dir, place->name, all, 0);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* ---- kinds ---- */

static cof_status store_open_file(cof_walk_state *w, int fd, cof_catalog_entry *e,
                                  const struct stat *st, cof_error *err)
{
    cof_entry_state state = COF_ENTRY_OK;
    cof_status status;

    if ((status = cof_attributes_read_fd(&w->attributes, fd, err)) != COF_OK ||
        (status = cof_walk_holes(w, fd, st, err)) != COF_OK ||
        (status = begin(w, e, &w->attributes, &w->extents, err)) != COF_OK ||
        (status = cof_walk_content(w, &state, fd, st, err)) != COF_OK ||
        (status = cof_archive_end(w->archive, err)) != COF_OK)
        return status;
    if (state != COF_ENTRY_OK)
        e->state = state;
    return finish(w, e, e->type, err);
}

static cof_status store_file(cof_walk_state *w, const cof_place *place, const struct stat *seen,
                             cof_error *err)
{
    int fd = cof_walk_open(place, 0);
    cof_catalog_entry e;
    struct stat st;
    cof_status status;

    if (fd < 0)
        return cof_walk_lost(w, seen, errno, "cannot be read", err);
    if (cof_os_get()->fstat(fd, &st) != 0) {
        status = cof_walk_lost(w, seen, errno, "cannot be read", err);
    } else if (!S_ISREG(st.st_mode)) {
        status = cof_walk_lost(w, seen, ENOENT, "", err);
    } else {
        e = cof_walk_describe(w, &st);
        status = store_open_file(w, fd, &e, &st, err);
        if (status == COF_OK)
            status = cof_links_add(w->links, &st, e.path, &w->links_full, err);
    }
    (void)cof_os_get()->close(fd);
    return status;
}

static cof_status store_symlink(cof_walk_state *w, const cof_place *place, const struct stat *st,
                                cof_error *err)
{
    ssize_t len = cof_os_get()->readlinkat(place->dir, place->name, w->target, COF_TREEPATH_MAX);
    cof_catalog_entry e = cof_walk_describe(w, st);

    if (len <= 0 || len >= COF_TREEPATH_MAX)
        /* EINVAL: it is no link any more. */
        return cof_walk_lost(w, st, len < 0 && errno != EINVAL ? errno : ENOENT, "cannot be read",
                             err);
    w->target[len] = '\0';
    e.target = (cof_slice){(const uint8_t *)w->target, (size_t)len};
    return store_plain(w, &e, e.type, &w->attributes, err);
}

static cof_status store_hard_link(cof_walk_state *w, const struct stat *st, cof_slice target,
                                  cof_error *err)
{
    cof_catalog_entry e = cof_walk_describe(w, st);

    memcpy(w->target, target.data, target.len);
    w->target[target.len] = '\0';
    e.type = COF_ENTRY_HARDLINK;
    e.size = 0;
    e.target = (cof_slice){(const uint8_t *)w->target, target.len};
    return store_plain(w, &e, type_of(st->st_mode), NULL, err);
}

/* What cannot be opened: links, devices, FIFOs. */
static cof_status store_special(cof_walk_state *w, const cof_place *place, const struct stat *st,
                                cof_error *err)
{
    cof_catalog_entry e = cof_walk_describe(w, st);
    cof_status status = cof_attributes_read_at(&w->attributes, place->dir, place->name, err);

    if (status != COF_OK)
        return status;
    status = S_ISLNK(st->st_mode) ? store_symlink(w, place, st, err)
                                  : store_plain(w, &e, e.type, &w->attributes, err);
    return status == COF_OK ? cof_links_add(w->links, st, e.path, &w->links_full, err) : status;
}

/* Something that the archive cannot hold must not end the backup of all else. */
static cof_status or_lost(cof_walk_state *w, cof_status status, const struct stat *st,
                          const cof_error *why, cof_error *err)
{
    char what[sizeof(why->message) + 32];

    if (status != COF_SOURCE || w->request->strict)
        return status;
    (void)snprintf(what, sizeof(what), "is left out: %s", why->message);
    return cof_walk_lost(w, st, 0, what, err);
}

cof_status cof_walk_member(cof_walk_state *w, const cof_place *place, const struct stat *st,
                           cof_error *err)
{
    cof_slice stored = st->st_nlink > 1 ? cof_links_find(w->links, st) : (cof_slice)COF_SLICE_INIT;
    cof_error why = COF_ERROR_INIT;
    cof_error *detail = err != NULL ? err : &why;
    cof_status status;

    if (S_ISSOCK(st->st_mode)) {
        w->totals.sockets++;
        return COF_OK;
    }
    if (stored.len != 0)
        status = store_hard_link(w, st, stored, detail);
    else if (S_ISREG(st->st_mode))
        status = store_file(w, place, st, detail);
    else
        status = store_special(w, place, st, detail);
    return or_lost(w, status, st, detail, err);
}

cof_status cof_walk_directory(cof_walk_state *w, int fd, int open_error, int list_error,
                              const struct stat *st, cof_error *err)
{
    cof_catalog_entry e = cof_walk_describe(w, st);
    int error = open_error != 0 ? open_error : list_error;
    cof_status status = COF_OK;

    cof_attributes_wipe(&w->attributes);
    if (fd >= 0 && (status = cof_attributes_read_fd(&w->attributes, fd, err)) != COF_OK)
        return status;
    if (error != 0) {
        e.state = COF_ENTRY_UNREADABLE;
        status = cof_walk_problem(w, error, "cannot be listed, and what is in it is missing", err);
    }
    return status == COF_OK ? store_plain(w, &e, e.type, &w->attributes, err) : status;
}
