/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_LATER_H
#define COF_CLI_LATER_H

/*
 * Sentences that wait until all else is printed, since among many good lines nobody would see them.
 * Where a signal ends the process before that, its handler says them.
 */

#include <stdbool.h>

/* A copy of the sentence waits from now on; false: out of memory.  From one thread only. */
bool cli_later_add(const char *sentence);

/* Say and forget all that wait, behind what was printed. */
void cli_later_say(void);

/* The same for a signal handler, which interrupts whatever the functions above are doing. */
void cli_later_interrupted(void);

#endif
