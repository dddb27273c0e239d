/* SPDX-License-Identifier: Apache-2.0 */

/*
 * coffer rotate: change who can open backups, in place.
 *
 * Over several backups, a change that could give somebody access to more than he had (a whole set,
 * --add) is first shown and needs --yes; --remove and --replace cannot widen anybody's access.
 */

#include "confine.h"
#include "credential.h"
#include "evidence.h"
#include "heads.h"
#include "human.h"
#include "json.h"
#include "later.h"
#include "policy.h"
#include "report.h"
#include "rotate.h"
#include "say.h"
#include "status.h"
#include "target.h"
#include "verb.h"
#include "volume.h"

#include <coffer/rotate.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAX 64

static struct {
    cli_key_args key;
    cli_list set, add, remove, volume_dirs;
    const char *replace, *with;
    const char *check_key;
    cli_passphrase_args check_passphrase;
    cli_trust_args trust;
    cli_sign_args sign;
    cli_policy_args policy;
    const char *min_custodians;
    const char *reason, *digest, *report, *jobs;
    bool dry_run, drop_history, reset_custody, yes, json;
} args;

static const cli_opt options[] = {
    CLI_KEY_OPTIONS(args.key),
    {.letter = 'r',
     .name = "recipient",
     .arg = "CERT",
     .list = &args.set,
     .rules = CLI_OPT_ASKED,
     .help = "the whole new set of who can open it: certificates in a file or directory; may be "
             "repeated"},
    {.name = "add",
     .arg = "CERT",
     .list = &args.add,
     .rules = CLI_OPT_ASKED,
     .help = "who can open it as well; may be repeated"},
    {.name = "remove",
     .arg = "CERT|FINGERPRINT",
     .list = &args.remove,
     .rules = CLI_OPT_ASKED,
     .help = "who can no longer open it; may be repeated"},
    {.name = "replace",
     .arg = "OLD",
     .value = &args.replace,
     .rules = CLI_OPT_ASKED,
     .help = "where this certificate can open it, put the one of --with in its place"},
    {.name = "with",
     .arg = "NEW",
     .value = &args.with,
     .rules = CLI_OPT_ASKED,
     .help = "the certificate that takes the place"},
    {.name = "check-key",
     .arg = "KEY",
     .value = &args.check_key,
     .rules = CLI_OPT_ASKED,
     .help =
         "a private key that must open the backup afterwards; tried before anything is written"},
    {.name = "check-key-passphrase-file",
     .arg = "FILE",
     .value = &args.check_passphrase.file,
     .rules = CLI_OPT_ASKED,
     .help = "its passphrase is the first line of this file, which nobody else may read"},
    CLI_TRUST_OPTIONS(args.trust),
    CLI_CUSTODIANS_OPTION(args.min_custodians),
    CLI_POLICY_OPTIONS(args.policy),
    CLI_SIGN_OPTIONS(args.sign),
    {.name = "reason",
     .arg = "TEXT",
     .value = &args.reason,
     .rules = CLI_OPT_ASKED,
     .help = "why, for the signed history"},
    {.name = "digest",
     .arg = "NAME",
     .value = &args.digest,
     .help = "of the signature: sha256, sha384 or sha512; by default sha256"},
    {.name = "dry-run",
     .flag = &args.dry_run,
     .rules = CLI_OPT_ASKED,
     .help = "do everything but write"},
    {.name = "yes",
     .flag = &args.yes,
     .rules = CLI_OPT_ASKED,
     .help = "really change several backups with -r or --add"},
    {.name = "drop-history",
     .flag = &args.drop_history,
     .rules = CLI_OPT_ASKED,
     .help = "keep only the first and the latest statement about recipients"},
    {.name = "reset-custody",
     .flag = &args.reset_custody,
     .rules = CLI_OPT_ASKED,
     .help = "with -r: begin anew although nobody trusted decided on the present recipients"},
    {.letter = 'j',
     .name = "jobs",
     .arg = "N",
     .value = &args.jobs,
     .help = "backups to prepare at once, 1 to 64; by default as many as there are processors"},
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
    CLI_EVIDENCE_OPTION(args.report),
    {.name = "json",
     .flag = &args.json,
     .rules = CLI_OPT_ASKED,
     .help = "print one JSON object for each backup, a line each"},
    {.name = NULL},
};

/* What the options name, loaded. */
typedef struct loaded {
    cof_keyring *keys, *check_key;
    cof_trust *trust;
    cof_signer *signer;
    cof_certs *set, *add, *replace_old, *replace_new;
    cli_evidence evidence;
    cof_expectation expected;
    size_t min_custodians;
    uint64_t jobs; /* 0: as many as there are processors */
} loaded;

