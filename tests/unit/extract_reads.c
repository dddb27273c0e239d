/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How much of a backup is read to restore one small file: at most 16 MiB, whatever there is beside
 * it.  The reads are counted through the replaceable os table.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>

#include "scratch.h"

#define MIB   (UINT64_C(1) << 20)
#define BIG   (6 * MIB)
#define BIGS  8
#define SMALL 10240

static uint64_t bytes_read;

static ssize_t counting_pread(int fd, void *out, size_t len, off_t off)
{
    ssize_t n = cof_os_real()->pread(fd, out, len, off);

    bytes_read += n > 0 ? (uint64_t)n : 0;
    return n;
}

static void make_key(const char *key, const char *cert, cof_key_use use)
{
    const cof_keygen_options o = {in_dir(key), in_dir(cert), "p256", key, 10, use, NULL};

    assert_int_equal(cof_keygen(&o, NULL, NULL), COF_OK);
}

/* Bytes that do not compress. */
static void make_noise(const char *name, uint64_t len)
{
    uint64_t block[512], x = len;
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    for (; len > 0; len -= len < sizeof(block) ? len : sizeof(block)) {
        for (size_t i = 0; i < 512; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            block[i] = x;
        }
        assert_true(write(fd, block, len < sizeof(block) ? len : sizeof(block)) > 0);
    }
    close(fd);
}

static void make_backup(void)
{
    cof_backup_options o = {.tree = true, .output = in_dir("x.cof")};
    const char *paths[BIGS + 1];
    static char names[BIGS + 1][512];
    cof_certs *certs = NULL;
    cof_signer *signer = NULL;
    cof_backup *b = NULL;

    for (size_t i = 0; i <= BIGS; i++) {
        char name[16];

        snprintf(name, sizeof(name), i == BIGS ? "big3-small" : "big%zu", i);
        make_noise(name, i == BIGS ? SMALL : BIG);
        snprintf(names[i], sizeof(names[i]), "%s", in_dir(name));
        paths[i] = names[i];
    }
    assert_int_equal(cof_signer_load(&signer, in_dir("s.key"), NULL, NULL, NULL), COF_OK);
    assert_int_equal(cof_certs_new(&certs, NULL), COF_OK);
    assert_int_equal(cof_certs_add(certs, in_dir("a.crt"), NULL), COF_OK);
    o.recipients = certs;
    o.signer = signer;
    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(
        cof_backup_tree(b, &(cof_tree_options){.paths = paths, .path_count = BIGS + 1}, NULL),
        COF_OK);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_OK);
    cof_backup_free(b);
    cof_certs_free(certs);
    cof_signer_free(signer);
}

static cof_status count_bytes(void *ctx, const void *data, size_t len, cof_error *err)
{
    (void)data;
    (void)err;
    *(uint64_t *)ctx += len;
    return COF_OK;
}

static void extract(cof_reader *reader)
{
    const char *const one[] = {"**/big3-small"};
    const cof_extract_options o = {
        .selection = {.paths = one, .path_count = 1},
        .target = in_dir("."),
        .strip_components = 2, /* tmp, and the directory */
        .force = true,
    };
    cof_extract_result result;

    bytes_read = 0;
    assert_int_equal(cof_reader_extract(reader, &o, &result, NULL), COF_OK);
    assert_int_equal(result.files, 1);
    assert_int_equal(result.bytes, SMALL);
    assert_true(bytes_read < 16 * MIB);
}

static void test_one_file_reads_little(void **state)
{
    cof_open_options o = {.input_fd = -1};
    cof_trust *trust = NULL;
    cof_keyring *keys = NULL;
    cof_reader *reader = NULL;
    uint64_t plain = 0;

    (void)state;
    assert_int_equal(cof_init(NULL), COF_OK);
    make_key("s.key", "s.crt", COF_KEY_SIGNS);
    make_key("a.key", "a.crt", COF_KEY_OPENS);
    make_backup();
    assert_int_equal(cof_trust_new(&trust, NULL), COF_OK);
    assert_int_equal(
        cof_trust_add(trust, in_dir("s.crt"), COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, NULL), COF_OK);
    assert_int_equal(cof_keyring_new(&keys, NULL), COF_OK);
    assert_int_equal(cof_keyring_add(keys, in_dir("a.key"), NULL, NULL), COF_OK);
    o.trust = trust;
    o.keys = keys;
    o.path = in_dir("x.cof");
    assert_int_equal(cof_reader_open(&reader, &o, NULL), COF_OK);

    scratch_os.pread = counting_pread;
    cof_os_set(&scratch_os);
    extract(reader);
    bytes_read = 0;
    assert_int_equal(cof_reader_restore(reader, count_bytes, &plain, NULL), COF_OK);
    assert_true(plain > BIGS * BIG);
    assert_true(bytes_read > BIGS * BIG); /* so the counting counts */
    cof_os_set(NULL);

    cof_reader_free(reader);
    cof_trust_free(trust);
    cof_keyring_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {IN_DIR(test_one_file_reads_little)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
