/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is in a file: where its holes are, and its bytes.  The archive gets exactly as many as its
 * header announced, whatever becomes of the file meanwhile.
 */

#include "source/walk.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/num.h"
#include "os/os.h"

#define EXTENTS_MAX ((size_t)1 << 17) /* behind that many, holes are stored as zeros */

/* ---- holes ---- */

static cof_status add_extent(cof_walk_state *w, uint64_t offset, uint64_t len, cof_error *err)
{
    cof_extents *x = &w->extents;

    if (x->count == w->extents_cap) {
        size_t cap = w->extents_cap == 0 ? 64 : 2 * w->extents_cap;
        cof_extent *grown = reallocarray(x->items, cap, sizeof(*grown));

        if (grown == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        x->items = grown;
        w->extents_cap = cap;
    }
    x->items[x->count++] = (cof_extent){offset, len};
    return COF_OK;
}

/* The next extent from `at` on; false where the file system does not say, or there is none. */
static bool next_extent(int fd, off_t at, off_t size, off_t *begin, off_t *end, bool *none)
{
    const cof_os *os = cof_os_get();

    *begin = os->seek_data(fd, at);
    *none = *begin < 0 && errno == ENXIO;
    if (*begin < 0 || *begin >= size) {
        *none = *none || *begin >= size;
        return false;
    }
    *end = os->seek_hole(fd, *begin);
    if (*end > size || (*end >= 0 && *end <= *begin))
        *end = size;
    return *end > *begin;
}

cof_status cof_walk_holes(cof_walk_state *w, int fd, const struct stat *st, cof_error *err)
{
    off_t at = 0, begin = 0, end = 0;
    bool none = false;
    cof_status status = COF_OK;

    w->extents.count = 0;
    w->extents.sparse = false;
    if (st->st_size == 0 || st->st_blocks >= (st->st_size + 511) / 512)
        return COF_OK;
    while (status == COF_OK && at < st->st_size &&
           next_extent(fd, at, st->st_size, &begin, &end, &none)) {
        if (w->extents.count == EXTENTS_MAX)
            end = st->st_size;
        status = add_extent(w, (uint64_t)begin, (uint64_t)(end - begin), err);
        at = end;
    }
    if (status != COF_OK)
        return status;
    /* Where the system did not answer, all is data. */
    w->extents.sparse =
        (none || at >= st->st_size) && !(w->extents.count == 1 && w->extents.items[0].offset == 0 &&
                                         w->extents.items[0].len == (uint64_t)st->st_size);
    return COF_OK;
}

/* ---- bytes ---- */

/* Zeros that stand for a hole, or for what cannot be read. */
static cof_status put_zeros(cof_walk_state *w, uint64_t len, cof_error *err)
{
    cof_status st = COF_OK;

    while (st == COF_OK && len > 0) {
        size_t n = (size_t)cof_min_u64(len, COF_WALK_BUFFER);

        st = cof_archive_data(w->archive, w->zeros, n, err);
        len -= n;
    }
    return st;
}

/*
 * Where the next bytes of the file are read to: into the archive itself, unless libarchive is to
 * put a map of the holes before them.
 */
static void *next_place(const cof_walk_state *w, size_t *room)
{
    if (!w->extents.sparse)
        return w->hooks->place(w->hooks->ctx, room);
    *room = COF_WALK_BUFFER;
    return w->buffer;
}

/* Bytes of the file; *short_of: how many are missing, *error: why, 0 for the end of the file. */
static cof_status put_bytes(cof_walk_state *w, int fd, uint64_t at, uint64_t len,
                            uint64_t *short_of, int *error, cof_error *err)
{
    const cof_os *os = cof_os_get();
    cof_status st = COF_OK;

    while (len > 0) {
        size_t room = 0;
        void *place = next_place(w, &room);
        ssize_t got = os->pread(fd, place, (size_t)cof_min_u64(len, room), (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *error = got < 0 ? errno : 0;
            break;
        }
        if ((st = cof_archive_data(w->archive, place, (size_t)got, err)) != COF_OK)
            return st;
        at += (uint64_t)got;
        len -= (uint64_t)got;
    }
    *short_of = len;
    return len == 0 ? COF_OK : put_zeros(w, len, err);
}

/* All data and all holes; *error as above, *short_of the sum. */
static cof_status put_file(cof_walk_state *w, int fd, uint64_t size, uint64_t *short_of, int *error,
                           cof_error *err)
{
    const cof_extent whole = {0, size};
    const cof_extent *items = w->extents.sparse ? w->extents.items : &whole;
    size_t count = w->extents.sparse ? w->extents.count : 1;
    uint64_t at = 0;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < count; i++) {
        uint64_t missing = 0;

        if ((st = put_zeros(w, items[i].offset - at, err)) != COF_OK ||
            (st = put_bytes(w, fd, items[i].offset, items[i].len, &missing, error, err)) != COF_OK)
            return st;
        at = items[i].offset + items[i].len;
        *short_of += missing;
    }
    return st == COF_OK ? put_zeros(w, size - at, err) : st;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* What happened to the file since st, as the end of a sentence; NULL: nothing. */
static const char *change_since(int fd, const struct stat *st)
{
    struct stat now;

    if (cof_os_get()->fstat(fd, &now) != 0)
        return NULL;
    if (now.st_size > st->st_size)
        return "grew while it was read; it was stored as long as it was before";
    if (now.st_size < st->st_size)
        return "shrank while it was read; zeros stand for what was gone";
    if (!same_time(&now.st_mtim, &st->st_mtim) || !same_time(&now.st_ctim, &st->st_ctim))
        return "changed while it was read";
    return NULL;
}

cof_status cof_walk_content(cof_walk_state *w, cof_entry_state *state, int fd,
                            const struct stat *st, cof_error *err)
{
    uint64_t short_of = 0;
    int error = 0;
    const char *change;
    cof_status status = put_file(w, fd, (uint64_t)st->st_size, &short_of, &error, err);

    if (status != COF_OK)
        return status;
    if (error != 0) {
        *state = COF_ENTRY_UNREADABLE;
        return cof_walk_problem(w, error,
                                "could not be read to its end, and zeros stand for the rest", err);
    }
    change = change_since(fd, st);
    if (change == NULL && short_of != 0)
        change = "is shorter than it says; zeros stand for the rest";
    if (change == NULL)
        return COF_OK;
    *state = COF_ENTRY_CHANGED;
    return cof_walk_problem(w, 0, change, err);
}
