/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A file system needs far longer for a new file than a processor for the few bytes in it, and makes
 * files for several threads at once.  So a small file is read by the owner, with everything that
 * has to be proven on the way, and copied; to make it is left to the crew, a batch of files at a
 * time, since to wake a thread costs as much as to make a file.
 */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/text.h"
#include "base/treepath.h"
#include "os/os.h"
#include "os/pool.h"
#include "source/extract_inside.h"

#define BATCH_FILES 16
#define BATCH_BYTES (4 * (size_t)COF_CREW_FILE_MAX)

typedef struct small {
    cof_piece piece;
    cof_catalog_entry entry; /* what the piece refers to, without its path */
    cof_member member;       /* owned */
    char *name;              /* owned, with a NUL behind it */
    bool local;
    cof_status st;
    cof_error err;
} small;

typedef struct batch {
    small files[BATCH_FILES];
    size_t count;
    uint8_t *bytes; /* owned: BATCH_BYTES */
    size_t used;
    uint64_t elsewhere_ns; /* that it took to make them in another thread than the owner's */
} batch;

struct cof_crew {
    cof_extract *x;
    cof_pool *pool; /* NULL until it is needed, as the batches */
    unsigned workers;
    batch *batches; /* owned */
    size_t batch_count;
    batch *open;       /* the one that is being filled; NULL: none */
    const small *last; /* that was put off; it has no name any more once it was heard of */
};

static const cof_slice no_link = COF_SLICE_INIT;

/* ---- making them ---- */

static void make(small *s)
{
    s->err = (cof_error)COF_ERROR_INIT;
    s->st = cof_piece_put(&s->piece, &s->local, no_link, NULL, &s->err);
}

static void make_all(batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        make(&b->files[i]);
}

static cof_status work(void *ctx, unsigned worker, void *job, cof_error *err)
{
    const cof_crew *c = ctx;
    uint64_t since = cof_clock_monotonic_ns();
    bool owner = worker == c->workers - 1;
    batch *b = job;

    (void)err;
    make_all(b);
    b->elsewhere_ns = owner ? 0 : cof_clock_monotonic_ns() - since;
    return COF_OK; /* each file has its own */
}

/* ---- what became of them ---- */

static void forget(small *s)
{
    cof_member_wipe(&s->member);
    free(s->name);
    s->name = NULL;
}

static void empty(batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        forget(&b->files[i]);
    b->count = 0;
    b->used = 0;
}

/* Once more, with a temporary name: the owner may do that. */
static void make_with_name(small *s)
{
    s->piece.put_off = false;
    make(s);
    cof_pending_remove(s->piece.pending);
}

static cof_status tell(cof_crew *c, batch *b, cof_error *err)
{
    const cof_extract_request *request = &c->x->request;
    cof_status st = COF_OK;

    for (size_t i = 0; st == COF_OK && i < b->count; i++) {
        small *s = &b->files[i];

        if (s->st != COF_OK && s->piece.needs_name)
            make_with_name(s);
        if (s->st == COF_OK)
            cof_extract_count(c->x, &s->piece);
        else
            st = request->failed(request->ctx, s->piece.name, s->local, &s->err, err);
    }
    empty(b);
    return st;
}

/* It has ended with one of them: the others are not spoken of. */
static void give_up(cof_crew *c)
{
    cof_pool_reset(c->pool);
    for (size_t i = 0; i < c->batch_count; i++)
        empty(&c->batches[i]);
    c->open = NULL;
}

/* Tell of the oldest batch that was handed over. */
static cof_status take(cof_crew *c, cof_error *err)
{
    void *job = NULL;
    cof_status st;

    cof_pool_help(c->pool);
    st = cof_pool_take(&job, c->pool, err);
    c->x->totals.elsewhere_ns += ((const batch *)job)->elsewhere_ns;
    if (st == COF_OK)
        st = tell(c, job, err);
    if (st == COF_OK)
        cof_pool_give_back(c->pool);
    else
        give_up(c);
    return st;
}

/* ---- putting off ---- */

/* Have a batch to fill. */
static cof_status open_batch(cof_crew *c, cof_error *err)
{
    cof_status st = COF_OK;

    while (c->open == NULL && st == COF_OK)
        if ((c->open = cof_pool_get(c->pool)) == NULL)
            st = take(c, err);
    return st;
}

static void hand_over(cof_crew *c)
{
    cof_pool_put(c->pool);
    c->open = NULL;
}

