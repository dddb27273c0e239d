/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_REPORT_H
#define COFFER_REPORT_H

/* How long-running work tells its caller what it does.  The library itself prints nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COF_TOTAL_UNKNOWN UINT64_MAX

typedef struct cof_report {
    /*
     * Called now and then (at least once per record) with the bytes handled so far and the total,
     * COF_TOTAL_UNKNOWN where nobody can know.  Return true to go on, false to stop: the work then
     * ends with COF_CANCELLED and leaves nothing half-made.  May be NULL.
     */
    bool (*progress)(void *ctx, uint64_t done, uint64_t total);

    /*
     * Called for everything that is not an error but needs somebody's action (a damaged redundant
     * copy, a bad custody verdict, an expired recipient left out): one sentence, safe for a
     * terminal, valid during the call only.  May be NULL.
     */
    void (*warn)(void *ctx, const char *sentence);

    void *ctx; /* handed to both */
} cof_report;

#ifdef __cplusplus
}
#endif

#endif