static void loaded_wipe(loaded *l)
{
    cli_evidence_close(&l->evidence);
    cof_keyring_free(l->keys);
    cof_keyring_free(l->check_key);
    cof_trust_free(l->trust);
    cof_signer_free(l->signer);
    cof_certs_free(l->set);
    cof_certs_free(l->add);
    cof_certs_free(l->replace_old);
    cof_certs_free(l->replace_new);
}

static cof_status check_change(cof_error *err)
{
    bool set = args.set.count > 0;
    bool edit = args.add.count > 0 || args.remove.count > 0;
    bool replace = args.replace != NULL || args.with != NULL;
    if (replace && (args.replace == NULL || args.with == NULL))
        return cli_error(err, COF_USAGE, "--replace OLD and --with NEW belong together");
    if (set + edit + replace == 0)
        return cli_error(err, COF_USAGE,
                         "say what to change: -r with the whole new set, --add, --remove, or "
                         "--replace OLD --with NEW");
    if (set + edit + replace > 1)
        return cli_error(err, COF_USAGE,
                         "-r (the whole set), --add or --remove, and --replace exclude each other");
    if (args.reset_custody && !set)
        return cli_error(err, COF_USAGE,
                         "--reset-custody carries nobody over: name the whole new set with -r");
    return COF_OK;
}

static cof_status check(const cli_call *call, cof_error *err)
{
    if (cli_targets_read_stdin(&call->operands))
        return cli_error(err, COF_USAGE, "rotate changes files in place: - is not possible");
    if (args.key.keys.count == 0)
        return cli_error(err, COF_USAGE, "say with --key which private key opens it now");
    if (args.check_passphrase.file != NULL && args.check_key == NULL)
        return cli_error(err, COF_USAGE, "--check-key-passphrase-file needs --check-key");
    if (args.jobs != NULL && !cli_parse_number(&(uint64_t){0}, args.jobs, 1, JOBS_MAX))
        return cli_error(err, COF_USAGE, "--jobs is a number from 1 to %d", JOBS_MAX);
    return check_change(err);
}

static cof_status load(loaded *l, const cli_home *home, cof_error *err)
{
    const cli_key_args check_key = {.keys = {&args.check_key, args.check_key != NULL ? 1 : 0},
                                    .passphrase = args.check_passphrase};
    cof_status st = COF_OK;
    if (args.jobs != NULL)
        (void)cli_parse_number(&l->jobs, args.jobs, 1, JOBS_MAX);
    if ((st = cli_policy_read(&l->expected, &args.policy, err)) != COF_OK ||
        (st = cli_custodians_read(&l->min_custodians, args.min_custodians, err)) != COF_OK ||
        (st = cli_certs_load(&l->set, &args.set, err)) != COF_OK ||
        (st = cli_certs_load(&l->add, &args.add, err)) != COF_OK ||
        (st = cli_cert_load(&l->replace_old, args.replace, "replace", err)) != COF_OK ||
        (st = cli_cert_load(&l->replace_new, args.with, "with", err)) != COF_OK ||
        (st = cli_trust_load(&l->trust, &args.trust, home, err)) != COF_OK ||
        (st = cli_signer_load(&l->signer, &args.sign, home, false, err)) != COF_OK ||
        (st = cli_keyring_load(&l->keys, &args.key, false, err)) != COF_OK ||
        (st = cli_evidence_open(&l->evidence, args.report, err)) != COF_OK)
        return st;
    return cli_keyring_load(&l->check_key, &check_key, false, err);
}

static cof_rotate_options rotate_options(const loaded *l, bool dry_run)
{
    return (cof_rotate_options){
        .volume_dirs = args.volume_dirs.item,
        .volume_dir_count = args.volume_dirs.count,
        .trust = l->trust,
        .keys = l->keys,
        .signer = l->signer,
        .min_custodians = l->min_custodians,
        .expected = &l->expected,
        .set = l->set,
        .add = l->add,
        .remove = args.remove.item,
        .remove_count = args.remove.count,
        .replace_old = l->replace_old,
        .replace_new = l->replace_new,
        .check_key = l->check_key,
        .reason = args.reason,
        .digest = args.digest,
        .drop_history = args.drop_history,
        .reset_custody = args.reset_custody,
        .dry_run = dry_run,
    };
}

static void print_one(const char *path, const cof_rotate_result *result, bool alone, bool dry_run,
                      const cli_report *report)
{
    if (args.json)
        cli_rotate_print_json(path, result, dry_run, report);
    else if (alone)
        cli_rotate_print(path, result, dry_run);
    else
        cli_rotate_print_line(path, result, dry_run);
}

/* ---- all of them ---- */

typedef struct batch {
    const loaded *l;
    cli_targets targets;
    cli_rotate_tally tally;
    cli_report whole; /* the progress line */
    bool alone, quiet;
    int gravest;
} batch;

