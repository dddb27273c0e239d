/* SPDX-License-Identifier: Apache-2.0 */

/*
 * coffer envelope: the heads of backups, taken to where a key is and brought back.
 *
 * Three actions share this verb; each says what it takes of the options.
 */

#include "confine.h"
#include "credential.h"
#include "envelope.h"
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

#include <coffer/envelope.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { EXPORT = 1, APPROVE = 2, IMPORT = 4 };

static struct {
    const char *output, *slot_size;
    cli_key_args key;
    cli_trust_args trust;
    cli_sign_args sign;
    cli_policy_args policy;
    const char *min_custodians, *keep, *report;
    bool force, unchecked, no_keep, dry_run, json;
} args;

static const cli_opt options[] = {
    {.letter = 'o',
     .name = "output",
     .arg = "HEAD|BUNDLE",
     .value = &args.output,
     .rules = CLI_OPT_ASKED,
     .help =
         "export: the file to write; a head for one backup, a bundle for a directory or several"},
    {.name = "slot-size",
     .arg = "SIZE",
     .value = &args.slot_size,
     .rules = CLI_OPT_ASKED,
     .help = "export: room for recipients and history in each head, such as 128K; by default as in "
             "the backup"},
    {.name = "force",
     .flag = &args.force,
     .rules = CLI_OPT_ASKED,
     .help = "export: replace an existing file, once the new one is complete"},
    CLI_KEY_OPTIONS(args.key),
    CLI_TRUST_OPTIONS(args.trust),
    CLI_SIGN_OPTIONS(args.sign),
    CLI_CUSTODIANS_OPTION(args.min_custodians),
    CLI_POLICY_OPTIONS(args.policy),
    {.name = "unchecked",
     .flag = &args.unchecked,
     .rules = CLI_OPT_ASKED,
     .help = "import: go on although no key opens the new head here and only one custodian signed "
             "it"},
    {.name = "keep",
     .arg = "FILE|DIR",
     .value = &args.keep,
     .group = "keep",
     .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,
     .help = "import: where the head that is replaced goes; by default beside the backup"},
    {.name = "no-keep",
     .flag = &args.no_keep,
     .group = "keep",
     .rules = CLI_OPT_ASKED | CLI_OPT_EXCLUSIVE,
     .help = "import: do not keep the head that is replaced; needs --key"},
    {.name = "dry-run",
     .flag = &args.dry_run,
     .rules = CLI_OPT_ASKED,
     .help = "approve, import: do everything but write"},
    CLI_EVIDENCE_OPTION(args.report),
    {.name = "json",
     .flag = &args.json,
     .rules = CLI_OPT_ASKED,
     .help = "print one JSON object for each backup, a line each"},
    {.name = NULL},
};

/* ---- what belongs to what ---- */

