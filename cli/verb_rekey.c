/* SPDX-License-Identifier: Apache-2.0 */

/*
 * coffer rekey: encrypt a backup anew, under another data key.
 *
 * One backup at a time, since each is read and written whole.  The list of recipients is always
 * given on the command line: one that was taken from the backup could have been widened by a thief.
 */

#include "confine.h"
#include "credential.h"
#include "evidence.h"
#include "human.h"
#include "json.h"
#include "policy.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "verb.h"
#include "volume.h"

#include <coffer/rekey.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    cli_key_args key;
    cli_list recipients, volume_dirs;
    const char *output, *cipher;
    const char *check_key, *min_custodians;
    cli_passphrase_args check_passphrase;
    cli_trust_args trust;
    cli_sign_args sign;
    cli_policy_args policy;
    const char *reason, *digest, *report;
    bool dry_run, drop_history, reset_custody, json;
} args;

static const cli_opt options[] = {
    CLI_KEY_OPTIONS(args.key),
    {.letter = 'r',
     .name = "recipient",
     .arg = "CERT",
     .list = &args.recipients,
     .rules = CLI_OPT_ASKED,
     .help = "who can open it from now on, all of them: certificates in a file or directory; may "
             "be repeated"},
    {.letter = 'o',
     .name = "output",
     .arg = "FILE|DIR/",
     .value = &args.output,
     .rules = CLI_OPT_ASKED,
     .help = "write the new backup there and leave the old one; by default it takes its place"},
    {.name = "cipher",
     .arg = "CIPHER",
     .value = &args.cipher,
     .rules = CLI_OPT_ASKED,
     .help = "aes-256-gcm, aes-192-gcm, aes-128-gcm or chacha20-poly1305; by default as it is"},
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
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
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
     .help = "check what can be checked without reading the content, and write nothing"},
    {.name = "drop-history",
     .flag = &args.drop_history,
     .rules = CLI_OPT_ASKED,
     .help = "keep only the first and the latest statement about recipients"},
    {.name = "reset-custody",
     .flag = &args.reset_custody,
     .rules = CLI_OPT_ASKED,
     .help = "go on although nobody trusted decided on the present recipients"},
    CLI_EVIDENCE_OPTION(args.report),
    {.name = "json", .flag = &args.json, .rules = CLI_OPT_ASKED, .help = "print one JSON object"},
    {.name = NULL},
};

/* What the options name, loaded. */
typedef struct loaded {
    cof_keyring *keys, *check_key;
    cof_trust *trust;
    cof_signer *signer;
    cof_certs *recipients;
    cof_expectation expected;
    size_t min_custodians;
    cli_evidence evidence;
} loaded;

static void loaded_wipe(loaded *l)
{
    cli_evidence_close(&l->evidence);
    cof_keyring_free(l->keys);
    cof_keyring_free(l->check_key);
    cof_trust_free(l->trust);
    cof_signer_free(l->signer);
    cof_certs_free(l->recipients);
}

static cof_status check(const cli_call *call, cof_error *err)
{
    if (strcmp(call->operands.item[0], "-") == 0)
        return cli_error(err, COF_USAGE, "rekey reads a backup more than once: - is not possible");
    if (args.output != NULL && strcmp(args.output, "-") == 0)
        return cli_error(err, COF_USAGE, "rekey writes a file: -o - is not possible");
    if (args.key.keys.count == 0)
        return cli_error(err, COF_USAGE, "say with --key which private key opens it now");
    if (args.recipients.count == 0)
        return cli_error(err, COF_USAGE,
                         "say with -r who can open it from now on, all of them: nobody is carried "
                         "over");
    if (args.check_passphrase.file != NULL && args.check_key == NULL)
        return cli_error(err, COF_USAGE, "--check-key-passphrase-file needs --check-key");
    return COF_OK;
}

static cof_status load(loaded *l, const cli_home *home, cof_error *err)
{
    const cli_key_args check_key = {.keys = {&args.check_key, args.check_key != NULL ? 1 : 0},
                                    .passphrase = args.check_passphrase};
    cof_status st = COF_OK;
    if ((st = cli_policy_read(&l->expected, &args.policy, err)) != COF_OK ||
        (st = cli_certs_load(&l->recipients, &args.recipients, err)) != COF_OK ||
        (st = cli_trust_load(&l->trust, &args.trust, home, err)) != COF_OK ||
        (st = cli_custodians_read(&l->min_custodians, args.min_custodians, err)) != COF_OK ||
        (st = cli_signer_load(&l->signer, &args.sign, home, false, err)) != COF_OK ||
        (st = cli_keyring_load(&l->keys, &args.key, false, err)) != COF_OK ||
        (st = cli_evidence_open(&l->evidence, args.report, err)) != COF_OK)
        return st;
    return cli_keyring_load(&l->check_key, &check_key, false, err);
}

static cof_rekey_options rekey_options(const loaded *l, const char *path)
{
    return (cof_rekey_options){
        .path = path,
        .volume_dirs = args.volume_dirs.item,
        .volume_dir_count = args.volume_dirs.count,
        .output = args.output,
        .trust = l->trust,
        .keys = l->keys,
        .signer = l->signer,
        .recipients = l->recipients,
        .min_custodians = l->min_custodians,
        .expected = &l->expected,
        .check_key = l->check_key,
        .cipher = args.cipher,
        .reason = args.reason,
        .digest = args.digest,
        .drop_history = args.drop_history,
        .reset_custody = args.reset_custody,
        .dry_run = args.dry_run,
    };
}

/* ---- the result ---- */

static void print_person(const char *label, const cof_cert_info *person)
{
    printf("  %-11s %s, ", label, person->subject);
    cli_show_expiry(stdout, person->not_after);
    printf(", %s\n  %-11s %s\n", person->key, "", person->fingerprint);
}

