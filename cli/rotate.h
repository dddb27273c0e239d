/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_ROTATE_H
#define COF_CLI_ROTATE_H

/* How the results of rotations are told: one by one, and together. */

#include "report.h"

#include <coffer/rotate.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cli_rotate_outcome {
    CLI_ROTATE_CHANGED, /* or, in a dry run, would be */
    CLI_ROTATE_SKIPPED,
    CLI_ROTATE_REFUSED,
    CLI_ROTATE_OUTCOMES
} cli_rotate_outcome;

/* What happened to many backups. */
typedef struct cli_rotate_tally {
    bool dry_run;
    uint64_t begun; /* on cli_clock */
    struct {
        size_t count;
        char reason[512]; /* the first one; "" where there is none */
        bool mixed;       /* there were others */
    } of[CLI_ROTATE_OUTCOMES];
    bool removed_any; /* somebody lost access */
} cli_rotate_tally;

void cli_rotate_count(cli_rotate_tally *tally, cli_rotate_outcome outcome, const char *reason);

/* One backup, whole: everybody who can open it now, and who no longer. */
void cli_rotate_print(const char *path, const cof_rotate_result *result, bool dry_run);

/* One of many, on a line. */
void cli_rotate_print_line(const char *path, const cof_rotate_result *result, bool dry_run);

void cli_rotate_print_json(const char *path, const cof_rotate_result *result, bool dry_run,
                           const cli_report *report);

/* "4,812 changed, 188 skipped (CN=ops-2025 is no recipient), 3 refused (…), 31 s" */
void cli_rotate_print_tally(const cli_rotate_tally *tally);

/* What a rotation does not do.  Said whenever somebody was removed. */
void cli_rotate_print_reminder(const cli_rotate_tally *tally);

#endif
