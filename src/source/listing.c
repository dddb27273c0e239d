/* SPDX-License-Identifier: Apache-2.0 */

/*
 * When the names get too many, the upper half is forgotten, and from then on everything behind the
 * lower half is passed over: it is for the next reading.
 */

#include "source/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "os/os.h"

const char *cof_listing_name(const cof_listing *listing, size_t i)
{
    return listing->bytes + listing->at[i];
}

void cof_listing_wipe(cof_listing *listing)
{
    free(listing->bytes);
    free(listing->at);
    memset(listing, 0, sizeof(*listing));
}

static int compare_names(const void *a, const void *b, void *bytes)
{
    const size_t *x = a, *y = b;

    return strcmp((const char *)bytes + *x, (const char *)bytes + *y);
}

static void sort(cof_listing *l)
{
    if (l->count > 1)
        qsort_r(l->at, l->count, sizeof(*l->at), compare_names, l->bytes);
}

static cof_status add(cof_listing *l, const char *name, cof_error *err)
{
    size_t len = strlen(name) + 1;

    if (l->cap - l->used < len) {
        size_t cap = l->cap == 0 ? 1024 : 2 * l->cap;
        char *grown = realloc(l->bytes, cap < l->used + len ? l->used + len : cap);

        if (grown == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        l->bytes = grown;
        l->cap = cap < l->used + len ? l->used + len : cap;
    }
    if (l->count == l->at_cap) {
        size_t cap = l->at_cap == 0 ? 32 : 2 * l->at_cap;
        size_t *grown = reallocarray(l->at, cap, sizeof(*grown));

        if (grown == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
        l->at = grown;
        l->at_cap = cap;
    }
    memcpy(l->bytes + l->used, name, len);
    l->at[l->count++] = l->used;
    l->used += len;
    return COF_OK;
}

static size_t weight(const cof_listing *l)
{
    return l->used + l->count * sizeof(*l->at);
}

/* Keep the lower half. */
static cof_status halve(cof_listing *l, cof_error *err)
{
    cof_listing lower;
    cof_status st = COF_OK;

    memset(&lower, 0, sizeof(lower));
    sort(l);
    for (size_t i = 0; st == COF_OK && i < (l->count + 1) / 2; i++)
        st = add(&lower, cof_listing_name(l, i), err);
    lower.more = true;
    if (st != COF_OK) {
        cof_listing_wipe(&lower);
        return st;
    }
    cof_listing_wipe(l);
    *l = lower;
    return COF_OK;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static cof_status collect(cof_listing *l, DIR *dir, const char *after, size_t budget,
                          cof_error *err)
{
    const cof_os *os = cof_os_get();
    size_t limit = 0; /* where the last name lies, once there are more */
    struct dirent *entry;
    cof_status st;

    while (errno = 0, (entry = os->readdir(dir)) != NULL) {
        const char *name = entry->d_name;

        if (is_dots(name) || (after != NULL && strcmp(name, after) <= 0) ||
            (l->more && strcmp(name, l->bytes + limit) > 0))
            continue;
        if ((st = add(l, name, err)) != COF_OK)
            return st;
        if (weight(l) <= budget || l->count < 2)
            continue;
        if ((st = halve(l, err)) != COF_OK)
            return st;
        limit = l->at[l->count - 1];
    }
    l->read_error = errno;
    return COF_OK;
}

cof_status cof_listing_read(cof_listing *listing, int dir, const char *after, size_t budget,
                            cof_error *err)
{
    const cof_os *os = cof_os_get();
    cof_listing l;
    int fd = os->openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    DIR *stream = fd >= 0 ? os->fdopendir(fd) : NULL;
    int error = errno;
    cof_status st = COF_OK;

    memset(&l, 0, sizeof(l));
    if (stream != NULL) {
        st = collect(&l, stream, after, budget, err);
        (void)os->closedir(stream);
    } else {
        l.read_error = error;
        if (fd >= 0)
            (void)os->close(fd);
    }
    if (st == COF_OK) {
        sort(&l);
        cof_listing_wipe(listing);
        *listing = l;
    } else {
        cof_listing_wipe(&l);
    }
    return st;
}

cof_status cof_listing_single(cof_listing *listing, const char *name, cof_error *err)
{
    cof_listing l;
    cof_status st;

    memset(&l, 0, sizeof(l));
    if ((st = add(&l, name, err)) != COF_OK) {
        cof_listing_wipe(&l);
        return st;
    }
    cof_listing_wipe(listing);
    *listing = l;
    return COF_OK;
}