/* All of the content; holes, which there should be none of, are filled. */
static cof_status read_content(uint8_t *out, size_t size, cof_unpack *unpack, cof_error *err)
{
    size_t at = 0;
    uint64_t offset = 0;
    cof_slice data;
    bool end = false;
    cof_status st;

    while ((st = cof_unpack_data(unpack, &data, &offset, &end, err)) == COF_OK && !end) {
        if (offset > at)
            memset(out + at, 0, (size_t)offset - at);
        memcpy(out + offset, data.data, data.len); /* unpack keeps to the size */
        at = cof_max_size(at, (size_t)offset + data.len);
    }
    memset(out + at, 0, size - at);
    return st == COF_OK ? cof_unpack_end(unpack, err) : st;
}

/* Add to the open batch, which has room. */
static cof_status add(cof_crew *c, const cof_piece *piece, cof_unpack *unpack, cof_error *err)
{
    batch *b = c->open;
    small *s = &b->files[b->count];
    uint8_t *content = b->bytes + b->used;
    size_t size = (size_t)piece->entry->size;
    cof_status st = read_content(content, size, unpack, err);

    if (st != COF_OK)
        return st;
    if ((s->name = cof_text_dup(piece->name.data, piece->name.len)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    s->piece = *piece;
    s->entry = (cof_catalog_entry){.type = piece->entry->type, .size = size};
    s->member = *piece->member;
    memset(piece->member, 0, sizeof(*piece->member)); /* transferred */
    s->piece.entry = &s->entry;
    s->piece.member = &s->member;
    s->piece.name.data = (const uint8_t *)s->name;
    s->piece.spot.name = s->name + piece->name.len - strlen(piece->spot.name);
    s->piece.content = (cof_slice){content, size};
    s->piece.put_off = true;
    c->last = s;
    b->count++;
    b->used += size;
    return COF_OK;
}

/* Batches and threads, once there is something for them. */
static cof_status start(cof_crew *c, cof_error *err)
{
    if (c->pool != NULL)
        return COF_OK;
    c->workers = c->x->request.threads;
    c->batch_count = c->workers > 1 ? c->workers + 2 : 1;
    if (c->batches == NULL && (c->batches = calloc(c->batch_count, sizeof(*c->batches))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    for (size_t i = 0; i < c->batch_count; i++)
        if (c->batches[i].bytes == NULL && (c->batches[i].bytes = malloc(BATCH_BYTES)) == NULL)
            return cof_fail(err, COF_NOMEM, "out of memory");
    return cof_pool_new(
        &c->pool,
        &(cof_pool_plan){c->workers, c->batches, sizeof(*c->batches), c->batch_count, work, c},
        err);
}

cof_status cof_crew_add(cof_crew *c, const cof_piece *piece, cof_unpack *unpack, cof_error *err)
{
    size_t size = (size_t)piece->entry->size;
    cof_status st = start(c, err);

    if (st == COF_OK && c->open != NULL &&
        (c->open->count == BATCH_FILES || c->open->used + size > BATCH_BYTES))
        hand_over(c);
    if (st == COF_OK && (st = open_batch(c, err)) == COF_OK)
        st = add(c, piece, unpack, err);
    return st;
}

bool cof_crew_comes_after(const cof_crew *c, cof_slice name)
{
    return c->last == NULL || c->last->name == NULL ||
           cof_treepath_compare(c->last->piece.name, name) < 0;
}

cof_status cof_crew_finish(cof_crew *c, cof_error *err)
{
    cof_status st = COF_OK;

    if (c->open != NULL)
        make_all(c->open); /* instead of waiting */
    while (st == COF_OK && c->pool != NULL && cof_pool_pending(c->pool) > 0)
        st = take(c, err);
    if (st == COF_OK && c->open != NULL && (st = tell(c, c->open, err)) != COF_OK)
        give_up(c);
    return st;
}

cof_status cof_crew_new(cof_crew **out, cof_extract *x, cof_error *err)
{
    if ((*out = calloc(1, sizeof(**out))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    (*out)->x = x;
    return COF_OK;
}

void cof_crew_free(cof_crew *c)
{
    if (c == NULL)
        return;
    cof_pool_free(c->pool);
    for (size_t i = 0; c->batches != NULL && i < c->batch_count; i++) {
        empty(&c->batches[i]);
        free(c->batches[i].bytes);
    }
    free(c->batches);
    free(c);
}
