/* SPDX-License-Identifier: Apache-2.0 */

/* The progress line, and warnings. */

#include "report.h"

#include "later.h"
#include "say.h"
#include "show.h"
#include "status.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NS_PER_S    1000000000U
#define FIRST_AFTER NS_PER_S       /* quick work shows no line at all */
#define AGAIN_AFTER (NS_PER_S / 5) /* nobody reads faster */

static const char erase[] = "\r\033[K";
static volatile sig_atomic_t line_is_shown;

void cli_report_begin(cli_report *report, const char *name, bool quiet)
{
    *report = (cli_report){.begun = cli_clock()};
    report->progress = !quiet && isatty(STDERR_FILENO) == 1;
    if (name != NULL)
        cli_safe(report->name, sizeof report->name, name);
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

static void show_line(const char *line)
{
    fprintf(stderr, "%s%.*s", erase, terminal_width() - 1, line);
    (void)fflush(stderr);
    line_is_shown = 1;
}

static double rate_of(const cli_report *report, uint64_t done)
{
    double seconds = (double)cli_report_time(report) / NS_PER_S;
    return (double)done / (seconds > 0 ? seconds : 1);
}

static unsigned percent_of(uint64_t done, uint64_t total)
{
    return (unsigned)(done >= total ? 100 : (uint64_t)((double)done * 100 / (double)total));
}

/* Append ", 22 s left" where that can be told. */
static void add_rest(char *line, size_t cap, double rate, uint64_t done, uint64_t total)
{
    char text[CLI_HUMAN_CAP];
    size_t at = strlen(line);
    if (total != COF_TOTAL_UNKNOWN && total > done && rate >= 1)
        snprintf(line + at, cap - at, ", %s left",
                 cli_human_time(text, (uint64_t)((double)(total - done) / rate) * NS_PER_S));
}

/* "db1.cof: 1.2 GiB of 5.2 GiB, 23 %, 180 MiB/s, 22 s left" */
static void draw(cli_report *report, uint64_t done, uint64_t total)
{
    char line[512];
    char a[CLI_HUMAN_CAP];
    double rate = rate_of(report, done);
    int used = snprintf(line, sizeof line, "%s%s%s", report->name,
                        report->name[0] != '\0' ? ": " : "", cli_human_size(a, done));
    size_t at = (size_t)used;
    if (total != COF_TOTAL_UNKNOWN && total != 0)
        at += (size_t)snprintf(line + at, sizeof line - at, " of %s, %u %%",
                               cli_human_size(a, total), percent_of(done, total));
    snprintf(line + at, sizeof line - at, ", %s/s", cli_human_size(a, (uint64_t)rate));
    add_rest(line, sizeof line, rate, done, total);
    show_line(line);
}

/* "1,024 of 10,000 backups, 10 %, 290/s, 31 s left" */
static void draw_count(cli_report *report, uint64_t done, uint64_t total)
{
    char line[512];
    char a[CLI_HUMAN_CAP];
    char b[CLI_HUMAN_CAP];
    double rate = rate_of(report, done);
    snprintf(line, sizeof line, "%s of %s backups, %u %%, %.0f/s", cli_human_count(a, done),
             cli_human_count(b, total), percent_of(done, total), rate);
    add_rest(line, sizeof line, rate, done, total);
    show_line(line);
}

typedef void draw_fn(cli_report *report, uint64_t done, uint64_t total);

static void draw_if_due(cli_report *report, draw_fn *how, uint64_t done, uint64_t total)
{
    if (!report->progress)
        return;
    uint64_t now = cli_clock();
    bool due = report->shown_at == 0 ? now - report->begun >= FIRST_AFTER
                                     : now - report->shown_at >= AGAIN_AFTER;
    if (!due)
        return;
    how(report, done, total);
    report->shown_at = now;
}

static bool on_progress(void *ctx, uint64_t done, uint64_t total)
{
    draw_if_due(ctx, draw, done, total);
    return true;
}

void cli_report_count(cli_report *report, uint64_t done, uint64_t total)
{
    draw_if_due(report, draw_count, done, total);
}

static void on_warning(void *ctx, const char *sentence)
{
    cli_report_warn(ctx, sentence);
}

cof_report cli_report_hooks(cli_report *report)
{
    return (cof_report){.progress = on_progress, .warn = on_warning, .ctx = report};
}

/* A sentence that names the backup: among many, nobody could tell which one is meant. */
static void name_backup(char *out, size_t cap, const cli_report *report, const char *sentence)
{
    char safe[CLI_NAME_CAP];
    const char *name = report->path == NULL ? "" : cli_show_path(safe, sizeof safe, report->path);
    bool named = strstr(sentence, name) != NULL;
    snprintf(out, cap, "%s%s%s", named ? "" : name, named ? "" : ": ", sentence);
}

void cli_report_warn(cli_report *report, const char *sentence)
{
    char whole[sizeof((cof_error *)NULL)->message + CLI_NAME_CAP];
    name_backup(whole, sizeof whole, report, sentence);
    cli_report_pause(report);
    cli_say_warning(whole);
    report->warned = true;
    if (report->warnings == NULL)
        report->warnings = json_array();
    (void)json_array_append_new(report->warnings, json_string(sentence));
}

void cli_report_pause(cli_report *report)
{
    if (report->shown_at == 0)
        return;
    fputs(erase, stderr);
    (void)fflush(stderr);
    report->shown_at = 0;
    line_is_shown = 0;
}

uint64_t cli_report_time(const cli_report *report)
{
    return cli_clock() - report->begun;
}

int cli_report_end(cli_report *report, cof_status st, const cof_error *err)
{
    char whole[sizeof err->message + CLI_NAME_CAP];
    cli_report_pause(report);
    int exit_status = cli_status_exit(st);
    if (st != COF_OK) {
        name_backup(whole, sizeof whole, report, err->message);
        if (!report->later || !cli_later_add(whole))
            cli_say(whole);
    } else if (report->warned) {
        exit_status = CLI_EXIT_WARNED;
    }
    json_decref(report->warnings);
    report->warnings = NULL;
    return exit_status;
}

void cli_report_interrupted(void)
{
    if (line_is_shown)
        (void)!write(STDERR_FILENO, erase, sizeof erase - 1);
}
