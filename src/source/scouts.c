/* SPDX-License-Identifier: Apache-2.0 */

#include "source/scouts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "os/os.h"
#include "os/pool.h"
#include "source/walk.h"

#define SCOUTS    8   /* they wait for disks, not for processors */
#define LOOK      32  /* after so many files it is looked anew whether they are needed */
#define NAME_CAP  256 /* to the few that are longer nobody is sent */
#define SOON_MOST (256 << 10)

typedef struct errand {
    int dir;
    char name[NAME_CAP];
} errand;

struct cof_scouts {
    cof_pool *pool; /* NULL until it is needed */
    errand errands[COF_SCOUTS_AHEAD];
    uint64_t input; /* what had been read from disks when it was looked last */
    unsigned looks;
    bool needed;
};

/* Directories are for who reads them; what is no file is not to be opened at all. */
static cof_status run(void *ctx, unsigned worker, void *job, cof_error *err)
{
    const cof_os *os = cof_os_get();
    const errand *e = job;
    const cof_place place = {e->dir, e->name};
    struct stat st;
    int fd;

    (void)ctx;
    (void)worker;
    (void)err;
    if (os->fstatat(e->dir, e->name, &st) != 0 || !S_ISREG(st.st_mode))
        return COF_OK;
    if ((fd = cof_walk_open(&place, 0)) >= 0) {
        (void)os->fadvise(fd, 0, SOON_MOST, COF_ADVICE_SOON);
        (void)os->close(fd);
    }
    return COF_OK;
}

cof_status cof_scouts_new(cof_scouts **out, cof_error *err)
{
    if ((*out = calloc(1, sizeof(**out))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    (*out)->input = cof_os_get()->input();
    return COF_OK;
}

bool cof_scouts_needed(cof_scouts *s)
{
    if (s->looks++ % LOOK == 0) {
        uint64_t input = cof_os_get()->input();

        s->needed = input != s->input;
        s->input = input;
    }
    return s->needed;
}

/* Without threads nobody would be ahead of anybody; the owner never helps. */
static bool have_threads(cof_scouts *s)
{
    const cof_pool_plan plan = {SCOUTS + 1,       s->errands, sizeof(*s->errands),
                                COF_SCOUTS_AHEAD, run,        NULL};

    if (s->pool == NULL && cof_pool_new(&s->pool, &plan, NULL) != COF_OK)
        return false;
    return cof_pool_threads(s->pool) > 0;
}

static void call_one_back(cof_scouts *s)
{
    void *job;

    (void)!cof_pool_take(&job, s->pool, NULL); /* what it found does not matter */
    cof_pool_give_back(s->pool);
}

void cof_scouts_send(cof_scouts *s, int dir, const char *name)
{
    errand *e;

    if (strlen(name) >= NAME_CAP || !have_threads(s))
        return;
    while ((e = cof_pool_get(s->pool)) == NULL)
        call_one_back(s);
    e->dir = dir;
    memcpy(e->name, name, strlen(name) + 1);
    cof_pool_put(s->pool);
}

void cof_scouts_call_back(cof_scouts *s)
{
    while (s->pool != NULL && cof_pool_pending(s->pool) > 0)
        call_one_back(s);
}

void cof_scouts_free(cof_scouts *s)
{
    if (s == NULL)
        return;
    cof_pool_free(s->pool);
    free(s);
}
