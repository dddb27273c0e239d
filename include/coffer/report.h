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

/* What is done with a record, or between two of them. */
typedef enum cof_stage {
    COF_STAGE_READ,     /* getting the content of a backup from its source */
    COF_STAGE_COMPRESS, /* bytes: before */
    COF_STAGE_SEAL,     /* encrypting and hashing */
    COF_STAGE_PROVE,    /* reading a backup, and hashing */
    COF_STAGE_DECRYPT,
    COF_STAGE_DECOMPRESS, /* bytes: afterwards */
    COF_STAGE_WRITE,      /* what was made: records of a backup, or what is restored from it */
    COF_STAGE_WAIT        /* of the thread that reads or writes, for the others */
} cof_stage;

#define COF_STAGES 8

typedef struct cof_stage_stats {
    uint64_t nanoseconds, bytes;
} cof_stage_stats;

/* Times of several threads are added up, so their sum may be more than the time that has passed. */
typedef struct cof_stats {
    unsigned threads; /* that worked beside the caller's; 1: the caller's alone */
    cof_stage_stats stage[COF_STAGES];
} cof_stats;

/* "read", "compress", ...; static storage. */
const char *cof_stage_name(cof_stage stage);

#ifdef __cplusplus
}
#endif

#endif