static int action_of(const char *name)
{
    static const char *const names[] = {"export", "approve", "import"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return 1 << i;
    return 0;
}

/* Options that would be ignored are refused.  Those that a home may set are let pass. */
static cof_status check_options(int action, const char *name, cof_error *err)
{
    const struct {
        bool given;
        int of;
        const char *name;
    } all[] = {
        {args.output != NULL, EXPORT, "output"},
        {args.slot_size != NULL, EXPORT, "slot-size"},
        {args.force, EXPORT, "force"},
        {args.unchecked, IMPORT, "unchecked"},
        {args.keep != NULL, IMPORT, "keep"},
        {args.no_keep, IMPORT, "no-keep"},
        {args.dry_run, APPROVE | IMPORT, "dry-run"},
        {args.report != NULL, APPROVE | IMPORT, "report"},
        {args.policy.expect != NULL, APPROVE | IMPORT, "expect"},
        {args.policy.min_generation != NULL, APPROVE | IMPORT, "min-generation"},
        {args.policy.expect_custody != NULL, APPROVE | IMPORT, "expect-custody"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].given && (all[i].of & action) == 0)
            return cli_error(err, COF_USAGE, "envelope %s does not take --%s", name, all[i].name);
    return COF_OK;
}

static cof_status check(int action, const cli_list *operands, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    const char *name = operands->item[0];
    if (action == 0)
        return cli_error(err, COF_USAGE, "envelope does export, approve or import, not '%s'",
                         cli_safe(safe, sizeof safe, name));
    if (operands->count < (action == IMPORT ? 3U : 2U))
        return cli_error(err, COF_USAGE,
                         action == IMPORT ? "envelope import needs a HEAD or BUNDLE, and a FILE or "
                                            "DIR that it goes into"
                                          : "envelope %s needs a FILE or DIR",
                         name);
    if (cli_targets_read_stdin(operands))
        return cli_error(err, COF_USAGE, "envelope works on files: - is not possible");
    if (action == EXPORT && args.output == NULL)
        return cli_error(err, COF_USAGE, "say with -o which file to write");
    return check_options(action, name, err);
}

/* ---- what the options name ---- */

typedef struct work {
    int action;
    cof_keyring *keys;
    cof_trust *trust;
    cof_signer *signer;
    cof_heads *heads; /* import: what is brought */
    cof_expectation expected;
    size_t min_custodians;
    uint64_t slot_size;
    cli_evidence evidence;
    bool many, quiet;
} work;

static cof_status load(work *w, const cli_call *call, cof_error *err)
{
    cof_status st = COF_OK;
    if (args.slot_size != NULL && !cli_parse_size(&w->slot_size, args.slot_size))
        return cli_error(err, COF_USAGE, "--slot-size needs a size, such as 128K");
    if ((st = cli_policy_read(&w->expected, &args.policy, err)) != COF_OK ||
        (st = cli_custodians_read(&w->min_custodians, args.min_custodians, err)) != COF_OK ||
        (st = cli_trust_load(&w->trust, &args.trust, call->home, err)) != COF_OK)
        return st;
    if (w->action != EXPORT &&
        ((st = cli_keyring_load(&w->keys, &args.key, false, err)) != COF_OK ||
         (st = cli_evidence_open(&w->evidence, args.report, err)) != COF_OK))
        return st;
    if (w->action == APPROVE)
        return cli_signer_load(&w->signer, &args.sign, call->home, false, err);
    return COF_OK;
}

static void wipe(work *w)
{
    cli_evidence_close(&w->evidence);
    cof_heads_free(w->heads);
    cof_signer_free(w->signer);
    cof_keyring_free(w->keys);
    cof_trust_free(w->trust);
}

/* ---- export ---- */

static int export_one(cof_exporter *exporter, const char *path, const work *w, size_t *count)
{
    cof_export_result result;
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, path, w->quiet);
    report.path = path;
    const cof_report hooks = cli_report_hooks(&report);
    cof_status st = cof_exporter_add(exporter, path, &hooks, &result, &err);
    cli_report_pause(&report);
    if (st == COF_OK) {
        (*count)++;
        if (args.json)
            cli_export_print_json(path, &result, &report);
        else if (!w->quiet)
            cli_export_print(path, &result);
    }
    return cli_json_end(&report, path, args.json, st, &err);
}

/* The file, once all that could be had is there. */
static int finish_export(cof_exporter *exporter, const work *w, size_t count)
{
    char safe[4 * CLI_NAME_CAP];
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    if (count == 0)
        return CLI_EXIT_OK; /* why has been said for each */
    cli_report_begin(&report, args.output, w->quiet);
    cof_status st = cof_exporter_finish(exporter, &err);
    if (st == COF_OK && !args.json && !w->quiet)
        printf("%s: %s of %zu backup%s\n", cli_show_path(safe, sizeof safe, args.output),
               w->many ? "a bundle with the heads" : "the head", count, count == 1 ? "" : "s");
    return cli_json_end(&report, args.output, args.json && st != COF_OK, st, &err);
}

static int export_all(const work *w, const cli_targets *targets)
{
    const cof_export_options o = {.output = args.output,
                                  .bundle = w->many,
                                  .slot_size = w->slot_size,
                                  .force = args.force,
                                  .trust = w->trust};
    cof_exporter *exporter = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_status st = cof_exporter_new(&exporter, &o, &err);
    int gravest = CLI_EXIT_OK;
    size_t count = 0;
    if (st != COF_OK) {
        cli_say(err.message);
        return cli_status_exit(st);
    }
    for (size_t i = 0; i < targets->count; i++)
        gravest = cli_status_graver(gravest, export_one(exporter, targets->path[i], w, &count));
    gravest = cli_status_graver(gravest, finish_export(exporter, w, count));
    cof_exporter_free(exporter);
    return gravest;
}

/* ---- approve ---- */

