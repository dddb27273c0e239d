/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A whole backup, opened, described, verified, listed, restored, extracted and received, in a world
 * where whoever wrote it is believed (unauthenticated.c).  Input: a file, or several volumes, each
 * with four bytes of length before it.
 */

#include <coffer/coffer.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/key.h"
#include "engine/credentials.h"
#include "fuzz.h"

static char dir[64];
static int null = -1;
static cof_trust *trust;
static cof_keyring *keys;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    (void)remove(path);
    return 0;
}

static void empty(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void tidy(void)
{
    empty(dir);
}

static void begin(void)
{
    char nobody[65];
    cof_key *key = NULL;

    memset(nobody, '0', 64);
    nobody[64] = '\0';
    (void)snprintf(dir, sizeof(dir), "%s/coffer-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fuzz_require(mkdtemp(dir) != NULL && null >= 0 && cof_init(NULL) == COF_OK &&
                     cof_trust_new(&trust, NULL) == COF_OK &&
                     cof_trust_add(trust, nobody, COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, NULL) ==
                         COF_OK &&
                     cof_keyring_new(&keys, NULL) == COF_OK &&
                     cof_key_generate(&key, "p256", NULL) == COF_OK &&
                     (keys->keys = calloc(1, sizeof(*keys->keys))) != NULL,
                 "the target can be set up");
    keys->keys[keys->count++] = key;
    (void)atexit(tidy);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[96];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    fuzz_require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "the input can be written");
    (void)close(fd);
}

static void put_all(const uint8_t *data, size_t size)
{
    char name[16];

    if (size == 0 || data[0] == 0x89) {
        put("x.cof", data, size);
        return;
    }
    for (unsigned n = 1; n < 4 && size >= 4; n++) {
        size_t len = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];

        data += 4;
        size -= 4;
        len = len < size ? len : size;
        (void)snprintf(name, sizeof(name), n == 1 ? "x.cof" : "x.%u.cof", n);
        put(name, data, len);
        data += len;
        size -= len;
    }
}

static cof_status drop(void *ctx, const void *data, size_t len, cof_error *err)
{
    volatile uint8_t *seen = ctx;

    (void)err;
    for (size_t i = 0; i < len; i += 64)
        *seen = ((const uint8_t *)data)[i];
    return COF_OK;
}

static cof_status entry(void *ctx, const cof_tree_entry *entry_, cof_error *err)
{
    (void)ctx;
    (void)err;
    fuzz_require(strlen(entry_->path) == entry_->path_len && entry_->path_len > 0,
                 "a path is whole");
    return COF_OK;
}

static void read_it(const char *path)
{
    char target[96];
    uint8_t seen = 0;
    cof_open_options o = {.path = path, .trust = trust, .keys = keys, .spool_dir = dir};
    cof_extract_options x = {.target = target, .keep_going = true};
    cof_reader *reader = NULL;

    (void)snprintf(target, sizeof(target), "%s/out", dir);
    if (cof_reader_open(&reader, &o, NULL) == COF_OK) {
        fuzz_require(cof_reader_info(reader)->maker.standing == COF_STANDING_TRUSTED, "trust");
        (void)!cof_reader_verify(reader, COF_VERIFY_FULL, NULL);
        (void)!cof_reader_verify(reader, COF_VERIFY_DEEP, NULL);
        (void)!cof_reader_restore(reader, drop, &seen, NULL);
        (void)!cof_reader_list(reader, NULL, entry, NULL, NULL);
        (void)!cof_reader_extract_fd(reader, NULL, null, NULL, NULL);
        (void)!cof_reader_extract(reader, &x, NULL, NULL);
        empty(target);
    }
    cof_reader_free(reader);
}

static void receive_it(const char *path)
{
    char output[96];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cof_receive_options o = {.input_fd = fd, .output = output, .trust = trust, .force = true};
    cof_backup_result result;

    (void)snprintf(output, sizeof(output), "%s/received.cof", dir);
    if (fd >= 0) {
        (void)!cof_receive(&o, &result, NULL);
        (void)close(fd);
    }
    (void)unlink(output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[96];

    if (dir[0] == '\0')
        begin();
    put_all(data, size);
    (void)snprintf(path, sizeof(path), "%s/x.cof", dir);
    read_it(path);
    receive_it(path);
    for (char *name = strrchr(path, '.'), n = '2'; n < '4'; n++) {
        (void)snprintf(name, 8, ".%c.cof", n);
        (void)unlink(path);
    }
    return 0;
}
