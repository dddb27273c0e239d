/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_ENDING_H
#define COF_ENGINE_ENDING_H

/*
 * The end of a body: two copies of the tail, each with its trailer, in the last volume (FORMAT.md,
 * section 3.6).
 */

#include <coffer/report.h>

#include "format/tail.h"
#include "store/body.h"

typedef struct cof_ending {
    bool found;      /* a usable copy */
    uint32_t volume; /* where it was looked for */
    cof_buf raw;     /* the payload */
    cof_tail tail;
    uint64_t first; /* body offset of the first TAIL frame */
} cof_ending;

#define COF_ENDING_INIT                                                                            \
    {                                                                                              \
        .found = false                                                                             \
    }

/*
 * Find a usable tail in that volume: by the trailer at the end of the file, else, if the place of
 * the first copy is known (hint, else COF_NO_OFFSET), there, else by walking the frames.  Not
 * finding one is not a failure (TL-4): found is then false.  COF_IO, COF_NOMEM.  The caller wipes
 * *out.
 */
cof_status cof_ending_find(cof_ending *out, cof_body *body, uint32_t volume, uint32_t epoch,
                           uint64_t hint, cof_error *err) COF_MUST_USE;

/* The same by the trailer at the end of the file only. */
cof_status cof_ending_find_last(cof_ending *out, cof_body *body, uint32_t volume, uint32_t epoch,
                                cof_error *err) COF_MUST_USE;

void cof_ending_wipe(cof_ending *ending);

/*
 * TL-3: compare what follows the body's content (from `first` on) with what must stand there: both
 * copies, both trailers, and the end of the file.  A damaged or missing copy is told to report and
 * counted in *damaged; bytes behind the end are COF_FORMAT (GE-3).
 */
cof_status cof_ending_check(const cof_ending *ending, cof_body *body, uint64_t first,
                            const cof_report *report, size_t *damaged, cof_error *err) COF_MUST_USE;

/* Append the end of a backup: TAIL, trailer, TAIL, trailer, for a first TAIL frame at `first`. */
cof_status cof_ending_emit(cof_buf *out, uint64_t first, cof_slice payload,
                           cof_error *err) COF_MUST_USE;

#endif
