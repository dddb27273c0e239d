/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Everything that can be refused is refused in turn: each allocation (but those of libcrypto, which
 * itself does not survive all of them: EVP_KDF_CTX_new of 3.0.22 crashes), and each call of the
 * system on files, the first, the second, and so on; once, and from then on; with EIO and ENOSPC,
 * by an interruption, by doing only a part.  Whatever fails, nothing half-made is left, a rotation
 * leaves a backup that opens, the error says something, and (under the sanitizers) nothing leaks.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../fuzz/starve.h"
#include "../mutate/kit.h"
#include "os/os.h"

#define STEPS_MAX 400 /* failures of one kind that are tried, spread over all there are */

typedef enum how {
    EIO_ONCE,
    EIO_ON,
    ENOSPC_ON,
    EINTR_ONCE,
    SHORT_ONCE,
    MEMORY_ONCE,
    MEMORY_ON
} how;

static const char *const how_names[] = {
    "EIO once",         "EIO from then on", "ENOSPC from then on",   "EINTR once",
    "only a part once", "no memory once",   "no memory from then on"};

static cof_os os;
static how mode;
static size_t left = SIZE_MAX;
static bool hit;
static int test_number, failures;

/* ---- calls that fail ---- */

/* Is it this call's turn?  Sets errno. */
static bool turn(bool writes)
{
    if (left == SIZE_MAX || (mode == ENOSPC_ON && !writes))
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    hit = true;
    if (mode != EIO_ON && mode != ENOSPC_ON)
        left = SIZE_MAX;
    errno = mode == ENOSPC_ON ? ENOSPC : mode == EINTR_ONCE ? EINTR : EIO;
    return true;
}

static size_t part(size_t len)
{
    return len > 1 ? len / 2 : len;
}

static ssize_t my_read(int fd, void *out, size_t len)
{
    if (!turn(false))
        return cof_os_real()->read(fd, out, len);
    return mode == SHORT_ONCE ? cof_os_real()->read(fd, out, part(len)) : -1;
}

static ssize_t my_pread(int fd, void *out, size_t len, off_t off)
{
    if (!turn(false))
        return cof_os_real()->pread(fd, out, len, off);
    return mode == SHORT_ONCE ? cof_os_real()->pread(fd, out, part(len), off) : -1;
}

static ssize_t my_write(int fd, const void *data, size_t len)
{
    if (!turn(true))
        return cof_os_real()->write(fd, data, len);
    return mode == SHORT_ONCE ? cof_os_real()->write(fd, data, part(len)) : -1;
}

static ssize_t my_pwrite(int fd, const void *data, size_t len, off_t off)
{
    if (!turn(true))
        return cof_os_real()->pwrite(fd, data, len, off);
    return mode == SHORT_ONCE ? cof_os_real()->pwrite(fd, data, part(len), off) : -1;
}

static int my_open(const char *path, int flags, mode_t perm)
{
    bool steady = mode == SHORT_ONCE || (mode == EINTR_ONCE && (flags & O_DIRECTORY) != 0);

    return !steady && turn((flags & O_CREAT) != 0) ? -1 : cof_os_real()->open(path, flags, perm);
}

static int my_fsync(int fd)
{
    /* An fsync that was interrupted counts as failed: what is on the disk is unknown. */
    return mode != SHORT_ONCE && mode != EINTR_ONCE && turn(true) ? -1 : cof_os_real()->fsync(fd);
}

static int my_fstat(int fd, struct stat *out)
{
    return mode != SHORT_ONCE && mode != EINTR_ONCE && turn(false) ? -1
                                                                   : cof_os_real()->fstat(fd, out);
}

static int my_ftruncate(int fd, off_t len)
{
    return mode != SHORT_ONCE && turn(true) ? -1 : cof_os_real()->ftruncate(fd, len);
}

static int my_rename(const char *from, const char *to)
{
    return mode != SHORT_ONCE && mode != EINTR_ONCE && turn(true) ? -1
                                                                  : cof_os_real()->rename(from, to);
}

static int my_rename_noreplace(const char *from, const char *to)
{
    return mode != SHORT_ONCE && mode != EINTR_ONCE && turn(true)
               ? -1
               : cof_os_real()->rename_noreplace(from, to);
}

static void install(void)
{
    os = *cof_os_real();
    os.read = my_read;
    os.pread = my_pread;
    os.write = my_write;
    os.pwrite = my_pwrite;
    os.open = my_open;
    os.fsync = my_fsync;
    os.fstat = my_fstat;
    os.ftruncate = my_ftruncate;
    os.rename = my_rename;
    os.rename_noreplace = my_rename_noreplace;
    cof_os_set(&os);
}

/* ---- what is done ---- */

static const char *below(const kit *k, const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%.60s/%.40s", k->dir, name);
    return path;
}

