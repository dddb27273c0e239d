/* SPDX-License-Identifier: Apache-2.0 */

/* coffer info: what is this backup, who can open it, and by whose word do we know? */

#include "confine.h"
#include "credential.h"
#include "heads.h"
#include "human.h"
#include "json.h"
#include "policy.h"
#include "report.h"
#include "roster.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "target.h"
#include "verb.h"
#include "volume.h"

#include <coffer/reader.h>

#define LABEL CLI_LABEL

static struct {
    cli_key_args key;
    cli_trust_args trust;
    cli_list volume_dirs;
    cli_policy_args policy;
    const char *envelope, *min_custodians;
    bool recipients, json;
} args;

static const cli_opt options[] = {
    {.name = "recipients",
     .flag = &args.recipients,
     .rules = CLI_OPT_ASKED,
     .help =
         "print only who can open it; of several backups, whose certificate opens how many, and "
         "which certificates have expired or are about to"},
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
    CLI_TRUST_OPTIONS(args.trust),
    CLI_CUSTODIANS_OPTION(args.min_custodians),
    CLI_KEY_OPTIONS(args.key),
    CLI_ENVELOPE_OPTION(args.envelope),
    CLI_POLICY_OPTIONS(args.policy),
    {.name = "json",
     .flag = &args.json,
     .rules = CLI_OPT_ASKED,
     .help = "print one JSON object for each backup, a line each"},
    {.name = NULL},
};

/* ---- text ---- */

static const char *standing_text(cof_standing standing)
{
    switch (standing) {
    case COF_STANDING_TRUSTED:
        return "trusted";
    case COF_STANDING_CLAIMED:
        return "claimed, not trusted";
    case COF_STANDING_BAD:
        break;
    }
    return "NO VALID SIGNATURE";
}

static void print_party(const char *label, const cof_party *party)
{
    printf(LABEL "%s (%s)\n", label, cli_show_party(party), standing_text(party->standing));
    if (party->subject[0] != '\0')
        printf(LABEL "%s\n", "", party->fingerprint);
}

static void print_recipients(const cof_info *info)
{
    for (size_t i = 0; i < info->recipient_count; i++) {
        const cof_recipient_info *r = &info->recipients[i];
        printf(LABEL, i == 0 ? "opens for" : "");
        cli_show_recipients(stdout, r, 1);
        fputs(", ", stdout);
        cli_show_expiry(stdout, r->not_after);
        printf(", %s%s\n", r->key, r->opened ? ", opened it here" : "");
        printf(LABEL "%s\n", "", r->fingerprint);
    }
    if (!info->sealed)
        printf(LABEL "everybody: it is signed, not encrypted\n", "opens for");
}

static void print_statement(const cof_custody_info *c, bool first)
{
    char moment[CLI_HUMAN_CAP];
    printf(LABEL "generation %llu, %s, by %s (%s), %zu recipient%s%s%s\n", first ? "custody" : "",
           (unsigned long long)c->generation, cli_human_moment(moment, c->time),
           cli_show_party(&c->by), standing_text(c->by.standing), c->recipients,
           c->recipients == 1 ? "" : "s", c->reason[0] != '\0' ? ": " : "", c->reason);
    for (size_t i = 0; i < c->approval_count; i++)
        printf(LABEL "  approved by %s (%s)\n", "", cli_show_party(&c->approvals[i]),
               standing_text(c->approvals[i].standing));
}

static void print_custody(const cof_info *info)
{
    for (size_t i = 0; i < info->custody_count; i++)
        print_statement(&info->custody[i], i == 0);
    if (info->custody_count > 0 && info->chain_complete)
        printf(LABEL "complete, back to generation 1\n", "chain");
    else if (info->custody_count > 0)
        printf(LABEL "starts at generation %llu: what was before is gone%s\n", "chain",
               (unsigned long long)info->chain_start,
               info->custody[info->custody_count - 1].generation == 1 ? ", but for the first" : "");
    if (info->custody_count > 0)
        printf(LABEL "%s of the newest statement\n", "hash", info->custody_sha256);
    if (info->custody_problem != NULL)
        printf(LABEL "PROBLEM: %s\n", "", info->custody_problem);
    else if (info->custody_count > 0 && !info->custody_proven)
        printf(LABEL "not proven: give --key to check that its author knew the data key\n", "");
}

static void print_state(const cof_info *info)
{
    if (!info->complete)
        printf(LABEL "INCOMPLETE: not all of the source could be read\n", "state");
    if (info->pending)
        printf(LABEL "a change was interrupted; the next rotation completes it\n", "state");
    if (info->damaged > 0)
        printf(LABEL "%zu redundant cop%s damaged; the next rotation repairs the head\n", "state",
               info->damaged, info->damaged == 1 ? "y is" : "ies are");
}

