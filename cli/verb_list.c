/* SPDX-License-Identifier: Apache-2.0 */

/* coffer list: what a backup of files holds. */

#include "confine.h"
#include "credential.h"
#include "heads.h"
#include "human.h"
#include "json.h"
#include "policy.h"
#include "report.h"
#include "say.h"
#include "status.h"
#include "target.h"
#include "verb.h"
#include "volume.h"

#include <coffer/tree.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    cli_key_args key;
    cli_trust_args trust;
    cli_list exclude, volume_dirs;
    cli_policy_args policy;
    const char *envelope, *min_custodians;
    bool long_form, null, strict_custody, json;
} args;

static const cli_opt options[] = {
    {.letter = 'l',
     .name = "long",
     .flag = &args.long_form,
     .rules = CLI_OPT_ASKED,
     .help = "print type and permissions, owner/group, size, time and target of links as well; ! "
             "marks what is incomplete"},
    {.letter = '0',
     .name = "null",
     .flag = &args.null,
     .rules = CLI_OPT_ASKED,
     .help = "print names as they are, each with a zero byte behind it"},
    {.name = "json",
     .flag = &args.json,
     .rules = CLI_OPT_ASKED,
     .help = "print a JSON object for each entry, and one for the backup"},
    {.name = "exclude",
     .arg = "PATTERN",
     .list = &args.exclude,
     .rules = CLI_OPT_ASKED,
     .help = "leave out what matches, as in backup; may be repeated"},
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
    {.name = NULL},
};

/* What is printed, and how much of it. */
typedef struct printing {
    char *safe; /* owned: room for a name made safe */
    size_t cap;
    uint64_t entries;
} printing;

static const char *make_safe(printing *p, const char *name, size_t len)
{
    size_t need = 8 * len + 8;
    if (need > p->cap) {
        char *grown = realloc(p->safe, need);
        if (grown == NULL)
            return "(no memory)";
        p->safe = grown;
        p->cap = need;
    }
    return cli_safe(p->safe, p->cap, name);
}

/* "drwxr-xr-x", as ls prints it. */
static void mode_text(char out[11], const cof_tree_entry *e)
{
    static const char types[] = {'?', '-', 'd', 'l', 'h', 'c', 'b', 'p', 's'};
    static const char letters[] = "rwxrwxrwx";
    out[0] = types[e->type];
    for (unsigned i = 0; i < 9; i++)
        out[1 + i] = e->mode & (0400U >> i) ? letters[i] : '-';
    if (e->mode & 04000)
        out[3] = e->mode & 0100 ? 's' : 'S';
    if (e->mode & 02000)
        out[6] = e->mode & 0010 ? 's' : 'S';
    if (e->mode & 01000)
        out[9] = e->mode & 0001 ? 't' : 'T';
    out[10] = '\0';
}

static void print_long(const cof_tree_entry *e)
{
    char mode[11];
    char size[48];
    char date[CLI_HUMAN_CAP] = "-";
    mode_text(mode, e);
    if (e->type == COF_TREE_CHAR_DEVICE || e->type == COF_TREE_BLOCK_DEVICE)
        snprintf(size, sizeof size, "%u,%u", e->major, e->minor);
    else
        snprintf(size, sizeof size, "%llu", (unsigned long long)e->size);
    if (e->mtime >= 0)
        cli_human_iso(date, (uint64_t)e->mtime);
    printf("%s%c %u/%u %10s %20s ", mode, e->state == COF_TREE_OK ? ' ' : '!', e->user, e->group,
           size, date);
}

static void json_name(json_t *object, const char *key, printing *p, const char *name, size_t len)
{
    json_t *value = json_stringn(name, len);
    if (value == NULL) /* no UTF-8: readable, and exactly */
        value = json_string(make_safe(p, name, len));
    (void)json_object_set_new(object, key, value);
}

static void json_hex(json_t *object, const char *key, const char *name, size_t len)
{
    json_t *valid = json_stringn(name, len);
    char *hex = valid == NULL ? malloc(2 * len + 1) : NULL;
    for (size_t i = 0; hex != NULL && i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)(unsigned char)name[i]);
    if (hex != NULL)
        (void)json_object_set_new(object, key, json_string(hex));
    free(hex);
    json_decref(valid);
}

