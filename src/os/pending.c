/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A list that only grows: an entry is used again after it was given back, and is never freed, so
 * that a signal handler can walk the list at any moment.  The state of an entry says who may touch
 * its path; it changes hands only by atomic operations.
 */

#include "os/pending.h"

#include "base/error.h"
#include "os/os.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum state {
    FREE,    /* nobody's: a thread may claim it */
    FILLING, /* belongs to the thread that claimed it */
    ACTIVE,  /* the path is good: the handler or the owner may claim it */
    TAKEN    /* belongs to the handler, for good */
};

struct cof_pending {
    cof_pending *next; /* never changes once the entry is in the list */
    atomic_int state;
    char path[PATH_MAX];
};

static cof_pending *_Atomic list;

static bool change(cof_pending *pending, int from, int to)
{
    return atomic_compare_exchange_strong(&pending->state, &from, to);
}

/* An entry in state FILLING, NULL when out of memory. */
static cof_pending *claim(void)
{
    for (cof_pending *p = atomic_load(&list); p != NULL; p = p->next)
        if (change(p, FREE, FILLING))
            return p;

    cof_pending *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    atomic_init(&p->state, FILLING);
    p->next = atomic_load(&list);
    while (!atomic_compare_exchange_weak(&list, &p->next, p))
        continue;
    return p;
}

cof_status cof_pending_add(cof_pending **out, const char *path, cof_error *err)
{
    *out = NULL;
    size_t len = strlen(path);
    if (len >= PATH_MAX)
        return cof_fail(err, COF_LIMIT, "the path of a file to be made is too long");
    cof_pending *p = claim();
    if (p == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    memcpy(p->path, path, len + 1);
    atomic_store(&p->state, ACTIVE);
    *out = p;
    return COF_OK;
}

void cof_pending_remove(cof_pending *pending)
{
    /* Where the handler was faster, the entry stays with it. */
    if (pending != NULL)
        (void)change(pending, ACTIVE, FREE);
}

void cof_pending_unlink_all(void)
{
    int saved = errno;
    for (cof_pending *p = atomic_load(&list); p != NULL; p = p->next)
        if (change(p, ACTIVE, TAKEN))
            (void)cof_os_get()->unlink(p->path);
    errno = saved;
}
