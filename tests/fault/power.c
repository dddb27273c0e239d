/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which images loss of power may leave.  What is not durable falls into pieces, each of which may
 * be found or not; where these are too many for every subset, the likely shapes are made (whole
 * operations, cut off after any piece, cut off before it) and others drawn at random.
 */

#include <stdlib.h>
#include <string.h>

#include "storage.h"

#define PIECES 4096

/* A part of an operation that happens as a whole or not at all. */
typedef struct piece {
    const op *what;
    size_t number;    /* of the operation among those that are not durable */
    size_t from, len; /* of a write: which bytes; none at its end: the length of the file */
} piece;

typedef struct loss {
    const storage *s;
    piece pieces[PIECES];
    size_t count;
    bool found[PIECES];
    image_seen *seen;
    void *ctx;
    size_t done;
} loss;

/* ---- the pieces ---- */

static bool overlaps(const op *a, const op *b)
{
    return a->kind == OP_WRITE && b->kind == OP_WRITE && a->file == b->file &&
           a->off < b->off + b->len && b->off < a->off + a->len;
}

/* Would this piece of a write put there what is there already, whatever else happens? */
static bool changes_nothing(const storage *s, const piece *p)
{
    size_t at = (size_t)p->what->off + p->from;

    if (p->what->file >= s->durable.file_count ||
        at + p->len > s->durable.files[p->what->file].len ||
        memcmp(s->durable.files[p->what->file].data + at, p->what->data + p->from, p->len) != 0)
        return false;
    for (size_t i = 0; i < s->pending_count; i++)
        if (s->pending[i] != p->what &&
            (overlaps(s->pending[i], p->what) || s->pending[i]->kind == OP_TRUNCATE))
            return false;
    return true;
}

static void add_piece(loss *l, piece p)
{
    if (l->count == PIECES)
        abort();
    l->pieces[l->count++] = p;
}

static void split_write(loss *l, const op *what, size_t number)
{
    size_t len;

    if (what->file >= l->s->durable.file_count ||
        l->s->durable.files[what->file].len < what->off + what->len)
        add_piece(l, (piece){what, number, what->len, 0});
    for (size_t from = 0; from < what->len; from += len) {
        piece p;

        len = STORAGE_SECTOR - (size_t)(what->off + from) % STORAGE_SECTOR;
        len = len < what->len - from ? len : what->len - from;
        p = (piece){what, number, from, len};
        if (!changes_nothing(l->s, &p))
            add_piece(l, p);
    }
}

static void split(loss *l)
{
    l->count = 0;
    for (size_t i = 0; i < l->s->pending_count; i++)
        if (l->s->pending[i]->kind == OP_WRITE)
            split_write(l, l->s->pending[i], i);
        else
            add_piece(l, (piece){l->s->pending[i], i, 0, 0});
}

/* ---- an image ---- */

/* What is found of the operations, in their order. */
static void show(loss *l)
{
    image i;

    image_copy(&i, &l->s->durable);
    for (size_t k = 0; k < l->count; k++) {
        const piece *p = &l->pieces[k];
        op part = *p->what;

        if (part.kind == OP_WRITE) {
            part.off += p->from;
            part.data += p->from;
            part.len = p->len;
        }
        if (l->found[k])
            image_do(&i, &part);
    }
    l->seen(l->ctx, &i, l->done);
    image_wipe(&i);
}

/* ---- which of them ---- */

static void every_subset(loss *l)
{
    for (uint64_t mask = 0; mask < UINT64_C(1) << l->count; mask++) {
        for (size_t i = 0; i < l->count; i++)
            l->found[i] = (mask >> i & 1) != 0;
        show(l);
    }
}

static void subset_of_operations(loss *l, uint64_t mask)
{
    for (size_t i = 0; i < l->count; i++)
        l->found[i] = (mask >> l->pieces[i].number % 64 & 1) != 0;
    show(l);
}

static void whole_operations(loss *l, budget b)
{
    size_t ops = l->s->pending_count;

    if (ops <= b.all) {
        for (uint64_t mask = 0; mask < UINT64_C(1) << ops; mask++)
            subset_of_operations(l, mask);
        return;
    }
    for (size_t i = 0; i < b.samples; i++)
        subset_of_operations(l, storage_random());
}

static void cut_off(loss *l)
{
    for (size_t cut = 0; cut <= l->count; cut++) {
        for (size_t i = 0; i < l->count; i++)
            l->found[i] = i < cut;
        show(l);
        for (size_t i = 0; i < l->count; i++)
            l->found[i] = i >= cut;
        show(l);
    }
}

/* Some of everything, most of everything, a little of everything. */
static void at_random(loss *l, budget b)
{
    static const unsigned odds[] = {128, 32, 224};

    for (size_t k = 0; k < b.samples; k++) {
        for (size_t i = 0; i < l->count; i++)
            l->found[i] = (storage_random() >> 24 & 255) < odds[k % 3];
        show(l);
    }
}

static void lose_power(loss *l, budget b)
{
    split(l);
    if (l->count <= b.all) {
        every_subset(l);
        return;
    }
    whole_operations(l, b);
    cut_off(l);
    at_random(l, b);
}

void storage_crashes(const storage *s, const op_log *log, budget b, image_seen *seen, void *ctx)
{
    storage now;
    loss *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    storage_copy(&now, s);
    *l = (loss){.s = &now, .seen = seen, .ctx = ctx};
    lose_power(l, b);
    for (size_t i = 0; i < log->count; i++) {
        storage_do(&now, &log->ops[i]);
        l->done = i + 1;
        lose_power(l, b);
    }
    storage_wipe(&now);
    free(l);
}
