/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Snapshots of a database of SQLite while other processes write to it as fast as they can.
 *
 * Each transaction of a writer draws the next number, moves money between accounts, stamps every
 * account, appends rows and removes old ones, all with that number.  So a snapshot is the state of
 * one committed transaction exactly if the sum is what it was, all stamps are equal, and the
 * number, the stamps and the newest row agree.  It must be one of the transactions that were
 * committed while it was taken, not an old one.
 *
 * usage: sqlite_storm MODE COUNT     MODE: delete, truncate, persist or wal
 */

#include <coffer/coffer.h>

#include "../mutate/kit.h"

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS  2
#define ACCOUNTS 64
#define TOTAL    (ACCOUNTS * 1000)

static void must_be(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static void must(cof_status st, const cof_error *err)
{
    must_be(st == COF_OK, err->message);
}

static void must_sql(sqlite3 *db, int code, const char *what)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    must_sql(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;

    must_sql(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
             path);
    (void)sqlite3_busy_timeout(db, 60000);
    return db;
}

/* The only value of a query, as a number or as text of at most cap bytes. */
static long long ask(sqlite3 *db, const char *sql, char *text, size_t cap)
{
    sqlite3_stmt *statement = NULL;
    long long value = 0;

    must_sql(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL), sql);
    must_sql(db, sqlite3_step(statement), sql);
    value = sqlite3_column_int64(statement, 0);
    if (text != NULL)
        (void)snprintf(text, cap, "%s", (const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    return value;
}

static void make_db(const char *path, const char *mode)
{
    sqlite3 *db = open_db(path);
    char sql[128];

    (void)snprintf(sql, sizeof(sql), "PRAGMA journal_mode=%s", mode);
    run_sql(db, sql);
    run_sql(db, "BEGIN;"
                "CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER, stamp INTEGER);"
                "CREATE TABLE log (number INTEGER, part INTEGER, filling BLOB,"
                " PRIMARY KEY (number, part));"
                "CREATE INDEX log_filling ON log (substr(filling, 1, 16));"
                "CREATE TABLE last (number INTEGER, rows INTEGER);"
                "INSERT INTO last VALUES (0, 0);"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64)"
                " INSERT INTO account SELECT i, 1000, 0 FROM n;"
                "COMMIT");
    (void)sqlite3_close(db);
}

/* One transaction after the other, until somebody ends it. */
static void write_on(const char *path, unsigned seed)
{
    sqlite3 *db = open_db(path);
    char sql[1024];

    run_sql(db, "PRAGMA synchronous=OFF; PRAGMA cache_size=20"); /* spills before the commit */
    for (unsigned i = seed; getppid() > 1; i += 7919) {
        (void)snprintf(
            sql, sizeof(sql),
            "BEGIN IMMEDIATE;"
            "UPDATE last SET number = number + 1;"
            "UPDATE account SET money = money - %u WHERE id = %u;"
            "UPDATE account SET money = money + %u WHERE id = %u;"
            "UPDATE account SET stamp = (SELECT number FROM last);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
            " INSERT INTO log SELECT number, i, randomblob(abs(random()) %% 3000) FROM last, n;"
            "DELETE FROM log WHERE number <= (SELECT number FROM last) - 30;"
            "UPDATE last SET rows = (SELECT count(*) FROM log);"
            "COMMIT",
            i % 97, i % ACCOUNTS + 1, i % 97, i / 64 % ACCOUNTS + 1);
        int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

        if (code == SQLITE_BUSY) /* on a machine that has other things to do: not this time */
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        else
            must_sql(db, code, sql);
    }
    _exit(0);
}

/* NULL, or what is wrong with a restored database that was taken between two numbers. */
static const char *judge(const char *path, long long before, long long after)
{
    static char wrong[256];
    char verdict[128];
    sqlite3 *db = open_db(path);
    long long number, newest;

    (void)ask(db, "PRAGMA integrity_check", verdict, sizeof(verdict));
    number = ask(db, "SELECT number FROM last", NULL, 0);
    newest = ask(db, "SELECT coalesce(max(number), 0) FROM log", NULL, 0);
    wrong[0] = '\0';
    if (strcmp(verdict, "ok") != 0)
        (void)snprintf(wrong, sizeof(wrong), "integrity_check says: %s", verdict);
    else if (ask(db, "SELECT sum(money) FROM account", NULL, 0) != TOTAL)
        (void)snprintf(wrong, sizeof(wrong), "the sum is not what it was");
    else if (ask(db, "SELECT count(*) FROM account, last WHERE stamp <> number", NULL, 0) != 0)
        (void)snprintf(wrong, sizeof(wrong), "accounts are of different transactions");
    else if (newest != number ||
             ask(db, "SELECT rows - (SELECT count(*) FROM log) FROM last", NULL, 0) != 0)
        (void)snprintf(wrong, sizeof(wrong), "rows and number are of different transactions");
    else if (number < before || number > after)
        (void)snprintf(wrong, sizeof(wrong), "it is transaction %lld, not one of %lld to %lld",
                       number, before, after);
    (void)sqlite3_close(db);
    return wrong[0] != '\0' ? wrong : NULL;
}

static void take(const kit *k, const char *db, const char *file, const char *restored)
{
    cof_error err = COF_ERROR_INIT;
    const cof_backup_options o = {.output = file,
                                  .force = true,
                                  .recipients = k->recipient,
                                  .signer = k->signer,
                                  .compress = "lz4"};
    const cof_open_options r = {.path = file, .trust = k->trust, .keys = k->keys};
    cof_backup *b = NULL;
    cof_reader *reader = NULL;

    must(cof_backup_begin(&b, &o, &err), &err);
    must(cof_backup_sqlite(b, db, 0, &err), &err);
    must(cof_backup_finish(b, NULL, &err), &err);
    cof_backup_free(b);
    must(cof_reader_open(&reader, &r, &err), &err);
    must(cof_reader_restore_file(reader, restored, true, &err), &err);
    cof_reader_free(reader);
}

/* Remove the folder of the database; how much was in it besides that. */
static size_t sweep(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    char path[600];
    size_t found = 0;

    must_be(d != NULL, "opendir");
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        found += strncmp(e->d_name, "live.db", 7) != 0;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        (void)unlink(path);
    }
    (void)closedir(d);
    (void)rmdir(dir);
    return found;
}