/* What was done to one, in words, as JSON, and as evidence. */
static int tell_approval(const work *w, const char *path, const cof_approve_result *result,
                         cli_report *report, cof_status st, const cof_error *err)
{
    cli_report_pause(report);
    if (st == COF_OK && args.json)
        cli_approve_print_json(path, result, args.dry_run, report);
    else if (st == COF_OK && !w->quiet)
        cli_approve_print(path, result, !w->many, args.dry_run);
    json_t *object = cli_evidence_new("envelope approve", path);
    cli_approve_json(object, result, args.dry_run);
    int unwritten = cli_evidence_add(&w->evidence, object, report, st, err);
    return cli_status_graver(unwritten, cli_json_end(report, path, args.json, st, err));
}

static cof_approve_options approve_options(const work *w)
{
    return (cof_approve_options){.trust = w->trust,
                                 .keys = w->keys,
                                 .signer = w->signer,
                                 .expected = &w->expected,
                                 .dry_run = args.dry_run};
}

static int approve_file(const work *w, const char *path)
{
    cof_approve_options o = approve_options(w);
    cof_approve_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, path, w->quiet);
    report.path = path;
    o.report = cli_report_hooks(&report);
    cof_status st = cof_approve(path, &o, &result, &err);
    int gravest = tell_approval(w, path, &result, &report, st, &err);
    cof_approve_result_wipe(&result);
    return gravest;
}

typedef struct bundle {
    const work *w;
    const char *path;
    cli_report report; /* of the head that comes next */
    int gravest;
} bundle;

static void on_head(void *ctx, size_t number, const cof_approve_result *result, cof_status st,
                    const cof_error *err)
{
    char name[PATH_MAX + 40];
    bundle *b = ctx;
    work one_of_many = *b->w;
    one_of_many.many = true;
    cli_heads_name(name, sizeof name, b->path, number);
    b->report.path = name;
    b->gravest = cli_status_graver(b->gravest,
                                   tell_approval(&one_of_many, name, result, &b->report, st, err));
    cli_report_begin(&b->report, b->path, b->w->quiet);
    b->report.path = b->path;
}

/* What was told of the heads becomes true when the new bundle has the name of the old one. */
static int approve_bundle(const work *w, const char *path)
{
    cof_approve_options o = approve_options(w);
    bundle b = {.w = w, .path = path, .gravest = CLI_EXIT_OK};
    cof_error err = COF_ERROR_INIT;
    cli_report_begin(&b.report, path, w->quiet);
    b.report.path = path;
    o.report = cli_report_hooks(&b.report);
    cof_status st = cof_approve_bundle(path, &o, on_head, &b, &err);
    if (st != COF_OK) {
        cof_approve_result nothing = {.changed = false};
        return cli_status_graver(b.gravest, tell_approval(w, path, &nothing, &b.report, st, &err));
    }
    return cli_status_graver(b.gravest, cli_report_end(&b.report, COF_OK, &err));
}

static int approve_all(const work *w, const cli_targets *targets)
{
    int gravest = CLI_EXIT_OK;
    for (size_t i = 0; i < targets->count; i++) {
        const char *path = targets->path[i];
        gravest = cli_status_graver(gravest, cof_path_is_bundle(path) ? approve_bundle(w, path)
                                                                      : approve_file(w, path));
    }
    return gravest;
}

/* ---- import ---- */

/* What came of all imports. */
typedef struct imports {
    size_t found;  /* heads that belonged somewhere */
    bool way_back; /* a kept head may open for others */
} imports;

static int import_one(const work *w, const char *path, imports *all)
{
    cof_import_options o = {.heads = w->heads,
                            .trust = w->trust,
                            .keys = w->keys,
                            .min_custodians = w->min_custodians,
                            .expected = &w->expected,
                            .unchecked = args.unchecked,
                            .keep = args.keep,
                            .discard = args.no_keep,
                            .skip_others = w->many,
                            .dry_run = args.dry_run};
    cof_import_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, path, w->quiet);
    report.path = path;
    o.report = cli_report_hooks(&report);
    cof_status st = cof_import(path, &o, &result, &err);
    cli_report_pause(&report);
    all->found += st != COF_OK || result.recipient_count > 0 ? 1 : 0;
    all->way_back |= result.kept[0] != '\0' && !result.approvals_only;
    if (st == COF_OK && args.json)
        cli_import_print_json(path, &result, args.dry_run, &report);
    else if (st == COF_OK && !w->quiet)
        cli_import_print(path, &result, !w->many, args.dry_run);
    json_t *object = cli_evidence_new("envelope import", path);
    cli_import_json(object, &result, args.dry_run);
    int unwritten = cli_evidence_add(&w->evidence, object, &report, st, &err);
    cof_import_result_wipe(&result);
    return cli_status_graver(unwritten, cli_json_end(&report, path, args.json, st, &err));
}

