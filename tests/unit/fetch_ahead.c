/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading ahead in several threads: is what comes out what one thread reads, does nothing come out
 * of a record that is not the one that was signed nor of those behind it, and is the first failure
 * the one that is told?  Is a new file, which all threads write to, whole or not there?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>
#include <stdlib.h>

#include "scratch.h"

#include "world.h"

#define RECORD  4096
#define RECORDS 500
#define LEN     ((size_t)RECORD * RECORDS)

static uint8_t content[LEN];
static off_t unreadable = -1; /* the byte of the backup that the disk does not give back */

static ssize_t failing_pread(int fd, void *out, size_t len, off_t off)
{
    if (unreadable >= off && unreadable < off + (off_t)len) {
        errno = EIO;
        return -1;
    }
    return cof_os_real()->pread(fd, out, len, off);
}

static off_t unwritable = -1; /* the byte of the new file that the disk has no room for */

static ssize_t failing_pwrite(int fd, const void *data, size_t len, off_t off)
{
    if (unwritable >= off && unwritable < off + (off_t)len) {
        errno = ENOSPC;
        return -1;
    }
    return cof_os_real()->pwrite(fd, data, len, off);
}

static unsigned announced; /* how often the system was told that something will be read */

static int counting_fadvise(int fd, off_t off, off_t len, cof_advice advice)
{
    announced += advice == COF_ADVICE_SOON;
    return cof_os_real()->fadvise(fd, off, len, advice);
}

/* What was released, which must be a beginning of the content. */
typedef struct released {
    size_t len, stop_at;
} released;

static cof_status release(void *ctx, const void *data, size_t len, cof_error *err)
{
    released *r = ctx;

    (void)err;
    assert_true(len <= LEN - r->len);
    assert_memory_equal(data, content + r->len, len);
    r->len += len;
    return r->len >= r->stop_at ? COF_CANCELLED : COF_OK;
}

static void make_content(const world *w, uint32_t record_size)
{
    cof_backup_options o = {.record_size = record_size, .compress = "none", .force = true};
    cof_backup *b = NULL;

    o.recipients = w->first;
    o.signer = w->signer;
    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_write(b, content, LEN, NULL), COF_OK);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_OK);
    cof_backup_free(b);
}

static int set_up(void **state)
{
    static world w;
    uint64_t x = 1;

    if (scratch_set_up(state) != 0)
        return -1;
    for (size_t i = 0; i < LEN; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        content[i] = (uint8_t)(x >> 56);
    }
    make_world(&w);
    make_content(&w, RECORD);
    unreadable = unwritable = -1;
    scratch_os.pread = failing_pread;
    scratch_os.pwrite = failing_pwrite;
    scratch_os.fadvise = counting_fadvise;
    cof_os_set(&scratch_os);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    free_world(*state);
    return scratch_tear_down(state);
}

static cof_status restore(const world *w, unsigned jobs, released *r, cof_error *err)
{
    cof_open_options o = {.trust = w->trust, .keys = w->keys, .jobs = jobs};
    cof_reader *reader = NULL;
    cof_status st;

    r->len = 0;
    o.path = in_dir("x.cof");
    if ((st = cof_reader_open(&reader, &o, err)) == COF_OK)
        st = cof_reader_restore(reader, release, r, err);
    cof_reader_free(reader);
    return st;
}

static cof_status restore_file(const world *w, unsigned jobs, cof_error *err)
{
    cof_open_options o = {.trust = w->trust, .keys = w->keys, .jobs = jobs};
    cof_reader *reader = NULL;
    cof_status st;

    o.path = in_dir("x.cof");
    if ((st = cof_reader_open(&reader, &o, err)) == COF_OK)
        st = cof_reader_restore_file(reader, in_dir("out"), false, err);
    cof_reader_free(reader);
    return st;
}

static cof_status verify(const world *w, unsigned jobs, cof_depth depth, cof_error *err)
{
    cof_open_options o = {.trust = w->trust, .keys = w->keys, .jobs = jobs};
    cof_reader *reader = NULL;
    cof_status st;

    o.path = in_dir("x.cof");
    if ((st = cof_reader_open(&reader, &o, err)) == COF_OK)
        st = cof_reader_verify(reader, depth, err);
    cof_reader_free(reader);
    return st;
}

/* A byte in the payload of record n. */
static off_t place_of(size_t n)
{
    return 8192 + 2 * 16384 + (off_t)n * (32 + RECORD + 16) + 100;
}

static void flip(off_t at)
{
    int fd = open(in_dir("x.cof"), O_RDWR);
    uint8_t byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_all_of_it(void **state)
{
    for (unsigned jobs = 0; jobs <= 6; jobs++) {
        released r = {.stop_at = SIZE_MAX};

        assert_int_equal(restore(*state, jobs, &r, NULL), COF_OK);
        assert_int_equal(r.len, LEN);
        assert_int_equal(verify(*state, jobs, COF_VERIFY_FULL, NULL), COF_OK);
        assert_int_equal(verify(*state, jobs, COF_VERIFY_DEEP, NULL), COF_OK);
    }
}

/* Two records are changed: nothing of the first, and nothing behind it, is released. */
static void test_nothing_unproven_is_released(void **state)
{
    static const size_t bad[] = {0, 1, 7, 250, RECORDS - 2};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char expected[64];

        flip(place_of(bad[i]));
        flip(place_of(bad[i] + 1));
        snprintf(expected, sizeof(expected), "record %zu is not the one that was signed", bad[i]);
        for (unsigned jobs = 1; jobs <= 6; jobs++) {
            released r = {.stop_at = SIZE_MAX};
            cof_error err = COF_ERROR_INIT;

            assert_int_equal(restore(*state, jobs, &r, &err), COF_AUTH);
            assert_non_null(strstr(err.message, expected));
            assert_int_equal(r.len, bad[i] * RECORD);
            assert_int_equal(verify(*state, jobs, COF_VERIFY_FULL, NULL), COF_AUTH);
        }
        flip(place_of(bad[i]));
        flip(place_of(bad[i] + 1));
    }
}

