/* SPDX-License-Identifier: Apache-2.0 */

/* Adding up time and bytes. */

#include "engine/stats.h"

#include "os/os.h"

const char *cof_stage_name(cof_stage stage)
{
    static const char *const names[COF_STAGES] = {
        [COF_STAGE_READ] = "read",       [COF_STAGE_COMPRESS] = "compress",
        [COF_STAGE_SEAL] = "seal",       [COF_STAGE_PROVE] = "prove",
        [COF_STAGE_DECRYPT] = "decrypt", [COF_STAGE_DECOMPRESS] = "decompress",
        [COF_STAGE_WRITE] = "write",     [COF_STAGE_WAIT] = "wait",
    };

    return (unsigned)stage < COF_STAGES ? names[stage] : "";
}

uint64_t cof_stats_now(void)
{
    return cof_clock_monotonic_ns();
}

uint64_t cof_stats_add(cof_stats *stats, cof_stage stage, uint64_t since, uint64_t bytes)
{
    uint64_t now = cof_clock_monotonic_ns();

    stats->stage[stage].nanoseconds += now - since;
    stats->stage[stage].bytes += bytes;
    return now;
}

void cof_stats_merge(cof_stats *into, const cof_stats *from)
{
    if (into == NULL)
        return;
    for (unsigned i = 0; i < COF_STAGES; i++) {
        into->stage[i].nanoseconds += from->stage[i].nanoseconds;
        into->stage[i].bytes += from->stage[i].bytes;
    }
    if (from->threads > into->threads)
        into->threads = from->threads;
}
