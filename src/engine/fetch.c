/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fetching records.  Where a record stands follows from the proven entries before it in its block;
 * that is still only a hint, and what is found there is compared with the record's own entry.
 *
 * There are two ways.  A single record, as of the catalog, is fetched when it is asked for.  For
 * content, which is asked for in order, there is a lane: a pool of workers, which the next records
 * are put into ahead of time.  The two have nothing in common but the entries, so that a look into
 * the catalog costs the lane nothing.
 */

#include "engine/fetch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/secret.h"
#include "engine/stats.h"
#include "engine/volumes.h"
#include "os/threads.h"

cof_status cof_fetch_check(const cof_reader *r, cof_error *err)
{
    const cof_preamble *p = &r->opened.head.preamble;

    if (p->protection == COF_PROTECTION_SEALED && r->opened.schedule == NULL)
        return cof_fail(err, COF_NO_MATCH,
                        "the backup is encrypted: a private key of a recipient "
                        "is needed (--key)");
    if (!cof_opened_trusted(&r->opened))
        return cof_fail(err, COF_AUTH, "the maker of the backup is not trusted");
    return cof_volumes_require(&r->opened, true, err);
}

static bool counts_fit(const cof_entries *e, const cof_manifest *m)
{
    return e->stream_len == m->plain_bytes && e->of_kind[COF_FRAME_DATA] == m->data_records &&
           e->of_kind[COF_FRAME_CATALOG] == m->catalog_records &&
           e->of_kind[COF_FRAME_LINEAGE] == m->lineage_records;
}

/* LI-4 */
static cof_status prove_origin(cof_fetch *f, cof_error *err)
{
    cof_status st;

    if (!f->reader->opened.needs_lineage)
        return COF_OK;
    if ((st = cof_origin_new(&f->origin, f, true, err)) != COF_OK)
        return st;
    cof_prover_demand(f->prover, f->origin);
    cof_reader_proven(f->reader);
    return st;
}

cof_status cof_fetch_init(cof_fetch *out, cof_reader *reader, cof_error *err)
{
    const cof_opened *o = &reader->opened;
    size_t damaged = 0;
    cof_status st;

    memset(out, 0, sizeof(*out));
    out->reader = reader;
    out->block = SIZE_MAX;
    if ((st = cof_fetch_check(reader, err)) != COF_OK ||
        (st = cof_proof_init(&out->single, &o->head.preamble, err)) != COF_OK ||
        (st = cof_prover_new(&out->prover, &o->head.preamble, o->schedule, err)) != COF_OK)
        return st;
    st = cof_entries_prove(&out->entries, o, &reader->options->report, &damaged, err);
    cof_reader_damaged(reader, damaged);
    if (st == COF_OK && !counts_fit(&out->entries, &o->manifest))
        st = cof_fail_rule(err, COF_AUTH, "MF-6", COF_NO_OFFSET,
                           "the content does not have the length that was signed");
    return st == COF_OK ? prove_origin(out, err) : st;
}

/* The caller has used what was handed out. */
static void lane_count(cof_lane *l)
{
    if (l->held && l->put == NULL)
        (void)cof_stats_add(&l->stats, COF_STAGE_WRITE, l->since, l->used->plain.len);
}

static void lane_wipe(cof_lane *l, cof_body *body, cof_stats *stats)
{
    lane_count(l);
    cof_pool_free(l->pool);
    l->stats.threads = l->threads;
    cof_stats_merge(stats, &l->stats);
    for (unsigned i = 0; i < l->threads; i++) {
        cof_stats_merge(stats, cof_prover_stats(l->provers[i]));
        cof_prover_free(l->provers[i]);
    }
    for (size_t i = 0; l->ring != NULL && i < l->size; i++) {
        cof_body_let_go(body, &l->ring[i].span);
        cof_proof_wipe(&l->ring[i]);
    }
    free(l->ring);
}

void cof_fetch_wipe(cof_fetch *f)
{
    cof_stats *stats = f->reader != NULL ? f->reader->options->stats : NULL;
    cof_body *body = f->reader != NULL ? f->reader->opened.body : NULL;

    if (f->prover != NULL)
        cof_stats_merge(stats, cof_prover_stats(f->prover));
    lane_wipe(&f->lane, body, stats); /* ends what reads the files */
    cof_proof_wipe(&f->single);
    cof_prover_free(f->prover);
    cof_origin_free(f->origin);
    cof_entries_wipe(&f->entries);
    memset(f, 0, sizeof(*f));
}

