/* SPDX-License-Identifier: Apache-2.0 */

/*
 * coffer prune: remove the backups that no rule keeps.
 *
 * All are opened and judged before the first one goes, and each one that goes is opened again.
 * What cannot be judged stays, and does not count: a wrong key or a damaged disk never lets the
 * good ones go.
 */

#include "confine.h"
#include "credential.h"
#include "human.h"
#include "json.h"
#include "report.h"
#include "say.h"
#include "series.h"
#include "show.h"
#include "status.h"
#include "verb.h"
#include "volume.h"

#include <coffer/prune.h>
#include <coffer/reader.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LEFTOVER_AGE (24 * 60 * 60U) /* seconds; no run takes so long without writing */

static struct {
    const char *keep[CLI_PERIODS];
    cli_trust_args trust;
    cli_list volume_dirs;
    bool dry_run, json;
} args;

static const cli_opt options[] = {
    {.name = "keep-last",
     .arg = "N",
     .value = &args.keep[0],
     .rules = CLI_OPT_ASKED,
     .help = "keep the newest N"},
    {.name = "keep-daily",
     .arg = "N",
     .value = &args.keep[1],
     .rules = CLI_OPT_ASKED,
     .help = "keep the newest one of each day, for the last N days that have one"},
    {.name = "keep-weekly",
     .arg = "N",
     .value = &args.keep[2],
     .rules = CLI_OPT_ASKED,
     .help = "the same for weeks, which begin on Monday"},
    {.name = "keep-monthly",
     .arg = "N",
     .value = &args.keep[3],
     .rules = CLI_OPT_ASKED,
     .help = "the same for months"},
    {.name = "keep-yearly",
     .arg = "N",
     .value = &args.keep[4],
     .rules = CLI_OPT_ASKED,
     .help = "the same for years"},
    {.name = "dry-run",
     .flag = &args.dry_run,
     .rules = CLI_OPT_ASKED,
     .help = "remove nothing, and say what would be removed"},
    CLI_VOLUME_DIR_OPTION(args.volume_dirs),
    CLI_TRUST_OPTIONS(args.trust),
    {.name = "json",
     .flag = &args.json,
     .rules = CLI_OPT_ASKED,
     .help = "print one JSON object for each backup, a line each"},
    {.name = NULL},
};

/* One run. */
typedef struct pruning {
    const cof_trust *trust;
    cli_series series;
    size_t kept, removed, unjudged, leftovers;
    uint64_t freed;
    bool quiet;
    int exit_status;
} pruning;

static void graver(pruning *p, int exit_status)
{
    p->exit_status = cli_status_graver(p->exit_status, exit_status);
}

/* ---- judging ---- */

/* It stays and does not count. */
static void leave(pruning *p, const char *path, const char *why)
{
    char sentence[sizeof((cof_error *)NULL)->message + CLI_NAME_CAP];
    cof_error none = COF_ERROR_INIT;
    cli_report report;
    cli_report_begin(&report, path, true);
    report.path = path;
    snprintf(sentence, sizeof sentence, "kept without counting: %s", why);
    cli_report_warn(&report, sentence);
    if (args.json) {
        json_t *object = cli_json_new(path);
        cli_json_text(object, "action", "left");
        cli_json_print(object, &report);
    }
    p->unjudged++;
    graver(p, cli_report_end(&report, COF_OK, &none));
}

static void ignore_warning(void *ctx, const char *sentence)
{
    (void)ctx;
    (void)sentence; /* a damaged copy of the head does not make a backup less good */
}

static cof_open_options open_options(const pruning *p, const char *path)
{
    return (cof_open_options){.path = path,
                              .volume_dirs = args.volume_dirs.item,
                              .volume_dir_count = args.volume_dirs.count,
                              .trust = p->trust,
                              .report = {.warn = ignore_warning}};
}

static cof_status judge(pruning *p, const char *path, cof_error *err)
{
    cof_open_options o = open_options(p, path);
    cof_reader *reader = NULL;
    const char *why = NULL;
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        leave(p, path, "it is a symbolic link");
        return COF_OK;
    }
    if (cof_reader_open(&reader, &o, err) != COF_OK) {
        leave(p, path, err->message);
        return err->status == COF_NOMEM ? COF_NOMEM : COF_OK;
    }
    const cof_info *info = cof_reader_info(reader);
    cof_status status = COF_OK;
    if (info->lineage == COF_LINEAGE_REQUIRED)
        why = "who made it can be told with a private key only";
    else if (info->volume_problem != NULL)
        why = info->volume_problem;
    else if (info->volumes_missing > 0)
        why = "not all of its volumes are here; say with --volume-dir where to look";
    else
        status = cli_series_add(&p->series, &why, path, info, err);
    if (status == COF_OK && why != NULL)
        leave(p, path, why);
    cof_reader_free(reader);
    return status;
}

