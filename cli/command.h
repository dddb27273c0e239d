/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_COMMAND_H
#define COF_CLI_COMMAND_H

/* Backups of what commands write: the options, and what is said about a command. */

#include "option.h"
#include "streams.h"

#include <coffer/backup.h>
#include <stdbool.h>

typedef struct cli_command_args {
    bool run;
    const char *sqlite, *streams, *name;
    const char *min_size, *timeout;
} cli_command_args;

#define CLI_COMMAND_OPTIONS(a)                                                                     \
    {.name = "stdin-from-command",                                                                 \
     .flag = &(a).run,                                                                             \
     .group = "live",                                                                              \
     .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                                   \
     .help = "run a command, given behind --, and back up what it writes; where it fails there "   \
             "is no backup"},                                                                      \
        {.name = "sqlite",                                                                         \
         .arg = "FILE",                                                                            \
         .value = &(a).sqlite,                                                                     \
         .group = "live",                                                                          \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "a database of SQLite, while others write to it, as it was after one committed "  \
                 "transaction"},                                                                   \
        {.name = "streams",                                                                        \
         .arg = "FILE",                                                                            \
         .value = &(a).streams,                                                                    \
         .group = "live",                                                                          \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "several streams, each with a name and the command that writes it on a line of "  \
                 "FILE"},                                                                          \
        {.name = "name",                                                                           \
         .arg = "NAME",                                                                            \
         .value = &(a).name,                                                                       \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "the stream has a name, by which it is listed and restored"},                     \
        {.name = "min-size",                                                                       \
         .arg = "SIZE",                                                                            \
         .value = &(a).min_size,                                                                   \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "less than this from a command is a failure"},                                    \
    {                                                                                              \
        .name = "timeout", .arg = "TIME", .value = &(a).timeout, .rules = CLI_OPT_ASKED,           \
        .help = "a command that neither writes nor ends for so long, as in 90s, 10m or 1h, has "   \
                "failed; so has a database that is locked for so long (1m)"                        \
    }

/* What is to be backed up, where it is neither files nor standard input. */
typedef struct cli_live {
    bool run;
    const char *sqlite;  /* NULL, or a database */
    const char *name;    /* NULL, or of the only stream */
    cli_streams streams; /* of --streams */
    cof_command command; /* what is common to all commands, and the argv of the only one */
    const char *says;    /* whose standard error is shown */
    bool quiet;
} cli_live;

/* Is what is to be backed up neither files nor standard input? */
bool cli_command_asked(const cli_command_args *args);

/* Do operands and other options fit to that? */
cof_status cli_command_check(const cli_command_args *args, const cli_list *operands,
                             bool other_sources, cof_error *err) COF_MUST_USE;

/*
 * Check the options, and fill out, which must not move then; the operands are the command; quiet:
 * what it says is printed only if it fails.  What it borrows lives until the process ends.  COF_IO,
 * COF_USAGE, also where options for commands are given without one.
 */
cof_status cli_command_load(cli_live *out, const cli_command_args *args, const cli_list *operands,
                            bool quiet, cof_error *err) COF_MUST_USE;

/* Have the streams names? */
bool cli_command_named(const cli_live *live);

/* Fill a backup. */
cof_status cli_command_run(cli_live *live, cof_backup *backup, cof_error *err) COF_MUST_USE;

#endif