/* ---- where a record is ---- */

static const uint8_t *entry_of(const cof_fetch *f, uint64_t number)
{
    return f->entries.entries + (size_t)(number % COF_MERKLE_BLOCK) * COF_ENTRY_SIZE;
}

static uint32_t stored_len(const cof_fetch *f, uint64_t number, cof_frame *frame)
{
    /* Parsed before, when the entries were proven. */
    return cof_frame_parse(frame, cof_entry_header(entry_of(f, number)), NULL) == COF_OK
               ? frame->stored_len
               : 0;
}

cof_status cof_fetch_load_block(cof_fetch *f, size_t b, cof_error *err)
{
    cof_status st;

    if (f->block == b)
        return COF_OK;
    f->block = SIZE_MAX;
    if ((st = cof_entries_load(&f->entries, b, err)) == COF_OK)
        f->block = b;
    return st;
}

/*
 * Where the frame of a record in the loaded block stands: forward from next if that helps, else
 * from the first of its run.
 */
static cof_place find(cof_fetch *f, uint64_t number)
{
    const cof_run *run = cof_entries_run(&f->entries, number);
    cof_frame frame;

    if (f->next > number || f->next <= run->first) {
        f->next = run->first;
        f->next_at = run->at.offset;
    }
    for (; f->next < number; f->next++)
        f->next_at += COF_FRAME_SIZE + stored_len(f, f->next, &frame);
    return (cof_place){run->at.volume, f->next_at};
}

static bool is_of_one_record(cof_status st)
{
    return st == COF_AUTH || st == COF_FORMAT || st == COF_IO;
}

/*
 * Fill in what is to be proven.  The span is then held.  Where the first maker's hash is needed, it
 * is fetched first, as a single record.  After a failure the header says which record it was, or is
 * all zeros.
 */
static cof_status prepare(cof_fetch *f, cof_proof *p, uint64_t number, bool ahead, cof_error *err)
{
    size_t len;
    cof_status st = COF_OK;

    memset(&p->header, 0, sizeof(p->header));
    if (f->origin != NULL && number < cof_origin_records(f->origin) &&
        (st = cof_origin_seek(f->origin, number, err)) != COF_OK)
        return st;
    if ((st = cof_fetch_load_block(f, (size_t)(number / COF_MERKLE_BLOCK), err)) != COF_OK)
        return st;
    p->number = number;
    p->at = find(f, number);
    memcpy(p->entry, entry_of(f, number), sizeof(p->entry));
    len = COF_FRAME_SIZE + (size_t)stored_len(f, number, &p->header);
    st = (ahead ? cof_body_hold_ahead : cof_body_hold)(&p->span, f->reader->opened.body,
                                                       p->at.volume, p->at.offset, len, err);
    f->damaged = is_of_one_record(st);
    return st;
}

/* A record is asked for: what is known of the last one says nothing of it. */
static void begin_record(cof_fetch *f)
{
    f->damaged = false;
    memset(&f->header, 0, sizeof(f->header));
    f->plain = (cof_slice)COF_SLICE_INIT;
}

/* ---- a single record ---- */

typedef cof_status prove_fn(cof_prover *prover, cof_proof *proof, cof_error *err);

static cof_status fetch_single(cof_fetch *f, uint64_t number, prove_fn *prove, cof_error *err)
{
    cof_proof *p = &f->single;
    cof_status st;

    f->held = false;
    st = prepare(f, p, number, false, err);
    f->header = p->header;
    if (st != COF_OK)
        return st;
    st = prove(f->prover, p, err);
    cof_body_let_go(f->reader->opened.body, &p->span);
    f->damaged = is_of_one_record(st);
    return cof_volumes_locate(&f->reader->opened, p->at.volume, st, err);
}

cof_status cof_fetch_record(cof_fetch *f, uint64_t number, cof_error *err)
{
    cof_status st = COF_OK;

    begin_record(f);
    if (!f->held || f->single.number != number) {
        st = fetch_single(f, number, cof_prover_run, err);
        f->held = st == COF_OK;
    }
    f->header = f->single.header;
    if (st == COF_OK)
        f->plain = f->single.plain;
    return st;
}

