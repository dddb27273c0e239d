/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_EFFORT_H
#define COF_CLI_EFFORT_H

/* How many threads are to work, and where the time went. */

#include "option.h"

#include <coffer/report.h>
#include <jansson.h>
#include <stdio.h>

typedef struct cli_effort_args {
    const char *jobs;
    bool stats;
} cli_effort_args;

#define CLI_EFFORT_OPTIONS(a)                                                                      \
    {.letter = 'j',                                                                                \
     .name = "jobs",                                                                               \
     .arg = "N",                                                                                   \
     .value = &(a).jobs,                                                                           \
     .help = "threads that work at once, 1 to 64; by default as many as there are processors"},    \
    {                                                                                              \
        .name = "stats", .flag = &(a).stats, .rules = CLI_OPT_ASKED,                               \
        .help = "print the time and the bytes of each stage of the work to standard error"         \
    }

/* *jobs: 0 where nothing was asked for.  COF_USAGE. */
cof_status cli_effort_read(unsigned *jobs, const cli_effort_args *args, cof_error *err);

/* What is to be filled in, or NULL: nobody asked. */
cof_stats *cli_effort_stats(const cli_effort_args *args, cof_stats *stats);

/* A line for each stage, if that was asked for; time is that of the whole, in nanoseconds. */
void cli_effort_show(const cli_effort_args *args, const cof_stats *stats, uint64_t time);

#endif