static void print_json(printing *p, const cof_tree_entry *e)
{
    static const char *const types[] = {"unknown",      "file",      "directory",
                                        "symlink",      "hard link", "character device",
                                        "block device", "fifo",      "stream"};
    static const char *const states[] = {"ok", "changed", "unreadable", "vanished"};
    char mode[8];
    json_t *o = json_object();
    json_name(o, "name", p, e->path, e->path_len);
    json_hex(o, "name_hex", e->path, e->path_len);
    cli_json_text(o, "type", types[e->type]);
    cli_json_text(o, "state", states[e->state]);
    snprintf(mode, sizeof mode, "%04o", (unsigned)e->mode);
    cli_json_text(o, "mode", mode);
    cli_json_number(o, "user", e->user);
    cli_json_number(o, "group", e->group);
    cli_json_number(o, "size", e->size);
    if (e->type == COF_TREE_CHAR_DEVICE || e->type == COF_TREE_BLOCK_DEVICE) {
        cli_json_number(o, "major", e->major);
        cli_json_number(o, "minor", e->minor);
    }
    (void)json_object_set_new(o, "mtime", json_integer(e->mtime));
    cli_json_number(o, "mtime_ns", e->mtime_ns);
    if (e->target_len > 0) {
        json_name(o, "target", p, e->target, e->target_len);
        json_hex(o, "target_hex", e->target, e->target_len);
    }
    (void)json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static cof_status print_entry(void *ctx, const cof_tree_entry *e, cof_error *err)
{
    printing *p = ctx;
    p->entries++;
    if (args.json) {
        print_json(p, e);
    } else {
        if (args.long_form)
            print_long(e);
        if (args.null) {
            (void)fwrite(e->path, 1, e->path_len, stdout);
        } else {
            fputs(make_safe(p, e->path, e->path_len), stdout);
            if (args.long_form && e->target_len > 0)
                printf(" -> %s", make_safe(p, e->target, e->target_len));
        }
        putchar(args.null ? '\0' : '\n');
    }
    return ferror(stdout) ? cli_error_sys(err, errno, "cannot write to standard output") : COF_OK;
}

static cof_status check_options(cof_error *err)
{
    if (args.null && args.json)
        return cli_error(err, COF_USAGE, "--null and --json exclude each other");
    if (args.long_form && (args.null || args.json))
        return cli_error(err, COF_USAGE, "--long is for people: not with --null or --json");
    return COF_OK;
}

static cof_status list(cof_reader *reader, const cli_call *call, const cli_report *report,
                       cof_error *err)
{
    const char *target = call->operands.item[0];
    const cof_tree_selection selection = {call->operands.item + 1, call->operands.count - 1,
                                          args.exclude.item, args.exclude.count};
    printing p = {.safe = NULL};
    cof_status st = cof_reader_list(reader, &selection, print_entry, &p, err);
    if (st == COF_OK && args.json) {
        json_t *object = cli_json_new(target);
        cli_json_number(object, "entries", p.entries);
        cli_json_flag(object, "complete", cof_reader_info(reader)->complete);
        cli_json_makers(object, cof_reader_info(reader));
        cli_json_print(object, report);
    }
    free(p.safe);
    if (fflush(stdout) != 0 && st == COF_OK)
        st = cli_error_sys(err, errno, "cannot write to standard output");
    return st;
}

static int run(const cli_call *call)
{
    const char *target = call->operands.item[0];
    cli_confinement nowhere = {.count = 0};
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
    cof_status st;
    cli_report report;
    cli_report_begin(&report, target, call->quiet);

    if ((st = check_options(&err)) != COF_OK ||
        (st = cli_policy_read(&expected, &args.policy, &err)) != COF_OK ||
        (st = cli_custodians_read(&o.min_custodians, args.min_custodians, &err)) != COF_OK ||
        (st = cli_target_open(&o, target, &err)) != COF_OK ||
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) != COF_OK ||
        (st = cli_keyring_load(&keys, &args.key, from_stdin, &err)) != COF_OK ||
        (st = cli_confine(&nowhere, call, &err)) != COF_OK ||
        (st = cli_heads_load(&envelope, args.envelope, &err)) != COF_OK)
        goto out;
    o.keys = keys;
    o.trust = trust;
    o.envelope = envelope;
    o.report = cli_report_hooks(&report);
    report.path = target;
    if ((st = cof_reader_open(&reader, &o, &err)) != COF_OK ||
        (st = cof_expectation_check(&expected, cof_reader_info(reader), &err)) != COF_OK)
        goto out;
    cli_report_pause(&report);
    st = list(reader, call, &report, &err);
out:
    cof_reader_free(reader);
    cof_heads_free(envelope);
    cof_trust_free(trust);
    cof_keyring_free(keys);
    return cli_json_end(&report, target, args.json, st, &err);
}

const cli_verb cli_verb_list = {
    .name = "list",
    .summary = "List the files in a backup",
    .usage = "FILE|- --key KEY [PATH...] [--trust CERT|DIR|FINGERPRINT]... [options]",
    .text = "A PATH means itself and all that is below it, and may be a pattern. Only the records "
            "that list it are read.",
    .options = options,
    .operand = "FILE",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
