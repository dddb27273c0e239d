/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A repair that loses power: is the backup after that ever worse than before (CH-6)?  Damage lies
 * in everything at once that is there twice or follows from the rest.
 */

#include <coffer/repair.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

#define HEAD ((size_t)(8192 + 2 * 16384))

static bool repair(void *ctx)
{
    subject *s = ctx;
    const cof_repair_options o = {.path = s->path, .trust = s->everybody};
    cof_repair_result result = {.changed = false};

    return cof_repair(&o, &result, NULL) == COF_OK && result.lost == 0;
}

/* It always opens and yields its content; after the repair nothing is damaged any more. */
static verdict judge(void *ctx, const image *i)
{
    const subject *s = ctx;
    kit k = s->kit; /* shares all but the path, the key and the trust */
    kit_outcome found;

    record_lay(s->disk, i);
    memcpy(k.path, s->path, sizeof(k.path));
    k.keys = s->old_keys;
    k.trust = s->maker;
    found = kit_try(&k, true);
    if (found.status != COF_OK || !found.same)
        return (verdict){SIDE_LOST, false, "it does not open any more, or not as it was"};
    return found.damaged == 0 ? (verdict){SIDE_AFTER, true, NULL}
                              : (verdict){SIDE_BEFORE, false, "something is still damaged"};
}

static void spoil(image *i, size_t at)
{
    memset(i->files[0].data + at, 0xA5, 64);
}

static void damage(image *i, const subject *s)
{
    size_t len, tail;

    image_copy(i, &s->start);
    (void)image_find(i, s->name, &len);
    tail = HEAD + 32 + s->kit.content_len + 16 + 32 + 24 + 64;
    spoil(i, 0);         /* a superblock */
    spoil(i, 9000);      /* a slot */
    spoil(i, tail - 64); /* the index */
    spoil(i, tail + 32); /* a copy of the closing record */
}

/* ---- a head of which nothing, or no superblock, is left ---- */

#define KEPT "x.cof.lost.head"

typedef struct lost_head {
    subject *s;
    image start;
    char head[128]; /* exported before; not in the directory under test */
} lost_head;

/* What the last run has left: a head that can be read again needs none to be given. */
static bool put_back(void *ctx)
{
    const lost_head *l = ctx;
    cof_repair_options o = {.path = l->s->path, .head = l->head, .trust = l->s->everybody};
    cof_repair_result result = {.changed = false};
    cof_status st = cof_repair(&o, &result, NULL);

    if (st == COF_USAGE) {
        o.head = NULL;
        st = cof_repair(&o, &result, NULL);
    }
    return st == COF_OK && result.lost == 0;
}

static bool same_bytes(const image *a, const char *name, const image *b, size_t from, size_t to)
{
    size_t x_len, y_len;
    const uint8_t *x = image_find(a, name, &x_len), *y = image_find(b, "x.cof", &y_len);

    return x != NULL && y != NULL && x_len >= to && y_len >= to &&
           memcmp(x + from, y + from, to - from) == 0;
}

/* The body is as it was, and no byte of the head is lost that is not kept. */
static const char *find_loss(const lost_head *l, const image *i)
{
    size_t len = 0, kept;
    bool is_kept = image_find(i, KEPT, &kept) != NULL;

    (void)image_find(&l->start, l->s->name, &len);
    if (!same_bytes(i, l->s->name, &l->start, HEAD, len))
        return "the body is not as it was";
    if (is_kept && (kept != HEAD || !same_bytes(i, KEPT, &l->start, 0, HEAD)))
        return "something else is kept than what was left of the head";
    if (!is_kept && !same_bytes(i, l->s->name, &l->start, 0, HEAD))
        return "what was left of the head is not kept";
    return NULL;
}

static bool opens_whole(const lost_head *l, const image *i)
{
    kit k = l->s->kit; /* shares all but the path, the key and the trust */
    kit_outcome found;

    if (i != NULL)
        record_lay(l->s->disk, i);
    memcpy(k.path, l->s->path, sizeof(k.path));
    k.keys = l->s->old_keys;
    k.trust = l->s->maker;
    found = kit_try(&k, true);
    return found.status == COF_OK && found.same && found.damaged == 0;
}

/* It is never worse than before: it is whole, or the next run makes it so. */
static verdict judge_lost_head(void *ctx, const image *i)
{
    lost_head *l = ctx;
    const char *loss = find_loss(l, i);

    if (loss != NULL)
        return (verdict){SIDE_LOST, false, loss};
    if (opens_whole(l, i))
        return (verdict){SIDE_AFTER, true, NULL};
    if (!put_back(l) || !opens_whole(l, NULL))
        return (verdict){SIDE_LOST, false, "the next run does not complete it"};
    return (verdict){SIDE_BEFORE, false, "the head is not back"};
}

static void hunt_lost_head(subject *s, size_t lost, const char *what)
{
    static const effort some = {{8, 96}, {0, 0}, {0, 0}, 0, 0};
    lost_head l = {.s = s};
    const scenario c = {
        .dir = s->disk, .start = &l.start, .ctx = &l, .run = put_back, .judge = judge_lost_head};
    tally t;

    record_lay(s->disk, &s->start);
    snprintf(l.head, sizeof(l.head), "%s/h.head", s->kit.dir);
    subject_export_head(s, l.head);
    image_copy(&l.start, &s->start);
    memset(l.start.files[0].data, 0xA5, lost);
    t = hunt(&c, &some);
    hunt_tell(what, &t, false);
    (void)unlink(l.head);
    image_wipe(&l.start);
}

int main(void)
{
    static const effort thorough = {{10, 256}, {0, 0}, {0, 0}, 0, 0};
    scenario c;
    image start;
    subject s;
    tally t;

    subject_make(&s, 0, false);
    damage(&start, &s);
    c = (scenario){.dir = s.disk, .start = &start, .ctx = &s, .run = repair, .judge = judge};
    t = hunt(&c, &thorough);
    hunt_tell("a repair of everything that can be repaired", &t, false);
    image_wipe(&start);
    hunt_lost_head(&s, HEAD, "a head that is lost comes back");
    hunt_lost_head(&s, 2 * 4096,
                   "superblocks that are lost come back around the envelope that is left");
    subject_remove(&s);
    return hunt_end();
}