cof_status cof_fetch_sealed(cof_fetch *f, cof_slice *content, uint64_t number, cof_error *err)
{
    cof_status st;

    begin_record(f);
    st = fetch_single(f, number, cof_prover_decrypt, err);
    *content = st == COF_OK ? f->single.content : (cof_slice)COF_SLICE_INIT;
    return st;
}

void cof_fetch_forget(cof_fetch *f)
{
    f->held = false;
    cof_wipe(f->single.frame, f->single.used);
}

/* ---- records in order ---- */

/* Where the first byte of a record of DATA lies in the content. */
static uint64_t content_at(const cof_fetch *f, const cof_frame *frame)
{
    uint64_t len;

    return cof_entries_stream(&len, &f->entries, frame->stream) + frame->offset;
}

/* Give away what was proven, by whichever thread has proven it. */
static cof_status give(const cof_fetch *f, cof_prover *prover, cof_proof *p, cof_error *err)
{
    uint64_t since = cof_stats_now();
    cof_status st;

    if (f->lane.put == NULL || p->header.kind != COF_FRAME_DATA)
        return COF_OK;
    st = f->lane.put(f->lane.put_ctx, content_at(f, &p->header), p->plain.data, p->plain.len, err);
    p->not_put = st != COF_OK;
    (void)cof_stats_add(cof_prover_stats(prover), COF_STAGE_WRITE, since, p->plain.len);
    return st;
}

static cof_status lane_work(void *ctx, unsigned worker, void *job, cof_error *err)
{
    const cof_fetch *f = ctx;
    cof_prover *prover = f->lane.provers[worker];
    cof_proof *p = job;
    cof_status st;

    p->not_put = false;
    if (f->lane.compressed)
        return cof_prover_decrypt(prover, p, err);
    st = cof_prover_run(prover, p, err);
    return st == COF_OK ? give(f, prover, p, err) : st;
}

void cof_fetch_put_into(cof_fetch *f, cof_fetch_put *put, void *ctx)
{
    f->lane.put = put;
    f->lane.put_ctx = ctx;
}

