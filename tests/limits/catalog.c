/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The catalog of very many files: written, and checked as a deep verification does, in memory that
 * does not grow with their number.
 *
 * usage: catalog MILLIONS
 */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/catalog_tree.h"
#include "format/limits.h"

#define PER_DIRECTORY 1000
#define RESIDENT_MAX  (16 * 1024) /* KiB */

typedef struct sink {
    cof_catalog_checker *checker;
    uint64_t records, bytes;
    uint8_t level; /* of the last record */
} sink;

static cof_status on_record(void *ctx, uint64_t *number, cof_slice plain, cof_error *err)
{
    sink *s = ctx;

    *number = s->records++;
    s->bytes += plain.len;
    s->level = plain.data[0];
    return cof_catalog_checker_record(s->checker, *number, plain, err);
}

static cof_status write_files(uint64_t *length, cof_catalog_writer *w, uint64_t count,
                              cof_error *err)
{
    cof_status st = COF_OK;
    char path[80];

    *length = 0;
    for (uint64_t i = 0; st == COF_OK && i < count; i++) {
        int len =
            snprintf(path, sizeof(path), "srv/data/%06" PRIu64 "/file-of-some-length-%03" PRIu64,
                     i / PER_DIRECTORY, i % PER_DIRECTORY);
        const cof_catalog_entry e = {.type = COF_ENTRY_FILE,
                                     .position = *length,
                                     .length = 2048,
                                     .size = 1000,
                                     .mode = 0644,
                                     .mtime = (int64_t)i,
                                     .path = {(const uint8_t *)path, (size_t)len}};

        st = cof_catalog_writer_add(w, &e, err);
        *length += e.length;
    }
    return st == COF_OK ? cof_catalog_writer_finish(w, err) : st;
}

/* At its most, in KiB.  What getrusage says also counts who started this program. */
static long resident(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long most = -1;

    while (status != NULL && most < 0 && fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            most = strtol(line + 6, NULL, 10);
    if (status != NULL)
        (void)fclose(status);
    return most < 0 ? LONG_MAX : most;
}

static void tell(int number, bool good, const char *what)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", number, what);
}

int main(int argc, char **argv)
{
    uint64_t millions = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, length = 0;
    cof_catalog_writer *w = NULL;
    sink s = {.records = 0};
    const cof_catalog_hooks hooks = {on_record, &s};
    cof_error err = COF_ERROR_INIT;
    char what[1024];
    bool lean;
    cof_status st;

    if (millions == 0)
        return 2;
    if ((st = cof_catalog_checker_new(&s.checker, &err)) == COF_OK &&
        (st = cof_catalog_writer_new(&w, COF_RECORD_SIZE_DEFAULT, &hooks, &err)) == COF_OK &&
        (st = write_files(&length, w, millions * 1000000, &err)) == COF_OK)
        st = cof_catalog_checker_finish(s.checker, length + COF_CATALOG_END, &err);
    (void)snprintf(what, sizeof(what),
                   "%" PRIu64 " million files: %" PRIu64 " records of %" PRIu64
                   " MiB together, %u levels%s%s",
                   millions, s.records, s.bytes >> 20, s.level + 1U, st != COF_OK ? "; " : "",
                   st != COF_OK ? err.message : "");
    tell(1, st == COF_OK && s.level <= 2, what);
    (void)snprintf(what, sizeof(what), "%ld KiB resident", resident());
    lean = resident() <= RESIDENT_MAX || getenv("COFFER_SLOW") != NULL; /* sanitizers take more */
    tell(2, lean, what);
    printf("1..2\n");
    cof_catalog_writer_free(w);
    cof_catalog_checker_free(s.checker);
    return st != COF_OK || !lean;
}
