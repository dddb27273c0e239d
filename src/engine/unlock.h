/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_UNLOCK_H
#define COF_ENGINE_UNLOCK_H

/* From a private key to the data key (FORMAT.md, sections 5 and 6; KS-1, CU-6). */

#include "engine/credentials.h"
#include "engine/head.h"
#include "format/schedule.h"

/*
 * Unwrap the DEK with the first key of keys that fits a recipient, and compare the commitment.
 * The manifest that the commitment is from has been verified by the caller (OP-1).
 *
 * COF_NO_MATCH: none of the keys belongs to a recipient.  COF_AUTH: one does, but it does not open;
 * one sentence whatever failed.  Outputs are NULL on failure; *which is the recipient's index.
 */
cof_status cof_unlock(cof_secret **dek, cof_schedule **schedule, size_t *which,
                      const cof_head *head, const uint8_t commitment[32], const cof_keyring *keys,
                      cof_error *err) COF_MUST_USE;

/* CU-6: did whoever wrote the statement know the DEK? */
cof_status cof_unlock_check_proof(bool *out, const cof_schedule *schedule,
                                  const cof_custody *custody, cof_error *err) COF_MUST_USE;

#endif
