/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_ERROR_H
#define COF_BASE_ERROR_H

#include <coffer/error.h>

/*
 * Record a failure and return its class, so that a failing branch is one statement:
 *
 *     if (len > COF_TAIL_MAX) {
 *         st = cof_fail_rule(err, COF_FORMAT, "TL-2", off, "the tail claims %" PRIu64 " bytes",
 * len); goto out;
 *     }
 *
 * err may be NULL.  The message is cut at the size of the field, never overrun.  Text that came
 * from outside must have been made safe with cof_text_safe() first.
 */
cof_status cof_fail(cof_error *err, cof_status status, const char *fmt, ...) COF_PRINTF(3, 4);

/* The same for a broken rule of docs/FORMAT.md, at a byte offset (or COF_NO_OFFSET). */
cof_status cof_fail_rule(cof_error *err, cof_status status, const char *rule, uint64_t offset,
                         const char *fmt, ...) COF_PRINTF(5, 6);

/* The same for a failed system call: appends ": " and the text of errno_value.  Always COF_IO. */
cof_status cof_fail_sys(cof_error *err, int errno_value, const char *fmt, ...) COF_PRINTF(3, 4);

#endif
