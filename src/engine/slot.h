/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_SLOT_H
#define COF_ENGINE_SLOT_H

/* What an envelope is worth that no superblock vouches for (FORMAT.md, EN-5). */

#include "engine/locks.h"

/*
 * May the envelope in this slot be believed for what it says itself?  With a trust set, only if a
 * trusted custodian signed it.
 *
 * COF_FORMAT: it is damaged, whoever might be trusted.  COF_AUTH: it is signed by somebody who is
 * not trusted here, or contradicts itself.  COF_UNSUPPORTED: it may be one of a newer version.
 * COF_NOMEM.  *out is then empty; else the caller wipes it, and it borrows the slot.
 */
cof_status cof_slot_weigh(cof_locks *out, cof_slice slot, const cof_preamble *preamble,
                          const uint8_t core[32], const cof_trust *trust,
                          cof_error *err) COF_MUST_USE;

/*
 * EN-5: is b to be preferred to a?  Both are believable.  COF_AUTH: two lists of one generation.
 */
cof_status cof_slot_prefer_second(bool *out, const cof_locks *a, const cof_locks *b,
                                  cof_error *err) COF_MUST_USE;

#endif
