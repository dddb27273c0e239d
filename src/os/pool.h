/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_OS_POOL_H
#define COF_OS_POOL_H

/*
 * Work on many things at once, in order.
 *
 * Its owner puts jobs in, one after the other; workers do them, whoever is free the next; the owner
 * takes them out in the order in which they were put in, each when its work is done.  So whatever
 * is seen outside - bytes written, the first failure - is what one thread alone would have shown.
 *
 * The owner is the last of the workers: instead of waiting he helps.  So there are never more
 * threads at work than there are workers, and none that the system has to stop so that the owner,
 * for whom all others wait, can go on.
 *
 *     for each thing {
 *         while ((job = cof_pool_get(pool)) == NULL)       every job is out: take the oldest
 *             cof_pool_help(pool), take one, use it, cof_pool_give_back(pool);
 *         fill *job;
 *         cof_pool_put(pool);
 *     }
 *     take the rest;
 *
 * The jobs are a ring of objects that the owner made: nothing is allocated once the pool stands.
 * With one worker there are no threads: the work is done where it is put in.  One thread owns the
 * pool; only `work` runs in others, too.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct cof_pool cof_pool;

#define COF_POOL_WORKERS_MAX 64

typedef struct cof_pool_plan {
    unsigned workers; /* 1 to COF_POOL_WORKERS_MAX, the owner among them */
    void *jobs;       /* an array, borrowed */
    size_t job_size, job_count;

    /*
     * Do one job.  Runs in any thread, for different jobs at the same time, but never twice at once
     * with the same number of a worker, 0 to workers - 1, which is the owner: what a worker needs
     * for itself belongs to its number.  What it returns is what taking the job returns.
     */
    cof_status (*work)(void *ctx, unsigned worker, void *job, cof_error *err);
    void *ctx;
} cof_pool_plan;

/*
 * The plan is copied.  Where not all threads can be had, fewer do the work, in the end the owner's
 * own.  COF_NOMEM; *out is NULL then.
 */
cof_status cof_pool_new(cof_pool **out, const cof_pool_plan *plan, cof_error *err) COF_MUST_USE;

/* The job that is to be filled next, NULL while all are out.  Never waits. */
void *cof_pool_get(cof_pool *pool);

/* How many threads there are; 0: jobs are done where they are put in. */
unsigned cof_pool_threads(const cof_pool *pool);

/* Hand in the job that cof_pool_get() gave. */
void cof_pool_put(cof_pool *pool);

/*
 * Do, as the last of the workers, what nobody has begun, until the oldest job that was put in is
 * done or all are begun.  Never waits.
 */
void cof_pool_help(cof_pool *pool);

/* How many jobs have been put in and not been taken. */
size_t cof_pool_pending(const cof_pool *pool);

/*
 * The oldest job that was put in, when its work is done; there must be one.  *job is the owner's
 * until it is given back, which must be before the next is taken.  Returns what its work returned.
 */
cof_status cof_pool_take(void **job, cof_pool *pool, cof_error *err) COF_MUST_USE;

/* The job that was taken last may be filled again. */
void cof_pool_give_back(cof_pool *pool);

/*
 * Forget all jobs: those that nobody works on at once, those that somebody does when he is done.
 * After a failure, or when something else is wanted than what was put in.
 */
void cof_pool_reset(cof_pool *pool);

/* The same, and end the threads.  NULL is fine. */
void cof_pool_free(cof_pool *pool);

#endif
