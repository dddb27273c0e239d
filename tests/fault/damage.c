/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is anything lost with one block of 4 KiB of the head, at rest or between any two writes of a
 * rotation, and if power fails while the next rotation puts it right?
 *
 * And what about a block that is lost together with power, in the middle of a write?  There the
 * format has its limit: two faults at once, of which one takes the half-written copy and the other
 * its twin.  Exactly these are lost, and no others.
 *
 * Judges trust the custodian here: what the superblock meant may be gone, and the fallback (EN-5)
 * believes only whom the reader trusts.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

#define BLOCK 4096
#define SLOT  16384
#define HEAD  (8192 + 2 * SLOT)

static void lose_block(image *i, size_t at)
{
    memset(i->files[0].data + at, 0xA5, BLOCK);
}

static void record_rotation(op_log *log, subject *s)
{
    record_lay(s->disk, &s->start);
    record_start(log, s->disk, &s->start, NULL);
    if (!subject_rotate(s) || !record_stop())
        exit(1);
}

/* ---- between two writes ---- */

/* The next rotation goes on from there, and power fails. */
static tally go_on(subject *s, const image *from)
{
    static const effort brief = {{4, 0}, {0, 0}, {0, 0}, 0, 0};
    scenario c = subject_scenario(s);

    c.start = from;
    c.judge = subject_judge_damaged;
    c.settle = NULL;
    return hunt(&c, &brief);
}

static void add(tally *sum, const tally *t)
{
    sum->images += t->images;
    sum->distinct += t->distinct;
    if (sum->lost == 0)
        memcpy(sum->first, t->first, sizeof(sum->first));
    sum->lost += t->lost;
}

static void every_block(tally *sum, subject *s, const storage *now)
{
    for (size_t at = 0; at < HEAD; at += BLOCK) {
        image i;
        tally t;

        storage_see(&i, now);
        lose_block(&i, at);
        t = go_on(s, &i);
        add(sum, &t);
        image_wipe(&i);
    }
}

static void between_writes(subject *s, const op_log *log)
{
    storage now = {.pending_count = 0};
    tally rest = {.images = 0}, moving = {.images = 0};

    image_copy(&now.durable, &s->start);
    every_block(&rest, s, &now);
    for (size_t i = 0; i < log->count; i++) {
        storage_do(&now, &log->ops[i]);
        if (log->ops[i].kind == OP_WRITE)
            every_block(&moving, s, &now);
    }
    storage_wipe(&now);
    hunt_tell("any one block lost at rest, and power lost in the next rotation", &rest, false);
    hunt_tell("any one block lost between two writes, and power lost in the next rotation", &moving,
              false);
}

/* ---- in the middle of one ---- */

typedef struct accident {
    subject *s;
    const op_log *log;
    uint64_t tried, lost, unexplained;
} accident;

/* The other superblock or slot. */
static size_t twin_of(size_t at)
{
    size_t slots = 8192;

    if (at < slots)
        return at == 0 ? BLOCK : 0;
    return at == slots ? slots + SLOT : slots;
}

static void lose_each_block(void *ctx, const image *i, size_t done)
{
    accident *a = ctx;
    const op *last = done > 0 ? &a->log->ops[done - 1] : NULL;

    if (last == NULL || last->kind != OP_WRITE ||
        memcmp(i->files[0].data + last->off, last->data, last->len) == 0)
        return; /* between two writes */
    for (size_t at = 0; at < HEAD; at += BLOCK) {
        size_t twin = twin_of((size_t)last->off);
        image damaged;

        image_copy(&damaged, i);
        lose_block(&damaged, at);
        a->tried++;
        if (subject_judge_damaged(a->s, &damaged).side == SIDE_LOST) {
            a->lost++;
            a->unexplained += at < twin || at >= twin + last->len;
        }
        image_wipe(&damaged);
    }
}

static void inside_a_write(subject *s, const op_log *log)
{
    const budget regular = {0, 0};
    accident a = {.s = s, .log = log};
    storage begin = {.pending_count = 0};
    char line[200];

    image_copy(&begin.durable, &s->start);
    storage_crashes(&begin, log, regular, lose_each_block, &a);
    storage_wipe(&begin);
    snprintf(line, sizeof(line),
             "any one block lost inside a write: %" PRIu64 " tried, %" PRIu64
             " lost with the twin of what was half written, %" PRIu64 " others",
             a.tried, a.lost - a.unexplained, a.unexplained);
    hunt_say(a.tried > 0 && a.unexplained == 0, line);
}

int main(void)
{
    op_log *log = calloc(1, sizeof(*log));
    subject s;

    if (log == NULL)
        return 1;
    subject_make(&s, 0, false);
    record_rotation(log, &s);
    between_writes(&s, log);
    inside_a_write(&s, log);
    op_log_wipe(log);
    free(log);
    subject_remove(&s);
    return hunt_end();
}