static void print_text(const char *path, const cof_rekey_result *result)
{
    char safe[4 * CLI_NAME_CAP];
    char size[CLI_HUMAN_CAP];
    char took[CLI_HUMAN_CAP];
    if (result->changed)
        printf("%s: encrypted anew, %s as %s, epoch %u, generation %llu, %s\n",
               cli_show_path(safe, sizeof safe, args.output != NULL ? result->path : path),
               cli_human_size(size, result->plain_bytes), result->cipher, (unsigned)result->epoch,
               (unsigned long long)result->generation, cli_human_time(took, result->nanoseconds));
    else
        printf("%s: nothing was written; this would be epoch %u, generation %llu, %s\n",
               cli_show_path(safe, sizeof safe, path), (unsigned)result->epoch,
               (unsigned long long)result->generation, result->cipher);
    for (size_t i = 0; i < result->recipient_count; i++)
        print_person(i == 0 ? "opens for" : "", &result->recipients[i]);
    for (size_t i = 0; i < result->removed_count; i++)
        print_person(i == 0 ? "no longer" : "", &result->removed[i]);
    if (result->changed)
        puts(args.output != NULL
                 ? "The old backup is still there: it opens as before."
                 : "Copies of the old backup, in snapshots and replicas too, still open with the "
                   "old keys.");
}

static void add_result(json_t *object, const cof_rekey_result *result)
{
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "epoch", result->epoch);
    cli_json_number(object, "generation", result->generation);
    cli_json_text(object, "cipher", result->cipher);
    (void)json_object_set_new(object, "recipients",
                              cli_json_certs(result->recipients, result->recipient_count));
    (void)json_object_set_new(object, "removed",
                              cli_json_certs(result->removed, result->removed_count));
    if (!result->changed)
        return;
    cli_json_text(object, "output", result->path);
    cli_json_number(object, "records", result->records);
    cli_json_number(object, "plain_bytes", result->plain_bytes);
    cli_json_number(object, "stored_bytes", result->stored_bytes);
}

static void print_json(const char *path, const cof_rekey_result *result, const cli_report *report)
{
    json_t *object = cli_json_new(path);
    cli_json_flag(object, "dry_run", args.dry_run);
    cli_json_flag(object, "changed", result->changed);
    add_result(object, result);
    cli_json_number(object, "nanoseconds", result->nanoseconds);
    cli_json_print(object, report);
}

static int add_evidence(const loaded *l, const char *path, const cof_rekey_result *result,
                        const cli_report *report, cof_status st, const cof_error *err)
{
    json_t *object = cli_evidence_new("rekey", path);
    cli_json_flag(object, "dry_run", args.dry_run);
    cli_json_flag(object, "changed", result->changed);
    if (st == COF_OK)
        add_result(object, result);
    if (args.reason != NULL)
        cli_json_text(object, "reason", args.reason);
    return cli_evidence_add(&l->evidence, object, report, st, err);
}

/* ---- all of it ---- */

static int rekey(const cli_call *call, const loaded *l)
{
    const char *path = call->operands.item[0];
    cof_rekey_options o = rekey_options(l, path);
    cof_rekey_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, path, call->quiet);
    report.path = path;
    o.report = cli_report_hooks(&report);

    cof_status st = cof_rekey(&o, &result, &err);
    cli_report_pause(&report);
    if (st == COF_OK && args.json)
        print_json(path, &result, &report);
    else if (st == COF_OK && !call->quiet)
        print_text(path, &result);
    int unwritten = add_evidence(l, path, &result, &report, st, &err);
    cof_rekey_result_wipe(&result);
    return cli_status_graver(unwritten, cli_json_end(&report, path, args.json, st, &err));
}

/* In place: volumes may be links beside the first, as anything in a directory that is looked
 * through.
 */
static void confine_in_place(cli_confinement *c, const char *path)
{
    char real[PATH_MAX];
    if (realpath(path, real) != NULL) {
        *strrchr(real, '/') = '\0';
        cli_confine_target(c, real[0] != '\0' ? real : "/");
    }
    for (size_t i = 0; i < args.volume_dirs.count; i++)
        cli_confine_target(c, args.volume_dirs.item[i]);
}

static cof_status confine(const cli_call *call, cof_error *err)
{
    cli_confinement c = {.count = 0};
    cli_confine_file(&c, call->operands.item[0]);
    if (args.output != NULL)
        cli_confine_file(&c, args.output);
    else
        confine_in_place(&c, call->operands.item[0]);
    return cli_confine(&c, call, err);
}

static int run(const cli_call *call)
{
    loaded l = {.evidence = CLI_EVIDENCE_NONE};
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    int exit_status = CLI_EXIT_OK;
    if ((st = check(call, &err)) == COF_OK && (st = load(&l, call->home, &err)) == COF_OK &&
        (st = confine(call, &err)) == COF_OK) {
        exit_status = rekey(call, &l);
    } else {
        cli_say(err.message);
        exit_status = cli_status_exit(st);
    }
    loaded_wipe(&l);
    return exit_status;
}

const cli_verb cli_verb_rekey = {
    .name = "rekey",
    .summary = "Encrypt a backup anew, under another data key",
    .usage = "FILE --key KEY -r CERT... [-o FILE|DIR/] [options]",
    .text = "For when changing the recipients is not enough: somebody may know the data key. The "
            "whole backup is read, checked and written anew; until that is complete, the old one "
            "stays as it is, and can be read.\n"
            "Who made the content first stays provable to those who can open it: see coffer verify "
            "--maker.\n"
            "Copies of the old backup still open with the old keys.",
    .options = options,
    .operand = "FILE",
    .least = 1,
    .most = 1,
    .run = run,
};
