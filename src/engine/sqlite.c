/* SPDX-License-Identifier: Apache-2.0 */

/* A database of SQLite as content. */

#include "source/sqlite.h"
#include "base/error.h"
#include "engine/backup.h"

#define WAIT_MS 60000

static bool go_on(void *ctx, uint64_t done, uint64_t total)
{
    const cof_report *report = ctx;

    (void)done;
    (void)total;
    return report->progress == NULL || report->progress(report->ctx, 0, COF_TOTAL_UNKNOWN);
}

cof_status cof_backup_sqlite(cof_backup *b, const char *path, uint64_t wait_ms, cof_error *err)
{
    cof_report report = b->options->report;
    const cof_sqlite_request request = {
        .path = path,
        .wait_ms = wait_ms != 0 ? wait_ms : WAIT_MS,
        .progress = go_on,
        .ctx = &report,
    };
    cof_file *copy = NULL;
    cof_status st;

    if ((st = cof_backup_need_stream(b, err)) != COF_OK ||
        (st = cof_sqlite_snapshot(&copy, &request, err)) != COF_OK ||
        (st = cof_file_size(&b->total, copy, err)) != COF_OK)
        goto out;
    st = cof_backup_pump(b, copy, err);
out:
    cof_file_free(copy);
    return cof_backup_ended(b, st);
}
