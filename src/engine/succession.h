/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_SUCCESSION_H
#define COF_ENGINE_SUCCESSION_H

/* Which statement follows which (FORMAT.md, CH-8, IM-2). */

#include "engine/open.h"

/*
 * CH-8: the generation of the statement that follows the newest of `opened`, whose private key has
 * been used.  COF_LIMIT: there is none.
 */
cof_status cof_succession_next(uint64_t *out, cof_opened *opened, cof_error *err) COF_MUST_USE;

typedef enum cof_succession {
    COF_SUCCESSION_NEXT, /* what is new follows what is there, perhaps with others between */
    COF_SUCCESSION_SAME, /* it is the same statement */
    COF_SUCCESSION_BACK, /* what is there follows it, and the verdict on what is there is bad */
    COF_SUCCESSION_OLDER,
    COF_SUCCESSION_FORK,    /* of the same generation, and another */
    COF_SUCCESSION_UNLINKED /* of a later one, and nothing shows that it follows */
} cof_succession;

/* IM-2: how the newest statement of `next` stands to that of `present`.  Both are sealed. */
cof_succession cof_succession_judge(const cof_opened *present, const cof_locks *next);

#endif
