/* SPDX-License-Identifier: Apache-2.0 */

/* The options about effort, and the table that --stats prints. */

#include "effort.h"

#include "human.h"
#include "say.h"

#include <inttypes.h>
#include <stdio.h>

#define JOBS_MAX 64

cof_status cli_effort_read(unsigned *jobs, const cli_effort_args *args, cof_error *err)
{
    uint64_t number = 0;
    if (args->jobs != NULL && !cli_parse_number(&number, args->jobs, 1, JOBS_MAX))
        return cli_error(err, COF_USAGE, "--jobs is a number from 1 to %d", JOBS_MAX);
    *jobs = (unsigned)number;
    return COF_OK;
}

cof_stats *cli_effort_stats(const cli_effort_args *args, cof_stats *stats)
{
    *stats = (cof_stats){.threads = 0};
    return args->stats ? stats : NULL;
}

static void show_line(const char *name, uint64_t nanoseconds, uint64_t bytes)
{
    char size[CLI_HUMAN_CAP];
    double seconds = (double)nanoseconds / 1e9;
    fprintf(stderr, "  %-10s %9.3f s", name, seconds);
    if (bytes > 0)
        fprintf(stderr, " %12s", cli_human_size(size, bytes));
    if (bytes > 0 && nanoseconds > 0)
        fprintf(stderr, " %9.0f MB/s", (double)bytes / 1e6 / seconds);
    fputc('\n', stderr);
}

void cli_effort_show(const cli_effort_args *args, const cof_stats *stats, uint64_t time)
{
    if (!args->stats)
        return;
    fprintf(stderr, "time of all %u thread%s together, by stage:\n", stats->threads,
            stats->threads == 1 ? "" : "s");
    for (unsigned i = 0; i < COF_STAGES; i++)
        if (stats->stage[i].nanoseconds > 0)
            show_line(cof_stage_name((cof_stage)i), stats->stage[i].nanoseconds,
                      stats->stage[i].bytes);
    show_line("in all", time, 0);
}
