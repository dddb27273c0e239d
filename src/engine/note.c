/* SPDX-License-Identifier: Apache-2.0 */

/* The library prints nothing; this is how it speaks. */

#include "engine/note.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

void cof_note(const cof_report *report, const char *fmt, ...)
{
    char sentence[1024];
    va_list args;

    if (report->warn == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    report->warn(report->ctx, sentence);
}

cof_status cof_tell(const cof_report *report, uint64_t done, uint64_t total, cof_error *err)
{
    if (report->progress == NULL || report->progress(report->ctx, done, total))
        return COF_OK;
    return cof_fail(err, COF_CANCELLED, "stopped on request");
}
