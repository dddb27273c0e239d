/* SPDX-License-Identifier: Apache-2.0 */

/* Restoring files: options in, words out. */

#include "extract.h"

#include "human.h"
#include "json.h"
#include "say.h"
#include "target.h"

#include <sys/stat.h>
#include <unistd.h>

#define STRIP_MAX 32768 /* more parts than a name can have */

bool cli_extract_asked(const cli_extract_args *args)
{
    return args->directory != NULL || args->to_stdout;
}

static cof_status check_stdout(const cli_extract_args *args, bool force, bool json, cof_error *err)
{
    if (json)
        return cli_error(err, COF_USAGE, "--stdout and --json both need standard output");
    if (force || args->skip_old_files || args->keep_going || args->strip != NULL)
        return cli_error(err, COF_USAGE,
                         "--stdout: --force, --skip-old-files, --keep-going and "
                         "--strip-components are for files in a directory");
    return cli_refuse_terminal(STDOUT_FILENO, "standard output is a terminal; redirect it", err);
}

cof_status cli_extract_load(cof_extract_options *out, const cli_extract_args *args,
                            const cli_list *operands, bool force, bool json, cof_error *err)
{
    uint64_t strip = 0;
    mode_t mask = umask(0);
    umask(mask);
    *out = (cof_extract_options){
        .selection = {operands->item + 1, operands->count - 1, args->exclude.item,
                      args->exclude.count},
        .target = args->directory,
        .same_owner = args->same_owner || (geteuid() == 0 && !args->no_same_owner),
        .numeric_owner = args->numeric_owner,
        .mode_mask = args->no_same_permissions ? (uint16_t)(mask & 07777) : 0,
        .skip_old_files = args->skip_old_files,
        .force = force,
        .keep_going = args->keep_going,
    };
    if (args->strip != NULL && !cli_parse_number(&strip, args->strip, 0, STRIP_MAX))
        return cli_error(err, COF_USAGE, "--strip-components needs a number from 0 to %d",
                         STRIP_MAX);
    out->strip_components = (size_t)strip;
    if (force && args->skip_old_files)
        return cli_error(err, COF_USAGE, "--force and --skip-old-files exclude each other");
    return args->to_stdout ? check_stdout(args, force, json, err) : COF_OK;
}

cof_status cli_extract_run(cof_extract_result *out, cof_reader *reader,
                           const cof_extract_options *options, cof_error *err)
{
    if (options->target == NULL)
        return cof_reader_extract_fd(reader, &options->selection, STDOUT_FILENO, out, err);
    return cof_reader_extract(reader, options, out, err);
}

static void show_count(FILE *out, uint64_t n, const char *one, const char *many)
{
    char text[CLI_HUMAN_CAP];
    fprintf(out, "%s %s, ", cli_human_count(text, n), n == 1 ? one : many);
}

void cli_extract_show(FILE *out, const char *target, const cof_extract_result *r, uint64_t time)
{
    char safe[4 * CLI_NAME_CAP];
    char text[CLI_HUMAN_CAP];
    fprintf(out, "%s: ", target == NULL ? "standard output" : cli_safe(safe, sizeof safe, target));
    show_count(out, r->files, "file", "files");
    if (r->directories > 0)
        show_count(out, r->directories, "directory", "directories");
    if (r->others > 0)
        show_count(out, r->others, "other", "others");
    if (r->skipped > 0)
        show_count(out, r->skipped, "was there already", "were there already");
    if (r->lost > 0)
        show_count(out, r->lost, "LOST", "LOST");
    fprintf(out, "%s, ", cli_human_size(text, r->bytes));
    fprintf(out, "%s, ", cli_human_time(text, time));
}

void cli_extract_json(json_t *object, const char *target, const cof_extract_result *r)
{
    cli_json_text(object, "output", target);
    cli_json_number(object, "files", r->files);
    cli_json_number(object, "directories", r->directories);
    cli_json_number(object, "others", r->others);
    cli_json_number(object, "hard_links", r->hard_links);
    cli_json_number(object, "bytes", r->bytes);
    cli_json_number(object, "skipped", r->skipped);
    cli_json_number(object, "missing", r->missing);
    cli_json_number(object, "lost", r->lost);
    cli_json_number(object, "problems", r->problems);
}