/* A rotation that finds no room any more comes at a bad time. */
static void warn_of_room(cli_report *report, const cof_info *info)
{
    char sentence[256];
    if (info->slot_bytes == 0 || info->envelope_bytes <= info->slot_bytes / 4 * 3)
        return;
    snprintf(sentence, sizeof sentence,
             "the room for recipients and history is nearly full: %llu of %llu bytes; the next "
             "rotation may need --drop-history, or a larger head (coffer envelope export "
             "--slot-size)",
             (unsigned long long)info->envelope_bytes, (unsigned long long)info->slot_bytes);
    cli_report_warn(report, sentence);
}

static void print_text(const char *path, const cof_info *info)
{
    char safe[4 * CLI_NAME_CAP];
    char a[CLI_HUMAN_CAP];
    char b[CLI_HUMAN_CAP];
    char c[CLI_HUMAN_CAP];
    printf("%s\n", cli_show_path(safe, sizeof safe, path));
    if (args.recipients) {
        print_recipients(info);
        return;
    }
    printf(LABEL "%s%s%s\n", "backup", info->uuid, info->label[0] != '\0' ? ", label " : "",
           info->label);
    printf(LABEL "%s to %s, by %s\n", "made", cli_human_moment(a, info->started),
           cli_human_moment(b, info->finished), info->tool);
    printf(LABEL "%s of %s in %s record%s, %s%s\n", "content", cli_human_size(a, info->plain_bytes),
           info->tree ? "files" : "a stream", cli_human_count(b, info->records),
           info->records == 1 ? "" : "s", cli_human_size(c, info->file_bytes),
           info->alone              ? " in the head alone, without its body"
           : info->volume_count > 1 ? " in the files"
                                    : " in the file");
    cli_volumes_print(info);
    printf(LABEL "%s\n", "encrypted", info->sealed ? info->cipher : "no: " CLI_SIGNED_ONLY);
    if (info->sealed)
        printf(LABEL "generation %llu, epoch %u\n", "locks", (unsigned long long)info->generation,
               (unsigned)info->epoch);
    print_party("maker", &info->maker);
    if (info->lineage != COF_LINEAGE_NONE)
        print_party("first maker", &info->first_maker);
    if (info->custody_count > 0)
        print_party("custodian", &info->custody[0].by);
    print_recipients(info);
    print_custody(info);
    print_state(info);
}

/* ---- JSON ---- */

static json_t *approvals_json(const cof_custody_info *c)
{
    json_t *array = json_array();
    for (size_t i = 0; i < c->approval_count; i++) {
        json_t *object = json_object();
        cli_json_party(object, "by", &c->approvals[i]);
        (void)json_array_append_new(array, object);
    }
    return array;
}

static json_t *custody_json(const cof_info *info)
{
    json_t *array = json_array();
    for (size_t i = 0; i < info->custody_count; i++) {
        const cof_custody_info *c = &info->custody[i];
        json_t *object = json_object();
        cli_json_number(object, "generation", c->generation);
        cli_json_party(object, "by", &c->by);
        cli_json_time(object, "time", c->time);
        cli_json_text(object, "reason", c->reason);
        cli_json_number(object, "recipients", c->recipients);
        (void)json_object_set_new(object, "approvals", approvals_json(c));
        (void)json_array_append_new(array, object);
    }
    return array;
}

static void add_content(json_t *object, const cof_info *info)
{
    cli_json_text(object, "uuid", info->uuid);
    cli_json_text(object, "label", info->label);
    cli_json_number(object, "epoch", info->epoch);
    cli_json_time(object, "created", info->created);
    cli_json_time(object, "started", info->started);
    cli_json_time(object, "finished", info->finished);
    cli_json_text(object, "tool", info->tool);
    cli_json_flag(object, "sealed", info->sealed);
    cli_json_text(object, "content", info->tree ? "tree" : "stream");
    cli_json_text(object, "cipher", info->sealed ? info->cipher : "none");
    cli_json_number(object, "record_size", info->record_size);
    cli_json_number(object, "records", info->records);
    cli_json_number(object, "plain_bytes", info->plain_bytes);
    cli_json_flag(object, "complete", info->complete);
    cli_json_text(object, "root", info->root);
    cli_json_makers(object, info);
}

static void print_json(const char *path, const cof_info *info, const cli_report *report)
{
    json_t *object = cli_json_new(path);
    add_content(object, info);
    cli_json_number(object, "generation", info->generation);
    if (info->custody_count > 0)
        cli_json_party(object, "custodian", &info->custody[0].by);
    if (info->custody_problem != NULL)
        cli_json_text(object, "custody_problem", info->custody_problem);
    cli_json_text(object, "custody_sha256", info->custody_sha256);
    (void)json_object_set_new(object, "recipients",
                              cli_json_recipients(info->recipients, info->recipient_count));
    (void)json_object_set_new(object, "custody", custody_json(info));
    cli_json_number(object, "custodians", info->custodians);
    cli_json_flag(object, "custody_proven", info->custody_proven);
    cli_json_flag(object, "chain_complete", info->chain_complete);
    cli_json_number(object, "chain_start", info->chain_start);
    cli_json_flag(object, "head_alone", info->alone);
    cli_json_number(object, "file_bytes", info->file_bytes);
    cli_volumes_json(object, info);
    cli_json_number(object, "slot_bytes", info->slot_bytes);
    cli_json_number(object, "envelope_bytes", info->envelope_bytes);
    cli_json_flag(object, "pending", info->pending);
    cli_json_number(object, "damaged", info->damaged);
    cli_json_print(object, report);
}

