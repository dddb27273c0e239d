/* SPDX-License-Identifier: Apache-2.0 */

/*
 * coffer repair: renew what a backup holds twice, or what follows from the rest of it.
 *
 * What was found is printed when it is known what became of it.
 */

#include "confine.h"
#include "credential.h"
#include "human.h"
#include "json.h"
#include "policy.h"
#include "report.h"
#include "say.h"
#include "show.h"
#include "status.h"
#include "verb.h"
#include "volume.h"

#include <coffer/repair.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    cli_trust_args trust;
    cli_key_args key;
    cli_list volume_dirs;
    cli_policy_args policy;
    const char *head;
    bool dry_run, json;
} args;

static const cli_opt options[] = {
    CLI_TRUST_OPTIONS(args.trust),
    CLI_KEY_OPTIONS(args.key),
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
    {.name = "head",
     .arg = "HEAD",
     .value = &args.head,
     .rules = CLI_OPT_ASKED,
     .help = "a head that \"coffer envelope export\" wrote, for a backup whose own is lost"},
    CLI_POLICY_OPTIONS(args.policy),
    {.name = "dry-run",
     .flag = &args.dry_run,
     .rules = CLI_OPT_ASKED,
     .help = "do everything but write"},
    {.name = "json", .flag = &args.json, .rules = CLI_OPT_ASKED, .help = "print one JSON object"},
    {.name = NULL},
};

static const char *const kinds[] = {
    [COF_REPAIR_SUPERBLOCK] = "superblock",
    [COF_REPAIR_SLOT] = "slot",
    [COF_REPAIR_RECORD_HEADER] = "record-header",
    [COF_REPAIR_INDEX] = "index",
    [COF_REPAIR_VOLUME_END] = "volume-end",
    [COF_REPAIR_TAIL] = "tail",
    [COF_REPAIR_RECORD] = "record",
};

/* What was found, until it can be told. */
typedef struct findings {
    cof_repair_item *item;
    size_t count;
    json_t *files; /* paths, safe for a terminal */
    bool no_memory;
} findings;

static void on_found(void *ctx, const cof_repair_item *item)
{
    findings *f = ctx;
    cof_repair_item *more = realloc(f->item, (f->count + 1) * sizeof *more);
    f->no_memory |= more == NULL;
    if (more == NULL)
        return;
    f->item = more;
    f->item[f->count++] = *item;
}

static void on_lost_file(void *ctx, const char *path, size_t path_len)
{
    findings *f = ctx;
    char safe[4 * CLI_NAME_CAP];
    char *text = calloc(1, path_len + 1);
    if (text != NULL)
        memcpy(text, path, path_len); /* which no NUL ends */
    f->no_memory |=
        text == NULL ||
        json_array_append_new(f->files, json_string(cli_safe(safe, sizeof safe, text))) != 0;
    free(text);
}

/* "repaired", if it was written and nothing failed meanwhile. */
static const char *outcome(const cof_repair_item *item, const cof_repair_result *result, bool done)
{
    if (!item->repairable)
        return "damaged";
    if (args.dry_run)
        return "repairable";
    return result->changed && done ? "repaired" : "not repaired";
}

static void print_items(const findings *f, const cof_repair_result *result, bool done)
{
    for (size_t i = 0; i < f->count; i++) {
        const cof_repair_item *item = &f->item[i];
        printf("  %-12s %s", outcome(item, result, done), item->text);
        if (item->volume > 1)
            printf(", volume %" PRIu32, item->volume);
        printf(" (bytes %" PRIu64 " to %" PRIu64 ")\n", item->offset,
               item->offset + item->length - 1);
    }
    for (size_t i = 0; i < json_array_size(f->files); i++)
        printf("  %-12s %s\n", "in file", json_string_value(json_array_get(f->files, i)));
}

static void print(const char *path, const findings *f, const cof_repair_result *result, bool done)
{
    char safe[4 * CLI_NAME_CAP];
    char count[CLI_HUMAN_CAP];
    cli_show_path(safe, sizeof safe, path);
    if (done && result->repairable + result->lost == 0) {
        printf("%s: nothing is damaged\n", safe);
        return;
    }
    if (f->count == 0)
        return;
    printf("%s: %s %s damaged\n", safe, cli_human_count(count, f->count),
           f->count == 1 ? "place is" : "places are");
    print_items(f, result, done);
    if (args.dry_run)
        puts("nothing was written");
}

static json_t *json_item(const cof_repair_item *item, const cof_repair_result *result, bool done)
{
    json_t *object = json_object();
    cli_json_text(object, "kind", kinds[item->kind]);
    cli_json_text(object, "what", item->text);
    cli_json_text(object, "outcome", outcome(item, result, done));
    cli_json_number(object, "volume", item->volume);
    cli_json_number(object, "offset", item->offset);
    cli_json_number(object, "length", item->length);
    if (item->kind == COF_REPAIR_RECORD || item->kind == COF_REPAIR_RECORD_HEADER)
        cli_json_number(object, "record", item->record);
    return object;
}

