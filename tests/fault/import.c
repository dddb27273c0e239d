/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does an import of a head survive loss of power at any write, also in the run that finishes it,
 * and is the head that it replaces kept before anything of it is lost (IM-5)?
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hunt.h"
#include "record.h"
#include "subject.h"

#define KEPT "x.cof.generation-1.head"

typedef struct importing {
    subject s; /* first: scenarios of the subject get this as their ctx */
    char head[128], keep[128];
    bool beside;   /* what is replaced is kept in the directory under test */
    uint8_t *kept; /* what has to be in that file */
    size_t kept_len;
} importing;

static void must(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- the head that comes ---- */

static void rotate_head(const importing *m)
{
    const cof_rotate_options o = {.path = m->head,
                                  .trust = m->s.everybody,
                                  .keys = m->s.all_keys,
                                  .signer = m->s.custodian,
                                  .set = m->s.kit.other};
    cof_rotate_result result = {.changed = false};

    must(cof_rotate(&o, &result, NULL) == COF_OK && result.changed, "rotation of the head");
    cof_rotate_result_wipe(&result);
}

/* ---- the import ---- */

static bool import(void *ctx)
{
    importing *m = ctx;
    cof_import_options o = {.trust = m->s.everybody, .keys = m->s.new_keys};
    cof_import_result result = {.changed = false};
    cof_heads *heads = NULL;
    cof_status st = cof_heads_open(&heads, m->head, NULL);

    (void)unlink(m->keep); /* of the run before */
    o.heads = heads;
    o.keep = m->beside ? NULL : m->keep;
    if (st == COF_OK)
        st = cof_import(m->s.path, &o, &result, NULL);
    cof_import_result_wipe(&result);
    cof_heads_free(heads);
    return st == COF_OK;
}

/* ---- judging it ---- */

static verdict (*judge_subject)(void *ctx, const image *i);

/* The same without what lies beside the backup: the old keys are meant to be there. */
static verdict judge_alone(const importing *m, const image *i)
{
    image only = {.file_count = 0};
    size_t len;
    const uint8_t *data = image_find(i, m->s.name, &len);
    verdict v;

    if (data != NULL)
        (void)image_add(&only, m->s.name, data, len);
    v = judge_subject((void *)(uintptr_t)&m->s, &only);
    image_wipe(&only);
    return v;
}

static verdict judge(void *ctx, const image *i)
{
    const importing *m = ctx;
    verdict v = judge_alone(m, i);
    size_t len = 0;
    const uint8_t *kept = image_find(i, KEPT, &len);

    if (v.side == SIDE_AFTER &&
        (kept == NULL || len != m->kept_len || memcmp(kept, m->kept, len) != 0))
        return (verdict){SIDE_LOST, false, "the head that was replaced is not kept"};
    if (kept != NULL && (len != m->kept_len || memcmp(kept, m->kept, len) != 0))
        return (verdict){SIDE_LOST, false, "half a head is kept"};
    return v;
}

/* The head as it is kept: that of an import which nothing interrupts. */
static void learn_kept(importing *m)
{
    image after;
    const uint8_t *data;

    record_lay(m->s.disk, &m->s.start);
    must(import(m), "an import");
    record_read(&after, m->s.disk);
    data = image_find(&after, KEPT, &m->kept_len);
    must(data != NULL, "nothing is kept");
    m->kept = malloc(m->kept_len);
    must(m->kept != NULL, "memory");
    memcpy(m->kept, data, m->kept_len);
    image_wipe(&after);
}

/* ---- faults ---- */

/* What is kept gets its name before its bytes are on the disk. */
static void forget_first_sync(op_log *log, bool finishing)
{
    (void)finishing;
    for (size_t i = 0; i < log->count; i++)
        if (log->ops[i].kind == OP_SYNC) {
            op_log_remove(log, i);
            return;
        }
}

static void forget_names(op_log *log, bool finishing)
{
    (void)finishing;
    for (size_t i = log->count; i-- > 0;)
        if (log->ops[i].kind == OP_SYNC_NAMES)
            op_log_remove(log, i);
}

static void hunt_for(importing *m, void (*plant)(op_log *log, bool finishing), const effort *e,
                     const char *what)
{
    scenario c = subject_scenario(&m->s);
    tally t;

    judge_subject = c.judge;
    c.run = import;
    c.plant = plant;
    if (m->beside) {
        c.judge = judge;
        c.settle = NULL;
    }
    t = hunt(&c, e);
    hunt_tell(what, &t, plant != NULL);
}

int main(void)
{
    static const effort usual = {{10, 128}, {6, 8}, {6, 8}, 64, 64},
                        thorough = {{12, 256}, {6, 8}, {6, 16}, 16, 16};
    static const effort once = {{10, 128}, {0, 0}, {0, 0}, 0, 0};
    static importing m;

    subject_make(&m.s, 0, false);
    snprintf(m.head, sizeof(m.head), "%s/h.head", m.s.kit.dir);
    snprintf(m.keep, sizeof(m.keep), "%s/kept.head", m.s.kit.dir);
    subject_export_head(&m.s, m.head);
    rotate_head(&m);
    hunt_for(&m, NULL, hunt_effort(&usual, &thorough), "an import");
    m.beside = true;
    learn_kept(&m);
    hunt_for(&m, NULL, &once, "an import that keeps what it replaces beside it");
    hunt_for(&m, forget_first_sync, &once, "planted: what is kept is not on the disk");
    hunt_for(&m, forget_names, &once, "planted: what is kept has no name on the disk");
    free(m.kept);
    (void)unlink(m.head);
    (void)unlink(m.keep);
    subject_remove(&m.s);
    return hunt_end();
}