/* ---- work ---- */

/* overview: NULL, or where the backup is counted instead of being described. */
static cof_status describe(const char *target, const cof_info *info, const cli_report *report,
                           cli_roster *overview, cof_error *err)
{
    if (args.json)
        print_json(target, info, report);
    else if (overview != NULL)
        return cli_roster_add(overview, info, err);
    else
        print_text(target, info);
    return COF_OK;
}

/* What is the same for all backups of a run. */
typedef struct run_state {
    cof_open_options common;
    cof_expectation expected;
    cli_roster *overview; /* NULL: each is described */
    size_t described;
    bool quiet;
} run_state;

static int describe_one(void *ctx, const char *target, const cof_heads *heads, size_t i)
{
    run_state *run = ctx;
    cof_open_options o = run->common;
    cof_reader *reader = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    cli_report report;
    if (run->described++ > 0 && !args.json && run->overview == NULL)
        putchar('\n');
    cli_report_begin(&report, target, run->quiet);
    report.path = target;
    o.report = cli_report_hooks(&report);
    o.heads = heads;
    o.head = i;

    if ((heads != NULL || (st = cli_target_open(&o, target, &err)) == COF_OK) &&
        (st = cof_reader_open(&reader, &o, &err)) == COF_OK) {
        const cof_info *info = cof_reader_info(reader);
        cli_report_pause(&report);
        if (info->volume_problem != NULL)
            cli_report_warn(&report, info->volume_problem);
        warn_of_room(&report, info);
        if ((st = describe(target, info, &report, run->overview, &err)) == COF_OK)
            st = cof_expectation_check(&run->expected, info, &err);
    }
    cof_reader_free(reader);
    return cli_json_end(&report, target, args.json, st, &err);
}

static int describe_all(const cli_call *call, run_state *run)
{
    cli_targets targets = {NULL, 0};
    cli_roster roster = {.line = NULL};
    int gravest = cli_targets_find(&targets, &call->operands, args.json);
    bool many = targets.count > 1 || (targets.count == 1 && cof_path_is_bundle(targets.path[0]));
    if (args.recipients && many && !args.json)
        run->overview = &roster;
    for (size_t i = 0; i < targets.count; i++)
        gravest = cli_status_graver(gravest,
                                    cli_heads_each(targets.path[i], args.json, describe_one, run));
    if (run->overview != NULL)
        cli_roster_print(stdout, &roster);
    run->overview = NULL; /* the roster ends here */
    cli_roster_wipe(&roster);
    cli_targets_wipe(&targets);
    return gravest;
}

static int run(const cli_call *call)
{
    run_state state = {.common = {.claimed = true,
                                  .alone = true,
                                  .volume_dirs = args.volume_dirs.item,
                                  .volume_dir_count = args.volume_dirs.count},
                       .quiet = call->quiet};
    cof_keyring *keys = NULL;
    cof_trust *trust = NULL;
    cof_heads *envelope = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    int exit_status = CLI_EXIT_OK;
    cli_confinement nowhere = {.count = 0};
    bool from_stdin = cli_targets_read_stdin(&call->operands);

    if ((st = cli_policy_read(&state.expected, &args.policy, &err)) == COF_OK &&
        (st = cli_custodians_read(&state.common.min_custodians, args.min_custodians, &err)) ==
            COF_OK &&
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) == COF_OK &&
        (st = cli_keyring_load(&keys, &args.key, from_stdin, &err)) == COF_OK &&
        (st = cli_confine(&nowhere, call, &err)) == COF_OK &&
        (st = cli_heads_load(&envelope, args.envelope, &err)) == COF_OK) {
        state.common.keys = keys;
        state.common.trust = trust;
        state.common.envelope = envelope;
        exit_status = describe_all(call, &state);
    } else {
        cli_say(err.message);
        exit_status = cli_status_exit(st);
    }
    cof_heads_free(envelope);
    cof_trust_free(trust);
    cof_keyring_free(keys);
    return exit_status;
}

const cli_verb cli_verb_info = {
    .name = "info",
    .summary = "Show what a backup is, who can open it, and who says so",
    .usage = "FILE|DIR|HEAD|BUNDLE|-... [--trust CERT|DIR|FINGERPRINT]... [options]",
    .text = "Needs no key and no trust. What was signed by somebody trusted is marked so; the rest "
            "is what the backup claims about itself. The content is not read: see coffer verify. A "
            "backup of several volumes is described by the first; the others may be elsewhere.",
    .options = options,
    .operand = "FILE or DIR",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
