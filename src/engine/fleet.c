/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rotating many.
 *
 * In a batch each backup is prepared on its own, several at once, which takes processors; then all
 * of them go through the steps of a change together, which takes the disk.  Order of writes and
 * barriers is that of change.c for each of them: no barrier of another one is ever in the way, and
 * one too many does no harm.
 *
 * No deadlock: a lock is waited for only by who holds none.  What is in use meanwhile is put off to
 * the end, where each stands alone.
 */

#include <coffer/rotate.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "engine/lock.h"
#include "engine/rotation.h"
#include "os/barrier.h"
#include "os/os.h"
#include "os/threads.h"

#define BATCH_MAX ((size_t)256) /* backups: each is an open file */
#define BATCH_HELD                                                                                 \
    ((size_t)64 << 20) /* bytes that wait for a barrier; one more may come on top                  \
                        */
#define NOTES_MAX 64   /* sentences about one backup */

typedef struct member {
    size_t index; /* of its path */
    cof_rotation rotation;
    cof_rotate_result result;
    cof_status st;
    cof_error err;
    char *notes[NOTES_MAX]; /* owned */
    size_t note_count;
    uint64_t begun;
} member;

/* A backup that was in use. */
typedef struct put_off {
    size_t index;
    uint64_t since;
} put_off;

typedef struct fleet {
    const cof_rotate_options *options;
    const cof_rotate_many *many;
    unsigned jobs;
    member *members; /* BATCH_MAX of them */
    cof_barrier_item *items;
    size_t count; /* of members in this batch */
    size_t done;  /* outcomes told */
    put_off *later;
    size_t later_count;
    bool again; /* this batch is one of those put off, alone */

    /* While threads prepare: */
    size_t most; /* members that there may be */
    atomic_size_t next, held;
} fleet;

/* ---- preparing ---- */

static void keep_note(void *ctx, const char *sentence)
{
    member *m = ctx;

    if (m->note_count < NOTES_MAX && (m->notes[m->note_count] = strdup(sentence)) != NULL)
        m->note_count++;
}

static size_t size_of(const member *m)
{
    return cof_change_size(&m->rotation.change) +
           (m->result.recipient_count + m->result.removed_count) * sizeof(cof_cert_info);
}

static void prepare(const fleet *f, member *m, uint64_t deadline)
{
    cof_rotate_options options = *f->options;

    options.path = f->many->paths[m->index];
    options.report = (cof_report){.warn = keep_note, .ctx = m};
    m->begun = cof_clock_monotonic_ns();
    m->st = cof_rotation_prepare(&m->rotation, &options, deadline, &m->result, &m->err);
}

static void prepare_some(void *ctx)
{
    fleet *f = ctx;
    size_t i;

    while (atomic_load(&f->held) < BATCH_HELD && (i = atomic_fetch_add(&f->next, 1)) < f->most) {
        prepare(f, &f->members[i], 0);
        atomic_fetch_add(&f->held, size_of(&f->members[i]));
    }
}

/* As many of the paths from `first` on as a batch holds. */
static void prepare_batch(fleet *f, size_t first)
{
    f->most = cof_min_size(BATCH_MAX, f->many->count - first);
    for (size_t i = 0; i < f->most; i++)
        f->members[i] = (member){.index = first + i, .rotation = {.change = COF_CHANGE_INIT}};
    atomic_store(&f->next, 0);
    atomic_store(&f->held, 0);
    cof_threads_run(f->jobs, prepare_some, f);
    f->count = cof_min_size(atomic_load(&f->next), f->most);
}

/* ---- the steps, side by side ---- */

/* Whose bytes have to be durable before step `before`: the state of all is in question. */
static void choose_items(fleet *f, size_t before)
{
    for (size_t i = 0; i < f->count; i++) {
        const member *m = &f->members[i];
        bool wrote = before == 0 || cof_change_has(&m->rotation.change, before - 1);

        f->items[i].file = m->st == COF_OK && m->rotation.writes && wrote ? m->rotation.file : NULL;
    }
}

/* COF_IO: a shared one failed. */
static cof_status barrier(fleet *f, size_t before, cof_error *err)
{
    cof_status st;

    choose_items(f, before);
    st = cof_barrier(f->items, f->count, f->jobs, err);
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].failed)
            f->members[i].st = cof_change_unknown(f->items[i].file, &f->members[i].err);
    return st;
}

static void write_step(fleet *f, size_t step)
{
    for (size_t i = 0; i < f->count; i++) {
        member *m = &f->members[i];

        if (m->st == COF_OK && m->rotation.writes)
            m->st = cof_change_write(&m->rotation.change, step, m->rotation.file, &m->err);
    }
}

/*
 * A barrier that failed ends the change of those whose bytes it was about; those on other disks go
 * on to their own end, since a change is not left half done for no reason.  The first failure.
 */
