/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is a backup that many threads make the one that a single thread makes, and does it end cleanly
 * when the disk is full, the source breaks, or somebody stops it?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>

#include "engine/pipeline.h"
#include "scratch.h"

#include "world.h"

#define RECORD  UINT32_C(4096)
#define RECORDS UINT64_C(4500) /* more than one INDEX */

/* ---- the same bytes ---- */

/* Some of it compresses, some does not, and no two records are alike. */
static void fill(uint8_t *out, uint64_t n)
{
    uint64_t x = n * UINT64_C(0x9E3779B97F4A7C15) + 1;

    for (size_t i = 0; i < RECORD; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[i] = (uint8_t)(n % 3 == 0 ? x : n % 3 == 1 ? n + i / 100 : x & 15);
    }
}

/* The length of record n. */
static size_t len_of(uint64_t n)
{
    return n % 5 == 0 ? 1 + (size_t)(n % RECORD) : RECORD;
}

static cof_status put_all(cof_pipeline *p, cof_error *err)
{
    uint64_t data = 0, catalog = 0;
    uint8_t *plain = NULL;
    cof_status st = cof_pipeline_buffer(&plain, p, err);

    for (uint64_t n = 0; st == COF_OK && n < RECORDS; n++) {
        cof_frame where = {.kind = COF_FRAME_DATA, .offset = data};

        assert_int_equal(cof_pipeline_next(p), n);
        fill(plain, n);
        if (n % 50 == 49) {
            where = (cof_frame){
                .kind = COF_FRAME_CATALOG, .stream = COF_STREAM_CATALOG, .offset = catalog};
            st = cof_pipeline_copy(p, &where, (cof_slice){plain, len_of(n)}, err);
            catalog += len_of(n);
        } else {
            st = cof_pipeline_put(p, &where, &plain, len_of(n), err);
            data += len_of(n);
        }
    }
    free(plain);
    return st == COF_OK ? cof_pipeline_drain(p, err) : st;
}

/* A body made by so many threads, under a key that is always the same. */
static void make_body(const char *name, cof_codec codec, bool sealed, unsigned threads)
{
    static const uint8_t core[COF_SHA256_SIZE] = {1};
    const cof_preamble preamble = {
        .record_size = RECORD,
        .cipher = sealed ? COF_CIPHER_AES_256_GCM : COF_CIPHER_NONE,
        .protection = sealed ? COF_PROTECTION_SEALED : COF_PROTECTION_SIGNED_ONLY,
    };
    const uint8_t raw[COF_PREAMBLE_SIZE] = {0};
    const cof_report report = {NULL, NULL, NULL};
    cof_secret *dek = NULL;
    cof_schedule *schedule = NULL;
    cof_pipeline *p = NULL;
    cof_sink *sink = NULL;
    cof_writer writer;

    assert_int_equal(cof_secret_new(&dek, COF_DEK_SIZE, NULL), COF_OK);
    if (sealed)
        assert_int_equal(cof_schedule_new(&schedule, core, dek, preamble.cipher, NULL), COF_OK);
    assert_int_equal(cof_sink_file(&sink, in_dir(name), false, NULL), COF_OK);
    assert_int_equal(cof_writer_init(&writer, sink, raw, &report, NULL), COF_OK);
    assert_int_equal(cof_pipeline_new(&p,
                                      &(cof_pipeline_plan){&preamble, schedule, codec,
                                                           COF_LEVEL_DEFAULT, threads, &writer},
                                      NULL),
                     COF_OK);
    assert_int_equal(put_all(p, NULL), COF_OK);
    assert_int_equal(writer.records, RECORDS);
    assert_int_equal(cof_writer_close(&writer, NULL), COF_OK);
    assert_int_equal(cof_sink_publish(sink, NULL), COF_OK);
    cof_pipeline_free(p);
    cof_writer_wipe(&writer);
    cof_sink_free(sink);
    cof_schedule_free(schedule);
    cof_secret_free(dek);
}

static void assert_same_file(const char *a, const char *b)
{
    const size_t max = (size_t)64 << 20;
    cof_buf x = COF_BUF_INIT, y = COF_BUF_INIT;

    assert_int_equal(cof_file_read_whole(&x, in_dir(a), max, NULL), COF_OK);
    assert_int_equal(cof_file_read_whole(&y, in_dir(b), max, NULL), COF_OK);
    assert_true(x.len > RECORDS * 1000);
    assert_true(x.len == y.len && memcmp(x.data, y.data, x.len) == 0);
    cof_buf_free(&x);
    cof_buf_free(&y);
}

