/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk: a stack of open directories, each with its names in order.
 *
 * A path may have thousands of levels and a process only so many descriptors: of a deep stack only
 * the last directories stay open.  One that was closed is opened again as the parent of the one
 * below it, and must then be the same as before.
 */

#include "source/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"
#include "base/treepath.h"
#include "os/os.h"
#include "source/listing.h"
#include "source/roots.h"
#include "source/scouts.h"
#include "source/walk.h"

#define OPEN_LEVELS   64                 /* directories that stay open */
#define NAMES_BYTES   ((size_t)16 << 20) /* for the names of all levels together */
#define NAMES_LEAST   ((size_t)64 << 10) /* but that much for each */
#define LINKS_BYTES   ((size_t)16 << 20)
#define CACHEDIR_TAG  "CACHEDIR.TAG"
#define CACHEDIR_SIGN "Signature: 8a477f597d28d172789f06886806bc55"

typedef struct level {
    int fd; /* -1: closed for now */
    dev_t dev;
    ino_t ino;
    cof_listing names;
    size_t sent;     /* to so many of these names scouts were sent, or it was passed over */
    size_t path_len; /* of the directory's path inside; 0 for the top */
} level;

typedef struct walk {
    cof_walk_state state;
    level *levels; /* owned */
    size_t depth, cap;
    cof_scouts *scouts; /* owned; NULL: none are to be sent */
    dev_t root_dev;
} walk;

/* ---- the path ---- */

/* Set the path to that of a name in a directory whose path has dir_len bytes. */
static cof_status set_path(walk *k, size_t dir_len, const char *name, bool *too_long,
                           cof_error *err)
{
    cof_buf *path = &k->state.path;
    size_t len = strlen(name);
    cof_status st;

    path->len = dir_len;
    *too_long = dir_len + 1 + len > COF_TREEPATH_MAX;
    if (*too_long)
        len = 0; /* the problem is told of the directory */
    if ((st = cof_buf_reserve(path, len + 2, err)) != COF_OK)
        return st;
    if (dir_len != 0 && len != 0)
        path->data[path->len++] = '/';
    memcpy(path->data + path->len, name, len);
    path->len += len;
    path->data[path->len] = '\0';
    return COF_OK;
}

/* ---- levels ---- */

static size_t names_budget(const walk *k)
{
    size_t used = 0;

    for (size_t i = 0; i < k->depth; i++)
        used += k->levels[i].names.cap;
    used = used < NAMES_BYTES ? (NAMES_BYTES - used) / 2 : 0;
    return cof_max_size(used, NAMES_LEAST);
}

static void close_level(level *l)
{
    if (l->fd >= 0)
        (void)cof_os_get()->close(l->fd);
    l->fd = -1;
}

static void call_back(walk *k)
{
    if (k->scouts != NULL)
        cof_scouts_call_back(k->scouts);
}

/* Add a directory; its descriptor is taken over, also when this fails. */
static cof_status push(walk *k, level *l, cof_error *err)
{
    if (k->depth == k->cap) {
        size_t cap = k->cap == 0 ? 32 : 2 * k->cap;
        level *grown = reallocarray(k->levels, cap, sizeof(*grown));

        if (grown == NULL) {
            close_level(l);
            cof_listing_wipe(&l->names);
            return cof_fail(err, COF_NOMEM, "out of memory");
        }
        k->levels = grown;
        k->cap = cap;
    }
    if (k->depth >= OPEN_LEVELS) {
        call_back(k);
        close_level(&k->levels[k->depth - OPEN_LEVELS]);
    }
    k->levels[k->depth++] = *l;
    return COF_OK;
}

