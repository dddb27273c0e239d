/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Everything that can be refused is refused in turn: each allocation (but those of libcrypto, which
 * itself does not survive all of them: EVP_KDF_CTX_new of 3.0.22 crashes), each call of libcrypto,
 * and each call of the system on files, the first, the second, and so on; once, and from then on;
 * with EIO and ENOSPC, by an interruption, by doing only a part.  Whatever fails, nothing half-made
 * is left, a rotation leaves a backup that opens, what is made with success is right, the error
 * says what happened and does not blame the backup, nobody gets what is not for him, and (under the
 * sanitizers) nothing leaks.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../fuzz/crypto_fails.h"
#include "../../fuzz/starve.h"
#include "deeds.h"
#include "os/os.h"

/* Failures of one kind that are tried, spread over all there are; with FAULT_THOROUGH all. */
#define STEPS_MAX  400
#define STEPS_SOME 16 /* of libcrypto, and where nothing may be done anyway */

typedef enum how {
    EIO_ONCE,
    EIO_ON,
    ENOSPC_ON,
    EINTR_ONCE,
    SHORT_ONCE,
    MEMORY_ONCE,
    MEMORY_ON,
    CRYPTO_ONCE,
    CRYPTO_ON
} how;

static const char *const how_names[] = {"EIO once",
                                        "EIO from then on",
                                        "ENOSPC from then on",
                                        "EINTR once",
                                        "only a part once",
                                        "no memory once",
                                        "no memory from then on",
                                        "libcrypto once",
                                        "libcrypto from then on"};

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

/* ---- what must hold ---- */

/* Is there a file whose name begins with "out" or is that of a temporary one?  Removes them. */
static bool left_over(const kit *k)
{
    char path[512];
    const struct dirent *e = NULL;
    DIR *dir = opendir(k->dir);
    bool found = false;

    if (dir == NULL)
        return true; /* who cannot look has not seen that there is nothing */
    while ((e = readdir(dir)) != NULL) {
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

/* Is what was made with success what should have been made? */
static bool is_good(const kit *k)
{
    kit made = *k; /* shares all but the path */
    uint8_t *bytes = malloc(k->content_len + 1);
    int fd = open(deeds_path(k, "out"), O_RDONLY | O_CLOEXEC);
    bool good = bytes != NULL;
    kit_outcome found;

    if (fd >= 0) {
        good = good && read(fd, bytes, k->content_len + 1) == (ssize_t)k->content_len &&
               memcmp(bytes, k->content, k->content_len) == 0;
        (void)close(fd);
    }
    free(bytes);
    (void)snprintf(made.path, sizeof(made.path), "%s", deeds_path(k, "out.cof"));
    if (good && access(made.path, F_OK) == 0) {
        found = kit_try(&made, true);
        good = found.status == COF_OK && found.same;
    }
    return good;
}

static bool is_memory(void)
{
    return mode == MEMORY_ONCE || mode == MEMORY_ON;
}

static bool is_crypto(void)
{
    return mode == CRYPTO_ONCE || mode == CRYPTO_ON;
}

static void begin(size_t n)
{
    hit = false;
    if (is_memory())
        starve_begin(n, mode == MEMORY_ON);
    else if (is_crypto())
        crypto_fails_begin(n, mode == CRYPTO_ON);
    else
        left = n;
}

/* What failed, for people who look for it. */
static const char *end(void)
{
    const char *name = NULL;

    if (is_memory())
        hit = starve_end() > 0;
    else if (is_crypto())
        hit = crypto_fails_end(&name) > 0;
    left = SIZE_MAX;
    return name == NULL ? "" : name;
}

/*
 * A tag that is wrong and one that could not be computed look the same.  Who is in another thread
 * than what failed first may be heard before it.
 */
static bool may_blame(const char *failed)
{
    static const char tag[] = "EVP_CipherFinal_ex";

    return is_crypto() ? strcmp(failed, tag) == 0 || crypto_fails_elsewhere(tag) : !is_memory();
}

/* The first thing that is not as it must be, NULL if there is none. */
static const char *wrong_with(const kit *k, const deed *d, const char *failed, cof_status st,
                              const cof_error *err)
{
    bool blames = st == COF_AUTH || st == COF_FORMAT || st == COF_NO_MATCH || st == COF_CERT;

    if (st == COF_OK)
        return d->who != NULL ? "let through" : !is_good(k) ? "not what it should be" : NULL;
    if (err->message[0] == '\0')
        return "no sentence";
    if (left_over(k) && strstr(err->message, "a power loss may") == NULL)
        return "something is left";
    if (d->who != NULL)
        return NULL;
    if (mode == EINTR_ONCE || mode == SHORT_ONCE)
        return "not gone on";
    if (!hit)
        return "failed for nothing";
    return blames && !may_blame(failed) ? "blames the backup" : NULL;
}

/* One try, with call number n failing; false when there is no such call any more. */
static bool attempt(const kit *k, const deed *d, size_t n, char why[256])
{
    cof_error err = COF_ERROR_INIT;
    const char *wrong, *failed;
    kit_outcome found;
    cof_status st;

    begin(n);
    st = d->run(d->who != NULL ? d->who : k, &err);
    failed = end();
    wrong = wrong_with(k, d, failed, st, &err);
    (void)left_over(k);
    if (d->changes) {
        found = kit_try(k, true);
        if (found.status != COF_OK || !found.same)
            wrong = "the backup does not open";
        put_back(k);
    }
    why[0] = '\0';
    if (wrong != NULL)
        (void)snprintf(why, 256, "%s (%zu %s): %.180s", wrong, n, failed, err.message);
    return hit;
}

static void each(const kit *k, const deed *d)
{
    char why[256], first[256] = "";
    size_t steps = getenv("FAULT_THOROUGH") != NULL ? 0
                   : is_crypto() || d->who != NULL  ? STEPS_SOME
                                                    : STEPS_MAX;
    size_t wrong = 0, tried = 0, step, n = 1;

    while (n < (size_t)1 << 20 && attempt(k, d, n, why))
        n *= 2;
    step = steps == 0 ? 1 : n / steps + 1;
    for (size_t i = 0; i < n && attempt(k, d, i, why); i += step) {
        tried++;
        if (why[0] != '\0' && wrong++ == 0)
            (void)snprintf(first, sizeof(first), "%s", why);
    }
    printf("%sok %d - %s, %s: %zu tried\n", wrong == 0 ? "" : "not ", ++test_number, d->name,
           how_names[mode], tried);
    if (wrong > 0)
        printf("# %zu wrong, the first: %s\n", wrong, first);
    failures += wrong > 0;
    fflush(stdout);
}

int main(void)
{
    kit k;

    deeds_begin(&k);
    starve_install(true);
    install();
    for (size_t i = 0; i < deed_count; i++)
        for (mode = EIO_ONCE; mode <= CRYPTO_ON; mode++)
            each(&k, &deeds[i]);
    cof_os_set(NULL);
    deeds_end(&k);
    printf("1..%d\n", test_number);
    return failures != 0;
}