static void test_same_bytes_whatever_the_number_of_threads(void **state)
{
    static const cof_codec codecs[] = {COF_CODEC_NONE, COF_CODEC_ZSTD, COF_CODEC_LZ4};

    (void)state;
    assert_int_equal(cof_init(NULL), COF_OK);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        make_body("one", codecs[i], i != 2, 1);
        for (unsigned threads = 2; threads <= 7; threads += i == 1 ? 1 : 3) {
            make_body("many", codecs[i], i != 2, threads);
            assert_same_file("one", "many");
            assert_int_equal(unlink(in_dir("many")), 0);
        }
        assert_int_equal(unlink(in_dir("one")), 0);
    }
}

/* ---- failures ---- */

static struct {
    uint64_t room;  /* bytes that the disk still takes */
    uint64_t reads; /* that the source still answers */
    uint64_t told;  /* bytes of progress after which somebody stops it */
} limits;

static ssize_t filling_pwrite(int fd, const void *data, size_t len, off_t off)
{
    if (len > limits.room) {
        errno = ENOSPC;
        return -1;
    }
    limits.room -= len;
    return cof_os_real()->pwrite(fd, data, len, off);
}

static ssize_t breaking_read(int fd, void *out, size_t len)
{
    if (limits.reads-- == 0) {
        errno = EIO;
        return -1;
    }
    return cof_os_real()->read(fd, out, len);
}

static bool stopping_progress(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)total;
    return done < limits.told;
}

/* Back up 4 MiB of zeros in records of 4 KiB. */
static cof_status back_up(const world *w, unsigned jobs, cof_error *err)
{
    cof_backup_options o = {
        .recipients = w->first,
        .signer = w->signer,
        .record_size = RECORD,
        .compress = "none",
        .jobs = jobs,
        .report = {stopping_progress, NULL, NULL},
    };
    cof_backup *b = NULL;
    int fd = open(in_dir("source"), O_RDONLY);
    cof_status st;

    assert_true(fd >= 0);
    o.output = in_dir("x.cof");
    if ((st = cof_backup_begin(&b, &o, err)) == COF_OK &&
        (st = cof_backup_read_fd(b, fd, err)) == COF_OK)
        st = cof_backup_finish(b, NULL, err);
    cof_backup_free(b);
    close(fd);
    return st;
}

static int set_up(void **state)
{
    static world w;
    int fd;

    if (scratch_set_up(state) != 0)
        return -1;
    make_world(&w);
    fd = open(in_dir("source"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, 4 << 20) != 0 || close(fd) != 0)
        return -1;
    limits.room = limits.reads = limits.told = UINT64_MAX;
    scratch_os.pwrite = filling_pwrite;
    scratch_os.read = breaking_read;
    cof_os_set(&scratch_os);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    free_world(*state);
    return scratch_tear_down(state);
}

/* Whatever it is, and wherever it happens: it is said, and nothing is left. */
static void assert_fails(const world *w, cof_status expected, int sys_errno)
{
    size_t names = count_names();

    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        const uint64_t room = limits.room, reads = limits.reads;
        cof_error err = COF_ERROR_INIT;

        assert_int_equal(back_up(w, jobs, &err), expected);
        assert_int_equal(err.status, expected);
        assert_int_equal(err.sys_errno, sys_errno);
        assert_int_equal(count_names(), names);
        limits.room = room;
        limits.reads = reads;
    }
}

static void test_a_full_disk(void **state)
{
    for (uint64_t room = 48 << 10; room < 4 << 20; room += 1 << 20) {
        limits.room = room;
        assert_fails(*state, COF_IO, ENOSPC);
    }
}

static void test_a_source_that_breaks(void **state)
{
    for (uint64_t reads = 0; reads < 1024; reads += 300) {
        limits.reads = reads;
        assert_fails(*state, COF_SOURCE, EIO);
    }
}

/* The source breaks after the disk is full: the disk was first, in the order of the records. */
static void test_the_first_cause_is_reported(void **state)
{
    limits.room = 1 << 20;
    limits.reads = 700;
    assert_fails(*state, COF_IO, ENOSPC);
}

static void test_somebody_stops_it(void **state)
{
    for (uint64_t told = 1; told < 4 << 20; told += 1 << 20) {
        limits.told = told;
        assert_fails(*state, COF_CANCELLED, 0);
    }
}

static void test_it_works_otherwise(void **state)
{
    for (unsigned jobs = 0; jobs <= 4; jobs++) {
        assert_int_equal(back_up(*state, jobs, NULL), COF_OK);
        assert_int_equal(unlink(in_dir("x.cof")), 0);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_same_bytes_whatever_the_number_of_threads),
        CASE(test_a_full_disk),
        CASE(test_a_source_that_breaks),
        CASE(test_the_first_cause_is_reported),
        CASE(test_somebody_stops_it),
        CASE(test_it_works_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
