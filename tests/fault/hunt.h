/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_FAULT_HUNT_H
#define COF_TESTS_FAULT_HUNT_H

/*
 * Hunting for the image that loses a backup.
 *
 * A change is recorded once; every image that loss of power may leave meanwhile is judged.  From
 * each that is not at rest the next writer goes on, and loses power too; from each that is left
 * when the process is killed and the machine runs on, he goes on with what was not durable yet, and
 * loses power then.
 */

#include "os/os.h"
#include "storage.h"

typedef enum side {
    SIDE_LOST,
    SIDE_BEFORE, /* as if the change had never begun */
    SIDE_AFTER   /* as if it had been completed */
} side;

typedef struct verdict {
    side side;
    bool at_rest;    /* nothing is left to be done, and nothing to be found that should be gone */
    const char *why; /* static storage: what is wrong, if anything is */
} verdict;

typedef struct scenario {
    const char *dir;    /* where it happens: holds files only */
    const image *start; /* what is there before */
    const cof_os *os;   /* what lies below the recorder; NULL: the real system */
    void *ctx;

    /* The change, and the same again by whoever comes next; whether it says that all is well. */
    bool (*run)(void *ctx);
    /* A writer who has nothing of his own to do on this side; NULL: nothing is ever pending. */
    bool (*settle)(void *ctx, side at);
    verdict (*judge)(void *ctx, const image *i);

    /* After how many operations of run only SIDE_AFTER is right; NULL: after all of them. */
    size_t (*commit)(const op_log *log);

    /* A fault: changes what was recorded before it is believed.  NULL: none. */
    void (*plant)(op_log *log, bool finishing);
} scenario;

/* How thorough.  0 of so many: none. */
typedef struct effort {
    budget first;    /* the change itself */
    budget finisher; /* each run that goes on after loss of power */
    budget killed;   /* each run that goes on after a kill */
    size_t deeper;   /* of so many new images of those runs, one is gone on from once more */
    size_t again;    /* of so many images that are not at rest, the change is done again on one */
} effort;

/* The first; the second where there is time, which FAULT_THOROUGH in the environment says. */
const effort *hunt_effort(const effort *usual, const effort *thorough);

typedef struct tally {
    uint64_t images, distinct;
    uint64_t unfinished; /* distinct ones that were not at rest, and from which somebody went on */
    uint64_t killed;     /* moments of a kill from which somebody went on */
    uint64_t lost;
    char first[200]; /* the first that was lost */
} tally;

tally hunt(const scenario *s, const effort *e);

/* One line of TAP: right if nothing (or, with `planted`, something) was lost. */
void hunt_tell(const char *what, const tally *t, bool planted);
/* Any other line. */
void hunt_say(bool good, const char *what);
/* The end of TAP; the exit status. */
int hunt_end(void);

#endif
