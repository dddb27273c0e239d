/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How much of a backup is read to restore one small file: at most 16 MiB, whatever there is beside
 * it.  The reads are counted through the replaceable os table.  And is it restored where a file
 * cannot be without a name?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>

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
    const char *paths[BIGS + 2];
    static char names[BIGS + 1][512], link_name[512];
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
    snprintf(link_name, sizeof(link_name), "%s", in_dir("big7-hard"));
    assert_int_equal(link(names[7], link_name), 0);
    paths[BIGS + 1] = link_name;
    assert_int_equal(cof_signer_load(&signer, in_dir("s.key"), NULL, NULL, NULL), COF_OK);
    assert_int_equal(cof_certs_new(&certs, NULL), COF_OK);
    assert_int_equal(cof_certs_add(certs, in_dir("a.crt"), NULL), COF_OK);
    o.recipients = certs;
    o.signer = signer;
    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(
        cof_backup_tree(b, &(cof_tree_options){.paths = paths, .path_count = BIGS + 2}, NULL),
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

    assert_int_equal(cof_reader_extract(reader, &o, &result, NULL), COF_OK);
    assert_int_equal(result.files, 1);
    assert_int_equal(result.bytes, SMALL);
}

/* ---- tests ---- */

typedef struct opened {
    cof_trust *trust;
    cof_keyring *keys;
    cof_open_options options;
    cof_reader *reader;
} opened;

/* One backup for all tests: to make it takes its time under valgrind. */
static int set_up(void **state)
{
    if (scratch_set_up(state) != 0)
        return -1;
    assert_int_equal(cof_init(NULL), COF_OK);
    make_key("s.key", "s.crt", COF_KEY_SIGNS);
    make_key("a.key", "a.crt", COF_KEY_OPENS);
    make_backup();
    return 0;
}

static void open_backup(opened *o)
{
    scratch_os = *cof_os_real();
    assert_int_equal(cof_trust_new(&o->trust, NULL), COF_OK);
    assert_int_equal(
        cof_trust_add(o->trust, in_dir("s.crt"), COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, NULL),
        COF_OK);
    assert_int_equal(cof_keyring_new(&o->keys, NULL), COF_OK);
    assert_int_equal(cof_keyring_add(o->keys, in_dir("a.key"), NULL, NULL), COF_OK);
    o->options = (cof_open_options){.input_fd = -1, .trust = o->trust, .keys = o->keys};
    o->options.path = in_dir("x.cof");
    assert_int_equal(cof_reader_open(&o->reader, &o->options, NULL), COF_OK);
}

static void close_backup(opened *o)
{
    cof_os_set(NULL);
    cof_reader_free(o->reader);
    cof_trust_free(o->trust);
    cof_keyring_free(o->keys);
}

static void test_one_file_reads_little(void **state)
{
    uint64_t plain = 0;
    opened o;

    (void)state;
    open_backup(&o);
    scratch_os.pread = counting_pread;
    cof_os_set(&scratch_os);
    bytes_read = 0;
    extract(o.reader);
    assert_true(bytes_read < 16 * MIB);
    bytes_read = 0;
    assert_int_equal(cof_reader_restore(o.reader, count_bytes, &plain, NULL), COF_OK);
    assert_true(plain > BIGS * BIG);
    assert_true(bytes_read > BIGS * BIG); /* so the counting counts */
    close_backup(&o);
}

static int refused, named;

static int plain_openat(int dir, const char *name, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        refused++;
        errno = EOPNOTSUPP;
        return -1;
    }
    named += strncmp(name, ".coffer-", 8) == 0;
    return cof_os_real()->openat(dir, name, flags, mode);
}

/* A deep verification reads what restoring would, hard links and all. */
static void test_all_files_are_examined(void **state)
{
    opened o;

    (void)state;
    open_backup(&o);
    scratch_os.pread = counting_pread;
    cof_os_set(&scratch_os);
    bytes_read = 0;
    assert_int_equal(cof_reader_verify(o.reader, COF_VERIFY_DEEP, NULL), COF_OK);
    assert_true(bytes_read > 2 * BIGS * BIG);
    close_backup(&o);
}

/* Where files cannot be without a name, they have another one first. */
static void test_file_systems_without_nameless_files(void **state)
{
    size_t names;
    opened o;

    (void)state;
    open_backup(&o);
    names = count_names();
    scratch_os.openat = plain_openat;
    cof_os_set(&scratch_os);
    extract(o.reader);
    assert_int_equal(refused, 1);
    assert_int_equal(named, 1);
    assert_int_equal(count_names(), names);
    close_backup(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_file_reads_little),
        cmocka_unit_test(test_all_files_are_examined),
        cmocka_unit_test(test_file_systems_without_nameless_files),
    };

    return cmocka_run_group_tests(tests, set_up, scratch_tear_down);
}
