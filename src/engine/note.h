/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_NOTE_H
#define COF_ENGINE_NOTE_H

#include <coffer/error.h>
#include <coffer/report.h>

/* Hand one sentence to the caller's warn callback, if there is one. */
void cof_note(const cof_report *report, const char *fmt, ...) COF_PRINTF(2, 3);

/* Tell progress; COF_CANCELLED when the caller wants to stop. */
cof_status cof_tell(const cof_report *report, uint64_t done, uint64_t total,
                    cof_error *err) COF_MUST_USE;

#endif
