/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_TARGET_H
#define COF_CLI_TARGET_H

/*
 * The backups that a verb works on: files, all backups in a directory, or "-" for a pipe.  One bad
 * one never stops the others.
 */

#include "option.h"

#include <coffer/reader.h>
#include <stdbool.h>

typedef struct cli_targets {
    char **path; /* owned, each one too */
    size_t count;
} cli_targets;

/*
 * Expand operands into files.  Those that lead nowhere are reported, and as JSON on standard output
 * too when json is set; returns the gravest exit status.  Start from zeros, end with wipe.
 */
int cli_targets_find(cli_targets *out, const cli_list *operands, bool json);
void cli_targets_wipe(cli_targets *targets);

/* Whether an operand is "-": then standard input is the data. */
bool cli_targets_read_stdin(const cli_list *operands);

/*
 * Where a reader finds its backup: options->path or input_fd.  COF_USAGE where it would be read
 * from a terminal.
 */
cof_status cli_target_open(cof_open_options *options, const char *target,
                           cof_error *err) COF_MUST_USE;

/* Refuse to write bytes onto somebody's screen.  COF_USAGE. */
cof_status cli_refuse_terminal(int fd, const char *what, cof_error *err) COF_MUST_USE;

#endif