static cof_status judge_all(pruning *p, const char *dir, cof_error *err)
{
    cof_paths paths = {NULL, 0, 0};
    cof_status st = cof_paths_find(&paths, dir, err);
    for (size_t i = 0; st == COF_OK && i < paths.count; i++)
        st = judge(p, paths.path[i], err);
    cof_paths_wipe(&paths);
    return st;
}

/* ---- doing ---- */

static void why_kept(char *out, size_t cap, unsigned keep)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < CLI_PERIODS; i++)
        if ((keep & 1U << i) != 0 && used < cap)
            used += (size_t)snprintf(out + used, cap - used, "%s%s", used > 0 ? ", " : "",
                                     cli_period_names[i]);
}

static json_t *describe(const cli_dated *d)
{
    json_t *object = cli_json_new(d->path);
    json_t *reasons = json_array();
    cli_json_text(object, "action",
                  d->keep != 0   ? "kept"
                  : args.dry_run ? "to be removed"
                                 : "removed");
    for (size_t i = 0; i < CLI_PERIODS; i++)
        if ((d->keep & 1U << i) != 0)
            (void)json_array_append_new(reasons, json_string(cli_period_names[i]));
    (void)json_object_set_new(object, "keep", reasons);
    cli_json_text(object, "uuid", d->uuid);
    cli_json_text(object, "label", d->label);
    cli_json_text(object, "maker", d->fingerprint);
    cli_json_time(object, "finished", d->time);
    cli_json_number(object, "file_bytes", d->bytes);
    return object;
}

/* "x.cof: kept (last, daily), made 2026-11-24 10:15:02 UTC, db1 by CN=db1" */
static void tell(const pruning *p, const cli_dated *d, const cli_report *report)
{
    char safe[4 * CLI_NAME_CAP];
    char moment[CLI_HUMAN_CAP];
    char name[CLI_NAME_CAP];
    char why[64];
    if (args.json) {
        cli_json_print(describe(d), report);
        return;
    }
    if (p->quiet)
        return;
    why_kept(why, sizeof why, d->keep);
    cli_series_name(name, sizeof name, d);
    printf("%s: %s%s%s, made %s, %s\n", cli_show_path(safe, sizeof safe, d->path),
           d->keep != 0   ? "kept ("
           : args.dry_run ? "would be removed"
                          : "removed",
           why, d->keep != 0 ? ")" : "", cli_human_moment(moment, d->time), name);
}

/* What is removed now is what was judged, still signed by whom we trust. */
static cof_status remove_one(const pruning *p, const cli_dated *d, cof_error *err)
{
    cof_open_options o = open_options(p, d->path);
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);
    if (st == COF_OK && strcmp(cof_reader_info(reader)->uuid, d->uuid) != 0)
        st = cli_error(err, COF_BUSY, "it is another backup now; it was not removed");
    if (st == COF_OK && !args.dry_run)
        st = cof_reader_remove(reader, err);
    cof_reader_free(reader);
    return st;
}

static void settle(pruning *p, const cli_dated *d)
{
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    cli_report report;
    if (!d->good) /* has been reported */
        return;
    cli_report_begin(&report, d->path, true);
    report.path = d->path;
    if (d->keep == 0)
        st = remove_one(p, d, &err);
    p->kept += d->keep != 0;
    if (st == COF_OK) {
        p->removed += d->keep == 0;
        p->freed += d->keep == 0 ? d->bytes : 0;
        tell(p, d, &report);
    }
    graver(p, cli_json_end(&report, d->path, args.json, st, &err));
}

/* ---- leftovers ---- */

static void clean_one(pruning *p, const char *path)
{
    char safe[4 * CLI_NAME_CAP];
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;
    cli_report report;
    cli_report_begin(&report, path, true);
    report.path = path;
    if (!args.dry_run)
        st = cof_leftover_remove(path, LEFTOVER_AGE, &err);
    if (st == COF_BUSY) { /* somebody is at work there: no leftover */
        (void)cli_report_end(&report, COF_OK, &err);
        return;
    }
    if (st == COF_OK) {
        p->leftovers++;
        if (args.json) {
            json_t *object = cli_json_new(path);
            cli_json_text(object, "action", args.dry_run ? "to be removed" : "removed");
            cli_json_flag(object, "leftover", true);
            cli_json_print(object, &report);
        } else if (!p->quiet) {
            printf("%s: %s, left behind by a run that was killed\n",
                   cli_show_path(safe, sizeof safe, path),
                   args.dry_run ? "would be removed" : "removed");
        }
    }
    graver(p, cli_json_end(&report, path, args.json, st, &err));
}

