/* SPDX-License-Identifier: Apache-2.0 */

/* Commands whose output is backed up. */

#include "command.h"

#include "human.h"
#include "say.h"

#include <stdint.h>
#include <stdio.h>

bool cli_command_asked(const cli_command_args *args)
{
    return args->run || args->sqlite != NULL;
}

cof_status cli_command_check(const cli_command_args *args, const cli_list *operands,
                             bool other_sources, cof_error *err)
{
    if (args->run && operands->count == 0)
        return cli_error(err, COF_USAGE,
                         "--stdin-from-command needs a command: -- PROGRAM ARGUMENT...");
    if (args->run && other_sources)
        return cli_error(err, COF_USAGE, "a backup is of files or of what a command writes");
    if (args->sqlite != NULL && (operands->count > 0 || other_sources))
        return cli_error(err, COF_USAGE,
                         "a backup is of a database or of files: --sqlite has no "
                         "other source beside it");
    return COF_OK;
}

/* Who says something, and whether anybody wants to hear it. */
typedef struct said_by {
    const char *name;
    bool quiet;
} said_by;

/* "NAME: what it said"; the last lines of a command that has ended. */
static void said(void *ctx, bool failed, const char *line)
{
    char sentence[1400];
    const said_by *by = ctx;
    char safe[CLI_NAME_CAP];
    if (by->quiet && !failed)
        return;
    (void)snprintf(sentence, sizeof sentence, "%s: %s", cli_safe(safe, sizeof safe, by->name),
                   line);
    cli_say_note(sentence);
}

cof_status cli_command_load(cof_command *out, const cli_command_args *args,
                            const cli_list *operands, bool quiet, cof_error *err)
{
    static cli_list argv;
    static said_by by;
    uint64_t seconds = 0;
    for (size_t i = 0; i < operands->count; i++)
        cli_list_add(&argv, operands->item[i]);
    cli_list_add(&argv, NULL);
    by = (said_by){argv.item[0], quiet};
    *out = (cof_command){.argv = argv.item, .said = said, .ctx = &by};
    if (!args->run && args->min_size != NULL)
        return cli_error(err, COF_USAGE,
                         "--min-size is for commands: it needs --stdin-from-command");
    if (!cli_command_asked(args) && args->timeout != NULL)
        return cli_error(err, COF_USAGE,
                         "--timeout is for commands and databases: it needs "
                         "--stdin-from-command or --sqlite");
    if (args->min_size != NULL && !cli_parse_size(&out->min_size, args->min_size))
        return cli_error(err, COF_USAGE, "--min-size needs a size such as 1M or 65536");
    if (args->timeout != NULL && (!cli_parse_duration(&seconds, args->timeout) || seconds == 0))
        return cli_error(err, COF_USAGE, "--timeout needs a time such as 90s, 10m or 1h");
    out->silence_ms = seconds * 1000;
    return COF_OK;
}
