/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A repair that loses power: is the backup after that ever worse than before (CH-6)?  Damage lies
 * in everything at once that is there twice or follows from the rest.
 */

#include <coffer/repair.h>
#include <stdio.h>
#include <string.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

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
    const size_t head = 8192 + 2 * 16384;
    size_t len, tail;

    image_copy(i, &s->start);
    (void)image_find(i, s->name, &len);
    tail = head + 32 + s->kit.content_len + 16 + 32 + 24 + 64;
    spoil(i, 0);         /* a superblock */
    spoil(i, 9000);      /* a slot */
    spoil(i, tail - 64); /* the index */
    spoil(i, tail + 32); /* a copy of the closing record */
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
    subject_remove(&s);
    return hunt_end();
}
