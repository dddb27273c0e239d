/* SPDX-License-Identifier: Apache-2.0 */

/* coffer verify: are these backups whole, unchanged, and made by whom we trust? */

#include "confine.h"
#include "credential.h"
#include "effort.h"
#include "evidence.h"
#include "heads.h"
#include "human.h"
#include "json.h"
#include "policy.h"
#include "report.h"
#include "say.h"
#include "series.h"
#include "show.h"
#include "status.h"
#include "target.h"
#include "verb.h"
#include "volume.h"

#include <coffer/reader.h>

static struct {
    cli_key_args key;
    cli_trust_args trust;
    cli_policy_args policy;
    cli_list volume_dirs;
    cli_effort_args effort;
    const char *envelope, *min_custodians, *max_age, *report;
    bool quick, deep, maker, strict_custody, json;
} args;

static const cli_opt options[] = {
    {.name = "quick",
     .flag = &args.quick,
     .group = "depth",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "check signatures and structure only, without reading the content"},
    {.name = "deep",
     .flag = &args.deep,
     .group = "depth",
     .rules = CLI_OPT_EXCLUSIVE | CLI_OPT_ASKED,
     .help = "decrypt and decompress everything as well, and read all files as restore does; needs "
             "--key"},
    {.name = "maker",
     .flag = &args.maker,
     .rules = CLI_OPT_ASKED,
     .help = "of a backup that was encrypted anew, prove that it is what its first maker signed; "
             "needs --key"},
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
    CLI_KEY_OPTIONS(args.key),
    CLI_TRUST_OPTIONS(args.trust),
    CLI_CUSTODIANS_OPTION(args.min_custodians),
    CLI_ENVELOPE_OPTION(args.envelope),
    {.name = "strict-custody",
     .flag = &args.strict_custody,
     .help =
         "refuse a backup whose list of recipients was not decided by somebody trusted, instead "
         "of warning"},
    {.name = "max-age",
     .arg = "AGE",
     .value = &args.max_age,
     .rules = CLI_OPT_ASKED,
     .help = "demand that the newest good backup of each label of each maker is no older, as in "
             "90m, 26h, 2d or 1w"},
    CLI_POLICY_OPTIONS(args.policy),
    CLI_EFFORT_OPTIONS(args.effort),
    CLI_EVIDENCE_OPTION(args.report),
    {.name = "json",
     .flag = &args.json,
     .rules = CLI_OPT_ASKED,
     .help = "print one JSON object for each backup, a line each"},
    {.name = NULL},
};

static cof_depth depth(void)
{
    return args.quick ? COF_VERIFY_QUICK : args.deep ? COF_VERIFY_DEEP : COF_VERIFY_FULL;
}

/* "db1.cof: intact, 5.2 GiB in 1,332 records, 14 s, made 2026-11-24 by CN=db1, opens for …" */
static void print_summary(const char *path, const cof_info *info, uint64_t time)
{
    static const char *const found[] = {
        [COF_VERIFY_QUICK] = "signatures are right, content was not read",
        [COF_VERIFY_FULL] = "intact",
        [COF_VERIFY_DEEP] = "intact, and decrypts",
    };
    char safe[4 * CLI_NAME_CAP];
    char size[CLI_HUMAN_CAP];
    char records[CLI_HUMAN_CAP];
    char took[CLI_HUMAN_CAP];
    printf("%s: %s%s, %s in %s record%s", cli_show_path(safe, sizeof safe, path), found[depth()],
           info->complete ? "" : ", but INCOMPLETE: its source could not all be read",
           cli_human_size(size, info->plain_bytes), cli_human_count(records, info->records),
           info->records == 1 ? "" : "s");
    cli_volumes_print_count(stdout, info);
    printf(", %s, ", cli_human_time(took, time));
    cli_show_origin(stdout, info);
    putchar('\n');
}

static const char *depth_name(void)
{
    return args.quick ? "quick" : args.deep ? "deep" : "full";
}

