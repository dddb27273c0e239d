/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Read → compress, seal, hash → write.  The middle is done by workers, each with a sealer of its
 * own; reading and writing stay with the caller, so that all that he sees, progress, warnings and
 * failures, happens in his own thread and in the order of the records.
 */

#include "engine/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/stats.h"
#include "os/pool.h"
#include "os/threads.h"

#define PAGE 4096

typedef struct job {
    cof_frame where;
    bool again;              /* plain is sealed content, and where its header */
    size_t len;              /* of what is in plain */
    uint8_t *plain, *packed; /* owned; packed is NULL where nothing is compressed */
    cof_sealed sealed;
} job;

struct cof_pipeline {
    size_t room; /* of a buffer */
    cof_writer *writer;
    uint64_t next; /* number of the record that is put in next */
    unsigned threads;
    cof_sealer *sealers[COF_POOL_WORKERS_MAX];
    job *jobs; /* owned */
    size_t job_count;
    cof_pool *pool;
    cof_stats stats; /* of the caller's thread */
    uint64_t since;  /* when it was left to the caller */
};

static uint8_t *new_buffer(size_t room)
{
    return aligned_alloc(PAGE, (room + PAGE - 1) / PAGE * PAGE);
}

static cof_status seal(void *ctx, unsigned worker, void *arg, cof_error *err)
{
    cof_pipeline *p = ctx;
    job *j = arg;

    return j->again ? cof_sealer_again_in_place(p->sealers[worker], &j->sealed, &j->where, j->plain,
                                                j->len, err)
                    : cof_sealer_run(p->sealers[worker], &j->sealed, &j->where, j->plain, j->len,
                                     j->packed, err);
}

static cof_status make_jobs(cof_pipeline *p, bool packs, cof_error *err)
{
    p->job_count = p->threads > 1 ? p->threads + 2 : 1;
    p->jobs = calloc(p->job_count, sizeof(*p->jobs));
    if (p->jobs == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; i < p->job_count; i++)
        if ((p->jobs[i].plain = new_buffer(p->room)) == NULL ||
            (packs && (p->jobs[i].packed = new_buffer(p->room)) == NULL))
            return cof_fail(err, COF_NOMEM, "out of memory");
    return COF_OK;
}

static cof_status make_workers(cof_pipeline *p, const cof_pipeline_plan *plan, cof_error *err)
{
    const cof_pool_plan pool = {p->threads, p->jobs, sizeof(*p->jobs), p->job_count, seal, p};
    cof_status st = COF_OK;

    for (unsigned i = 0; st == COF_OK && i < p->threads; i++)
        st = cof_sealer_new(&p->sealers[i], plan->preamble, plan->schedule, plan->codec,
                            plan->level, err);
    return st == COF_OK ? cof_pool_new(&p->pool, &pool, err) : st;
}

cof_status cof_pipeline_new(cof_pipeline **out, const cof_pipeline_plan *plan, cof_error *err)
{
    cof_pipeline *p = calloc(1, sizeof(*p));
    cof_status st;

    *out = NULL;
    if (p == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    p->room = cof_sealer_room(plan->preamble);
    p->writer = plan->writer;
    p->threads = cof_threads_for(plan->threads, COF_POOL_WORKERS_MAX);
    if ((st = make_jobs(p, plan->codec != COF_CODEC_NONE, err)) != COF_OK ||
        (st = make_workers(p, plan, err)) != COF_OK)
        goto out;
    p->since = cof_stats_now();
    *out = p;
    p = NULL; /* transferred */
out:
    cof_pipeline_free(p);
    return st;
}

void cof_pipeline_free(cof_pipeline *p)
{
    if (p == NULL)
        return;
    cof_pool_free(p->pool);
    for (unsigned i = 0; i < p->threads; i++)
        cof_sealer_free(p->sealers[i]);
    for (size_t i = 0; p->jobs != NULL && i < p->job_count; i++) {
        free(p->jobs[i].plain);
        free(p->jobs[i].packed);
    }
    free(p->jobs);
    free(p);
}

cof_status cof_pipeline_buffer(uint8_t **out, const cof_pipeline *p, cof_error *err)
{
    *out = new_buffer(p->room);
    return *out != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");
}

uint64_t cof_pipeline_next(const cof_pipeline *p)
{
    return p->next;
}

/* Write the oldest record, once it is sealed. */
static cof_status write_one(cof_pipeline *p, cof_error *err)
{
    void *arg = NULL;
    const job *j;
    uint64_t since;
    cof_status st;

    cof_pool_help(p->pool);
    since = cof_stats_now();
    st = cof_pool_take(&arg, p->pool, err);
    j = arg;
    since = cof_stats_add(&p->stats, COF_STAGE_WAIT, since, 0);
    if (st == COF_OK)
        st = cof_writer_record(p->writer, j->where.kind, &j->sealed,
                               j->again ? j->where.plain_len : j->len, err);
    (void)cof_stats_add(&p->stats, COF_STAGE_WRITE, since, j->sealed.payload.len);
    cof_pool_give_back(p->pool);
    return st;
}

/* A free job for a record of len bytes. */
static cof_status next_job(cof_pipeline *p, job **out, const cof_frame *where, size_t len,
                           cof_error *err)
{
    cof_status st = COF_OK;

    (void)cof_stats_add(&p->stats, COF_STAGE_READ, p->since, len);
    while ((*out = cof_pool_get(p->pool)) == NULL)
        if ((st = write_one(p, err)) != COF_OK)
            return st;
    (*out)->where = *where;
    (*out)->where.record = p->next++;
    (*out)->len = len;
    (*out)->again = false;
    return COF_OK;
}

static void put(cof_pipeline *p)
{
    cof_pool_put(p->pool);
    p->since = cof_stats_now();
}

cof_status cof_pipeline_put(cof_pipeline *p, const cof_frame *where, uint8_t **plain, size_t len,
                            cof_error *err)
{
    job *j;
    uint8_t *free_one;
    cof_status st = next_job(p, &j, where, len, err);

    if (st != COF_OK)
        return st;
    free_one = j->plain;
    j->plain = *plain;
    *plain = free_one;
    put(p);
    return COF_OK;
}

cof_status cof_pipeline_copy(cof_pipeline *p, const cof_frame *where, cof_slice plain,
                             cof_error *err)
{
    job *j;
    cof_status st;

    if (plain.len > p->room)
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", plain.len);
    if ((st = next_job(p, &j, where, plain.len, err)) != COF_OK)
        return st;
    memcpy(j->plain, plain.data, plain.len);
    put(p);
    return COF_OK;
}

cof_status cof_pipeline_again(cof_pipeline *p, const cof_frame *frame, cof_slice content,
                              cof_error *err)
{
    job *j;
    cof_status st;

    if (content.len > p->room || frame->record != p->next)
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", content.len);
    if ((st = next_job(p, &j, frame, content.len, err)) != COF_OK)
        return st;
    j->again = true;
    memcpy(j->plain, content.data, content.len);
    put(p);
    return COF_OK;
}

cof_status cof_pipeline_drain(cof_pipeline *p, cof_error *err)
{
    cof_status st = COF_OK;

    while (st == COF_OK && cof_pool_pending(p->pool) > 0)
        st = write_one(p, err);
    return st;
}

void cof_pipeline_stats(const cof_pipeline *p, cof_stats *stats)
{
    cof_stats own = p->stats;

    own.threads = p->threads;
    cof_stats_merge(stats, &own);
    for (unsigned i = 0; i < p->threads; i++)
        cof_stats_merge(stats, cof_sealer_stats(p->sealers[i]));
}