/* A failure is told in the same object: what was found is needed then, too. */
static void print_json(const char *path, const findings *f, const cof_repair_result *result,
                       bool done, const cli_report *report, cof_status st, const cof_error *err)
{
    json_t *object = cli_json_new(path);
    json_t *items = json_array();
    for (size_t i = 0; i < f->count; i++)
        (void)json_array_append_new(items, json_item(&f->item[i], result, done));
    cli_json_text(object, "uuid", result->uuid);
    cli_json_number(object, "generation", result->generation);
    cli_json_flag(object, "dry_run", args.dry_run);
    cli_json_flag(object, "changed", result->changed);
    cli_json_number(object, "repairable", result->repairable);
    cli_json_number(object, "lost", result->lost);
    (void)json_object_set_new(object, "items", items);
    (void)json_object_set(object, "files", f->files);
    if (st != COF_OK) {
        cli_json_text(object, "status", cof_status_name(st));
        cli_json_number(object, "exit", (uint64_t)cli_status_exit(st));
        cli_json_text(object, "error", err->message);
    }
    cli_json_print(object, report);
}

static int repair(const cli_call *call, const cof_trust *trust, const cof_keyring *keys,
                  const cof_expectation *expected)
{
    const char *path = call->operands.item[0];
    findings f = {.files = json_array()};
    cof_repair_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, path, call->quiet);
    const cof_repair_options o = {.path = path,
                                  .volume_dirs = args.volume_dirs.item,
                                  .volume_dir_count = args.volume_dirs.count,
                                  .head = args.head,
                                  .trust = trust,
                                  .keys = keys,
                                  .expected = expected,
                                  .dry_run = args.dry_run,
                                  .found = on_found,
                                  .lost_file = on_lost_file,
                                  .ctx = &f,
                                  .report = cli_report_hooks(&report)};
    cof_status st = cof_repair(&o, &result, &err);
    /* With damage that stays, all that could be repaired has been. */
    bool done = st == COF_OK || (st == COF_FORMAT && (result.changed || result.lost > 0));
    cli_report_pause(&report);
    if (f.no_memory)
        cli_report_warn(&report, "there is no memory for all that was found");
    if (args.json)
        print_json(path, &f, &result, done, &report, st, &err);
    else if (!call->quiet)
        print(path, &f, &result, done);
    free(f.item);
    json_decref(f.files);
    return cli_report_end(&report, st, &err);
}

static cof_status confine(const cli_call *call, cof_error *err)
{
    cli_confinement c = {.count = 0};
    cli_confine_target(&c, call->operands.item[0]);
    for (size_t i = 0; i < args.volume_dirs.count; i++)
        cli_confine_target(&c, args.volume_dirs.item[i]);
    return cli_confine(&c, call, err);
}

static int run(const cli_call *call)
{
    cof_trust *trust = NULL;
    cof_keyring *keys = NULL;
    cof_expectation expected = {.uuid = NULL};
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    int exit_status = CLI_EXIT_OK;
    if (strcmp(call->operands.item[0], "-") == 0)
        st = cli_error(&err, COF_USAGE, "repair changes files in place: - is not possible");
    if (st == COF_OK && (st = cli_policy_read(&expected, &args.policy, &err)) == COF_OK &&
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) == COF_OK &&
        (st = cli_keyring_load(&keys, &args.key, false, &err)) == COF_OK &&
        (st = confine(call, &err)) == COF_OK) {
        exit_status = repair(call, trust, keys, &expected);
    } else {
        cli_say(err.message);
        exit_status = cli_status_exit(st);
    }
    cof_trust_free(trust);
    cof_keyring_free(keys);
    return exit_status;
}

const cli_verb cli_verb_repair = {
    .name = "repair",
    .summary = "Renew damaged parts of a backup that follow from the rest of it",
    .usage = "FILE [--head HEAD] [--trust CERT|DIR|FINGERPRINT]... [--key KEY] [options]",
    .text =
        "Superblocks and envelope are there twice, and so is the closing record; indexes follow "
        "from the records, and the headers of records from the index. Only what the maker's "
        "signature proves is written, and only where something else stands. What a record holds "
        "is there once: it is named, with the files that lie in it where a --key is given, and "
        "stays damaged; then the status is 5.\n"
        "For example: coffer repair /backup/db1.cof --dry-run",
    .options = options,
    .operand = "FILE",
    .least = 1,
    .most = 1,
    .run = run,
};