static cof_status run_steps(fleet *f, cof_error *err)
{
    cof_error later = COF_ERROR_INIT;
    cof_status st = barrier(f, 0, err);

    for (size_t k = 0; k < COF_CHANGE_STEPS; k++) {
        cof_status next;

        write_step(f, k);
        next = barrier(f, k + 1, st == COF_OK ? err : &later);
        st = st == COF_OK ? next : st;
    }
    return st;
}

/* ---- outcomes ---- */

/* In use, or too many files are open: its turn comes when nothing else is held. */
static bool is_put_off(const fleet *f, const member *m)
{
    return !f->again && (m->st == COF_BUSY || (m->st == COF_IO && m->err.sys_errno == EMFILE));
}

static cof_status put_it_off(fleet *f, const member *m, cof_error *err)
{
    put_off *grown = realloc(f->later, (f->later_count + 1) * sizeof(*grown));

    if (grown == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    f->later = grown;
    f->later[f->later_count++] = (put_off){m->index, m->begun};
    return COF_OK;
}

static void tell(fleet *f, const member *m)
{
    const cof_rotate_outcome outcome = {.index = m->index,
                                        .status = m->st,
                                        .error = &m->err,
                                        .result = &m->result,
                                        .warnings = (const char *const *)m->notes,
                                        .warning_count = m->note_count};

    f->done++;
    f->many->outcome(f->many->ctx, &outcome);
}

static void member_wipe(member *m)
{
    cof_rotation_wipe(&m->rotation);
    cof_rotate_result_wipe(&m->result);
    while (m->note_count > 0)
        free(m->notes[--m->note_count]);
}

static void conclude(const fleet *f, member *m)
{
    if (m->st == COF_OK)
        m->st = cof_rotation_conclude(&m->rotation, f->many->paths[m->index], &m->result, &m->err);
    m->result.nanoseconds = cof_clock_monotonic_ns() - m->begun;
}

/* Tell what became of each, and let go of it; first of all locks, since telling takes its time. */
static cof_status end_batch(fleet *f, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t i = 0; i < f->count; i++) {
        conclude(f, &f->members[i]);
        cof_rotation_wipe(&f->members[i].rotation);
    }
    for (size_t i = 0; i < f->count; i++) {
        member *m = &f->members[i];

        if (!is_put_off(f, m))
            tell(f, m);
        else if (st == COF_OK)
            st = put_it_off(f, m, err);
        member_wipe(m);
    }
    return st;
}

static cof_status run_batch(fleet *f, cof_error *err)
{
    cof_error local = COF_ERROR_INIT;
    cof_status st = run_steps(f, err);
    cof_status ended = end_batch(f, st == COF_OK ? err : &local);

    if (st != COF_OK || (st = ended) != COF_OK)
        return st;
    if (f->many->progress != NULL && !f->many->progress(f->many->ctx, f->done, f->many->count))
        return cof_fail(err, COF_CANCELLED, "stopped on request");
    return COF_OK;
}

/* ---- all of them ---- */

/* A shared sync failed: nothing more is begun on such a disk. */
static void tell_not_begun(fleet *f, size_t index)
{
    member m = {.index = index};

    m.st = cof_fail(&m.err, COF_IO,
                    "nothing was done with this backup, since others could not be made durable");
    tell(f, &m);
}

/* Those that were in use, one by one; each is waited for until ten seconds after it was found so.
 */
static cof_status run_later(fleet *f, cof_status st, cof_error *err)
{
    size_t count = f->later_count;

    f->again = true;
    for (size_t i = 0; i < count; i++) {
        if (st != COF_OK) {
            if (st == COF_IO)
                tell_not_begun(f, f->later[i].index);
            continue;
        }
        f->count = 1;
        f->members[0] =
            (member){.index = f->later[i].index, .rotation = {.change = COF_CHANGE_INIT}};
        prepare(f, &f->members[0], f->later[i].since + COF_LOCK_PATIENCE_NS);
        st = run_batch(f, err);
    }
    return st;
}

static cof_status run_all(fleet *f, cof_error *err)
{
    cof_status st = COF_OK;
    size_t first = 0;

    while (st == COF_OK && first < f->many->count) {
        prepare_batch(f, first);
        first += f->count;
        st = run_batch(f, err);
    }
    for (; st == COF_IO && first < f->many->count; first++)
        tell_not_begun(f, first);
    return run_later(f, st, err);
}

cof_status cof_rotate_all(const cof_rotate_options *options, const cof_rotate_many *many,
                          cof_error *err)
{
    fleet f = {.options = options, .many = many};
    cof_status st = cof_rotate_options_check(options, err);

    if (st != COF_OK)
        return st;
    f.jobs = many->jobs > 0 ? many->jobs : cof_processors();
    f.members = calloc(BATCH_MAX, sizeof(*f.members));
    f.items = calloc(BATCH_MAX, sizeof(*f.items));
    if (f.members == NULL || f.items == NULL)
        st = cof_fail(err, COF_NOMEM, "out of memory");
    else
        st = run_all(&f, err);
    free(f.members);
    free(f.items);
    free(f.later);
    return st;
}
