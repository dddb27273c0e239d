/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_APPROVALS_H
#define COF_ENGINE_APPROVALS_H

/* Who else signed a custody statement: its approvals (FORMAT.md, CU-5, CH-7). */

#include "engine/locks.h"

/* So many signatures are tried at most for the approvals of one chain. */
#define COF_APPROVALS_TRIES 4096

/*
 * The keys known here, other than its author's, that signed statement i of the chain, each once.
 * *tries is what is left of the tries, and becomes less: a head that somebody filled with
 * statements and certificates must not keep a reader busy.  *out is the caller's to free(), NULL if
 * there is none.  COF_NOMEM, COF_INTERNAL.
 */
cof_status cof_approvals_find(cof_party **out, size_t *count, const cof_locks *locks, size_t i,
                              size_t *tries, cof_error *err) COF_MUST_USE;

#endif