static cof_status lane_open(cof_fetch *f, cof_error *err)
{
    const cof_opened *o = &f->reader->opened;
    /* Origin belongs to this thread. */
    unsigned threads =
        cof_threads_for(f->origin != NULL ? 1 : f->reader->options->jobs, COF_POOL_WORKERS_MAX);
    cof_lane *l = &f->lane;
    cof_status st = COF_OK;

    if (l->pool != NULL)
        return COF_OK;
    l->size = threads > 1 ? threads + 2 : 1;
    if (l->ring == NULL && (l->ring = calloc(l->size, sizeof(*l->ring))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; st == COF_OK && i < l->size; i++)
        st = cof_proof_init(&l->ring[i], &o->head.preamble, err);
    while (st == COF_OK && l->threads < threads)
        if ((st = cof_prover_new(&l->provers[l->threads], &o->head.preamble, o->schedule, err)) ==
            COF_OK)
            cof_prover_demand(l->provers[l->threads++], f->origin);
    return st == COF_OK ? cof_pool_new(&l->pool,
                                       &(cof_pool_plan){threads, l->ring, sizeof(*l->ring), l->size,
                                                        lane_work, f},
                                       err)
                        : st;
}

/* The record that was handed out is not used any more. */
static void lane_release(cof_fetch *f)
{
    if (f->lane.used == NULL)
        return;
    cof_body_let_go(f->reader->opened.body, &f->lane.used->span);
    cof_pool_give_back(f->lane.pool);
    f->lane.used = NULL;
    f->lane.held = false;
}

/* Take the first of those at work. */
static cof_status lane_take(cof_fetch *f, cof_error *err)
{
    void *job = NULL;
    cof_status st;

    lane_release(f);
    st = cof_pool_take(&job, f->lane.pool, err);
    f->lane.used = job;
    f->lane.first++;
    return st;
}

/* Begin anew with this record. */
static void lane_restart(cof_fetch *f, uint64_t number)
{
    cof_lane *l = &f->lane;

    l->depth = number == l->end && l->depth > 0 ? l->depth : 1;
    while (l->first < l->end)
        (void)!lane_take(f, NULL);
    lane_release(f);
    l->first = l->end = number;
}

/*
 * Put records in until there are enough; the first of them must go in.  Those of the lineage, where
 * the first data key is, are read only if they are asked for.
 */
static cof_status lane_fill(cof_fetch *f, cof_error *err)
{
    const cof_manifest *m = &f->reader->opened.manifest;
    uint64_t ahead = m->records - m->lineage_records;
    cof_lane *l = &f->lane;

    while (l->end < (l->end == l->first ? m->records : ahead) && l->end - l->first < l->depth) {
        cof_proof *p = cof_pool_get(l->pool);
        bool wanted = l->end == l->first;
        cof_status st = COF_OK;

        if (p == NULL)
            break;
        st = prepare(f, p, l->end, !wanted, wanted ? err : NULL);
        if (wanted)
            f->header = p->header;
        if (st != COF_OK)
            return wanted ? st : COF_OK; /* it is said when that one is asked for */
        cof_pool_put(l->pool);
        l->end++;
    }
    return COF_OK;
}

cof_status cof_fetch_in_order(cof_fetch *f, uint64_t number, cof_error *err)
{
    cof_lane *l = &f->lane;
    uint64_t since;
    cof_status st;

    begin_record(f);
    if ((st = lane_open(f, err)) != COF_OK)
        return st;
    lane_count(l);
    lane_release(f);
    if (number < l->first || number >= l->end)
        lane_restart(f, number);
    while (l->first < number)
        (void)!lane_take(f, NULL); /* passed over */
    lane_release(f);
    if ((st = lane_fill(f, err)) != COF_OK)
        return st;
    cof_pool_help(l->pool);
    since = cof_stats_now();
    st = lane_take(f, err);
    l->since = cof_stats_add(&l->stats, COF_STAGE_WAIT, since, 0);
    f->damaged = is_of_one_record(st) && !l->used->not_put;
    l->held = st == COF_OK;
    l->depth = l->held ? cof_min_size(2 * l->depth, l->size) : 1;
    f->header = l->used->header;
    if (l->held)
        f->plain = l->used->plain;
    return l->used->not_put ? st
                            : cof_volumes_locate(&f->reader->opened, l->used->at.volume, st, err);
}

void cof_fetch_leave_compressed(cof_fetch *f)
{
    assert(f->lane.pool == NULL);
    f->lane.compressed = true;
}

cof_status cof_fetch_sealed_in_order(cof_fetch *f, cof_slice *content, uint64_t number,
                                     cof_error *err)
{
    cof_status st;

    assert(f->lane.compressed);
    st = cof_fetch_in_order(f, number, err);
    *content = st == COF_OK ? f->lane.used->content : (cof_slice)COF_SLICE_INIT;
    return st;
}

static bool covers(const cof_fetch *f, const cof_frame *frame, uint64_t offset)
{
    uint64_t at;

    if (frame->kind != COF_FRAME_DATA)
        return false;
    at = content_at(f, frame);
    return at <= offset && offset - at < frame->plain_len;
}

/* The number of the DATA record in the loaded block that covers an offset. */
static cof_status search(const cof_fetch *f, uint64_t *out, uint64_t offset, cof_error *err)
{
    uint64_t first = (uint64_t)f->block * COF_MERKLE_BLOCK;
    cof_frame frame;

    for (*out = first; *out < first + f->entries.count; ++*out)
        if (stored_len(f, *out, &frame) != 0 && covers(f, &frame, offset))
            return COF_OK;
    return cof_fail_rule(err, COF_AUTH, "RC-9", COF_NO_OFFSET,
                         "no record holds the content at offset %" PRIu64, offset);
}

cof_status cof_fetch_data(cof_fetch *f, cof_slice *out, uint64_t offset, cof_error *err)
{
    const cof_lane *l = &f->lane;
    uint64_t number;
    size_t skip;
    cof_status st;

    f->damaged = false;
    if (!l->held || !covers(f, &l->used->header, offset)) {
        if ((st = cof_fetch_load_block(f, cof_entries_block_at(&f->entries, offset), err)) !=
                COF_OK ||
            (st = search(f, &number, offset, err)) != COF_OK ||
            (st = cof_fetch_in_order(f, number, err)) != COF_OK)
            return st;
    }
    skip = (size_t)(offset - content_at(f, &l->used->header));
    *out = (cof_slice){l->used->plain.data + skip, l->used->plain.len - skip};
    return COF_OK;
}
