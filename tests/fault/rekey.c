/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is there always the old backup or the new one, whole, whenever power is lost while one is rekeyed
 * in its place, or the process is killed (RK-4)?  Does the next run remove what was left?  And does
 * the harness see it when it would be otherwise?
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

static bool rekey(const subject *s, const cof_certs *recipients)
{
    const cof_rekey_options o = {.path = s->path,
                                 .trust = s->everybody,
                                 .keys = s->all_keys,
                                 .signer = s->custodian,
                                 .recipients = recipients};
    cof_rekey_result result = {.changed = false};
    cof_status st = cof_rekey(&o, &result, NULL);

    cof_rekey_result_wipe(&result);
    return st == COF_OK;
}

static bool to_new(void *ctx)
{
    const subject *s = ctx;

    return rekey(s, s->kit.other);
}

static kit_outcome try_with(const subject *s, cof_keyring *keys)
{
    kit k = s->kit; /* shares all but the path, the key and the trust */

    memcpy(k.path, s->path, sizeof(k.path));
    k.keys = keys;
    k.trust = s->everybody;
    return kit_try(&k, true);
}

static verdict judge(void *ctx, const image *i)
{
    const subject *s = ctx;
    kit_outcome old, new, *opened;
    size_t len;

    if (image_find(i, s->name, &len) == NULL)
        return (verdict){SIDE_LOST, false, "the backup is gone"};
    record_lay(s->disk, i);
    old = try_with(s, s->old_keys);
    new = try_with(s, s->new_keys);
    opened = old.status == COF_OK ? &old : &new;
    if (opened->status != COF_OK || !opened->same || opened->damaged > 0 || opened->pending)
        return (verdict){SIDE_LOST, false, "half a backup has the name"};
    if (old.status == COF_OK && new.status == COF_OK)
        return (verdict){SIDE_LOST, false, "it opens with the old key and with the new one"};
    return (verdict){opened == &old ? SIDE_BEFORE : SIDE_AFTER,
                     i->name_count == s->start.name_count,
                     i->name_count == s->start.name_count ? NULL : "something unfinished is left"};
}

static tally hunt_for(subject *s, void (*plant)(op_log *log, bool finishing))
{
    static const effort thorough = {{8, 64}, {0, 0}, {0, 0}, 0, 0};
    const scenario c = {.dir = s->disk,
                        .start = &s->start,
                        .ctx = s,
                        .run = to_new,
                        .judge = judge,
                        .plant = plant};

    return hunt(&c, &thorough);
}

/* ---- whoever comes next ---- */

/* What a process has left that was killed after so many operations: does the same command finish
 * it? */
static bool finishes(subject *s, const op_log *log, size_t done)
{
    storage left = {.pending_count = 0};
    image seen, after;
    verdict v;
    bool good;

    image_copy(&left.durable, &s->start);
    for (size_t i = 0; i < done; i++)
        storage_do(&left, &log->ops[i]);
    storage_see(&seen, &left);
    record_lay(s->disk, &seen);
    good = to_new(s);
    record_read(&after, s->disk);
    v = judge(s, &after);
    image_wipe(&seen);
    image_wipe(&after);
    storage_wipe(&left);
    return good && v.side == SIDE_AFTER && v.at_rest;
}

static void goes_on(subject *s)
{
    op_log *log = calloc(1, sizeof(*log));
    bool good = log != NULL;
    char what[80];

    record_lay(s->disk, &s->start);
    record_start(log, s->disk, &s->start, NULL);
    good = to_new(s) && good;
    good = record_stop() && good;
    for (size_t i = 0; good && i <= log->count; i++)
        good = finishes(s, log, i);
    snprintf(what, sizeof(what), "killed at each of %zu moments, the same command finishes it",
             log->count);
    hunt_say(good, what);
    op_log_wipe(log);
    free(log);
}

/* ---- with faults ---- */

static op_kind victim;

static void leave_out(op_log *log, bool finishing)
{
    (void)finishing;
    for (size_t i = log->count; i-- > 0;)
        if (log->ops[i].kind == victim)
            op_log_remove(log, i);
}

static void catches(subject *s, op_kind which, const char *what)
{
    tally t;

    victim = which;
    t = hunt_for(s, leave_out);
    hunt_tell(what, &t, true);
}

static void survives(subject *s, const char *what)
{
    tally t = hunt_for(s, NULL);

    hunt_tell(what, &t, false);
    goes_on(s);
}

int main(void)
{
    subject one, three;

    subject_make(&one, 0, false);
    survives(&one, "a rekey in place");
    catches(&one, OP_SYNC, "planted: the name before the bytes are on the disk");
    catches(&one, OP_SYNC_NAMES, "planted: success before the name is on the disk");
    subject_remove(&one);
    subject_make(&three, 0, true);
    survives(&three, "a rekey of three volumes in place");
    catches(&three, OP_SYNC_NAMES, "planted: the first has its name before the others are sure to");
    subject_remove(&three);
    return hunt_end();
}
