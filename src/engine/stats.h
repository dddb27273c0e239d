/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_STATS_H
#define COF_ENGINE_STATS_H

/* Where the time goes.  Each thread counts for itself; at the end all is added up. */

#include <coffer/report.h>

/* Now, for one of the next two. */
uint64_t cof_stats_now(void);

/* What began then is done, with so many bytes; returns now, at which the next stage begins. */
uint64_t cof_stats_add(cof_stats *stats, cof_stage stage, uint64_t since, uint64_t bytes);

/* Add what another thread has counted.  into may be NULL: nobody wants to know. */
void cof_stats_merge(cof_stats *into, const cof_stats *from);

#endif
