/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Restoring to nowhere.  What a hard link leads to was met long before it, and to remember all
 * paths would take memory without a bound: so the links wait, as hashes, and from time to time the
 * catalog is walked once more to find all that wait.
 */

#include "engine/examine.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/catalog.h"
#include "engine/note.h"
#include "source/unpack.h"

#define WAITING_MAX ((size_t)1 << 18)
#define HASH_SIZE   16

typedef struct waiting {
    uint8_t hash[HASH_SIZE]; /* of the path that a hard link leads to */
    bool found;
} waiting;

typedef struct examination {
    cof_fetch fetch;
    cof_unpack *unpack;
    waiting *links; /* owned */
    size_t count;
} examination;

/* ---- hard links ---- */

static cof_status hash_path(uint8_t out[HASH_SIZE], cof_slice path, cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    cof_status st = cof_sha256(sha256, path.data, path.len, err);

    memcpy(out, sha256, HASH_SIZE);
    return st;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

static cof_status meet(void *ctx, const cof_catalog_entry *e, cof_error *err)
{
    examination *x = ctx;
    waiting key, *w;
    cof_status st;

    if (e->length == 0 || e->type == COF_ENTRY_DIRECTORY || e->type == COF_ENTRY_HARDLINK)
        return COF_OK;
    if ((st = hash_path(key.hash, e->path, err)) != COF_OK)
        return st;
    w = bsearch(&key, x->links, x->count, sizeof(*w), compare);
    if (w != NULL)
        w->found = true;
    return COF_OK;
}

/* Several links to one file are one that waits. */
static size_t unite(waiting *links, size_t count)
{
    size_t kept = 0;

    qsort(links, count, sizeof(*links), compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare(&links[kept - 1], &links[i]) != 0)
            links[kept++] = links[i];
    return kept;
}

/* Find all that wait.  That they lead to something before themselves is in the catalog's order. */
static cof_status find_waiting(examination *x, cof_error *err)
{
    const cof_catalog_visit visit = {.entry = meet, .ctx = x};
    cof_status st;

    if (x->count == 0)
        return COF_OK;
    x->count = unite(x->links, x->count);
    if ((st = cof_catalog_walk(&x->fetch, &visit, err)) != COF_OK)
        return st;
    for (size_t i = 0; i < x->count; i++)
        if (!x->links[i].found)
            return cof_fail_rule(err, COF_FORMAT, "CA-1", COF_NO_OFFSET,
                                 "the catalog has a hard link to something that is no file in the "
                                 "backup");
    x->count = 0;
    return COF_OK;
}

static cof_status wait_for(examination *x, cof_slice target, cof_error *err)
{
    cof_status st = COF_OK;

    if (x->links == NULL && (x->links = calloc(WAITING_MAX, sizeof(*x->links))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (x->count == WAITING_MAX && (st = find_waiting(x, err)) != COF_OK)
        return st;
    x->links[x->count] = (waiting){.found = false};
    return hash_path(x->links[x->count++].hash, target, err);
}

/* ---- entries ---- */

static cof_status on_read(void *ctx, cof_slice *out, uint64_t offset, cof_error *err)
{
    examination *x = ctx;
    cof_status st = cof_fetch_data(&x->fetch, out, offset, err);

    return st == COF_OK ? cof_tell(&x->fetch.reader->options->report, offset,
                                   x->fetch.entries.stream_len, err)
                        : st;
}

static cof_status read_content(examination *x, cof_error *err)
{
    uint64_t offset;
    cof_slice piece;
    bool end = false;
    cof_status st = COF_OK;

    while (st == COF_OK && !end)
        st = cof_unpack_data(x->unpack, &piece, &offset, &end, err);
    return st;
}

static cof_status on_entry(void *ctx, const cof_catalog_entry *e, cof_error *err)
{
    examination *x = ctx;
    cof_member member;
    cof_status st;

    if (e->length == 0)
        return COF_OK;
    if ((st = cof_unpack_begin(x->unpack, &member, e, err)) == COF_OK &&
        ((e->type != COF_ENTRY_FILE && e->type != COF_ENTRY_NAMED_STREAM) ||
         (st = read_content(x, err)) == COF_OK) &&
        (st = cof_unpack_end(x->unpack, err)) == COF_OK && e->type == COF_ENTRY_HARDLINK)
        st = wait_for(x, e->target, err);
    cof_member_wipe(&member);
    return st;
}

cof_status cof_reader_examine(cof_reader *reader, cof_error *err)
{
    examination x = {.count = 0};
    const cof_catalog_visit visit = {.entry = on_entry, .ctx = &x};
    cof_status st;

    if ((st = cof_fetch_init(&x.fetch, reader, err)) == COF_OK &&
        (st = cof_unpack_new(&x.unpack, on_read, &x, true, err)) == COF_OK &&
        (st = cof_catalog_walk(&x.fetch, &visit, err)) == COF_OK &&
        (st = find_waiting(&x, err)) == COF_OK)
        st = cof_catalog_check_end(&x.fetch, err);
    cof_unpack_free(x.unpack);
    free(x.links);
    cof_fetch_wipe(&x.fetch);
    return st;
}
