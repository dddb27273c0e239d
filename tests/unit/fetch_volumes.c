/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading a backup of files in many volumes, more than may be open at once, each with one record:
 * does a volume that is gone while it is read ever pass for restored, and does reading ahead leave
 * room for the other reads?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <coffer/tree.h>

#include "scratch.h"

#include "world.h"

#define RECORD  (256 << 10)
#define FILES   1600 /* so many that their names fill more than one record of the catalog */
#define BIG     ((size_t)6 * RECORD)
#define VOLUMES 12 /* at least */

static world w;
static uint64_t whole;   /* bytes of the content */
static unsigned volumes; /* how many there are */

/* With a long name that has little in common with others, so that the catalog has to hold it. */
static const char *file_name(unsigned i)
{
    static char name[256];
    uint64_t x = i;
    int len = snprintf(name, sizeof(name), "t/%05u-", i);

    while (len < 200) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        len += snprintf(name + len, sizeof(name) - (size_t)len, "%08x", (unsigned)(x >> 32));
    }
    return name;
}

static void make_file(const char *name, size_t len)
{
    static uint8_t noise[BIG];
    uint64_t x = 1;
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

    for (size_t i = 0; i < len; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        noise[i] = (uint8_t)(x >> 56);
    }
    assert_true(fd >= 0);
    assert_int_equal(write(fd, noise, len), (ssize_t)len);
    close(fd);
}

static void make_volumes(void)
{
    const char *const paths[] = {in_dir("t")};
    cof_backup_options o = {
        .tree = true,
        .record_size = RECORD,
        .compress = "none",
        .slot_size = 16384,
        .volume_size = RECORD + 49152, /* the head, one record, and what closes it */
        .recipients = w.first,
        .signer = w.signer,
    };
    cof_backup_result result;
    cof_backup *b = NULL;

    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_tree(b, &(cof_tree_options){.paths = paths, .path_count = 1}, NULL),
                     COF_OK);
    assert_int_equal(cof_backup_finish(b, &result, NULL), COF_OK);
    cof_backup_free(b);
    volumes = (unsigned)result.volumes;
    whole = result.plain_bytes;
    assert_true(volumes >= VOLUMES);
}

/* One backup for all tests. */
static int set_up(void **state)
{
    if (scratch_set_up(state) != 0)
        return -1;
    make_world(&w);
    assert_int_equal(mkdir(in_dir("t"), 0700), 0);
    for (unsigned i = 0; i < FILES; i++)
        make_file(file_name(i), i == FILES - 1 || i == 0 ? BIG : 0);
    make_volumes();
    return 0;
}

static int tear_down(void **state)
{
    for (unsigned i = 0; i < FILES; i++)
        unlink(in_dir(file_name(i)));
    free_world(&w);
    return scratch_tear_down(state);
}

static cof_reader *open_reader(unsigned jobs)
{
    static cof_open_options o;
    cof_reader *reader = NULL;

    o = (cof_open_options){.trust = w.trust, .keys = w.keys, .jobs = jobs};
    o.path = in_dir("x.cof");
    assert_int_equal(cof_reader_open(&reader, &o, NULL), COF_OK);
    return reader;
}

/* ---- a volume that goes away ---- */

typedef struct released {
    uint64_t len, stop_at;
    unsigned hide; /* this volume, when the first bytes come; 0: none */
} released;

static void move_volume(unsigned number, const char *from, const char *to)
{
    char old[32], new[32];

    snprintf(old, sizeof(old), "x.cof.%03u%s", number, from);
    snprintf(new, sizeof(new), "x.cof.%03u%s", number, to);
    assert_int_equal(rename(in_dir(old), in_dir(new)), 0);
}

static cof_status release(void *ctx, const void *data, size_t len, cof_error *err)
{
    released *r = ctx;

    (void)data;
    (void)err;
    if (r->len == 0 && r->hide != 0)
        move_volume(r->hide, "", ".away");
    r->len += len;
    return r->len >= r->stop_at ? COF_CANCELLED : COF_OK;
}

/* What is lost is told, or it was of the catalog, which the content does not need. */
static void test_a_lost_volume_is_told(void **state)
{
    unsigned lost = 0, kept = 0;

    (void)state;
    for (unsigned v = 2; v <= volumes; v++)
        for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
            released r = {.stop_at = UINT64_MAX, .hide = v};
            cof_reader *reader = open_reader(jobs);
            cof_status st = cof_reader_restore(reader, release, &r, NULL);

            move_volume(v, ".away", "");
            cof_reader_free(reader);
            assert_true(st == COF_OK || st == COF_IO || st == COF_FORMAT);
            assert_int_equal(st == COF_OK, r.len == whole);
            lost += st != COF_OK;
            kept += st == COF_OK;
        }
    assert_true(lost > 0 && kept > 0);
}

/* ---- reading ahead in more volumes than may be open ---- */

#define JOBS 32

static void test_reading_ahead_leaves_room(void **state)
{
    const cof_extract_options o = {.target = in_dir("."), .strip_components = 2, .force = true};
    cof_extract_result result;
    cof_reader *reader = open_reader(JOBS);

    (void)state;
    assert_int_equal(cof_reader_extract(reader, &o, &result, NULL), COF_OK);
    assert_int_equal(result.files, FILES);
    assert_int_equal(cof_reader_verify(reader, COF_VERIFY_FULL, NULL), COF_OK);
    assert_int_equal(cof_reader_verify(reader, COF_VERIFY_DEEP, NULL), COF_OK);
    cof_reader_free(reader);
}

/* What was read ahead when somebody stopped is not kept open. */
static void test_stopping_gives_it_back(void **state)
{
    cof_reader *reader = open_reader(JOBS);

    (void)state;
    for (uint64_t at = 1; at < whole; at += 3 * (uint64_t)RECORD) {
        released r = {.stop_at = at};

        assert_int_equal(cof_reader_restore(reader, release, &r, NULL), COF_CANCELLED);
        assert_int_equal(cof_reader_verify(reader, COF_VERIFY_QUICK, NULL), COF_OK);
    }
    cof_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_volume_is_told),
        cmocka_unit_test(test_reading_ahead_leaves_room),
        cmocka_unit_test(test_stopping_gives_it_back),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
