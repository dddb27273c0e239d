/* SPDX-License-Identifier: Apache-2.0 */

/* coffer receive: take a backup from a pipe, check it, and put it on this disk. */

#include "confine.h"
#include "credential.h"
#include "human.h"
#include "json.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "target.h"
#include "verb.h"

#include <coffer/backup.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *output;
    cli_trust_args trust;
    bool force, strict_custody, json;
} args;

static const cli_opt options[] = {
    {.letter = 'o',
     .name = "output",
     .arg = "FILE|DIR/",
     .value = &args.output,
     .help = "where to; in a directory the file is named LABEL-TIME-ID.cof"},
    CLI_TRUST_OPTIONS(args.trust),
    {.name = "strict-custody",
     .flag = &args.strict_custody,
     .help =
         "refuse a backup whose list of recipients was not decided by somebody trusted, instead "
         "of warning"},
    {.name = "force",
     .flag = &args.force,
     .rules = CLI_OPT_ASKED,
     .help = "replace an existing file, once the new one is complete"},
    {.name = "json", .flag = &args.json, .rules = CLI_OPT_ASKED, .help = "print one JSON object"},
    {.name = NULL},
};

static cof_status check(cof_error *err)
{
    if (args.output == NULL)
        return cli_error(err, COF_USAGE, "say where the backup goes with -o FILE or -o DIR/");
    if (strcmp(args.output, "-") == 0)
        return cli_error(err, COF_USAGE, "receive writes a file: -o - is not possible");
    return cli_refuse_terminal(STDIN_FILENO, "standard input is a terminal; pipe a backup into it",
                               err);
}

static void print_json(const cof_backup_result *result, const cof_info *info,
                       const cli_report *report)
{
    json_t *object = cli_json_new(result->path);
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "plain_bytes", result->plain_bytes);
    cli_json_number(object, "stored_bytes", result->stored_bytes);
    cli_json_number(object, "records", result->records);
    cli_json_number(object, "recipients", result->recipients);
    cli_json_flag(object, "sealed", info->sealed);
    cli_json_makers(object, info);
    if (info->custody_count > 0)
        cli_json_party(object, "custodian", &info->custody[0].by);
    cli_json_number(object, "generation", info->generation);
    cli_json_number(object, "milliseconds", cli_report_time(report) / 1000000);
    cli_json_print(object, report);
}

static void print_summary(const cof_backup_result *result, const cof_info *info, uint64_t time)
{
    char safe[4 * CLI_NAME_CAP];
    char plain[CLI_HUMAN_CAP];
    char stored[CLI_HUMAN_CAP];
    char took[CLI_HUMAN_CAP];
    printf("%s: received, %s as %s, %s, ", cli_safe(safe, sizeof safe, result->path),
           cli_human_size(plain, result->plain_bytes), cli_human_size(stored, result->stored_bytes),
           cli_human_time(took, time));
    cli_show_origin(stdout, info);
    putchar('\n');
}

/* Look at the file that is now on the disk, to say by whom it is. */
static cof_status print_result(const cof_backup_result *result, const cof_trust *trust, bool quiet,
                               cli_report *report, cof_error *err)
{
    cof_open_options o = {.path = result->path, .trust = trust};
    cof_reader *reader = NULL;
    uint64_t time = cli_report_time(report);
    if (quiet && !args.json)
        return COF_OK;
    cof_status st = cof_reader_open(&reader, &o, err);
    if (st != COF_OK)
        return st;
    if (args.json)
        print_json(result, cof_reader_info(reader), report);
    else
        print_summary(result, cof_reader_info(reader), time);
    cof_reader_free(reader);
    return COF_OK;
}

static cof_status confine(const cli_call *call, cof_error *err)
{
    cli_confinement c = {.count = 0};
    cli_confine_file(&c, args.output);
    return cli_confine(&c, call, err);
}

static int run(const cli_call *call)
{
    cof_receive_options o = {.input_fd = STDIN_FILENO,
                             .output = args.output,
                             .force = args.force,
                             .strict_custody = args.strict_custody};
    cof_trust *trust = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_backup_result result;
    cof_status st = COF_OK;
    cli_report report;
    cli_report_begin(&report, "receiving", call->quiet);

    if ((st = check(&err)) == COF_OK &&
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) == COF_OK &&
        (st = confine(call, &err)) == COF_OK) {
        o.trust = trust;
        o.report = cli_report_hooks(&report);
        st = cof_receive(&o, &result, &err);
    }
    cli_report_pause(&report);
    if (st == COF_OK)
        st = print_result(&result, trust, call->quiet, &report, &err);
    cof_trust_free(trust);
    return cli_json_end(&report, args.output, args.json, st, &err);
}

const cli_verb cli_verb_receive = {
    .name = "receive",
    .summary = "Take a backup from a pipe, check it, and store it",
    .usage = "-o FILE|DIR/ [--trust CERT|DIR|FINGERPRINT]... [options] < BACKUP",
    .text = "Every byte is checked against the maker's signature before the file appears under its "
            "name; no private key is needed.\n"
            "For example: ssh db1 coffer backup -o - - | coffer receive -o /backup/",
    .options = options,
    .operand = "",
    .least = 0,
    .most = 0,
    .run = run,
};