typedef struct storm {
    kit k;
    char dir[160], db[192], file[192], restored[192];
    pid_t writer[WRITERS];
    long long first, last; /* transactions that were seen */
} storm;

static void begin(storm *s, const char *mode)
{
    kit_make(&s->k, "none", 64);
    (void)snprintf(s->dir, sizeof(s->dir), "%s/db", s->k.dir);
    (void)snprintf(s->db, sizeof(s->db), "%s/live.db", s->dir);
    (void)snprintf(s->file, sizeof(s->file), "%s/storm.cof", s->k.dir);
    (void)snprintf(s->restored, sizeof(s->restored), "%s/restored.db", s->k.dir);
    must_be(mkdir(s->dir, 0700) == 0, "mkdir");
    make_db(s->db, mode);
    for (unsigned i = 0; i < WRITERS; i++) {
        s->writer[i] = fork();
        must_be(s->writer[i] >= 0, "fork");
        if (s->writer[i] == 0)
            write_on(s->db, i + 1);
    }
}

static size_t end(storm *s)
{
    size_t left;

    for (unsigned i = 0; i < WRITERS; i++) {
        (void)kill(s->writer[i], SIGKILL);
        (void)waitpid(s->writer[i], NULL, 0);
    }
    left = sweep(s->dir);
    kit_remove(&s->k);
    return left;
}

/* How many of them are not as they must be. */
static long take_all(storm *s, long count)
{
    sqlite3 *watch = open_db(s->db);
    long bad = 0;

    s->first = ask(watch, "SELECT number FROM last", NULL, 0);
    for (long i = 0; i < count; i++) {
        long long before = ask(watch, "SELECT number FROM last", NULL, 0);
        const char *wrong;

        take(&s->k, s->db, s->file, s->restored);
        s->last = ask(watch, "SELECT number FROM last", NULL, 0);
        wrong = judge(s->restored, before, s->last);
        if (wrong != NULL && ++bad <= 10)
            printf("# snapshot %ld: %s\n", i + 1, wrong);
    }
    (void)sqlite3_close(watch);
    return bad;
}

int main(int argc, char **argv)
{
    storm s;
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    long bad;
    size_t left;

    must_be(count > 0, "usage: sqlite_storm MODE COUNT");
    begin(&s, argv[1]);
    bad = take_all(&s, count);
    left = end(&s);
    printf("1..3\n%sok 1 - %s: %ld snapshots are the state of one transaction each\n",
           bad > 0 ? "not " : "", argv[1], count);
    printf("%sok 2 - it was written to meanwhile: transactions %lld to %lld\n",
           s.last - s.first < count ? "not " : "", s.first, s.last);
    printf("%sok 3 - nothing is left beside the database\n", left > 0 ? "not " : "");
    return 0;
}
