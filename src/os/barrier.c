/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One barrier for many files.
 *
 * A sync of the file system writes everything that waits there, and waits for it; on its own it
 * need not make the drive empty its cache, where nothing but data was overwritten.  An fsync does.
 * So a barrier is a sync of the file system and then an fsync of one of the files.
 */

#include "os/barrier.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "os/threads.h"

#define FEW 4 /* so many files or fewer are synced one by one */

/* A file to sync, and where it lies. */
typedef struct place {
    cof_barrier_item *item;
    dev_t dev;
} place;

typedef struct one_by_one {
    const place *places;
    size_t count;
    atomic_size_t next;
} one_by_one;

static void sync_some(void *ctx)
{
    one_by_one *o = ctx;
    size_t i;

    while ((i = atomic_fetch_add(&o->next, 1)) < o->count)
        o->places[i].item->failed = cof_file_sync(o->places[i].item->file, NULL) != COF_OK;
}

static void sync_each(const place *places, size_t count, unsigned jobs)
{
    one_by_one o = {.places = places, .count = count};

    cof_threads_run(jobs < count ? jobs : (unsigned)count, sync_some, &o);
}

/* All of them lie on one file system. */
static cof_status sync_group(const place *places, size_t count, unsigned jobs, cof_error *err)
{
    cof_file *first = places[0].item->file;
    cof_status st;

    if (count <= FEW || !cof_os_get()->syncfs_tells(cof_file_fd(first))) {
        sync_each(places, count, jobs);
        return COF_OK;
    }
    if ((st = cof_file_sync_fs(first, err)) == COF_OK)
        st = cof_file_sync(first, err);
    for (size_t i = 0; i < count; i++)
        places[i].item->failed = st != COF_OK;
    return st;
}

static int compare(const void *left, const void *right)
{
    const place *a = left, *b = right;

    if (a->dev != b->dev)
        return a->dev < b->dev ? -1 : 1;
    return a->item < b->item ? -1 : a->item > b->item;
}

/* The files that there are, in the order of their file systems; one that cannot be asked failed. */
static size_t find_places(place *out, cof_barrier_item *items, size_t count)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        cof_file_id id;

        items[i].failed = false;
        if (items[i].file == NULL)
            continue;
        if (cof_file_identity(&id, items[i].file, NULL) != COF_OK)
            items[i].failed = true;
        else
            out[found++] = (place){&items[i], id.dev};
    }
    qsort(out, found, sizeof(*out), compare);
    return found;
}

cof_status cof_barrier(cof_barrier_item *items, size_t count, unsigned jobs, cof_error *err)
{
    place *places = calloc(count + 1, sizeof(*places));
    cof_error later = COF_ERROR_INIT;
    cof_status st = COF_OK;
    size_t found, end;

    if (places == NULL) {
        for (size_t i = 0; i < count; i++)
            items[i].failed = items[i].file != NULL;
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    found = find_places(places, items, count);
    for (size_t from = 0; from < found; from = end) {
        cof_status group;

        for (end = from; end < found && places[end].dev == places[from].dev; end++)
            continue;
        group = sync_group(places + from, end - from, jobs, st == COF_OK ? err : &later);
        st = st == COF_OK ? group : st;
    }
    free(places);
    return st;
}
