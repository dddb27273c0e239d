/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_VOLUME_H
#define COF_CLI_VOLUME_H

/* Backups of several volumes: where the volumes go, where they are looked for, what is told. */

#include "json.h"
#include "option.h"

#include <coffer/backup.h>
#include <coffer/reader.h>

/* ---- writing ---- */

typedef struct cli_volume_args {
    cli_list volumes;
    const char *size;
} cli_volume_args;

/* The option that says where the first volume goes is in the same group. */
#define CLI_VOLUME_GROUP "where"

#define CLI_VOLUME_OPTIONS(a)                                                                      \
    {.name = "volume",                                                                             \
     .arg = "FILE[:SIZE]",                                                                         \
     .list = &(a).volumes,                                                                         \
     .group = CLI_VOLUME_GROUP,                                                                    \
     .rules = CLI_OPT_EXCLUSIVE,                                                                   \
     .help = "instead of -o: a file or directory for a part of the backup, of at most SIZE bytes " \
             "(1G); when it or its disk is full, the next --volume goes on"},                      \
    {                                                                                              \
        .name = "volume-size", .arg = "SIZE", .value = &(a).size,                                  \
        .help =                                                                                    \
            "with -o: parts of at most SIZE bytes, called FILE, FILE.002, FILE.003, ...; with "    \
            "--volume: the size of those that name none"                                           \
    }

/*
 * What the options say, for *out.  What it borrows lives until the process ends.  COF_USAGE.
 */
cof_status cli_volumes_load(cof_backup_options *out, const cli_volume_args *args,
                            cof_error *err) COF_MUST_USE;

/* ---- reading ---- */

#define CLI_VOLUME_DIR_OPTION(dirs)                                                                \
    {                                                                                              \
        .name = "volume-dir", .arg = "DIR", .list = &(dirs),                                       \
        .help = "look for the later volumes of a backup here, too, not only beside the first; "    \
                "may be repeated"                                                                  \
    }

/* " in 3 volumes", with how many are not here; nothing where there is only one. */
void cli_volumes_print_count(FILE *out, const cof_info *info);

/* The lines of a description about volumes; none where there is only one. */
void cli_volumes_print(const cof_info *info);

/* Add members "volumes" (an array) and "volumes_missing". */
void cli_volumes_json(json_t *object, const cof_info *info);

#endif