/* A record that cannot be read, in front of one that is changed. */
static void test_the_first_failure_is_told(void **state)
{
    unreadable = place_of(100);
    flip(place_of(101));
    for (unsigned jobs = 1; jobs <= 6; jobs++) {
        released r = {.stop_at = SIZE_MAX};
        cof_error err = COF_ERROR_INIT;

        assert_int_equal(restore(*state, jobs, &r, &err), COF_IO);
        assert_int_equal(err.sys_errno, EIO);
        assert_int_equal(r.len, 100 * RECORD);
        assert_int_equal(verify(*state, jobs, COF_VERIFY_FULL, &err), COF_IO);
        assert_int_equal(verify(*state, jobs, COF_VERIFY_DEEP, &err), COF_IO);
    }
}

/* A record that cannot be read, in front of a frame that is none: seen earlier, told later. */
static void test_the_first_failure_of_a_walk_is_told(void **state)
{
    unreadable = place_of(100);
    flip(place_of(101) - 100); /* the magic */
    for (unsigned jobs = 1; jobs <= 6; jobs++) {
        assert_int_equal(verify(*state, jobs, COF_VERIFY_FULL, NULL), COF_IO);
        assert_int_equal(verify(*state, jobs, COF_VERIFY_DEEP, NULL), COF_IO);
    }
    unreadable = -1;
    for (unsigned jobs = 1; jobs <= 6; jobs++)
        assert_int_equal(verify(*state, jobs, COF_VERIFY_FULL, NULL), COF_FORMAT);
}

/* What is encrypted anew is read ahead, too, and is left compressed. */
static void test_encrypted_anew(void **state)
{
    const world *w = *state;
    cof_rekey_options o = {
        .trust = w->trust, .keys = w->keys, .signer = w->signer, .recipients = w->first};
    cof_rekey_result result = {0};
    released r = {.stop_at = SIZE_MAX};

    o.path = in_dir("x.cof");
    assert_int_equal(cof_rekey(&o, &result, NULL), COF_OK);
    assert_int_equal(result.plain_bytes, LEN);
    cof_rekey_result_wipe(&result);
    assert_int_equal(restore(w, 2, &r, NULL), COF_OK);
    assert_int_equal(r.len, LEN);
}

static void test_the_receiver_stops_it(void **state)
{
    for (unsigned jobs = 1; jobs <= 6; jobs++) {
        released r = {.stop_at = 50 * RECORD};

        assert_int_equal(restore(*state, jobs, &r, NULL), COF_CANCELLED);
        assert_int_equal(r.len, r.stop_at);
    }
}

static void test_a_new_file_is_whole(void **state)
{
    for (unsigned jobs = 1; jobs <= 6; jobs++) {
        uint8_t *got = malloc(LEN + 1);
        FILE *f;

        assert_int_equal(restore_file(*state, jobs, NULL), COF_OK);
        assert_non_null(f = fopen(in_dir("out"), "rb"));
        assert_int_equal(fread(got, 1, LEN + 1, f), LEN);
        assert_memory_equal(got, content, LEN);
        fclose(f);
        free(got);
        assert_int_equal(unlink(in_dir("out")), 0);
    }
}

/* What cannot be written, and what is not as it was signed: the first in order is the cause. */
static void test_a_new_file_or_none(void **state)
{
    for (size_t bad = 99; bad <= 101; bad += 2) {
        unwritable = 100 * RECORD + 5;
        flip(place_of(bad));
        for (unsigned jobs = 1; jobs <= 6; jobs++) {
            cof_error err = COF_ERROR_INIT;

            assert_int_equal(restore_file(*state, jobs, &err), bad < 100 ? COF_AUTH : COF_IO);
            assert_int_equal(err.sys_errno, bad < 100 ? 0 : ENOSPC);
            assert_non_null(strstr(err.message, bad < 100 ? "record 99 is not" : "cannot write"));
            assert_int_equal(access(in_dir("out"), F_OK), -1);
        }
        flip(place_of(bad));
    }
}

/* Where several threads read one file, the system cannot guess what comes next: it is told. */
static void test_large_records_are_announced(void **state)
{
    const unsigned records = (LEN + (512 << 10) - 1) / (512 << 10);
    released r = {.stop_at = SIZE_MAX};

    announced = 0;
    assert_int_equal(restore(*state, 2, &r, NULL), COF_OK);
    assert_int_equal(announced, 0); /* not worth a call */
    make_content(*state, 512 << 10);
    assert_int_equal(restore(*state, 2, &r, NULL), COF_OK);
    assert_int_equal(announced, records);
    assert_int_equal(verify(*state, 2, COF_VERIFY_FULL, NULL), COF_OK);
    assert_int_equal(announced, 2 * records);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_of_it),
        CASE(test_nothing_unproven_is_released),
        CASE(test_the_first_failure_is_told),
        CASE(test_the_first_failure_of_a_walk_is_told),
        CASE(test_encrypted_anew),
        CASE(test_the_receiver_stops_it),
        CASE(test_a_new_file_is_whole),
        CASE(test_a_new_file_or_none),
        CASE(test_large_records_are_announced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
