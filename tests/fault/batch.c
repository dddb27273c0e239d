/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Five backups rotated side by side, with barriers that they share: does each of them survive loss
 * of power at any write of any of them, as one alone does (P7, CH-2)?  And does the harness see it
 * when a shared barrier is left out?
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

#define BACKUPS 5 /* more than are synced one by one */
#define KNOWN   4096

static char paths[BACKUPS][160];
static const char *path_list[BACKUPS];
static scenario single; /* how one of them is judged */

/* ---- the rotation of all ---- */

static void note(void *ctx, const cof_rotate_outcome *outcome)
{
    *(bool *)ctx &= outcome->status == COF_OK;
}

static bool rotate_all(void *ctx)
{
    subject *s = ctx;
    bool good = true;
    const cof_rotate_options o = {
        .trust = s->everybody, .keys = s->all_keys, .signer = s->custodian, .set = s->kit.other};
    const cof_rotate_many many = {path_list, BACKUPS, 1, note, NULL, &good};

    return cof_rotate_all(&o, &many, NULL) == COF_OK && good;
}

static int at_once(int fd)
{
    (void)fd;
    return 0;
}

static int tells(int fd)
{
    (void)fd;
    return 1;
}

/* ---- judging: each by itself ---- */

static struct {
    uint64_t hash;
    verdict verdict;
} known[KNOWN];

static verdict judge_one(subject *s, const image *all, size_t k)
{
    image one = {.file_count = 0};
    const uint8_t *data;
    uint64_t hash;
    size_t len, at;

    data = image_find(all, strrchr(paths[k], '/') + 1, &len);
    image_add(&one, s->name, data, len);
    hash = image_hash(&one) | 1;
    for (at = hash >> 8 & (KNOWN - 1); known[at].hash != 0 && known[at].hash != hash;)
        at = (at + 1) & (KNOWN - 1);
    if (known[at].hash == 0) {
        known[at].verdict = single.judge(s, &one);
        known[at].hash = hash;
    }
    image_wipe(&one);
    return known[at].verdict;
}

/* Some before and some after is right while it goes on, and counts as not yet after. */
static verdict judge_all(void *ctx, const image *i)
{
    verdict sum = {SIDE_AFTER, true, NULL};

    for (size_t k = 0; k < BACKUPS; k++) {
        verdict v = judge_one(ctx, i, k);

        if (v.side == SIDE_LOST)
            return v;
        if (v.side == SIDE_BEFORE)
            sum.side = SIDE_BEFORE;
        sum.at_rest &= v.at_rest;
        sum.why = v.why != NULL ? v.why : sum.why;
    }
    return sum;
}

/* The first sync behind the last superblock that is written as copy A. */
static size_t commit(const op_log *log)
{
    size_t last = 0, i;

    for (i = 0; i < log->count; i++)
        if (log->ops[i].kind == OP_WRITE && log->ops[i].off == 0)
            last = i;
    for (i = last; i < log->count && !op_is_sync(&log->ops[i]); i++)
        continue;
    return i < log->count ? i + 1 : log->count;
}

/* ---- faults ---- */

static size_t victim;

static void leave_out(op_log *log, bool finishing)
{
    (void)finishing;
    op_log_remove(log, victim);
}

static void superblocks_first(op_log *log, bool finishing)
{
    (void)finishing;
    for (size_t k = 0; k < BACKUPS; k++)
        op_log_swap(log, 2 + k, 4 + BACKUPS + k);
}

static void catches(scenario c, void (*plant)(op_log *log, bool finishing), size_t which,
                    const char *what)
{
    static const effort brief = {{4, 8}, {0, 0}, {0, 0}, 0, 0};
    tally t;

    c.plant = plant;
    victim = which;
    t = hunt(&c, &brief);
    hunt_tell(what, &t, true);
}

static void make_copies(image *all, const subject *s)
{
    size_t len;
    const uint8_t *data = image_find(&s->start, s->name, &len);

    memset(all, 0, sizeof(*all));
    for (size_t k = 0; k < BACKUPS; k++) {
        snprintf(paths[k], sizeof(paths[k]), "%s/b%zu.cof", s->disk, k);
        path_list[k] = paths[k];
        image_add(all, strrchr(paths[k], '/') + 1, data, len);
    }
}

int main(void)
{
    static const effort thorough = {{6, 64}, {0, 0}, {0, 0}, 0, 0};
    const size_t shared = BACKUPS + 2; /* operations of a step: writes, sync of all, an fsync */
    cof_os os = *cof_os_real();
    scenario c;
    image all;
    subject s;
    tally t;

    os.fsync = os.syncfs = at_once;
    os.syncfs_tells = tells;
    subject_make(&s, 0, false);
    single = subject_scenario(&s);
    make_copies(&all, &s);
    c = (scenario){.dir = s.disk,
                   .start = &all,
                   .os = &os,
                   .ctx = &s,
                   .run = rotate_all,
                   .judge = judge_all,
                   .commit = commit};
    t = hunt(&c, &thorough);
    hunt_tell("five rotations side by side", &t, false);
    catches(c, leave_out, shared, "no shared barrier between envelopes and superblocks");
    catches(c, leave_out, 2 * shared, "no shared barrier at the commit");
    catches(c, leave_out, 4 * shared, "no shared barrier at the end");
    catches(c, superblocks_first, 0, "the superblocks before the envelopes");
    image_wipe(&all);
    subject_remove(&s);
    return hunt_end();
}
