/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does the harness see it when a rotation would lose a backup?  Each fault is planted into what was
 * recorded of a rotation that is right, so that no door for it has to be in the product.
 */

#include "hunt.h"
#include "subject.h"

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
    static const effort brief = {{4, 8}, {4, 2}, {4, 8}, 0, 0};
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

    subject_make(&s, 0, false);
    catches(&s, leave_out, 2, "no fsync between envelope and superblock");
    catches(&s, leave_out, 4, "no fsync at the commit");
    catches(&s, leave_out, 8, "no fsync at the end");
    catches(&s, superblock_first, 0, "the superblock before the envelope");
    catches(&s, leave_out, 5, "the old slot is not wiped");
    catches(&s, finish_at_once, 0, "finishing without an fsync first");
    subject_remove(&s);
    return hunt_end();
}
