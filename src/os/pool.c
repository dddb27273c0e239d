/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A ring of jobs and four counters over it: given_back <= taken <= begun <= put <= given_back +
 * job_count.  Job number n lies in place n modulo job_count.  All of it is under one lock; the work
 * itself is not.
 *
 * Nothing is decided about failures here.  Since jobs are taken in order, the first that is seen is
 * the one that a single thread would have met first, whatever the others have met meanwhile.
 */

#include "os/pool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "os/threads.h"

typedef struct place {
    bool done;
    cof_status st;
    cof_error err;
} place;

typedef struct worker {
    cof_pool *pool;
    unsigned number;
    pthread_t thread;
} worker;

struct cof_pool {
    cof_pool_plan plan;
    place *places;    /* owned: one for each job */
    worker *workers;  /* owned */
    unsigned threads; /* that run; 0: the owner works */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* for workers: there is a job, or it is time to end */
    pthread_cond_t done;    /* for the owner: a job is done */
    uint64_t given_back, taken, begun, put;
    unsigned busy; /* workers that work */
    bool ending;
};

static void *job_at(const cof_pool *pool, uint64_t number)
{
    return (char *)pool->plan.jobs + (size_t)(number % pool->plan.job_count) * pool->plan.job_size;
}

static place *place_of(const cof_pool *pool, uint64_t number)
{
    return &pool->places[number % pool->plan.job_count];
}

static unsigned owner(const cof_pool *pool)
{
    return pool->plan.workers - 1;
}

/* ---- workers ---- */

/* Do job `number`, whose place is nobody else's meanwhile. */
static void work_on(cof_pool *pool, unsigned who, uint64_t number)
{
    place *p = place_of(pool, number);

    p->st = pool->plan.work(pool->plan.ctx, who, job_at(pool, number), &p->err);
}

/* Do the next that nobody has begun, which there is.  Called with the lock, which it gives away. */
static void do_next(cof_pool *pool, unsigned who)
{
    uint64_t number = pool->begun++;

    pool->busy++;
    (void)pthread_mutex_unlock(&pool->lock);
    work_on(pool, who, number);
    (void)pthread_mutex_lock(&pool->lock);
    pool->busy--;
    place_of(pool, number)->done = true;
}

static void *work_always(void *arg)
{
    const worker *w = arg;
    cof_pool *pool = w->pool;

    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->ending) {
        if (pool->begun == pool->put) {
            (void)pthread_cond_wait(&pool->changed, &pool->lock);
            continue;
        }
        do_next(pool, w->number);
        (void)pthread_cond_signal(&pool->done);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* All but the last, who is the owner. */
static void start_workers(cof_pool *pool)
{
    for (unsigned i = 0; i + 1 < pool->plan.workers; i++) {
        worker *w = &pool->workers[i];

        *w = (worker){.pool = pool, .number = i};
        if (!cof_thread_start(&w->thread, work_always, w))
            return;
        pool->threads++;
    }
}

/* ---- the pool ---- */

cof_status cof_pool_new(cof_pool **out, const cof_pool_plan *plan, cof_error *err)
{
    cof_pool *pool = calloc(1, sizeof(*pool));

    assert(plan->workers >= 1 && plan->workers <= COF_POOL_WORKERS_MAX && plan->job_count >= 1);
    *out = NULL;
    if (pool == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    pool->plan = *plan;
    pool->places = calloc(plan->job_count, sizeof(*pool->places));
    pool->workers = calloc(plan->workers, sizeof(*pool->workers));
    if (pool->places == NULL || pool->workers == NULL) {
        free(pool->places);
        free(pool->workers);
        free(pool);
        return cof_fail(err, COF_NOMEM, "out of memory");
    }
    (void)pthread_mutex_init(&pool->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&pool->changed, NULL);
    (void)pthread_cond_init(&pool->done, NULL);
    start_workers(pool);
    *out = pool;
    return COF_OK;
}

void *cof_pool_get(cof_pool *pool)
{
    /* Only the owner changes these two. */
    return pool->put - pool->given_back < pool->plan.job_count ? job_at(pool, pool->put) : NULL;
}

unsigned cof_pool_threads(const cof_pool *pool)
{
    return pool->threads;
}

void cof_pool_put(cof_pool *pool)
{
    assert(pool->put - pool->given_back < pool->plan.job_count);
    place_of(pool, pool->put)->done = false;
    if (pool->threads == 0) {
        work_on(pool, owner(pool), pool->put);
        place_of(pool, pool->put)->done = true;
        pool->begun = ++pool->put;
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->put++;
    (void)pthread_cond_signal(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
}

void cof_pool_help(cof_pool *pool)
{
    const place *oldest = place_of(pool, pool->taken);

    (void)pthread_mutex_lock(&pool->lock);
    while (!oldest->done && pool->begun < pool->put)
        do_next(pool, owner(pool));
    (void)pthread_mutex_unlock(&pool->lock);
}

size_t cof_pool_pending(const cof_pool *pool)
{
    return (size_t)(pool->put - pool->taken);
}

cof_status cof_pool_take(void **job, cof_pool *pool, cof_error *err)
{
    const place *p = place_of(pool, pool->taken);

    assert(pool->taken < pool->put && pool->given_back == pool->taken);
    (void)pthread_mutex_lock(&pool->lock);
    while (!p->done)
        (void)pthread_cond_wait(&pool->done, &pool->lock);
    (void)pthread_mutex_unlock(&pool->lock);
    *job = job_at(pool, pool->taken++);
    if (p->st != COF_OK && err != NULL)
        *err = p->err;
    return p->st;
}

void cof_pool_give_back(cof_pool *pool)
{
    assert(pool->given_back + 1 == pool->taken);
    pool->given_back++;
}

void cof_pool_reset(cof_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->begun = pool->put;
    while (pool->busy > 0)
        (void)pthread_cond_wait(&pool->done, &pool->lock);
    pool->given_back = pool->taken = pool->put;
    (void)pthread_mutex_unlock(&pool->lock);
}

void cof_pool_free(cof_pool *pool)
{
    if (pool == NULL)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
    while (pool->threads > 0)
        (void)pthread_join(pool->workers[--pool->threads].thread, NULL);
    (void)pthread_cond_destroy(&pool->done);
    (void)pthread_cond_destroy(&pool->changed);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool->places);
    free(pool);
}
