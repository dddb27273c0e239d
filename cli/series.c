/* SPDX-License-Identifier: Apache-2.0 */

/* Which backups belong together, which is the newest, and which of them rules keep. */

#include "series.h"

#include "human.h"
#include "say.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY         (24 * 60 * 60U)
#define CLOCKS_AWAY 300 /* seconds by which clocks of two hosts may differ */

const char *const cli_period_names[CLI_PERIODS] = {"last", "daily", "weekly", "monthly", "yearly"};

/* A clock that was wrong once would make a backup the newest for years. */
static const char *flaw(const cof_info *info)
{
    if (!info->complete)
        return "its source could not all be read";
    if (info->custody_problem != NULL)
        return "nobody trusted decided on its recipients";
    if (info->finished > cli_today() + CLOCKS_AWAY)
        return "the time that its maker signed is in the future";
    return NULL;
}

cof_status cli_series_add(cli_series *series, const char **why, const char *path,
                          const cof_info *info, cof_error *err)
{
    cli_dated *grown = realloc(series->item, (series->count + 1) * sizeof *grown);
    if (grown == NULL)
        return cli_error(err, COF_NOMEM, "out of memory");
    series->item = grown;
    cli_dated *d = &grown[series->count];
    *why = flaw(info);
    *d = (cli_dated){.path = strdup(path),
                     .maker = strdup(cli_show_party(&info->maker)),
                     .time = info->finished,
                     .bytes = info->file_bytes,
                     .good = *why == NULL};
    series->count++;
    snprintf(d->fingerprint, sizeof d->fingerprint, "%s", info->maker.fingerprint);
    snprintf(d->label, sizeof d->label, "%s", info->label);
    snprintf(d->uuid, sizeof d->uuid, "%s", info->uuid);
    return d->path != NULL && d->maker != NULL ? COF_OK
                                               : cli_error(err, COF_NOMEM, "out of memory");
}

void cli_series_wipe(cli_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        free(series->item[i].path);
        free(series->item[i].maker);
    }
    free(series->item);
    *series = (cli_series){NULL, 0};
}

static int compare_series(const cli_dated *a, const cli_dated *b)
{
    int order = strcmp(a->fingerprint, b->fingerprint);
    return order != 0 ? order : strcmp(a->label, b->label);
}

static int compare(const void *left, const void *right)
{
    const cli_dated *a = left;
    const cli_dated *b = right;
    int order = compare_series(a, b);
    if (order == 0 && a->time != b->time)
        order = a->time > b->time ? -1 : 1;
    if (order == 0)
        order = strcmp(a->uuid, b->uuid);
    return order != 0 ? order : strcmp(a->path, b->path);
}

void cli_series_sort(cli_series *series)
{
    if (series->count > 0)
        qsort(series->item, series->count, sizeof *series->item, compare);
}

size_t cli_series_end(const cli_series *series, size_t from)
{
    size_t end = from;
    while (end < series->count && compare_series(&series->item[end], &series->item[from]) == 0)
        end++;
    return end;
}

void cli_series_name(char *out, size_t cap, const cli_dated *of)
{
    snprintf(out, cap, "%s by %s", of->label[0] != '\0' ? of->label : "backups", of->maker);
}

/* A number for the period that a time lies in; different periods have different numbers. */
static uint64_t period_of(size_t period, uint64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm = {.tm_year = 0};
    switch (period) {
    case 1:
        return seconds / DAY;
    case 2: /* 1970-01-01 was a Thursday, and weeks begin on Monday */
        return (seconds / DAY + 3) / 7;
    default:
        (void)gmtime_r(&t, &tm);
        return (uint64_t)(tm.tm_year + 1900) * 12 + (period == 3 ? (uint64_t)tm.tm_mon : 0);
    }
}

typedef struct keeper {
    uint64_t left[CLI_PERIODS]; /* how many may still be kept */
    uint64_t seen[CLI_PERIODS]; /* the period of the last one */
    bool any;
} keeper;

static unsigned judge(keeper *k, uint64_t time)
{
    unsigned keep = 0;
    for (size_t i = 0; i < CLI_PERIODS; i++) {
        uint64_t period = i == 0 ? 0 : period_of(i, time);
        if (k->left[i] == 0 || (i > 0 && k->any && period == k->seen[i]))
            continue;
        k->left[i]--;
        k->seen[i] = period;
        keep |= 1U << i;
    }
    return keep;
}

static void keep_one_series(cli_dated *item, size_t count, const cli_keep_rules *rules)
{
    keeper k = {.any = false};
    const cli_dated *last = NULL;
    memcpy(k.left, rules->count, sizeof k.left);
    for (size_t i = 0; i < count; i++) {
        if (!item[i].good)
            continue;
        if (last != NULL && strcmp(last->uuid, item[i].uuid) == 0)
            item[i].keep = last->keep;
        else
            item[i].keep = judge(&k, item[i].time);
        if (!k.any && item[i].keep == 0)
            item[i].keep = 1; /* the last good one never goes */
        k.any = true;
        last = &item[i];
    }
}

void cli_series_keep(cli_series *series, const cli_keep_rules *rules)
{
    for (size_t from = 0, end; from < series->count; from = end) {
        end = cli_series_end(series, from);
        keep_one_series(&series->item[from], end - from, rules);
    }
}
