/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_EVIDENCE_H
#define COF_CLI_EVIDENCE_H

/*
 * What --report FILE writes: evidence for an auditor, one JSON object for each backup, a line each,
 * at the end of a file that is only ever added to.  A line is on the disk before the next backup,
 * or the next batch of them, is looked at.
 */

#include "report.h"

#include <coffer/error.h>
#include <coffer/reader.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct cli_evidence {
    int fd;           /* -1: none is asked for */
    const char *path; /* borrowed */
} cli_evidence;

#define CLI_EVIDENCE_NONE                                                                          \
    {                                                                                              \
        -1, NULL                                                                                   \
    }

#define CLI_EVIDENCE_OPTION(a)                                                                     \
    {                                                                                              \
        .name = "report", .arg = "FILE", .value = &(a), .rules = CLI_OPT_ASKED,                    \
        .help = "append one JSON object for each backup to this file, as evidence of what was "    \
                "done and found"                                                                   \
    }

/*
 * Open or create (mode 0600) the file; path NULL: none is asked for.  COF_IO; COF_USAGE: it is no
 * regular file, or holds something else.  Close it in any case.
 */
cof_status cli_evidence_open(cli_evidence *out, const char *path, cof_error *err) COF_MUST_USE;
void cli_evidence_close(cli_evidence *evidence);

/* An object with the moment, the tool, the verb and the path; for the caller to add to. */
json_t *cli_evidence_new(const char *verb, const char *path);

/* What is known of a backup that was opened. */
void cli_evidence_describe(json_t *object, const cof_info *info);

/*
 * Complete an object with the result and the warnings, write it, and release it.  To be called
 * before cli_report_end.  Says a sentence where it cannot be written, and returns the exit status
 * for that.
 */
int cli_evidence_add(const cli_evidence *evidence, json_t *object, const cli_report *report,
                     cof_status st, const cof_error *err);

/* The same in two steps, so that many lines share a sync; both return an exit status as above. */
int cli_evidence_put(const cli_evidence *evidence, json_t *object, const cli_report *report,
                     cof_status st, const cof_error *err);
int cli_evidence_sync(const cli_evidence *evidence);

#endif