static int import_all(const work *w, const cli_targets *targets)
{
    imports all = {.found = 0};
    size_t heads = cof_heads_count(w->heads);
    int gravest = CLI_EXIT_OK;
    for (size_t i = 0; i < targets->count; i++)
        gravest = cli_status_graver(gravest, import_one(w, targets->path[i], &all));
    if (all.way_back && !args.json && !w->quiet)
        cli_import_print_reminder(!w->many);
    if (w->many && all.found < heads) {
        char sentence[128];
        snprintf(sentence, sizeof sentence, "for %zu of %zu heads there is no backup here",
                 heads - all.found, heads);
        cli_say_warning(sentence);
        gravest = cli_status_graver(gravest, CLI_EXIT_WARNED);
    }
    return gravest;
}

/* ---- all of it ---- */

/* Export writes one file, an approval what is named, an import a kept head beside it as well. */
static cof_status confine(const work *w, const cli_call *call, cof_error *err)
{
    cli_confinement c = {.count = 0};
    if (w->action == EXPORT)
        cli_confine_file(&c, args.output);
    if (args.keep != NULL)
        cli_confine_file(&c, args.keep);
    for (size_t i = w->action == IMPORT ? 2 : 1; w->action != EXPORT && i < call->operands.count;
         i++) {
        cli_heads_confine(&c, call->operands.item[i]);
        if (w->action == IMPORT && args.keep == NULL && !args.no_keep)
            cli_confine_file(&c, call->operands.item[i]);
    }
    return cli_confine(&c, call, err);
}

static int run_action(work *w, const cli_call *call)
{
    const size_t skip = w->action == IMPORT ? 2 : 1;
    const cli_list operands = {call->operands.item + skip, call->operands.count - skip};
    cli_targets targets = {NULL, 0};
    int gravest = cli_targets_find(&targets, &operands, args.json);
    /* A directory that holds one backup today may hold two tomorrow. */
    w->many = operands.count > 1 || targets.count > 1 ||
              (targets.count == 1 && strcmp(targets.path[0], operands.item[0]) != 0);
    int done = w->action == EXPORT    ? export_all(w, &targets)
               : w->action == APPROVE ? approve_all(w, &targets)
                                      : import_all(w, &targets);
    cli_targets_wipe(&targets);
    return cli_status_graver(gravest, done);
}

static int run(const cli_call *call)
{
    work w = {.evidence = CLI_EVIDENCE_NONE, .quiet = call->quiet};
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    int exit_status = CLI_EXIT_OK;
    w.action = action_of(call->operands.item[0]);
    if ((st = check(w.action, &call->operands, &err)) == COF_OK &&
        (st = load(&w, call, &err)) == COF_OK && (st = confine(&w, call, &err)) == COF_OK &&
        (w.action != IMPORT ||
         (st = cli_heads_load(&w.heads, call->operands.item[1], &err)) == COF_OK)) {
        exit_status = run_action(&w, call);
    } else {
        cli_say(err.message);
        exit_status = cli_status_exit(st);
    }
    wipe(&w);
    return exit_status;
}

const cli_verb cli_verb_envelope = {
    .name = "envelope",
    .summary = "Take the heads of backups to where a key is, and bring them back",
    .usage = "export FILE|DIR... -o HEAD|BUNDLE | approve FILE|DIR|HEAD|BUNDLE... | import "
             "HEAD|BUNDLE FILE|DIR... [options]",
    .text =
        "A head is all that a rotation reads and writes. Export writes the head of a backup, or "
        "of all in a directory as one bundle; coffer rotate changes its locks on another "
        "machine; import puts it back, if it follows what is there, and keeps what it "
        "replaces.\n"
        "Import wants proof that the new locks open: a private key (--key), or the signatures "
        "of two custodians. Approve adds a second one.\n"
        "For example: coffer envelope export /backup -o heads.cofb; on the other machine coffer "
        "rotate heads.cofb --replace ops-2025.crt --with ops-2026.crt --key ops-2025.key; then "
        "coffer envelope import heads.cofb /backup --key ops-2026.key",
    .options = options,
    .operand = "sub-verb: export, approve or import",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