static cof_status clean(pruning *p, const char *dir, cof_error *err)
{
    cof_paths paths = {NULL, 0, 0};
    cof_status st = cof_leftovers_find(&paths, dir, LEFTOVER_AGE, err);
    for (size_t i = 0; st == COF_OK && i < paths.count; i++)
        clean_one(p, paths.path[i]);
    cof_paths_wipe(&paths);
    return st;
}

/* ---- work ---- */

static void print_tally(const pruning *p)
{
    char a[CLI_HUMAN_CAP];
    printf("%s kept, ", cli_human_count(a, p->kept));
    printf("%s %s", cli_human_count(a, p->removed), args.dry_run ? "would be removed" : "removed");
    printf(" (%s), ", cli_human_size(a, p->freed));
    printf("%s kept without counting", cli_human_count(a, p->unjudged));
    if (p->leftovers > 0)
        printf(", %s left behind by killed runs %s", cli_human_count(a, p->leftovers),
               args.dry_run ? "would be removed" : "removed");
    putchar('\n');
}

static cof_status prune(pruning *p, const char *dir, const cli_keep_rules *rules, cof_error *err)
{
    cof_status st = judge_all(p, dir, err);
    if (st == COF_OK) {
        cli_series_sort(&p->series);
        cli_series_keep(&p->series, rules);
        for (size_t i = 0; i < p->series.count; i++)
            settle(p, &p->series.item[i]);
        st = clean(p, dir, err);
    }
    if (st == COF_OK && !args.json && !p->quiet)
        print_tally(p);
    cli_series_wipe(&p->series);
    return st;
}

static cof_status read_rules(cli_keep_rules *out, cof_error *err)
{
    bool any = false;
    for (size_t i = 0; i < CLI_PERIODS; i++) {
        if (args.keep[i] == NULL)
            continue;
        any = true;
        if (!cli_parse_number(&out->count[i], args.keep[i], 1, 1000000))
            return cli_error(err, COF_USAGE, "--keep-%s needs a number from 1 to 1000000",
                             cli_period_names[i]);
    }
    if (!any)
        return cli_error(err, COF_USAGE, "say what to keep, for example with --keep-last 7");
    return COF_OK;
}

static cof_status check_directory(const char *path, cof_error *err)
{
    char safe[CLI_NAME_CAP];
    struct stat st;
    cli_safe(safe, sizeof safe, path);
    if (stat(path, &st) != 0)
        return cli_error_sys(err, errno, "cannot open %s", safe);
    if (!S_ISDIR(st.st_mode))
        return cli_error(err, COF_USAGE, "%s is not a directory", safe);
    return COF_OK;
}

static int run(const cli_call *call)
{
    const char *dir = call->operands.item[0];
    cli_keep_rules rules = {{0}};
    pruning p = {.quiet = call->quiet};
    cof_trust *trust = NULL;
    cof_error err = COF_ERROR_INIT;
    cof_status st = COF_OK;

    if ((st = read_rules(&rules, &err)) == COF_OK && (st = check_directory(dir, &err)) == COF_OK &&
        (st = cli_trust_load(&trust, &args.trust, call->home, &err)) == COF_OK && trust == NULL)
        st = cli_error(&err, COF_AUTH,
                       "nobody is trusted yet: say with --trust whose backups are to be pruned");
    if (st == COF_OK) {
        cli_confinement c = {.count = 0};
        cli_confine_below(&c, dir);
        for (size_t i = 0; i < args.volume_dirs.count; i++)
            cli_confine_below(&c, args.volume_dirs.item[i]);
        st = cli_confine(&c, call, &err);
    }
    if (st == COF_OK) {
        p.trust = trust;
        st = prune(&p, dir, &rules, &err);
    }
    if (st != COF_OK) {
        cli_say(err.message);
        graver(&p, cli_status_exit(st));
    }
    cof_trust_free(trust);
    return p.exit_status;
}

const cli_verb cli_verb_prune = {
    .name = "prune",
    .summary = "Remove old backups that no rule keeps",
    .usage = "DIR (--keep-last N | --keep-daily N | --keep-weekly N | --keep-monthly N | "
             "--keep-yearly N)... [--dry-run] [--trust CERT|DIR|FINGERPRINT]... [options]",
    .text = "The rules are for each label of each maker; what any one of them keeps is kept. The "
            "time is the one that the maker signed, in UTC. Only complete backups of makers who "
            "are trusted count, and only they are ever removed; the newest of them always stays. "
            "Whatever cannot be judged is left as it is, with a warning and status 9.\n"
            "Only the signatures are checked, not the content: let coffer verify do that before. "
            "Unfinished files that killed runs left behind more than a day ago are removed, too.",
    .options = options,
    .operand = "DIR",
    .least = 1,
    .most = 1,
    .run = run,
};