static void print_json(const char *path, const cof_info *info, const cli_report *report)
{
    json_t *object = cli_json_new(path);
    cli_json_text(object, "depth", depth_name());
    cli_json_text(object, "uuid", info->uuid);
    cli_json_time(object, "created", info->created);
    cli_json_flag(object, "complete", info->complete);
    cli_json_number(object, "plain_bytes", info->plain_bytes);
    cli_json_number(object, "records", info->records);
    cli_json_flag(object, "sealed", info->sealed);
    cli_json_makers(object, info);
    if (info->custody_count > 0)
        cli_json_party(object, "custodian", &info->custody[0].by);
    cli_json_number(object, "generation", info->generation);
    cli_json_number(object, "custodians", info->custodians);
    cli_json_flag(object, "custody_proven", info->custody_proven);
    cli_json_number(object, "damaged", info->damaged);
    cli_json_number(object, "volumes", info->volume_count);
    cli_json_number(object, "volumes_missing", info->volumes_missing);
    cli_json_number(object, "milliseconds", cli_report_time(report) / 1000000);
    cli_json_print(object, report);
}

/* What is the same for all backups of a run. */
typedef struct run_state {
    cof_open_options common;
    cof_expectation expected;
    cof_heads *envelope;
    size_t checked, good;
    uint64_t max_age; /* seconds */
    cli_series series;
    cli_evidence evidence;
    bool quiet;
} run_state;

static int add_evidence(const run_state *run, const char *target, const cof_reader *reader,
                        const cli_report *report, cof_status st, const cof_error *err)
{
    json_t *object = cli_evidence_new("verify", target);
    cli_json_text(object, "depth", depth_name());
    if (reader != NULL)
        cli_evidence_describe(object, cof_reader_info(reader));
    return cli_evidence_add(&run->evidence, object, report, st, err);
}

/* What stands in a head alone of a backup that was encrypted anew, only its custodian has said. */
static cof_status check_countable(const cof_info *info, cof_error *err)
{
    if (args.max_age == NULL || !info->alone || info->lineage != COF_LINEAGE_REQUIRED)
        return COF_OK;
    return cli_error(err, COF_AUTH,
                     "a head alone does not show that the backup is still the first maker's, so it "
                     "does not count for --max-age: verify the backup itself");
}

static int verify_one(void *ctx, const char *target, const cof_heads *heads, size_t i)
{
    run_state *run = ctx;
    cof_open_options o = run->common;
    cof_reader *reader = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    const char *flaw = NULL;
    cof_stats stats;
    cli_report report;
    cli_report_begin(&report, target, run->quiet);
    report.path = target;
    o.report = cli_report_hooks(&report);
    o.stats = cli_effort_stats(&args.effort, &stats);
    o.heads = heads;
    o.head = i;

    if ((heads == NULL && (st = cli_target_open(&o, target, &err)) != COF_OK) ||
        (st = cof_reader_open(&reader, &o, &err)) != COF_OK ||
        (st = cof_reader_verify(reader, depth(), &err)) != COF_OK ||
        (st = cof_expectation_check(&run->expected, cof_reader_info(reader), &err)) != COF_OK ||
        (st = check_countable(cof_reader_info(reader), &err)) != COF_OK ||
        (st = cli_series_add(&run->series, &flaw, target, cof_reader_info(reader), &err)) != COF_OK)
        goto out;
    cli_report_pause(&report);
    if (args.json)
        print_json(target, cof_reader_info(reader), &report);
    else if (!run->quiet)
        print_summary(target, cof_reader_info(reader), cli_report_time(&report));
    cli_effort_show(&args.effort, &stats, cli_report_time(&report));
out:;
    int unwritten = add_evidence(run, target, reader, &report, st, &err);
    cof_reader_free(reader);
    int one = cli_status_graver(unwritten, cli_json_end(&report, target, args.json, st, &err));
    run->checked++;
    run->good += one == CLI_EXIT_OK || one == CLI_EXIT_WARNED ? 1 : 0;
    return one;
}

