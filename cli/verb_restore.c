/* SPDX-License-Identifier: Apache-2.0 */

/* coffer restore: a backup becomes a file, a stream, or files and directories again. */

#include "confine.h"
#include "credential.h"
#include "effort.h"
#include "evidence.h"
#include "extract.h"
#include "heads.h"
#include "human.h"
#include "json.h"
#include "policy.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "target.h"
#include "verb.h"
#include "volume.h"

#include <coffer/reader.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *output, *stream;
    cli_key_args key;
    cli_trust_args trust;
    cli_extract_args extract;
    cli_list volume_dirs;
    cli_effort_args effort;
    cli_policy_args policy;
    const char *envelope, *min_custodians, *report;
    bool force, strict_custody, json;
} args;

static const cli_opt options[] = {
    {.letter = 'o',
     .name = "output",
     .arg = "FILE|-",
     .value = &args.output,
     .group = "where",
     .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,
     .help = "restore the whole content as one stream (of files: a pax archive); - is standard "
             "output"},
    {.name = "stream",
     .arg = "NAME",
     .value = &args.stream,
     .rules = CLI_OPT_ASKED,
     .help = "with -o: the stream of this name, of a backup of several"},
    CLI_EXTRACT_OPTIONS(args.extract),
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
    CLI_KEY_OPTIONS(args.key),
    CLI_TRUST_OPTIONS(args.trust),
    CLI_CUSTODIANS_OPTION(args.min_custodians),
    CLI_ENVELOPE_OPTION(args.envelope),
    CLI_POLICY_OPTIONS(args.policy),
    {.name = "strict-custody",
     .flag = &args.strict_custody,
     .help =
         "refuse a backup whose list of recipients was not decided by somebody trusted, instead "
         "of warning"},
    {.name = "force",
     .flag = &args.force,
     .rules = CLI_OPT_ASKED,
     .help = "replace an existing file, once the new one is complete; directories are never "
             "replaced"},
    CLI_EFFORT_OPTIONS(args.effort),
    CLI_EVIDENCE_OPTION(args.report),
    {.name = "json", .flag = &args.json, .rules = CLI_OPT_ASKED, .help = "print one JSON object"},
    {.name = NULL},
};

static cof_status check_stream(const cli_list *operands, cof_error *err)
{
    const cli_extract_args *e = &args.extract;
    char safe[CLI_NAME_CAP];
    if (args.output == NULL)
        return cli_error(err, COF_USAGE,
                         "say where the content goes: -C DIR for files, -o FILE or -o - for one "
                         "stream");
    if (operands->count > 1)
        return cli_error(err, COF_USAGE,
                         "-o restores the whole content, not only %s: use -C DIR or --stdout",
                         cli_safe(safe, sizeof safe, operands->item[1]));
    if (e->strip != NULL || e->exclude.count > 0 || e->skip_old_files || e->keep_going ||
        e->same_owner || e->no_same_owner || e->numeric_owner || e->no_same_permissions)
        return cli_error(err, COF_USAGE,
                         "-o restores one stream: options about files need -C DIR or --stdout");
    if (strcmp(args.output, "-") != 0)
        return COF_OK;
    if (args.json) {
        args.json = false; /* nothing that is no content goes to standard output */
        return cli_error(err, COF_USAGE, "-o - and --json both need standard output");
    }
    if (args.force)
        return cli_error(err, COF_USAGE, "-o - and --force: there is no file to replace");
    return cli_refuse_terminal(
        STDOUT_FILENO, "standard output is a terminal; redirect it, or name a file with -o", err);
}

/* What is to be done; files is filled if it is about files. */
static cof_status check_output(cof_extract_options *files, const cli_list *operands, cof_error *err)
{
    if (cli_extract_asked(&args.extract) && args.stream != NULL)
        return cli_error(err, COF_USAGE,
                         "--stream needs -o; -C DIR and --stdout take names behind the backup");
    if (!cli_extract_asked(&args.extract))
        return check_stream(operands, err);
    cof_status st = cli_extract_load(files, &args.extract, operands, args.force, args.json, err);
    if (st != COF_OK && args.extract.to_stdout)
        args.json = false;
    return st;
}

static cof_status write_content(cof_extract_result *files, cof_reader *reader,
                                const cof_extract_options *how, cof_error *err)
{
    if (cli_extract_asked(&args.extract))
        return cli_extract_run(files, reader, how, err);
    if (args.stream != NULL && strcmp(args.output, "-") == 0)
        return cof_reader_stream_fd(reader, args.stream, STDOUT_FILENO, err);
    if (args.stream != NULL)
        return cof_reader_stream_file(reader, args.stream, args.output, args.force, err);
    if (strcmp(args.output, "-") == 0)
        return cof_reader_restore_fd(reader, STDOUT_FILENO, err);
    return cof_reader_restore_file(reader, args.output, args.force, err);
}

/* "dump.sql: 5.2 GiB, 14 s, made 2026-11-24 by CN=db1, opens for …" */
static void print_summary(const cof_info *info, const cof_extract_result *files, uint64_t time)
{
    char safe[4 * CLI_NAME_CAP];
    char size[CLI_HUMAN_CAP];
    char took[CLI_HUMAN_CAP];
    if (cli_extract_asked(&args.extract)) {
        FILE *where = args.extract.to_stdout ? stderr : stdout;
        cli_extract_show(where, args.extract.directory, files, time);
        cli_show_origin(where, info);
        fputc('\n', where);
        return;
    }
    bool to_pipe = strcmp(args.output, "-") == 0;
    FILE *out = to_pipe ? stderr : stdout;
    fprintf(out, "%s: ", to_pipe ? "standard output" : cli_safe(safe, sizeof safe, args.output));
    if (args.stream != NULL)
        fprintf(out, "the stream %s, ", cli_safe(safe, sizeof safe, args.stream));
    else
        fprintf(out, "%s, ", cli_human_size(size, info->plain_bytes));
    fprintf(out, "%s, ", cli_human_time(took, time));
    cli_show_origin(out, info);
    fputc('\n', out);
}