static void put_evidence(batch *b, const char *path, const cof_rotate_outcome *outcome,
                         const cli_report *report)
{
    const cof_rotate_result *result = outcome->result;
    json_t *object = cli_evidence_new("rotate", path);
    cli_json_flag(object, "dry_run", b->tally.dry_run);
    cli_json_flag(object, "changed", result->changed);
    if (outcome->status == COF_OK) {
        cli_json_text(object, "uuid", result->uuid);
        cli_json_number(object, "generation", result->generation);
        (void)json_object_set_new(object, "recipients",
                                  cli_json_certs(result->recipients, result->recipient_count));
        (void)json_object_set_new(object, "removed",
                                  cli_json_certs(result->removed, result->removed_count));
        if (result->skipped[0] != '\0')
            cli_json_text(object, "skipped", result->skipped);
    }
    if (args.reason != NULL)
        cli_json_text(object, "reason", args.reason);
    int unwritten =
        cli_evidence_put(&b->l->evidence, object, report, outcome->status, outcome->error);
    b->gravest = cli_status_graver(b->gravest, unwritten);
}

static void count(cli_rotate_tally *tally, const cof_rotate_outcome *outcome)
{
    bool skipped = outcome->result->skipped[0] != '\0';
    if (outcome->status != COF_OK)
        cli_rotate_count(tally, CLI_ROTATE_REFUSED, outcome->error->message);
    else
        cli_rotate_count(tally, skipped ? CLI_ROTATE_SKIPPED : CLI_ROTATE_CHANGED,
                         outcome->result->skipped);
    if (outcome->status == COF_OK)
        tally->removed_any |= outcome->result->removed_count > 0;
}

static void tell_outcome(batch *b, const char *path, const cof_rotate_outcome *outcome)
{
    cli_report report;
    cli_report_begin(&report, path, b->quiet);
    report.path = path;
    report.later = true; /* among many good ones nobody would see it */
    for (size_t i = 0; i < outcome->warning_count; i++)
        cli_report_warn(&report, outcome->warnings[i]);
    count(&b->tally, outcome);
    if (outcome->status == COF_OK && (args.json || !b->quiet))
        print_one(path, outcome->result, b->alone, b->tally.dry_run, &report);
    put_evidence(b, path, outcome, &report);
    b->gravest = cli_status_graver(
        b->gravest, cli_json_end(&report, path, args.json, outcome->status, outcome->error));
}

static void on_outcome(void *ctx, const cof_rotate_outcome *outcome)
{
    batch *b = ctx;
    cli_report_pause(&b->whole);
    tell_outcome(b, b->targets.path[outcome->index], outcome);
}

static bool on_progress(void *ctx, size_t done, size_t total)
{
    batch *b = ctx;
    b->gravest = cli_status_graver(b->gravest, cli_evidence_sync(&b->l->evidence));
    if (!b->alone)
        cli_report_count(&b->whole, done, total);
    return true;
}

static void rotate_targets(batch *b)
{
    const cof_rotate_options o = rotate_options(b->l, b->tally.dry_run);
    const cof_rotate_many many = {.paths = (const char *const *)b->targets.path,
                                  .count = b->targets.count,
                                  .jobs = (unsigned)b->l->jobs,
                                  .outcome = on_outcome,
                                  .progress = on_progress,
                                  .ctx = b};
    cof_error err = COF_ERROR_INIT;
    cli_report_begin(&b->whole, NULL, b->quiet);
    cof_status st = cof_rotate_all(&o, &many, &err);
    b->gravest = cli_status_graver(b->gravest, cli_evidence_sync(&b->l->evidence));
    b->gravest = cli_status_graver(b->gravest, cli_report_end(&b->whole, st, &err));
}

/* ---- heads in a bundle ---- */

typedef struct bundle {
    batch *b;
    const char *path;
    char *warnings[16]; /* about the head that is being worked on; owned */
    size_t warning_count;
} bundle;

static void keep_warning(void *ctx, const char *sentence)
{
    bundle *u = ctx;
    if (u->warning_count < sizeof u->warnings / sizeof u->warnings[0])
        u->warnings[u->warning_count++] = strdup(sentence);
}

static void on_head(void *ctx, size_t number, const cof_rotate_result *result, cof_status status,
                    const cof_error *err)
{
    char name[PATH_MAX + 40];
    bundle *u = ctx;
    const cof_rotate_outcome outcome = {.status = status,
                                        .error = err,
                                        .result = result,
                                        .warnings = (const char *const *)u->warnings,
                                        .warning_count = u->warning_count};
    tell_outcome(u->b, cli_heads_name(name, sizeof name, u->path, number), &outcome);
    while (u->warning_count > 0)
        free(u->warnings[--u->warning_count]);
}

