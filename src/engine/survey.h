/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_SURVEY_H
#define COF_ENGINE_SURVEY_H

/*
 * Looking at every byte of a body for what is not as it must be (FORMAT.md, CH-6).
 *
 * Either the records prove themselves by the root that a walk over all of them yields; then every
 * byte between them follows.  Or, where records are damaged, the INDEX frames prove what the
 * records must be; then each record is held against its entry.  Where neither does, nothing about
 * the body is proven, and nothing is noted.
 */

#include "engine/mend.h"
#include "engine/reader.h"

typedef struct cof_survey {
    cof_reader *reader; /* borrowed */
    cof_mends *mends;   /* borrowed: what is found is added */
    const cof_report *report;
    cof_tail met; /* the INDEX frames that there are, if the walk proved the records */
    bool by_walk;
} cof_survey;

/*
 * COF_OK: proven in one of the two ways, and what differs is in mends.  Otherwise the failure of
 * the walk (COF_FORMAT, COF_AUTH, COF_IO, ...), and mends are as before.  COF_CANCELLED, COF_NOMEM,
 * COF_LIMIT.  Wipe met with cof_tail_wipe.
 */
cof_status cof_survey_body(cof_survey *survey, cof_error *err) COF_MUST_USE;

/* The two copies of the closing record, once the body is proven. */
cof_status cof_survey_tail(cof_survey *survey, cof_error *err) COF_MUST_USE;

/* Superblocks of the later volumes. */
cof_status cof_survey_volumes(cof_survey *survey, cof_error *err) COF_MUST_USE;

#endif