static int verify_all(run_state *run, const cli_list *operands)
{
    cli_targets targets = {NULL, 0};
    int gravest = cli_targets_find(&targets, operands, args.json);
    for (size_t i = 0; i < targets.count; i++)
        gravest =
            cli_status_graver(gravest, cli_heads_each(targets.path[i], args.json, verify_one, run));
    if (run->checked > 1 && !args.json && !run->quiet)
        printf("%zu backups: %zu good, %zu not\n", run->checked, run->good,
               run->checked - run->good);
    if (args.max_age != NULL)
        gravest = cli_status_graver(gravest, cli_policy_check_age(&run->series, run->max_age,
                                                                  args.max_age, &run->evidence));
    cli_targets_wipe(&targets);
    return gravest;
}

static cof_status check(run_state *run, cof_error *err)
{
    if (args.deep && args.key.keys.count == 0)
        return cli_error(err, COF_USAGE, "--deep decrypts the content: say with which --key");
    if (args.maker && args.key.keys.count == 0)
        return cli_error(err, COF_USAGE,
                         "--maker opens what proves the first maker: say with which --key");
    if (args.max_age != NULL && !cli_parse_duration(&run->max_age, args.max_age))
        return cli_error(err, COF_USAGE,
                         "--max-age needs a number with s, m, h, d or w, such as 26h");
    cof_status st = cli_effort_read(&run->common.jobs, &args.effort, err);
    if (st != COF_OK ||
        (st = cli_custodians_read(&run->common.min_custodians, args.min_custodians, err)) != COF_OK)
        return st;
    return cli_policy_read(&run->expected, &args.policy, err);
}

static int run(const cli_call *call)
{
    run_state state = {.common = {.strict_custody = args.strict_custody,
                                  .alone = args.quick,
                                  .volume_dirs = args.volume_dirs.item,
                                  .volume_dir_count = args.volume_dirs.count},
                       .evidence = CLI_EVIDENCE_NONE,
                       .quiet = call->quiet};
    cof_keyring *keys = NULL;
    cof_trust *trust = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    int exit_status = CLI_EXIT_OK;
    cli_confinement nowhere = {.count = 0};
    bool from_stdin = cli_targets_read_stdin(&call->operands);

    if ((st = check(&state, &err)) == COF_OK &&
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) == COF_OK &&
        (st = cli_keyring_load(&keys, &args.key, from_stdin, &err)) == COF_OK &&
        (st = cli_evidence_open(&state.evidence, args.report, &err)) == COF_OK &&
        (st = cli_confine(&nowhere, call, &err)) == COF_OK &&
        (st = cli_heads_load(&state.envelope, args.envelope, &err)) == COF_OK) {
        state.common.keys = keys;
        state.common.trust = trust;
        state.common.prove_maker = args.maker;
        state.common.envelope = state.envelope;
        exit_status = verify_all(&state, &call->operands);
    } else {
        cli_say(err.message);
        exit_status = cli_status_exit(st);
    }
    cli_evidence_close(&state.evidence);
    cli_series_wipe(&state.series);
    cof_heads_free(state.envelope);
    cof_trust_free(trust);
    cof_keyring_free(keys);
    return exit_status;
}

const cli_verb cli_verb_verify = {
    .name = "verify",
    .summary = "Check that backups are whole, unchanged and made by somebody trusted",
    .usage = "FILE|DIR|-... [--quick | --deep --key KEY] [--trust CERT|DIR|FINGERPRINT]... "
             "[options]",
    .text =
        "Every byte is checked against the maker's signature. That needs no private key; "
        "--deep, which also decrypts, does. In a directory all backups are checked; a bad one "
        "does not stop the others, and the gravest finding is the exit status. A backup of several "
        "volumes is named by the first.",
    .options = options,
    .operand = "FILE or DIR",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
