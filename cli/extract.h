/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_EXTRACT_H
#define COF_CLI_EXTRACT_H

/* Which files of a backup are restored, where to and how: the options of restore for them. */

#include "option.h"
#include "report.h"

#include <coffer/tree.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct cli_extract_args {
    const char *directory, *strip;
    cli_list exclude;
    bool to_stdout;
    bool same_owner, no_same_owner, numeric_owner, no_same_permissions;
    bool skip_old_files, keep_going;
} cli_extract_args;

#define CLI_EXTRACT_OPTIONS(a)                                                                     \
    {.letter = 'C',                                                                                \
     .name = "directory",                                                                          \
     .arg = "DIR",                                                                                 \
     .value = &(a).directory,                                                                      \
     .group = "where",                                                                             \
     .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                                   \
     .help = "restore files into this directory"},                                                 \
        {.name = "stdout",                                                                         \
         .flag = &(a).to_stdout,                                                                   \
         .group = "where",                                                                         \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "write the contents of the files to standard output"},                            \
        {.name = "strip-components",                                                               \
         .arg = "N",                                                                               \
         .value = &(a).strip,                                                                      \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "leave out the first N parts of each name"},                                      \
        {.name = "exclude",                                                                        \
         .arg = "PATTERN",                                                                         \
         .list = &(a).exclude,                                                                     \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "leave out what matches, as in backup; may be repeated"},                         \
        {.name = "skip-old-files",                                                                 \
         .flag = &(a).skip_old_files,                                                              \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "leave what is there already as it is"},                                          \
        {.name = "keep-going",                                                                     \
         .flag = &(a).keep_going,                                                                  \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "leave out what is damaged or cannot be put in its place, name it, and restore "  \
                 "the rest"},                                                                      \
        {.name = "same-owner",                                                                     \
         .flag = &(a).same_owner,                                                                  \
         .group = "owner",                                                                         \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "give files their owner and group (the default for root)"},                       \
        {.name = "no-same-owner",                                                                  \
         .flag = &(a).no_same_owner,                                                               \
         .group = "owner",                                                                         \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "the files are to be yours (the default for others)"},                            \
        {.name = "numeric-owner",                                                                  \
         .flag = &(a).numeric_owner,                                                               \
         .rules = CLI_OPT_ASKED,                                                                   \
         .help = "find owners by number, not by name"},                                            \
    {                                                                                              \
        .name = "no-same-permissions", .flag = &(a).no_same_permissions, .rules = CLI_OPT_ASKED,   \
        .help = "take away the permissions that the umask forbids"                                 \
    }

/* Are files to be restored, not a stream? */
bool cli_extract_asked(const cli_extract_args *args);

/*
 * Check the options; paths are the operands behind the backup.  The strings of out live as long as
 * args and the process.  COF_USAGE.
 */
cof_status cli_extract_load(cof_extract_options *out, const cli_extract_args *args,
                            const cli_list *operands, bool force, bool json,
                            cof_error *err) COF_MUST_USE;

/* Do it: into the directory, or to standard output. */
cof_status cli_extract_run(cof_extract_result *out, cof_reader *reader,
                           const cof_extract_options *options, cof_error *err) COF_MUST_USE;

/* "DIR: 12 files, 3 directories, 5.2 GiB, 14 s, " before the origin of the backup. */
void cli_extract_show(FILE *out, const char *target, const cof_extract_result *result,
                      uint64_t time);

void cli_extract_json(json_t *object, const char *target, const cof_extract_result *result);

#endif
