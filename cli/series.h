/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CLI_SERIES_H
#define COF_CLI_SERIES_H

/*
 * Backups in the order of their time.  A series is what one maker made under one label; the time is
 * the one that the maker signed, whatever the file system says.
 */

#include <coffer/error.h>
#include <coffer/reader.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_dated {
    char *path;  /* owned */
    char *maker; /* how to call him; owned */
    char fingerprint[COF_FINGERPRINT_TEXT_MAX];
    char label[65]; /* "": none */
    char uuid[37];
    uint64_t time;  /* when it was finished, seconds since 1970 */
    uint64_t bytes; /* of the file */
    bool good;      /* complete, decided on by somebody trusted, and not from the future */
    unsigned keep;  /* CLI_KEEP_..., why it is kept */
} cli_dated;

/* Start from zeros, end with wipe. */
typedef struct cli_series {
    cli_dated *item;
    size_t count;
} cli_series;

/*
 * Add a backup that was opened with trust in its maker.  *why is NULL, or, where it is not good, a
 * clause that says why ("its source could not all be read"); static storage.  COF_NOMEM.
 */
cof_status cli_series_add(cli_series *series, const char **why, const char *path,
                          const cof_info *info, cof_error *err) COF_MUST_USE;

/* By maker and label; within a series the newest first, copies of one backup together. */
void cli_series_sort(cli_series *series);

/* The end of the series that begins at item `from`, after sorting. */
size_t cli_series_end(const cli_series *series, size_t from);

/* "db1 by CN=db1", or without a label "backups by CN=db1" */
void cli_series_name(char *out, size_t cap, const cli_dated *of);

void cli_series_wipe(cli_series *series);

/* ---- what to keep ---- */

enum { CLI_PERIODS = 5 };

/* How many to keep: the newest of all, and the newest of a day, week, month, year.  0: no such
 * rule.
 */
typedef struct cli_keep_rules {
    uint64_t count[CLI_PERIODS];
} cli_keep_rules;

extern const char *const cli_period_names[CLI_PERIODS]; /* "last", "daily", ... */

/*
 * Mark what the rules keep: bit i of keep for period i.  Only good ones count; a copy (the same
 * UUID) shares what is decided on the first one.  The newest good one of each series is kept in any
 * case.  After sorting.  Days, ISO weeks, months and years are those of UTC.
 */
void cli_series_keep(cli_series *series, const cli_keep_rules *rules);

#endif