/* Open the directory above again, through ".." of the one that is left. */
static bool reopen_parent(const level *child, level *parent)
{
    const cof_os *os = cof_os_get();
    struct stat st;

    if (child->fd < 0)
        return false;
    parent->fd = os->openat(child->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (parent->fd >= 0 && os->fstat(parent->fd, &st) == 0 && st.st_dev == parent->dev &&
        st.st_ino == parent->ino)
        return true;
    close_level(parent);
    return false;
}

/* Leave the last directory.  What cannot be gone on with is told. */
static cof_status pop(walk *k, cof_error *err)
{
    level *l = &k->levels[k->depth - 1];
    level *parent = k->depth > 1 ? l - 1 : NULL;
    bool lost = parent != NULL && parent->fd < 0 && !reopen_parent(l, parent);

    call_back(k);
    close_level(l);
    cof_listing_wipe(&l->names);
    k->depth--;
    if (!lost)
        return COF_OK;
    parent->names.next = parent->names.count;
    parent->names.more = false;
    k->state.path.len = parent->path_len;
    k->state.path.data[parent->path_len] = '\0';
    return cof_walk_problem(&k->state, 0,
                            "was moved while it was read, and the rest of it is missing", err);
}

static bool is_cache(int fd)
{
    const cof_os *os = cof_os_get();
    char text[sizeof(CACHEDIR_SIGN) - 1];
    cof_place tag = {fd, CACHEDIR_TAG};
    int file = cof_walk_open(&tag, 0);
    bool found;

    if (file < 0)
        return false;
    found = os->pread(file, text, sizeof(text), 0) == (ssize_t)sizeof(text) &&
            memcmp(text, CACHEDIR_SIGN, sizeof(text)) == 0;
    (void)os->close(file);
    return found;
}

/* Which names of an open directory are wanted? */
static cof_status list(const walk *k, level *l, cof_error *err)
{
    const cof_tree_request *request = k->state.request;

    if (request->one_file_system && l->dev != k->root_dev)
        return COF_OK;
    if (request->exclude_caches && is_cache(l->fd))
        return cof_listing_single(&l->names, CACHEDIR_TAG, err);
    return cof_listing_read(&l->names, l->fd, NULL, names_budget(k), err);
}

static cof_status enter(walk *k, const cof_place *place, const struct stat *seen, cof_error *err)
{
    level l = {.fd = cof_walk_open(place, O_DIRECTORY)};
    struct stat st = *seen;
    bool is_top = k->state.path.len == 1 && k->state.path.data[0] == '.';
    cof_status status;

    if (l.fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return cof_walk_lost(&k->state, seen, errno, "", err);
    if (l.fd < 0 || cof_os_get()->fstat(l.fd, &st) != 0) {
        int error = errno;

        close_level(&l);
        return cof_walk_directory(&k->state, -1, error, 0, seen, err);
    }
    l.dev = st.st_dev;
    l.ino = st.st_ino;
    l.path_len = is_top ? 0 : k->state.path.len;
    if ((status = list(k, &l, err)) != COF_OK ||
        (status = cof_walk_directory(&k->state, l.fd, 0, l.names.read_error, &st, err)) != COF_OK) {
        close_level(&l);
        cof_listing_wipe(&l.names);
        return status;
    }
    return push(k, &l, err);
}

/* ---- one name ---- */

static bool is_skipped(const walk *k, const struct stat *st)
{
    const cof_tree_request *request = k->state.request;

    return request->skip != NULL && S_ISREG(st->st_mode) &&
           request->skip(request->skip_ctx, (cof_file_id){st->st_dev, st->st_ino});
}

static cof_status visit(walk *k, const cof_place *place, cof_error *err)
{
    cof_walk_state *w = &k->state;
    struct stat st;

    if (cof_os_get()->fstatat(place->dir, place->name, &st) != 0)
        return cof_walk_lost(w, NULL, errno, "cannot be read", err);
    if (cof_patterns_match(w->request->exclude, cof_buf_slice(&w->path), S_ISDIR(st.st_mode))) {
        w->totals.excluded++;
        return COF_OK;
    }
    if (is_skipped(k, &st))
        return COF_OK;
    if (place->dir == AT_FDCWD)
        k->root_dev = st.st_dev;
    return S_ISDIR(st.st_mode) ? enter(k, place, &st, err) : cof_walk_member(w, place, &st, err);
}

/* The next names of a directory that has too many for one go. */
static cof_status list_more(walk *k, level *l, cof_error *err)
{
    const char *last = cof_listing_name(&l->names, l->names.count - 1);
    cof_status st = cof_listing_read(&l->names, l->fd, last, names_budget(k), err);

    l->sent = 0;
    if (st != COF_OK || l->names.read_error == 0)
        return st;
    k->state.path.len = l->path_len;
    k->state.path.data[l->path_len] = '\0';
    return cof_walk_problem(&k->state, l->names.read_error,
                            "cannot be listed to its end, and the rest of it is missing", err);
}

/* Is it among what is left out?  The path is that of its directory. */
static bool is_excluded(walk *k, size_t dir_len, const char *name)
{
    cof_buf *path = &k->state.path;
    bool too_long;

    return set_path(k, dir_len, name, &too_long, NULL) != COF_OK || too_long ||
           cof_patterns_match(k->state.request->exclude, cof_buf_slice(path), false);
}

/* Send scouts to the names that come next. */
static void send_scouts(walk *k, level *l)
{
    size_t end = cof_min_size(l->names.next + COF_SCOUTS_AHEAD, l->names.count);

    if (k->scouts == NULL || !cof_scouts_needed(k->scouts))
        return;
    for (l->sent = cof_max_size(l->sent, l->names.next); l->sent < end; l->sent++) {
        const char *name = cof_listing_name(&l->names, l->sent);

        if (!is_excluded(k, l->path_len, name))
            cof_scouts_send(k->scouts, l->fd, name);
    }
}

/* The next step of the walk below the root. */
static cof_status step(walk *k, cof_error *err)
{
    level *l = &k->levels[k->depth - 1];
    cof_place place;
    bool too_long;
    cof_status st;

    if (l->names.next == l->names.count)
        return l->names.more ? list_more(k, l, err) : pop(k, err);
    send_scouts(k, l);
    /* enter() may move the levels, but not the names. */
    place = (cof_place){l->fd, cof_listing_name(&l->names, l->names.next++)};
    if ((st = set_path(k, l->path_len, place.name, &too_long, err)) != COF_OK)
        return st;
    if (too_long)
        return cof_walk_problem(&k->state, 0,
                                "has something in it whose path is longer than 65,535 bytes; it is "
                                "missing",
                                err);
    if ((st = visit(k, &place, err)) != COF_OK)
        return st;
    if (!k->state.links_full || k->state.links_told)
        return COF_OK;
    k->state.links_told = true;
    return cof_walk_problem(&k->state, 0,
                            "and further files with several names are stored once for each: there "
                            "are too many of them to remember",
                            err);
}

static cof_status walk_root(walk *k, const cof_root *root, cof_error *err)
{
    cof_place place = {AT_FDCWD, root->given};
    bool too_long;
    cof_status st;

    k->state.root_given = root->given;
    k->state.root_len = strcmp(root->inside, ".") == 0 ? 0 : strlen(root->inside);
    if ((st = set_path(k, 0, root->inside, &too_long, err)) != COF_OK)
        return st;
    if (root->nested)
        return cof_walk_problem(&k->state, 0, "does not exist", err);
    st = visit(k, &place, err);
    while (st == COF_OK && k->depth > 0)
        st = step(k, err);
    return st;
}

/* ---- */

static cof_status prepare(walk *k, const cof_tree_request *request, const cof_tree_hooks *hooks,
                          cof_error *err)
{
    cof_walk_state *w = &k->state;
    cof_status st;

    memset(k, 0, sizeof(*k));
    w->request = request;
    w->hooks = hooks;
    w->buffer = malloc(COF_WALK_BUFFER);
    w->zeros = calloc(1, COF_WALK_BUFFER);
    w->target = malloc(COF_TREEPATH_MAX + 1);
    if (w->buffer == NULL || w->zeros == NULL || w->target == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if ((st = cof_links_new(&w->links, LINKS_BYTES, err)) != COF_OK ||
        (request->ahead && (st = cof_scouts_new(&k->scouts, err)) != COF_OK))
        return st;
    return cof_archive_new(&w->archive, hooks->data, hooks->ctx, err);
}

static void release(walk *k)
{
    cof_walk_state *w = &k->state;

    cof_scouts_free(k->scouts);
    for (size_t i = 0; i < k->depth; i++) {
        close_level(&k->levels[i]);
        cof_listing_wipe(&k->levels[i].names);
    }
    free(k->levels);
    cof_archive_free(w->archive);
    cof_links_free(w->links);
    cof_buf_free(&w->path);
    cof_attributes_wipe(&w->attributes);
    free(w->extents.items);
    free(w->buffer);
    free(w->zeros);
    free(w->target);
}

cof_status cof_tree_read(cof_tree_totals *out, const cof_tree_request *request,
                         const cof_tree_hooks *hooks, cof_error *err)
{
    cof_roots roots = COF_ROOTS_INIT;
    walk k;
    cof_status st = prepare(&k, request, hooks, err);

    memset(out, 0, sizeof(*out));
    if (st != COF_OK ||
        (st = cof_roots_make(&roots, request->paths, request->path_count, err)) != COF_OK)
        goto out;
    for (size_t i = 0; st == COF_OK && i < roots.count; i++)
        st = walk_root(&k, &roots.items[i], err);
    if (st != COF_OK)
        goto out;
    if (cof_archive_position(k.state.archive) == 0)
        st = cof_fail(err, COF_SOURCE,
                      "there is nothing to back up: all of it was left out or "
                      "could not be read");
    else
        st = cof_archive_close(k.state.archive, err);
    *out = k.state.totals;
out:
    cof_roots_wipe(&roots);
    release(&k);
    return st;
}