/* What was told of the bundle, not of a head in it. */
static void tell_rest(bundle *u, cli_report *report)
{
    for (size_t i = 0; i < u->warning_count; i++) {
        if (u->warnings[i] != NULL)
            cli_report_warn(report, u->warnings[i]);
        free(u->warnings[i]);
    }
    u->warning_count = 0;
}

/* What was told of the heads becomes true when the new bundle has the name of the old one. */
static void rotate_bundle(batch *b, const char *path)
{
    bundle u = {.b = b, .path = path};
    cof_rotate_options o = rotate_options(b->l, b->tally.dry_run);
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    o.path = path;
    o.report = (cof_report){.warn = keep_warning, .ctx = &u};
    cli_report_begin(&report, path, b->quiet);
    report.path = path;
    report.later = true; /* among many good ones nobody would see it */
    cof_status st = cof_rotate_bundle(&o, on_head, &u, &err);
    if (st != COF_OK) {
        cof_rotate_result nothing = {.changed = false};
        const cof_rotate_outcome outcome = {.status = st, .error = &err, .result = &nothing};
        put_evidence(b, path, &outcome, &report);
        tell_rest(&u, &report);
    }
    b->gravest = cli_status_graver(b->gravest, cli_evidence_sync(&b->l->evidence));
    b->gravest = cli_status_graver(b->gravest, cli_json_end(&report, path, args.json, st, &err));
}

/* Bundles are written anew, one by one; the rest goes side by side. */
static void rotate_bundles(batch *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->targets.count; i++) {
        char *path = b->targets.path[i];
        if (!cof_path_is_bundle(path)) {
            b->targets.path[kept++] = path;
            continue;
        }
        rotate_bundle(b, path);
        free(path);
    }
    b->targets.count = kept;
}

static bool is_alone(const cli_targets *targets)
{
    return targets->count == 1 && !cof_path_is_bundle(targets->path[0]);
}

static cof_status confine(const cli_call *call, cof_error *err)
{
    cli_confinement c = {.count = 0};
    for (size_t i = 0; i < call->operands.count; i++)
        cli_heads_confine(&c, call->operands.item[i]);
    return cli_confine(&c, call, err);
}

static int rotate_all(const cli_call *call, const loaded *l)
{
    batch b = {.l = l, .quiet = call->quiet};
    b.gravest = cli_targets_find(&b.targets, &call->operands, args.json);
    b.alone = is_alone(&b.targets);
    bool widens = args.set.count > 0 || args.add.count > 0;
    bool must_ask = !b.alone && widens && !args.yes && !args.dry_run;
    b.tally = (cli_rotate_tally){.dry_run = args.dry_run || must_ask, .begun = cli_clock()};

    rotate_bundles(&b);
    if (b.targets.count > 0)
        rotate_targets(&b);
    cli_later_say();
    if (!args.json && !call->quiet) {
        if (!b.alone)
            cli_rotate_print_tally(&b.tally);
        cli_rotate_print_reminder(&b.tally);
    }
    if (must_ask && b.tally.of[CLI_ROTATE_CHANGED].count > 0) {
        cli_say("nothing was written: this changes who can open several backups; say --yes if that "
                "is meant");
        b.gravest = cli_status_graver(b.gravest, CLI_EXIT_USAGE);
    }
    cli_targets_wipe(&b.targets);
    return b.gravest;
}

static int run(const cli_call *call)
{
    loaded l = {.evidence = CLI_EVIDENCE_NONE};
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    int exit_status = CLI_EXIT_OK;
    if ((st = check(call, &err)) == COF_OK && (st = load(&l, call->home, &err)) == COF_OK &&
        (st = confine(call, &err)) == COF_OK) {
        exit_status = rotate_all(call, &l);
    } else {
        cli_say(err.message);
        exit_status = cli_status_exit(st);
    }
    loaded_wipe(&l);
    return exit_status;
}

const cli_verb cli_verb_rotate = {
    .name = "rotate",
    .summary = "Change who can open backups, in place and in milliseconds",
    .usage = "FILE|DIR|HEAD|BUNDLE... --key KEY (-r CERT... | --add CERT... | --remove "
             "CERT|FINGERPRINT... | "
             "--replace OLD --with NEW) [options]",
    .text = "Only the head of a backup is read and written, whatever its size. If it is "
            "interrupted, the backup opens with the old recipients or with the new ones.\n"
            "The data key stays the same: whoever has a copy with the old recipients, and one of "
            "their keys, can still open that copy.\n"
            "For example, a yearly renewal: coffer rotate /backup --replace ops-2025.crt --with "
            "ops-2026.crt --key ops-2025.key --check-key ops-2026.key --reason \"yearly renewal\"",
    .options = options,
    .operand = "FILE or DIR",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
