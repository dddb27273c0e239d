/* SPDX-License-Identifier: Apache-2.0 */

/* What is expected of each image, and who goes on from it. */

#include "hunt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define KNOWN (UINT64_C(1) << 18)
#define PAGE  4096

typedef struct known {
    uint64_t hash; /* 0: a free place */
    verdict verdict;
} known;

typedef struct hunting {
    const scenario *s;
    const effort *e;
    known *known;
    tally t;
} hunting;

/* One recorded run, and what has to be true of the images of it. */
typedef struct watch {
    hunting *h;
    const char *who;
    size_t count; /* of operations: after these it had returned */
    side want;    /* the only right side ... */
    size_t from;  /* ... after so many operations */
    size_t every; /* of so many new images that are not at rest, one is gone on from; 0: of none */
    size_t met;   /* of these */
} watch;

/* A run that goes on from somewhere. */
typedef struct run {
    const char *who;
    budget budget;
    size_t every; /* as above */
    bool killed;  /* once it is known, it is killed in its turn */
} run;

/* ---- judging ---- */

static const verdict *judge(hunting *h, const image *i, bool *fresh)
{
    uint64_t hash = image_hash(i) | 1, at = hash >> 8 & (KNOWN - 1);

    while (h->known[at].hash != 0 && h->known[at].hash != hash)
        at = (at + 1) & (KNOWN - 1);
    *fresh = h->known[at].hash == 0;
    if (!*fresh)
        return &h->known[at].verdict;
    if (++h->t.distinct > KNOWN / 2)
        abort();
    h->known[at].hash = hash;
    h->known[at].verdict = h->s->judge(h->s->ctx, i);
    return &h->known[at].verdict;
}

static void lose(hunting *h, const char *who, size_t done, const char *why)
{
    if (h->t.lost++ == 0)
        snprintf(h->t.first, sizeof(h->t.first), "%s, after %zu operations: %s", who, done, why);
}

static void expect(const watch *w, const verdict *v, size_t done)
{
    if (v->side == SIDE_LOST)
        lose(w->h, w->who, done, v->why);
    else if (done >= w->from && v->side != w->want)
        lose(w->h, w->who, done,
             w->want == SIDE_AFTER ? "undone after it was to be for good"
                                   : "changed by who had nothing to do");
    else if (done == w->count && !v->at_rest)
        lose(w->h, w->who, done, v->why != NULL ? v->why : "not at rest after it had returned");
}

/* ---- running ---- */

static bool act(const scenario *s, bool settle, side at)
{
    return settle ? s->settle(s->ctx, at) : s->run(s->ctx);
}

/* Do it on a directory in this state, in which a judge finds this side. */
static void record(hunting *h, op_log *log, const storage *on, bool settle, side at, bool finishing)
{
    image seen;
    bool good, explained;

    storage_see(&seen, on);
    record_lay(h->s->dir, &seen);
    record_start(log, h->s->dir, &seen, h->s->os);
    good = act(h->s, settle, at);
    explained = record_stop();
    image_wipe(&seen);
    if (!good)
        lose(h, "the writer", 0, "refused to work");
    if (!explained)
        lose(h, "the recorder", 0, "does not know all that was done");
    if (h->s->plant != NULL)
        h->s->plant(log, finishing);
}

static size_t commit_of(const scenario *s, const op_log *log)
{
    return s->commit != NULL ? s->commit(log) : log->count;
}

static void meet(void *ctx, const image *i, size_t done);
static void kill_everywhere(hunting *h, const storage *begin, const op_log *log, size_t sure,
                            bool again);

/* Go on from a state in which a judge finds `at`; `sure`: not by luck, but whatever is lost. */
static void go_on(hunting *h, const storage *on, bool settle, side at, bool sure, run how)
{
    op_log *log = calloc(1, sizeof(*log));
    watch w = {.h = h, .who = how.who, .every = how.every};

    if (log == NULL)
        abort();
    record(h, log, on, settle, at, true);
    w.count = log->count;
    w.want = settle ? at : SIDE_AFTER;
    w.from = settle ? log->count : commit_of(h->s, log);
    if (sure && (settle || at == SIDE_AFTER))
        w.from = 0;
    storage_crashes(on, log, how.budget, meet, &w);
    if (how.killed)
        kill_everywhere(h, on, log, sure ? 0 : log->count, false);
    op_log_wipe(log);
    free(log);
}

