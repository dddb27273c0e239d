/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does a rotation survive loss of power at any write, also in the run that finishes it (P7, CH-2)?
 * And does the harness see it when a rotation would not?
 */

#include "hunt.h"
#include "subject.h"

/* ---- as it is ---- */

static const effort thorough = {{12, 1024}, {6, 16}, {8, 32}, 16};

static void survives(subject *s, const char *what)
{
    const scenario c = subject_scenario(s);
    tally t = hunt(&c, &thorough);

    hunt_tell(what, &t, false);
}

/* ---- with faults ---- */

static size_t victim; /* which operation the fault is about */

static void leave_out(op_log *log, bool finishing)
{
    if (!finishing)
        op_log_remove(log, victim);
}

static void superblock_first(op_log *log, bool finishing)
{
    if (!finishing)
        op_log_swap(log, 1, 3);
}

static void finish_at_once(op_log *log, bool finishing)
{
    if (finishing)
        op_log_remove(log, 0);
}

/* The operations of a rotation are those of FORMAT.md, section 8: 0 is the first fsync. */
static void catches(subject *s, void (*plant)(op_log *log, bool finishing), size_t which,
                    const char *what)
{
    static const effort brief = {{6, 32}, {4, 4}, {6, 16}, 0};
    scenario c = subject_scenario(s);
    tally t;

    c.plant = plant;
    victim = which;
    t = hunt(&c, &brief);
    hunt_tell(what, &t, true);
}

int main(void)
{
    subject s;

    subject_make(&s, 0);
    survives(&s, "a rotation from one recipient to another");
    catches(&s, leave_out, 2, "planted: no fsync between envelope and superblock");
    catches(&s, leave_out, 4, "planted: no fsync at the commit");
    catches(&s, leave_out, 8, "planted: no fsync at the end");
    catches(&s, superblock_first, 0, "planted: the superblock before the envelope");
    catches(&s, leave_out, 5, "planted: the old slot is not wiped");
    catches(&s, finish_at_once, 0, "planted: finishing without an fsync first");
    subject_remove(&s);
    subject_make(&s, 1);
    survives(&s, "a rotation away from two recipients, with a history");
    subject_remove(&s);
    return hunt_end();
}