static void print_json(const char *path, const cof_info *info, const cof_extract_result *files,
                       const cli_report *report)
{
    json_t *object = cli_json_new(path);
    if (cli_extract_asked(&args.extract))
        cli_extract_json(object, args.extract.directory, files);
    else
        cli_json_text(object, "output", args.output);
    cli_json_text(object, "uuid", info->uuid);
    cli_json_number(object, "plain_bytes", info->plain_bytes);
    cli_json_time(object, "created", info->created);
    cli_json_flag(object, "sealed", info->sealed);
    cli_json_makers(object, info);
    if (info->custody_count > 0)
        cli_json_party(object, "custodian", &info->custody[0].by);
    cli_json_number(object, "generation", info->generation);
    cli_json_number(object, "milliseconds", cli_report_time(report) / 1000000);
    cli_json_print(object, report);
}

static int add_evidence(const cli_evidence *evidence, const char *target, cof_reader *reader,
                        const cof_extract_result *files, const cli_report *report, cof_status st,
                        const cof_error *err)
{
    json_t *object = cli_evidence_new("restore", target);
    if (cli_extract_asked(&args.extract))
        cli_extract_json(object, args.extract.to_stdout ? "-" : args.extract.directory, files);
    else if (args.output != NULL)
        cli_json_text(object, "output", args.output);
    if (reader != NULL)
        cli_evidence_describe(object, cof_reader_info(reader));
    return cli_evidence_add(evidence, object, report, st, err);
}

/* From here on what is read decides, and it is hostile. */
static cof_status confine(const cli_call *call, cof_error *err)
{
    cli_confinement c = {.names = args.extract.directory != NULL};
    if (args.extract.directory != NULL)
        cli_confine_below(&c, args.extract.directory);
    else if (args.output != NULL && strcmp(args.output, "-") != 0)
        cli_confine_file(&c, args.output);
    return cli_confine(&c, call, err);
}

static int run(const cli_call *call)
{
    const char *target = call->operands.item[0];
    bool from_stdin = strcmp(target, "-") == 0;
    cof_open_options o = {.strict_custody = args.strict_custody,
                          .volume_dirs = args.volume_dirs.item,
                          .volume_dir_count = args.volume_dirs.count};
    cof_keyring *keys = NULL;
    cof_trust *trust = NULL;
    cof_reader *reader = NULL;
    cof_heads *envelope = NULL;
    cof_expectation expected = {.uuid = NULL};
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    cof_extract_options files = {.target = NULL};
    cof_extract_result result = {.files = 0};
    cli_evidence evidence = CLI_EVIDENCE_NONE;
    cof_stats stats;
    cli_report report;
    cli_report_begin(&report, target, call->quiet);

    if ((st = check_output(&files, &call->operands, &err)) != COF_OK ||
        (st = cli_effort_read(&o.jobs, &args.effort, &err)) != COF_OK ||
        (st = cli_policy_read(&expected, &args.policy, &err)) != COF_OK ||
        (st = cli_custodians_read(&o.min_custodians, args.min_custodians, &err)) != COF_OK ||
        (st = cli_target_open(&o, target, &err)) != COF_OK ||
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) != COF_OK ||
        (st = cli_keyring_load(&keys, &args.key, from_stdin, &err)) != COF_OK ||
        (st = cli_evidence_open(&evidence, args.report, &err)) != COF_OK ||
        (st = confine(call, &err)) != COF_OK ||
        (st = cli_heads_load(&envelope, args.envelope, &err)) != COF_OK)
        goto out;
    o.keys = keys;
    o.trust = trust;
    o.envelope = envelope;
    o.report = cli_report_hooks(&report);
    o.stats = cli_effort_stats(&args.effort, &stats);
    report.path = target;
    if ((st = cof_reader_open(&reader, &o, &err)) != COF_OK ||
        (st = cof_expectation_check(&expected, cof_reader_info(reader), &err)) != COF_OK ||
        (st = write_content(&result, reader, &files, &err)) != COF_OK)
        goto out;
    cli_report_pause(&report);
    if (args.json)
        print_json(target, cof_reader_info(reader), &result, &report);
    else if (!call->quiet)
        print_summary(cof_reader_info(reader), &result, cli_report_time(&report));
    cli_effort_show(&args.effort, &stats, cli_report_time(&report));
out:;
    int unwritten = add_evidence(&evidence, target, reader, &result, &report, st, &err);
    cof_reader_free(reader);
    cof_heads_free(envelope);
    cli_evidence_close(&evidence);
    cof_trust_free(trust);
    cof_keyring_free(keys);
    return cli_status_graver(unwritten, cli_json_end(&report, target, args.json, st, &err));
}

const cli_verb cli_verb_restore = {
    .name = "restore",
    .summary = "Decrypt a backup into a directory, a file or a pipe",
    .usage = "FILE|- --key KEY (-C DIR [PATH...] | -o FILE|- | --stdout PATH...) [options]",
    .text = "Not a byte is written before it is proven to be what the maker signed. A file appears "
            "under its name when it is complete, or not at all. A PATH means itself and all that "
            "is below it, and may be a pattern; nothing outside DIR is ever touched.",
    .options = options,
    .operand = "FILE",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
