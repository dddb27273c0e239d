/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_REPORT_H
#define COF_CLI_REPORT_H

/*
 * What happens while the library works: a progress line on a terminal for whatever takes longer
 * than a second, and warnings, which are kept for JSON and for the exit status.
 *
 *     cli_report report;
 *     cli_report_begin(&report, name, quiet);
 *     options.report = cli_report_hooks(&report);
 *     st = cof_...(&options, &err);
 *     return cli_report_end(&report, st, &err);
 */

#include "human.h"
#include "option.h"

#include <coffer/error.h>
#include <coffer/report.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct cli_report {
    const char
        *path;      /* NULL, or the backup that sentences are about; borrowed, set by the caller */
    char name[128]; /* what is worked on; safe for a terminal, cut short */
    bool progress;  /* somebody is watching */
    uint64_t begun; /* on cli_clock */
    uint64_t shown_at; /* when the line was drawn last; 0: there is none */
    bool warned;
    json_t *warnings; /* the sentences, an array; owned */
    bool later;       /* the sentence of a failure waits: cli_later_say */
} cli_report;

/* name: NULL, or what the progress line is about. */
void cli_report_begin(cli_report *report, const char *name, bool quiet);

cof_report cli_report_hooks(cli_report *report); /* borrows report */

/* Something that needs somebody's action, found by the command itself. */
void cli_report_warn(cli_report *report, const char *sentence);

/* Progress over many backups: so many are done. */
void cli_report_count(cli_report *report, uint64_t done, uint64_t total);

/* Erase the progress line; the work is done, or something else is to be printed. */
void cli_report_pause(cli_report *report);

/* Nanoseconds since the beginning. */
uint64_t cli_report_time(const cli_report *report);

/*
 * Erase the progress line, print the sentence of a failure, release everything, and return the exit
 * status: that of the class; for COF_OK 0, or 9 if there was a warning.
 */
int cli_report_end(cli_report *report, cof_status st, const cof_error *err);

/* For a signal handler: put the terminal's line in order. */
void cli_report_interrupted(void);

#endif