static cof_status do_backup(const kit *k, cof_error *err)
{
    const cof_backup_options o = {.output = below(k, "out.cof"),
                                  .recipients = k->recipient,
                                  .signer = k->signer,
                                  .record_size = 4096};
    cof_backup *b = NULL;
    cof_status st;

    if ((st = cof_backup_begin(&b, &o, err)) == COF_OK &&
        (st = cof_backup_write(b, k->content, k->content_len, err)) == COF_OK)
        st = cof_backup_finish(b, NULL, err);
    cof_backup_free(b);
    return st;
}

static cof_status do_restore(const kit *k, cof_error *err)
{
    const cof_open_options o = {
        .path = k->path, .trust = k->trust, .keys = k->keys, .spool_dir = k->dir};
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_restore_file(reader, below(k, "out"), false, err);
    cof_reader_free(reader);
    return st;
}

static cof_status do_verify(const kit *k, cof_error *err)
{
    const cof_open_options o = {
        .path = k->path, .trust = k->trust, .keys = k->keys, .spool_dir = k->dir};
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_verify(reader, COF_VERIFY_DEEP, err);
    cof_reader_free(reader);
    return st;
}

static cof_status do_rotate(const kit *k, cof_error *err)
{
    cof_rotate_result result = {.changed = false};
    const cof_rotate_options o = {
        .path = k->path, .trust = k->trust, .keys = k->keys, .signer = k->signer, .add = k->other};
    cof_status st = cof_rotate(&o, &result, err);

    cof_rotate_result_wipe(&result);
    return st;
}

static cof_status do_receive(const kit *k, cof_error *err)
{
    int fd = open(k->path, O_RDONLY | O_CLOEXEC);
    const cof_receive_options o = {
        .input_fd = fd, .output = below(k, "out.cof"), .trust = k->trust};
    cof_backup_result result;
    cof_status st = cof_receive(&o, &result, err);

    (void)close(fd);
    return st;
}

/* ---- heads that travel ---- */

static char head_path[128];
static cof_signer *second;

static cof_status export_to(const kit *k, const char *path, cof_error *err)
{
    const cof_export_options o = {.output = path, .trust = k->trust};
    const cof_report silent = {.warn = NULL};
    cof_export_result result;
    cof_exporter *e = NULL;
    cof_status st;

    if ((st = cof_exporter_new(&e, &o, err)) == COF_OK &&
        (st = cof_exporter_add(e, k->path, &silent, &result, err)) == COF_OK)
        st = cof_exporter_finish(e, err);
    cof_exporter_free(e);
    return st;
}

static cof_status do_export(const kit *k, cof_error *err)
{
    return export_to(k, below(k, "out.head"), err);
}

static cof_status do_approve(const kit *k, cof_error *err)
{
    const cof_approve_options o = {.trust = k->trust, .keys = k->keys, .signer = second};
    cof_approve_result result = {.changed = false};
    cof_status st = cof_approve(k->path, &o, &result, err);

    cof_approve_result_wipe(&result);
    return st;
}

static cof_status do_import(const kit *k, cof_error *err)
{
    cof_import_options o = {.trust = k->trust, .keys = k->keys, .discard = true};
    cof_import_result result = {.changed = false};
    cof_heads *heads = NULL;
    cof_status st = cof_heads_open(&heads, head_path, err);

    o.heads = heads;
    if (st == COF_OK)
        st = cof_import(k->path, &o, &result, err);
    cof_import_result_wipe(&result);
    cof_heads_free(heads);
    return st;
}

/* A head that was rotated elsewhere, and somebody who approves. */
static void make_travel(const kit *k)
{
    cof_rotate_options o = {
        .trust = k->trust, .keys = k->keys, .signer = k->signer, .add = k->other};
    cof_rotate_result result = {.changed = false};

    (void)snprintf(head_path, sizeof(head_path), "%s", below(k, "h.head"));
    o.path = head_path;
    kit_pair(k, "second", COF_KEY_SIGNS);
    kit_signer(k, &second, "second");
    if (export_to(k, head_path, NULL) != COF_OK || cof_rotate(&o, &result, NULL) != COF_OK)
        exit(1);
    cof_rotate_result_wipe(&result);
}

/* ---- another data key ---- */

static cof_status rekey(const kit *k, const char *path, const char *output, cof_error *err)
{
    cof_rekey_result result = {.changed = false};
    const cof_rekey_options o = {.path = path,
                                 .output = output,
                                 .trust = k->trust,
                                 .keys = k->keys,
                                 .signer = k->signer,
                                 .recipients = k->recipient};
    cof_status st = cof_rekey(&o, &result, err);

    cof_rekey_result_wipe(&result);
    return st;
}

static cof_status do_rekey(const kit *k, cof_error *err)
{
    return rekey(k, k->path, below(k, "out.cof"), err);
}

static const char *rekeyed(const kit *k)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s", below(k, "rekeyed.cof"));
    return path;
}

static cof_status do_rekey_again(const kit *k, cof_error *err)
{
    const char *from = rekeyed(k);

    return rekey(k, from, below(k, "out.cof"), err);
}

