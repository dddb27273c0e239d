/* SPDX-License-Identifier: Apache-2.0 */

/* A hash table with chains, keyed by device and inode number. */

#include "source/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef struct known {
    struct known *next;
    dev_t dev;
    ino_t ino;
    nlink_t left; /* names that were not seen yet */
    off_t size;
    struct timespec mtime; /* an inode number may be used again: then these differ */
    size_t len;
    uint8_t path[];
} known;

struct cof_links {
    known **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t bytes, max;
    known *found; /* the last answer, if it is no longer in the table */
};

#define FIRST_BUCKETS 256

cof_status cof_links_new(cof_links **out, size_t bytes, cof_error *err)
{
    cof_links *l = calloc(1, sizeof(*l));

    *out = NULL;
    if (l != NULL)
        l->buckets = calloc(FIRST_BUCKETS, sizeof(*l->buckets));
    if (l == NULL || l->buckets == NULL) {
        free(l);
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    l->bucket_count = FIRST_BUCKETS;
    l->max = bytes;
    *out = l;
    return COF_OK;
}

void cof_links_free(cof_links *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->bucket_count; i++)
        for (known *x = l->buckets[i], *next; x != NULL; x = next) {
            next = x->next;
            free(x);
        }
    free(l->found);
    free(l->buckets);
    free(l);
}

static size_t bucket_of(const cof_links *l, dev_t dev, ino_t ino)
{
    uint64_t h = ((uint64_t)ino ^ (uint64_t)dev << 32) * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(h >> 32) & (l->bucket_count - 1);
}

static size_t cost(const known *x)
{
    return sizeof(*x) + x->len + 2 * sizeof(void *);
}

/* Take out of the table what *place points to. */
static known *take_out(cof_links *l, known **place)
{
    known *x = *place;

    *place = x->next;
    l->count--;
    l->bytes -= cost(x);
    return x;
}

cof_slice cof_links_find(cof_links *l, const struct stat *st)
{
    known **place = &l->buckets[bucket_of(l, st->st_dev, st->st_ino)];
    known *x;

    free(l->found);
    l->found = NULL;
    while (*place != NULL && ((*place)->dev != st->st_dev || (*place)->ino != st->st_ino))
        place = &(*place)->next;
    if ((x = *place) == NULL)
        return (cof_slice)COF_SLICE_INIT;
    if (x->size != st->st_size || x->mtime.tv_sec != st->st_mtim.tv_sec ||
        x->mtime.tv_nsec != st->st_mtim.tv_nsec) {
        free(take_out(l, place));
        return (cof_slice)COF_SLICE_INIT;
    }
    if (--x->left == 0)
        l->found = take_out(l, place);
    return (cof_slice){x->path, x->len};
}

static cof_status grow(cof_links *l, cof_error *err)
{
    known **old = l->buckets;
    size_t count = l->bucket_count;

    l->buckets = calloc(2 * count, sizeof(*l->buckets));
    if (l->buckets == NULL) {
        l->buckets = old;
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    l->bucket_count = 2 * count;
    for (size_t i = 0; i < count; i++)
        for (known *x = old[i], *next; x != NULL; x = next) {
            known **place = &l->buckets[bucket_of(l, x->dev, x->ino)];

            next = x->next;
            x->next = *place;
            *place = x;
        }
    free(old);
    return COF_OK;
}

cof_status cof_links_add(cof_links *l, const struct stat *st, cof_slice path, bool *full,
                         cof_error *err)
{
    known **place;
    known *x;

    if (st->st_nlink < 2)
        return COF_OK;
    if (l->bytes + sizeof(*x) + path.len > l->max) {
        *full = true;
        return COF_OK;
    }
    if (l->count >= l->bucket_count && grow(l, err) != COF_OK)
        return COF_NOMEM;
    x = malloc(sizeof(*x) + path.len);
    if (x == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    *x = (known){.dev = st->st_dev,
                 .ino = st->st_ino,
                 .left = st->st_nlink - 1,
                 .size = st->st_size,
                 .mtime = st->st_mtim,
                 .len = path.len};
    memcpy(x->path, path.data, path.len);
    place = &l->buckets[bucket_of(l, st->st_dev, st->st_ino)];
    x->next = *place;
    *place = x;
    l->count++;
    l->bytes += cost(x);
    return COF_OK;
}
