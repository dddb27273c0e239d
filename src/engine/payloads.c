/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pool whose jobs are payloads.  Where the walk reads a file, the workers read from it
 * themselves, piece by piece, each of which is hashed while it is in the processor's cache; where
 * nobody looks at payloads, all pieces lie in the same few bytes.
 */

#include "engine/payloads.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/num.h"
#include "base/secret.h"
#include "engine/stats.h"
#include "os/pool.h"

#define PIECE ((size_t)128 << 10)

struct cof_payloads {
    const cof_walk_hooks *hooks;
    unsigned threads;
    cof_sha256_ctx *sha[COF_POOL_WORKERS_MAX];
    cof_stats stats[COF_POOL_WORKERS_MAX];
    cof_payload *ring; /* owned */
    size_t size;
    cof_payload *taken;
    cof_pool *pool;
};

static cof_status hash(void *ctx, unsigned worker, void *job, cof_error *err)
{
    cof_payloads *p = ctx;
    uint64_t since = cof_stats_now();
    const cof_walk_hooks *hooks = p->hooks;
    cof_sha256_ctx *sha = p->sha[worker];
    cof_payload *x = job;
    size_t len = x->frame.stored_len;
    cof_status st = cof_sha256_init(sha, err);

    for (size_t at = 0, n; st == COF_OK && at < len; at += n) {
        uint8_t *piece = x->bytes + (hooks->hash_only && hooks->body != NULL ? 0 : at);

        n = cof_min_size(len - at, PIECE);
        if (hooks->body == NULL ||
            (st = cof_file_read_full(piece, n, x->span.file, x->span.off + at, err)) == COF_OK)
            st = cof_sha256_update(sha, piece, n, err);
    }
    if (st != COF_OK || (st = cof_sha256_final(sha, x->sha256, err)) != COF_OK)
        return st;
    since = cof_stats_add(&p->stats[worker], COF_STAGE_PROVE, since, len);
    if (hooks->work == NULL)
        return COF_OK;
    st = hooks->work(hooks->ctx, worker, &x->frame, x->header, x->bytes, err);
    (void)cof_stats_add(&p->stats[worker], COF_STAGE_DECRYPT, since, len);
    return st;
}

static cof_status make_ring(cof_payloads *p, const cof_preamble *preamble, cof_error *err)
{
    size_t most = cof_frame_stored_max(preamble);

    if (p->hooks->hash_only && p->hooks->body != NULL)
        most = cof_min_size(most, PIECE);
    p->size = p->threads > 1 ? p->threads + 2 : 1;
    if ((p->ring = calloc(p->size, sizeof(*p->ring))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; i < p->size; i++)
        if ((p->ring[i].bytes = malloc(most)) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
    return COF_OK;
}

cof_status cof_payloads_new(cof_payloads **out, const cof_preamble *preamble,
                            const cof_walk_hooks *hooks, cof_error *err)
{
    cof_payloads *p = calloc(1, sizeof(*p));
    cof_status st;

    *out = NULL;
    if (p == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    p->hooks = hooks;
    p->threads = hooks->threads != 0 ? hooks->threads : 1;
    st = make_ring(p, preamble, err);
    for (unsigned i = 0; st == COF_OK && i < p->threads; i++)
        st = cof_sha256_new(&p->sha[i], err);
    if (st == COF_OK)
        st = cof_pool_new(&p->pool,
                          &(cof_pool_plan){p->threads, p->ring, sizeof(*p->ring), p->size, hash, p},
                          err);
    if (st == COF_OK) {
        *out = p;
        p = NULL; /* transferred */
    }
    cof_payloads_free(p);
    return st;
}

void cof_payloads_free(cof_payloads *p)
{
    if (p == NULL)
        return;
    cof_pool_free(p->pool);
    p->stats[0].threads = p->threads;
    for (unsigned i = 0; i < p->threads; i++) {
        cof_stats_merge(p->hooks->stats, &p->stats[i]);
        cof_sha256_free(p->sha[i]);
    }
    for (size_t i = 0; p->ring != NULL && i < p->size; i++) {
        cof_body_let_go(p->hooks->body, &p->ring[i].span);
        if (p->ring[i].bytes != NULL) /* decrypted in place, perhaps, and a key of the lineage */
            cof_wipe(p->ring[i].bytes, p->ring[i].used);
        free(p->ring[i].bytes);
    }
    free(p->ring);
    free(p);
}

cof_payload *cof_payloads_get(cof_payloads *p)
{
    return cof_pool_get(p->pool);
}

cof_status cof_payloads_put(bool *again, cof_payloads *p, cof_payload *x, cof_error *err)
{
    cof_status st = COF_OK;

    if (!p->hooks->hash_only)
        x->used = cof_max_size(x->used, x->frame.stored_len);
    *again = false;
    if (p->hooks->body != NULL)
        st = cof_body_hold_ahead(&x->span, p->hooks->body, x->at.volume,
                                 x->at.offset + COF_FRAME_SIZE, x->frame.stored_len, err);
    if (st == COF_BUSY && (p->taken != NULL || cof_pool_pending(p->pool) > 0)) {
        *again = true;
        return COF_OK;
    }
    if (st == COF_OK)
        cof_pool_put(p->pool);
    return st;
}

cof_status cof_payloads_take(cof_payload **out, cof_payloads *p, cof_error *err)
{
    void *job = NULL;
    cof_status st;

    if (p->taken != NULL) {
        if (p->hooks->body != NULL)
            cof_body_let_go(p->hooks->body, &p->taken->span);
        cof_pool_give_back(p->pool);
        p->taken = NULL;
    }
    *out = NULL;
    if (cof_pool_pending(p->pool) == 0)
        return COF_OK;
    cof_pool_help(p->pool);
    st = cof_pool_take(&job, p->pool, err);
    *out = p->taken = job;
    return st;
}