static cof_status do_lineage(const kit *k, cof_error *err)
{
    const cof_open_options o = {.path = rekeyed(k),
                                .trust = k->trust,
                                .keys = k->keys,
                                .spool_dir = k->dir,
                                .prove_maker = true};
    cof_reader *reader = NULL;
    cof_status st = cof_reader_open(&reader, &o, err);

    if (st == COF_OK)
        st = cof_reader_verify(reader, COF_VERIFY_FULL, err);
    cof_reader_free(reader);
    return st;
}

/* ---- what must hold ---- */

/* Is there a file whose name begins with "out" or is that of a temporary one?  Removes them. */
static bool left_over(const kit *k)
{
    char path[512];
    const struct dirent *e = NULL;
    DIR *dir = opendir(k->dir);
    bool found = false;

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        if (strncmp(e->d_name, "out", 3) != 0 && strstr(e->d_name, ".tmp") == NULL)
            continue;
        found = true;
        (void)snprintf(path, sizeof(path), "%s/%s", k->dir, e->d_name);
        (void)unlink(path);
    }
    (void)closedir(dir);
    return found;
}

static void put_back(const kit *k)
{
    if (pwrite(k->fd, k->bytes, k->len, 0) != (ssize_t)k->len ||
        ftruncate(k->fd, (off_t)k->len) != 0)
        exit(1);
}

typedef struct operation {
    const char *name;
    cof_status (*run)(const kit *k, cof_error *err);
    bool changes; /* the backup itself */
} operation;

/* One try, with call number n failing; false when there is no such call any more. */
static bool attempt(const kit *k, const operation *op, size_t n, char why[256])
{
    cof_error err = COF_ERROR_INIT;
    bool memory = mode == MEMORY_ONCE || mode == MEMORY_ON;
    cof_status st;

    hit = false;
    if (memory)
        starve_begin(n, mode == MEMORY_ON);
    else
        left = n;
    st = op->run(k, &err);
    hit = (memory && starve_end() > 0) || hit;
    left = SIZE_MAX;
    why[0] = '\0';
    if (st != COF_OK && err.message[0] == '\0')
        (void)snprintf(why, 256, "no sentence");
    if (st != COF_OK && left_over(k) && strstr(err.message, "a power loss may") == NULL)
        (void)snprintf(why, 256, "something is left: %.200s", err.message);
    if (st != COF_OK && (mode == EINTR_ONCE || mode == SHORT_ONCE))
        (void)snprintf(why, 256, "not gone on: %.200s", err.message);
    if (st != COF_OK && !hit)
        (void)snprintf(why, 256, "failed for nothing: %.200s", err.message);
    if (memory && (st == COF_AUTH || st == COF_FORMAT || st == COF_NO_MATCH || st == COF_CERT))
        (void)snprintf(why, 256, "blames the backup: %.200s", err.message);
    (void)left_over(k);
    if (op->changes) {
        if (kit_try(k, true).status != COF_OK)
            (void)snprintf(why, 256, "the backup does not open: %.200s", err.message);
        put_back(k);
    }
    return hit;
}

static void each(const kit *k, const operation *op)
{
    char why[256], first[256] = "";
    size_t wrong = 0, tried = 0, step = 1;
    size_t n = 1;

    while (n < (size_t)1 << 20 && attempt(k, op, n, why))
        n *= 2;
    step = n / STEPS_MAX + 1;
    for (size_t i = 0; i < n && attempt(k, op, i, why); i += step) {
        tried++;
        if (why[0] != '\0' && wrong++ == 0)
            (void)snprintf(first, sizeof(first), "%s", why);
    }
    printf("%sok %d - %s, %s: %zu tried\n", wrong == 0 ? "" : "not ", ++test_number, op->name,
           how_names[mode], tried);
    if (wrong > 0)
        printf("# %zu wrong, the first: %s\n", wrong, first);
    failures += wrong > 0;
    fflush(stdout);
}

int main(void)
{
    static const operation operations[] = {
        {"backup", do_backup, false},   {"restore", do_restore, false},
        {"verify", do_verify, false},   {"rotate", do_rotate, true},
        {"receive", do_receive, false}, {"export", do_export, false},
        {"approve", do_approve, true},  {"import", do_import, true},
        {"rekey", do_rekey, false},     {"rekey again", do_rekey_again, false},
        {"lineage", do_lineage, false}};
    kit k;

    kit_make(&k, "zstd", 20000);
    make_travel(&k);
    if (rekey(&k, k.path, rekeyed(&k), NULL) != COF_OK)
        return 1;
    starve_install(true);
    install();
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        for (mode = EIO_ONCE; mode <= MEMORY_ON; mode++)
            each(&k, &operations[i]);
    cof_os_set(NULL);
    cof_signer_free(second);
    kit_remove(&k);
    printf("1..%d\n", test_number);
    return failures != 0;
}
