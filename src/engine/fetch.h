/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_FETCH_H
#define COF_ENGINE_FETCH_H

/*
 * The plaintext of records, by number or by offset in the content, each proven to be under the
 * signed root before it is handed out (FORMAT.md, RC-8, RC-9; P4).
 *
 * Only what is asked for is read, but for the INDEX frames, all of which are read once to prove the
 * root: 64 bytes for a record.  Whoever asks for records in their order reads front to back, and
 * finds them done: while one is used, other threads read, prove and unseal the next ones.  These go
 * unseen until they are asked for, and so does what is wrong with them.
 */

#include "engine/entries.h"
#include "engine/origin.h"
#include "engine/proof.h"
#include "engine/reader.h"
#include "os/pool.h"

/* Takes a piece of the content, which begins at that offset in it. */
typedef cof_status cof_fetch_put(void *ctx, uint64_t offset, const void *data, size_t len,
                                 cof_error *err);

/* Records that are asked for in order: a ring of them, those numbered first to end - 1 at work. */
typedef struct cof_lane {
    cof_pool *pool; /* NULL until it is needed */
    cof_prover *provers[COF_POOL_WORKERS_MAX];
    unsigned threads;
    bool compressed;    /* nothing is decompressed */
    cof_fetch_put *put; /* NULL: plaintext is only handed out */
    void *put_ctx;
    cof_proof *ring;
    size_t size;
    size_t depth; /* how many are to be at work: more with each that was asked for in order */
    uint64_t first, end;
    cof_proof *used; /* what was handed out last */
    bool held;       /* and it is whole */
    cof_stats stats; /* of the caller's thread */
    uint64_t since;  /* when it was left to the caller; 0: nothing was handed out */
} cof_lane;

typedef struct cof_fetch {
    cof_reader *reader; /* borrowed */
    cof_entries entries;
    size_t block;       /* the one that is loaded; SIZE_MAX: none */
    uint64_t next;      /* the record whose frame stands at next_at, unless it begins a run */
    uint64_t next_at;   /* offset in the body of its volume */
    cof_origin *origin; /* LI-4: each record has to be the first maker's; NULL: it need not */

    cof_prover *prover; /* of single records */
    cof_proof single;   /* the one that was fetched last, if held */
    bool held;
    cof_lane lane;

    /*
     * The record that was asked for last.  After a failure nothing is in plain, and the header is
     * all zeros unless it is known, from the proven entry, which record that was.
     */
    cof_frame header;
    cof_slice plain;

    bool damaged; /* the last failure was that of one record: others may be intact */
} cof_fetch;

/*
 * Get ready: is this a backup that can be restored here, are its entries those that were signed,
 * and, where its signer is not trusted as maker, is its lineage proven?  COF_NO_MATCH without the
 * key, COF_AUTH, COF_FORMAT, COF_UNSUPPORTED, COF_IO, COF_NOMEM. The caller wipes *out, also after
 * a failure.
 */
cof_status cof_fetch_init(cof_fetch *out, cof_reader *reader, cof_error *err) COF_MUST_USE;

/* Can it be restored here?  What cof_fetch_init asks first, without reading. */
cof_status cof_fetch_check(const cof_reader *reader, cof_error *err) COF_MUST_USE;

/*
 * Record `number`, which is below manifest.records: then header and plain are of it, until the next
 * call of this function.  COF_AUTH (RC-7, RC-8, RC-9), COF_FORMAT, COF_IO, ...
 */
cof_status cof_fetch_record(cof_fetch *fetch, uint64_t number, cof_error *err) COF_MUST_USE;

/* The same, but not unpacked: *content is its sealed content.  No record is held then. */
cof_status cof_fetch_sealed(cof_fetch *fetch, cof_slice *content, uint64_t number,
                            cof_error *err) COF_MUST_USE;

/* Have the entries of block b in entries. */
cof_status cof_fetch_load_block(cof_fetch *fetch, size_t b, cof_error *err) COF_MUST_USE;

/* Wipe what these two read last. */
void cof_fetch_forget(cof_fetch *fetch);

/*
 * The first of these for who goes through the records in their order; until the next call of this
 * function or of the next one.
 */
cof_status cof_fetch_in_order(cof_fetch *fetch, uint64_t number, cof_error *err) COF_MUST_USE;

/*
 * The second of these for who goes through the records in their order, all of them this way, which
 * is said before the first of them, since other threads read ahead; *content is borrowed until the
 * next call.
 */
void cof_fetch_leave_compressed(cof_fetch *fetch);
cof_status cof_fetch_sealed_in_order(cof_fetch *fetch, cof_slice *content, uint64_t number,
                                     cof_error *err) COF_MUST_USE;

/*
 * For who can take the content in any order, since nobody sees any of it before all is there.  From
 * now on a DATA record that is fetched in order has been given to `put` by the time it is handed
 * out: by the thread that has proven and unsealed it, beside others, and perhaps before those that
 * stand before it.  What `put` says is what fetching that record says.
 */
void cof_fetch_put_into(cof_fetch *fetch, cof_fetch_put *put, void *ctx);

/*
 * The plaintext of the content from `offset`, which is below entries.stream_len, to the end of its
 * record; borrowed until the next call of this function or of the one before.  Best in order.
 */
cof_status cof_fetch_data(cof_fetch *fetch, cof_slice *out, uint64_t offset,
                          cof_error *err) COF_MUST_USE;

void cof_fetch_wipe(cof_fetch *fetch);

#endif
