/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who reads and who changes a head at the same time: is what a reader sees always one moment's, and
 * does a rotation that had to wait never change, or claim to have changed, a file that nobody will
 * read?  Others act from within the system calls of the one under test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>

#include "scratch.h"
#include "world.h"

#define HEAD (8192 + 2 * 16384)

static world w;
static cof_os busy_os; /* what others use while the one under test is inside a call */

static int set_up(void **state)
{
    int failed = scratch_set_up(state);

    if (failed)
        return failed;
    busy_os = *cof_os_real();
    memset(&w, 0, sizeof(w));
    make_world(&w);
    assert_int_equal(cof_keyring_add(w.keys, in_dir("b.key"), NULL, NULL), COF_OK);
    make_backup(&w);
    return 0;
}

static int tear_down(void **state)
{
    cof_os_set(NULL);
    free_world(&w);
    return scratch_tear_down(state);
}

static void copy_backup(const char *to)
{
    cof_buf bytes = COF_BUF_INIT;
    int fd = open(in_dir(to), O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(cof_file_read_whole(&bytes, in_dir("x.cof"), 1 << 20, NULL), COF_OK);
    assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
    close(fd);
    cof_buf_free(&bytes);
}

/* ---- the two sides ---- */

static cof_status rotate_to(const cof_certs *set, bool *changed, cof_error *err)
{
    cof_rotate_options o = {.trust = w.trust, .keys = w.keys, .signer = w.signer, .set = set};
    cof_rotate_result result = {.changed = false};
    cof_status st;

    o.path = in_dir("x.cof");
    st = cof_rotate(&o, &result, err);
    if (changed != NULL)
        *changed = result.changed;
    cof_rotate_result_wipe(&result);
    return st;
}

static char warning[512];

static void keep_warning(void *ctx, const char *sentence)
{
    (void)ctx;
    snprintf(warning, sizeof(warning), "%s", sentence);
}

/* The generation that a reader finds, with the recipients that belong to it; 0: it does not open.
 */
static uint64_t read_generation(bool *quiet)
{
    cof_open_options o = {
        .trust = w.trust, .keys = w.keys, .report = {.warn = keep_warning, .ctx = NULL}};
    cof_reader *reader = NULL;
    uint64_t generation = 0;
    cof_error err = COF_ERROR_INIT;

    warning[0] = '\0';
    o.path = in_dir("x.cof");
    if (cof_reader_open(&reader, &o, &err) == COF_OK) {
        const cof_info *info = cof_reader_info(reader);

        generation = info->generation;
        assert_int_equal(info->recipient_count, 1);
        assert_true(info->custody_problem == NULL && info->custody_proven);
        assert_int_equal(cof_reader_verify(reader, COF_VERIFY_DEEP, NULL), COF_OK);
    } else {
        fail_msg("a reader was refused: %s", err.message);
    }
    *quiet = warning[0] == '\0';
    cof_reader_free(reader);
    return generation;
}

/* ---- a reader while a rotation is at work ---- */

static uint64_t leaps; /* a clock that leaps, so that nobody waits for long */

static int leaping_clock(clockid_t clock, struct timespec *out)
{
    int result = cof_os_real()->clock_gettime(clock, out);

    if (clock == CLOCK_MONOTONIC)
        out->tv_sec += (time_t)(leaps++ * 4);
    return result;
}

static unsigned moments, loud_moments;
static uint64_t seen_before;

/* The rotation stands inside a call; a reader with a descriptor of its own comes by. */
static void reader_comes_by(void)
{
    bool quiet;
    uint64_t generation;

    cof_os_set(&busy_os);
    generation = read_generation(&quiet);
    assert_true(generation >= seen_before && generation <= 2);
    seen_before = generation;
    moments++;
    if (!quiet) {
        loud_moments++;
        assert_non_null(strstr(warning, "another process has been changing the recipients"));
    }
    cof_os_set(&scratch_os);
}

static ssize_t watched_pwrite(int fd, const void *data, size_t len, off_t off)
{
    ssize_t n;

    reader_comes_by();
    n = cof_os_real()->pwrite(fd, data, len, off);
    reader_comes_by();
    return n;
}

static int watched_fsync(int fd)
{
    reader_comes_by();
    return cof_os_real()->fsync(fd);
}

/* At whatever moment: the old list or the new one, and no false alarm of damage. */
static void a_reader_during_a_rotation(void **state)
{
    bool quiet;

    (void)state;
    moments = loud_moments = 0;
    seen_before = 1;
    busy_os.clock_gettime = leaping_clock;
    scratch_os.pwrite = watched_pwrite;
    scratch_os.fsync = watched_fsync;
    cof_os_set(&scratch_os);
    assert_int_equal(rotate_to(w.second, NULL, NULL), COF_OK);
    cof_os_set(NULL);
    assert_int_equal(moments, 4 * 2 + 5);
    assert_int_equal(loud_moments, 9); /* from behind the first write to before the last */
    assert_int_equal(read_generation(&quiet), 2);
    assert_true(quiet);
}

/* The writer is slow, not stuck: a reader waits until it is done, and knows nothing of it. */
static unsigned naps;

static int ending_lock_in_the_way(int fd, cof_lock_kind wanted, cof_lock_kind *out)
{
    int fd2;

    assert_int_equal(wanted, COF_LOCK_SHARED);
    if (++naps < 3) {
        *out = COF_LOCK_EXCLUSIVE;
        return 0;
    }
    if (naps == 3) { /* now the writer's last write comes */
        static uint8_t block[4096];

        fd2 = open(in_dir("x.cof"), O_RDWR);
        assert_int_equal(pread(fd2, block, sizeof(block), 0), sizeof(block));
        assert_int_equal(pwrite(fd2, block, sizeof(block), 4096), sizeof(block));
        close(fd2);
    }
    return cof_os_real()->lock_in_the_way(fd, wanted, out);
}

static void a_reader_waits_for_a_writer_that_ends(void **state)
{
    static uint8_t block[4096];
    bool quiet;
    int fd;

    (void)state;
    fd = open(in_dir("x.cof"), O_RDWR);
    assert_int_equal(pwrite(fd, block, sizeof(block), 4096), sizeof(block));
    close(fd);
    naps = 0;
    scratch_os.lock_in_the_way = ending_lock_in_the_way;
    cof_os_set(&scratch_os);
    assert_int_equal(read_generation(&quiet), 1);
    assert_true(quiet);
    assert_true(naps >= 3);
}

/* ---- a rotation while a reader is at work ---- */

static unsigned reads, rotate_at;

/* Between two reads of the head a whole rotation happens. */
static ssize_t overtaken_pread(int fd, void *out, size_t len, off_t off)
{
    if (off < HEAD && reads++ == rotate_at) {
        cof_os_set(&busy_os);
        assert_int_equal(rotate_to(w.second, NULL, NULL), COF_OK);
        cof_os_set(&scratch_os);
    }
    return cof_os_real()->pread(fd, out, len, off);
}

static void a_rotation_between_two_reads(void **state)
{
    bool quiet;

    (void)state;
    for (rotate_at = 0; rotate_at < 3; rotate_at++) {
        assert_int_equal(rotate_to(w.first, NULL, NULL), COF_OK);
        uint64_t before = read_generation(&quiet);

        reads = 0;
        scratch_os.pread = overtaken_pread;
        cof_os_set(&scratch_os);
        assert_int_equal(read_generation(&quiet), before + 1);
        assert_true(quiet);
        assert_true(reads > rotate_at);
        cof_os_set(NULL);
    }
}

static int no_lock(int fd, cof_lock_kind kind, int wait)
{
    (void)fd;
    (void)wait;
    if (kind != COF_LOCK_NONE)
        fail_msg("a reader took a lock");
    return 0;
}

static void a_reader_takes_no_lock(void **state)
{
    bool quiet;

    (void)state;
    scratch_os.lock = no_lock;
    cof_os_set(&scratch_os);
    assert_int_equal(read_generation(&quiet), 1);
}

/* ---- a rotation that has to wait ---- */

static unsigned lock_tries;
static void (*meanwhile)(void);

/* Held by another at first; when that one lets go, the world is another one. */
static int late_lock(int fd, cof_lock_kind kind, int wait)
{
    if (kind == COF_LOCK_EXCLUSIVE && lock_tries++ == 0) {
        meanwhile();
        errno = EAGAIN;
        return -1;
    }
    return cof_os_real()->lock(fd, kind, wait);
}

static void wait_while(void (*what)(void))
{
    lock_tries = 0;
    meanwhile = what;
    scratch_os.lock = late_lock;
    cof_os_set(&scratch_os);
}

static void replace_it(void)
{
    assert_int_equal(rename(in_dir("y.cof"), in_dir("x.cof")), 0);
}

static void remove_it(void)
{
    assert_int_equal(unlink(in_dir("x.cof")), 0);
}

/* The file that was waited for is another one now: that one is changed, the old one is not. */
static void it_is_replaced_meanwhile(void **state)
{
    static uint8_t before[HEAD], after[HEAD];
    int old = open(in_dir("x.cof"), O_RDONLY);
    bool changed, quiet;

    (void)state;
    copy_backup("y.cof");
    assert_int_equal(pread(old, before, HEAD, 0), HEAD);
    wait_while(replace_it);
    assert_int_equal(rotate_to(w.second, &changed, NULL), COF_OK);
    assert_true(changed);
    assert_int_equal(lock_tries, 3);
    cof_os_set(NULL);
    assert_int_equal(pread(old, after, HEAD, 0), HEAD);
    assert_memory_equal(before, after, HEAD);
    assert_int_equal(read_generation(&quiet), 2);
    close(old);
}

static void it_is_removed_meanwhile(void **state)
{
    cof_error err = COF_ERROR_INIT;
    bool changed;

    (void)state;
    wait_while(remove_it);
    assert_int_equal(rotate_to(w.second, &changed, &err), COF_IO);
    assert_false(changed);
    assert_non_null(strstr(err.message, "x.cof was removed while this waited for it"));
}

static int restless_stat(const char *path, struct stat *out)
{
    int result = cof_os_real()->stat(path, out);

    out->st_ino++;
    return result;
}

static void it_is_replaced_without_end(void **state)
{
    cof_error err = COF_ERROR_INIT;

    (void)state;
    scratch_os.stat = restless_stat;
    scratch_os.clock_gettime = leaping_clock;
    cof_os_set(&scratch_os);
    assert_int_equal(rotate_to(w.second, NULL, &err), COF_BUSY);
    assert_non_null(strstr(err.message, "replaced again and again"));
}

static unsigned writes;

static ssize_t replaced_pwrite(int fd, const void *data, size_t len, off_t off)
{
    if (++writes == 3)
        replace_it();
    return cof_os_real()->pwrite(fd, data, len, off);
}

/* By somebody who asks for no lock: then nothing is claimed of the file that has the name now. */
static void it_is_replaced_under_the_lock(void **state)
{
    cof_error err = COF_ERROR_INIT;
    bool changed, quiet;

    (void)state;
    copy_backup("y.cof");
    writes = 0;
    scratch_os.pwrite = replaced_pwrite;
    cof_os_set(&scratch_os);
    assert_int_equal(rotate_to(w.second, &changed, &err), COF_BUSY);
    assert_false(changed);
    assert_non_null(strstr(err.message, "removed or replaced by another program"));
    cof_os_set(NULL);
    assert_int_equal(read_generation(&quiet), 1);
}

/* ---- who does not let go ---- */

static void a_shared_lock_that_stays(void **state)
{
    cof_error err = COF_ERROR_INIT;
    int holder = open(in_dir("x.cof"), O_RDONLY);

    (void)state;
    assert_int_equal(cof_os_real()->lock(holder, COF_LOCK_SHARED, 0), 0);
    scratch_os.clock_gettime = leaping_clock;
    cof_os_set(&scratch_os);
    assert_int_equal(rotate_to(w.second, NULL, &err), COF_BUSY);
    assert_non_null(strstr(err.message, "kept locked by a program that reads it"));
    close(holder);
    assert_int_equal(rotate_to(w.second, NULL, &err), COF_OK);
}

static int lock_unknown(int fd, cof_lock_kind kind, int wait)
{
    (void)fd;
    (void)kind;
    (void)wait;
    errno = ENOLCK;
    return -1;
}

static int obstacle_unknown(int fd, cof_lock_kind wanted, cof_lock_kind *out)
{
    (void)fd;
    (void)wanted;
    (void)out;
    errno = ENOLCK;
    return -1;
}

/* There: reading works, at rest and not; changing is refused, with the reason. */
static void a_file_system_without_locks(void **state)
{
    static const uint8_t block[4096];
    cof_error err = COF_ERROR_INIT;
    bool quiet;
    int fd;

    (void)state;
    scratch_os.lock = lock_unknown;
    scratch_os.lock_in_the_way = obstacle_unknown;
    cof_os_set(&scratch_os);
    assert_int_equal(read_generation(&quiet), 1);
    assert_true(quiet);
    assert_int_equal(rotate_to(w.second, NULL, &err), COF_IO);
    assert_non_null(strstr(err.message, "without a lock two changes at once could destroy it"));
    fd = open(in_dir("x.cof"), O_RDWR);
    assert_int_equal(pwrite(fd, block, sizeof(block), 4096), sizeof(block));
    close(fd);
    assert_int_equal(read_generation(&quiet), 1);
    assert_string_equal(warning, "superblock copy B is damaged; the other one was used");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reader_during_a_rotation),   TEST(a_reader_waits_for_a_writer_that_ends),
        TEST(a_rotation_between_two_reads), TEST(a_reader_takes_no_lock),
        TEST(it_is_replaced_meanwhile),     TEST(it_is_removed_meanwhile),
        TEST(it_is_replaced_without_end),   TEST(it_is_replaced_under_the_lock),
        TEST(a_shared_lock_that_stays),     TEST(a_file_system_without_locks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
