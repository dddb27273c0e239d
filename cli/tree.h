/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_TREE_H
#define COF_CLI_TREE_H

/* Which files a backup is made of: the options, and the lists that they name. */

#include "option.h"

#include <coffer/backup.h>
#include <stdbool.h>

typedef struct cli_tree_args {
    cli_list exclude, exclude_files;
    cli_list sources; /* filled by cli_tree_load(); lives as long as the process */
    const char *files_from, *files_from0;
    bool exclude_caches, one_file_system, strict;
} cli_tree_args;

#define CLI_TREE_OPTIONS(a)                                                                        \
    {.name = "exclude",                                                                            \
     .arg = "PATTERN",                                                                             \
     .list = &(a).exclude,                                                                         \
     .help = "leave out what matches, as in '*.o', 'cache/', '/home/*/.cache' or '**/tmp/*.log'; " \
             "may be repeated"},                                                                   \
        {.name = "exclude-file",                                                                   \
         .arg = "FILE",                                                                            \
         .list = &(a).exclude_files,                                                               \
         .help = "such patterns, one a line; empty lines and those that begin with # do not "      \
                 "count"},                                                                         \
        {.name = "exclude-caches",                                                                 \
         .flag = &(a).exclude_caches,                                                              \
         .help = "leave out what is in directories with a CACHEDIR.TAG"},                          \
        {.name = "one-file-system",                                                                \
         .flag = &(a).one_file_system,                                                             \
         .help = "do not go into other file systems"},                                             \
        {.name = "files-from",                                                                     \
         .arg = "FILE|-",                                                                          \
         .value = &(a).files_from,                                                                 \
         .group = "files-from",                                                                    \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "more sources, one a line"},                                                      \
        {.name = "files-from0",                                                                    \
         .arg = "FILE|-",                                                                          \
         .value = &(a).files_from0,                                                                \
         .group = "files-from",                                                                    \
         .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,                                               \
         .help = "the same, each with a zero byte behind it, as find -print0 writes them"},        \
    {                                                                                              \
        .name = "strict", .flag = &(a).strict,                                                     \
        .help = "a file that cannot be read or that changes fails the backup, instead of a "       \
                "warning"                                                                          \
    }

/* Does anything but operands say what is to be backed up? */
bool cli_tree_listed(const cli_tree_args *args);

/*
 * Read the lists, and fill out with everything; sources are the operands.  What out borrows lives
 * until the process ends.  COF_IO, COF_USAGE.
 */
cof_status cli_tree_load(cof_tree_options *out, cli_tree_args *args, const cli_list *operands,
                         cof_error *err) COF_MUST_USE;

#endif