static void finish(hunting *h, const image *i, side at, bool first)
{
    const run settle = {"the next writer", h->e->finisher, first ? h->e->deeper : 0, false};
    const run again = {"the same change again", {0, 0}, 0, false};
    storage s = {.pending_count = 0};

    h->t.unfinished++;
    image_copy(&s.durable, i);
    go_on(h, &s, true, at, true, settle);
    if (h->e->again != 0 && h->t.unfinished % h->e->again == 0)
        go_on(h, &s, false, at, true, again);
    storage_wipe(&s);
}

static void meet(void *ctx, const image *i, size_t done)
{
    watch *w = ctx;
    bool fresh;
    verdict v = *judge(w->h, i, &fresh);

    w->h->t.images++;
    expect(w, &v, done);
    if (fresh && v.side != SIDE_LOST && !v.at_rest && w->every != 0 && w->met++ % w->every == 0)
        finish(w->h, i, v.side, w->every == 1);
}

/* ---- kills ---- */

/*
 * The process is gone, the machine runs on: whoever comes next sees all that was done.  With again,
 * he is killed as well.
 */
static void killed(hunting *h, const storage *s, bool sure, bool again)
{
    const run settle = {"the next writer after a kill", h->e->killed, h->e->deeper, again};
    const run change = {"the same change again after a kill", h->e->killed, h->e->deeper, false};
    image seen;
    bool fresh;
    side at;

    storage_see(&seen, s);
    at = judge(h, &seen, &fresh)->side;
    image_wipe(&seen);
    h->t.killed++;
    if (at == SIDE_LOST)
        return; /* counted where it was met */
    go_on(h, s, true, at, sure, settle);
    if (again)
        go_on(h, s, false, at, sure, change);
}

/* Killed in the middle of a write: it may have got to the end of any page. */
static void kill_inside(hunting *h, const storage *s, const op *what, bool sure, bool again)
{
    for (size_t len = PAGE; what->kind == OP_WRITE && len < what->len; len += PAGE) {
        storage part;
        op begun = *what;

        begun.len = len;
        storage_copy(&part, s);
        storage_do(&part, &begun);
        killed(h, &part, sure, again);
        storage_wipe(&part);
    }
}

/* A run that begins in this state; after `sure` operations of it no luck is needed any more. */
static void kill_everywhere(hunting *h, const storage *begin, const op_log *log, size_t sure,
                            bool again)
{
    storage s;

    storage_copy(&s, begin);
    for (size_t i = 0; i < log->count; i++) {
        killed(h, &s, i >= sure, again);
        kill_inside(h, &s, &log->ops[i], i >= sure, again);
        storage_do(&s, &log->ops[i]);
    }
    killed(h, &s, log->count >= sure, again);
    storage_wipe(&s);
}

/* ---- all of it ---- */

const effort *hunt_effort(const effort *usual, const effort *thorough)
{
    return getenv("FAULT_THOROUGH") != NULL ? thorough : usual;
}

tally hunt(const scenario *s, const effort *e)
{
    hunting h = {.s = s, .e = e, .known = calloc(KNOWN, sizeof(known))};
    storage begin = {.pending_count = 0};
    op_log *log = calloc(1, sizeof(*log));
    watch w = {.h = &h, .who = "the change", .want = SIDE_AFTER, .every = s->settle != NULL};

    if (h.known == NULL || log == NULL)
        abort();
    image_copy(&begin.durable, s->start);
    record(&h, log, &begin, false, SIDE_BEFORE, false);
    w.count = log->count;
    w.from = commit_of(s, log);
    storage_crashes(&begin, log, e->first, meet, &w);
    if (s->settle != NULL)
        kill_everywhere(&h, &begin, log, w.from, true);
    storage_wipe(&begin);
    op_log_wipe(log);
    free(log);
    free(h.known);
    return h.t;
}

/* ---- TAP ---- */

static int said, bad;

void hunt_say(bool good, const char *what)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++said, what);
    fflush(stdout);
    bad += !good;
}

void hunt_tell(const char *what, const tally *t, bool planted)
{
    char line[400];

    snprintf(line, sizeof(line),
             "%s: %" PRIu64 " images, %" PRIu64 " distinct, %" PRIu64 " unfinished, %" PRIu64
             " kills, %" PRIu64 " lost",
             what, t->images, t->distinct, t->unfinished, t->killed, t->lost);
    hunt_say((t->lost > 0) == planted && t->images > 0, line);
    if (t->lost > 0)
        printf("# the first: %s\n", t->first);
}

int hunt_end(void)
{
    printf("1..%d\n", said);
    return bad != 0;
}
