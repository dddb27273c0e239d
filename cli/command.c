/* SPDX-License-Identifier: Apache-2.0 */

/* What is backed up by commands, and other streams. */

#include "command.h"

#include "human.h"
#include "say.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

bool cli_command_asked(const cli_command_args *args)
{
    return args->run || args->sqlite != NULL || args->streams != NULL;
}

cof_status cli_command_check(const cli_command_args *args, const cli_list *operands,
                             bool other_sources, cof_error *err)
{
    if (args->run && operands->count == 0)
        return cli_error(err, COF_USAGE,
                         "--stdin-from-command needs a command: -- PROGRAM ARGUMENT...");
    if (args->run && other_sources)
        return cli_error(err, COF_USAGE, "a backup is of files or of what a command writes");
    if (!args->run && (operands->count > 0 || other_sources))
        return cli_error(err, COF_USAGE,
                         "--%s has no other source beside it: a backup is of files or of that",
                         args->sqlite != NULL ? "sqlite" : "streams");
    if (args->streams != NULL && args->name != NULL)
        return cli_error(err, COF_USAGE, "--streams and --name: the names are in the file");
    return COF_OK;
}

/* "NAME: what it said"; the last lines of a command that has ended. */
static void said(void *ctx, bool failed, const char *line)
{
    char sentence[1400];
    const cli_live *by = ctx;
    char safe[CLI_NAME_CAP];
    if (by->quiet && !failed)
        return;
    (void)snprintf(sentence, sizeof sentence, "%s: %s", cli_safe(safe, sizeof safe, by->says),
                   line);
    cli_say_note(sentence);
}

static cof_status load_limits(cli_live *out, const cli_command_args *args, cof_error *err)
{
    uint64_t seconds = 0;
    if (!args->run && args->streams == NULL && args->min_size != NULL)
        return cli_error(err, COF_USAGE,
                         "--min-size is for commands: it needs --stdin-from-command or --streams");
    if (!cli_command_asked(args) && args->timeout != NULL)
        return cli_error(err, COF_USAGE,
                         "--timeout is for commands and databases: it needs "
                         "--stdin-from-command, --streams or --sqlite");
    if (args->min_size != NULL && !cli_parse_size(&out->command.min_size, args->min_size))
        return cli_error(err, COF_USAGE, "--min-size needs a size such as 1M or 65536");
    if (args->timeout != NULL && (!cli_parse_duration(&seconds, args->timeout) || seconds == 0))
        return cli_error(err, COF_USAGE, "--timeout needs a time such as 90s, 10m or 1h");
    out->command.silence_ms = seconds * 1000;
    return COF_OK;
}

cof_status cli_command_load(cli_live *out, const cli_command_args *args, const cli_list *operands,
                            bool quiet, cof_error *err)
{
    static cli_list argv;
    static cli_streams streams;
    for (size_t i = 0; i < operands->count; i++)
        cli_list_add(&argv, operands->item[i]);
    cli_list_add(&argv, NULL);
    *out = (cli_live){
        .run = args->run,
        .sqlite = args->sqlite,
        .name = args->name,
        .command = {.argv = argv.item, .said = said, .ctx = out},
        .quiet = quiet,
    };
    cof_status st = load_limits(out, args, err);
    if (st == COF_OK && args->streams != NULL)
        st = cli_streams_read(&streams, args->streams, err);
    out->streams = streams;
    return st;
}

bool cli_command_named(const cli_live *live)
{
    return live->name != NULL || live->streams.count > 0;
}

static cof_status run_command(cli_live *live, cof_backup *backup, const char *const *argv,
                              cof_error *err)
{
    cof_command command = live->command;
    command.argv = argv;
    live->says = argv[0];
    return cof_backup_command(backup, &command, err);
}

static cof_status run_streams(cli_live *live, cof_backup *backup, cof_error *err)
{
    cof_status st = COF_OK;
    for (size_t i = 0; st == COF_OK && i < live->streams.count; i++) {
        const cli_stream *stream = &live->streams.item[i];
        if ((st = cof_backup_stream(backup, stream->name, err)) == COF_OK)
            st = run_command(live, backup, stream->argv.item, err);
    }
    return st;
}

cof_status cli_command_run(cli_live *live, cof_backup *backup, cof_error *err)
{
    cof_status st = COF_OK;
    if (live->streams.count > 0)
        return run_streams(live, backup, err);
    if (live->name != NULL && (st = cof_backup_stream(backup, live->name, err)) != COF_OK)
        return st;
    if (live->sqlite != NULL)
        return cof_backup_sqlite(backup, live->sqlite, live->command.silence_ms, err);
    if (live->run)
        return run_command(live, backup, live->command.argv, err);
    return cof_backup_read_fd(backup, STDIN_FILENO, err);
}
