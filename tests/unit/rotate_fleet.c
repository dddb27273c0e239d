/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Many rotations side by side: do they keep the order of FORMAT.md, section 8 (CH-2), each for
 * itself, with the barriers that they share; does none stop the others; and is nothing said to be
 * done that may not be?
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

#define COUNT 6
#define SLOT  16384

static const char *const names[COUNT] = {"b0.cof", "b1.cof", "b2.cof",
                                         "b3.cof", "b4.cof", "b5.cof"};
static char paths[COUNT][128];
static const char *path_list[COUNT];

/* ---- what was done ---- */

static char events[512]; /* 'w' a write, 's' an fsync, 'f' a sync of the file system */
static uint64_t places[512];
static size_t event_count, syncs_until_failure;

static void record(char what, uint64_t at)
{
    assert_true(event_count < sizeof(events) - 1);
    places[event_count] = at;
    events[event_count++] = what;
    events[event_count] = '\0';
}

static ssize_t recording_pwrite(int fd, const void *data, size_t len, off_t off)
{
    record('w', (uint64_t)off);
    return cof_os_real()->pwrite(fd, data, len, off);
}

static int recording_fsync(int fd)
{
    (void)fd;
    record('s', 0);
    return 0;
}

static int recording_syncfs(int fd)
{
    (void)fd;
    record('f', 0);
    if (syncs_until_failure-- != 0)
        return 0;
    errno = EIO;
    return -1;
}

static int tells(int fd)
{
    (void)fd;
    return 1;
}

static int does_not_tell(int fd)
{
    (void)fd;
    return 0;
}

static void start_recording(int (*syncfs_tells)(int fd))
{
    event_count = 0;
    events[0] = '\0';
    syncs_until_failure = SIZE_MAX;
    scratch_os.pwrite = recording_pwrite;
    scratch_os.fsync = recording_fsync;
    scratch_os.syncfs = recording_syncfs;
    scratch_os.syncfs_tells = syncfs_tells;
    cof_os_set(&scratch_os);
}

/* ---- the backups ---- */

static void copy_file(const char *to, const char *from)
{
    cof_buf bytes = COF_BUF_INIT;
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(cof_file_read_whole(&bytes, from, 1 << 20, NULL), COF_OK);
    assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
    close(fd);
    cof_buf_free(&bytes);
}

static void make_backups(world *w)
{
    make_world(w);
    make_backup(w);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s", in_dir(names[i]));
        path_list[i] = paths[i];
        copy_file(paths[i], in_dir("x.cof"));
    }
}

/* ---- the rotation of all ---- */

static struct {
    cof_status status;
    uint64_t generation;
    bool changed, skipped;
    size_t warnings;
    char message[464];
} outcomes[COUNT];
static size_t told[2 * COUNT], told_count, progress_calls;

static void note_outcome(void *ctx, const cof_rotate_outcome *o)
{
    (void)ctx;
    assert_true(o->index < COUNT && told_count < COUNT);
    told[told_count++] = o->index;
    outcomes[o->index].status = o->status;
    outcomes[o->index].generation = o->result->generation;
    outcomes[o->index].changed = o->result->changed;
    outcomes[o->index].skipped = o->result->skipped[0] != '\0';
    outcomes[o->index].warnings = o->warning_count;
    snprintf(outcomes[o->index].message, sizeof(outcomes[0].message), "%s",
             o->status != COF_OK ? o->error->message : "");
}

static bool stop_at_once;

static bool note_progress(void *ctx, size_t done, size_t total)
{
    (void)ctx;
    assert_int_equal(done, told_count);
    assert_int_equal(total, COUNT);
    progress_calls++;
    return !stop_at_once;
}

static cof_status rotate_all(const world *w, const cof_certs *set, unsigned jobs)
{
    const cof_rotate_options o = {
        .trust = w->trust, .keys = w->keys, .signer = w->signer, .set = set};
    const cof_rotate_many many = {path_list, COUNT, jobs, note_outcome, note_progress, NULL};
    cof_error err = COF_ERROR_INIT;

    memset(outcomes, 0, sizeof(outcomes));
    told_count = progress_calls = 0;
    return cof_rotate_all(&o, &many, &err);
}

static void assert_all_changed(uint64_t generation)
{
    assert_int_equal(told_count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(told[i], i);
        assert_int_equal(outcomes[i].status, COF_OK);
        assert_true(outcomes[i].changed);
        assert_int_equal(outcomes[i].generation, generation);
    }
}

/* ---- the tests ---- */

/* A barrier, six writes of a step, a barrier, ...: and each step is the right one for all. */
static void steps_and_barriers_are_shared(void **state)
{
    static const uint64_t step[] = {8192 + SLOT, 0, 8192, 4096};
    world w;

    (void)state;
    make_backups(&w);
    start_recording(tells);
    assert_int_equal(rotate_all(&w, w.second, 1), COF_OK);
    assert_all_changed(2);
    assert_string_equal(events, "fswwwwwwfswwwwwwfswwwwwwfswwwwwwfs");
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(places[2 + k * (COUNT + 2) + i], step[k]);
    assert_int_equal(progress_calls, 1);
    free_world(&w);
}

/* A file system that cannot be trusted with that: the same order, an fsync for each file. */
static void without_a_shared_barrier_each_has_its_own(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    start_recording(does_not_tell);
    assert_int_equal(rotate_all(&w, w.second, 1), COF_OK);
    assert_all_changed(2);
    assert_string_equal(events, "sssssswwwwwwsssssswwwwwwsssssswwwwwwsssssswwwwwwssssss");
    free_world(&w);
}

/* What is as asked is made durable, and nothing else is done to it. */
static void a_second_run_skips_all(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    assert_int_equal(rotate_all(&w, w.first, 1), COF_OK);
    start_recording(tells);
    assert_int_equal(rotate_all(&w, w.first, 1), COF_OK);
    assert_string_equal(events, "fs");
    for (size_t i = 0; i < COUNT; i++)
        assert_true(outcomes[i].status == COF_OK && outcomes[i].skipped && !outcomes[i].changed);
    free_world(&w);
}

static void several_threads_do_the_same(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    for (uint64_t generation = 2; generation < 8; generation++) {
        cof_certs *set = NULL;

        assert_int_equal(cof_certs_new(&set, NULL), COF_OK);
        assert_int_equal(cof_certs_add(set, in_dir("a.crt"), NULL), COF_OK);
        if (generation % 2 == 0)
            assert_int_equal(cof_certs_add(set, in_dir("b.crt"), NULL), COF_OK);
        assert_int_equal(rotate_all(&w, set, 4), COF_OK);
        assert_all_changed(generation);
        cof_certs_free(set);
    }
    free_world(&w);
}

static void a_bad_one_stops_no_other(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    make("b1.cof", "no backup", 0600);
    assert_int_equal(unlink(paths[4]), 0);
    assert_int_equal(rotate_all(&w, w.second, 2), COF_OK);
    assert_int_equal(told_count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(outcomes[i].status, i == 1 ? COF_FORMAT : i == 4 ? COF_IO : COF_OK);
    free_world(&w);
}

/* Nothing is written after a shared barrier failed, and every one of the batch is named. */
static void a_failed_barrier_stops_everything(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    for (size_t n = 0; n < 5; n++) {
        cof_os_set(NULL);
        for (size_t i = 0; i < COUNT; i++)
            copy_file(paths[i], in_dir("x.cof"));
        start_recording(tells);
        syncs_until_failure = n;
        assert_int_equal(rotate_all(&w, w.second, 1), COF_IO);
        assert_int_equal(events[event_count - 1], 'f');
        assert_int_equal(event_count, n * (COUNT + 2) + 1);
        assert_int_equal(told_count, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(outcomes[i].status, COF_IO);
            assert_false(outcomes[i].changed);
            assert_non_null(strstr(outcomes[i].message, names[i]));
            assert_non_null(strstr(outcomes[i].message, "unknown"));
        }
    }
    free_world(&w);
}

/* The last of them lies on another disk. */

static ino_t elsewhere;

static void move_elsewhere(struct stat *info)
{
    if (info->st_ino == elsewhere)
        info->st_dev++;
}

static int stat_of_two_disks(const char *path, struct stat *out)
{
    int result = cof_os_real()->stat(path, out);

    move_elsewhere(out);
    return result;
}

static int fstat_of_two_disks(int fd, struct stat *out)
{
    int result = cof_os_real()->fstat(fd, out);

    move_elsewhere(out);
    return result;
}

static void start_recording_two_disks(void)
{
    struct stat info;

    start_recording(tells);
    assert_int_equal(stat(paths[COUNT - 1], &info), 0);
    elsewhere = info.st_ino;
    scratch_os.stat = stat_of_two_disks;
    scratch_os.fstat = fstat_of_two_disks;
    cof_os_set(&scratch_os);
}

/* One disk fails: what lies on the other one goes through all steps, with all their barriers. */
static void a_failed_barrier_is_one_disk_s(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    for (size_t n = 0; n < 5; n++) {
        static const char rest[] = "swswswsws";
        const char *failed;

        cof_os_set(NULL);
        for (size_t i = 0; i < COUNT; i++)
            copy_file(paths[i], in_dir("x.cof"));
        start_recording_two_disks();
        syncs_until_failure = n;
        assert_int_equal(rotate_all(&w, w.second, 1), COF_IO);
        failed = strrchr(events, 'f');
        assert_non_null(failed);
        assert_string_equal(failed + 1, rest + 2 * n);
        for (size_t i = 0; i < COUNT; i++) {
            bool fine = i == COUNT - 1;

            assert_int_equal(outcomes[i].status, fine ? COF_OK : COF_IO);
            assert_int_equal(outcomes[i].changed, fine);
            assert_int_equal(strstr(outcomes[i].message, "unknown") != NULL, !fine);
        }
    }
    free_world(&w);
}

static int failing_fsync_count;

static int third_fsync_fails(int fd)
{
    (void)fd;
    record('s', 0);
    if (++failing_fsync_count != 3)
        return 0;
    errno = EIO;
    return -1;
}

/* An fsync of one file is about that file only. */
static void a_failed_fsync_is_one_file_s(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    start_recording(does_not_tell);
    scratch_os.fsync = third_fsync_fails;
    failing_fsync_count = 0;
    assert_int_equal(rotate_all(&w, w.second, 1), COF_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(outcomes[i].status, i == 2 ? COF_IO : COF_OK);
    assert_string_equal(events, "sssssswwwwwssssswwwwwssssswwwwwssssswwwwwsssss");
    free_world(&w);
}

/* The same backup twice, and one that is in use for a moment: put off, not waited for. */
static void what_is_in_use_comes_last(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    path_list[3] = path_list[0];
    assert_int_equal(rotate_all(&w, w.second, 1), COF_OK);
    assert_int_equal(told_count, COUNT);
    assert_int_equal(told[COUNT - 1], 3);
    assert_int_equal(outcomes[0].status, COF_OK);
    assert_true(outcomes[0].changed);
    assert_int_equal(outcomes[3].status, COF_NO_MATCH); /* its locks were changed before */
    free_world(&w);
}

static int no_more_files(const char *path, int flags, mode_t mode)
{
    static int opened;

    if (strstr(path, ".cof") != NULL && ++opened == 2) {
        errno = EMFILE;
        return -1;
    }
    return cof_os_real()->open(path, flags, mode);
}

/* Too many open files: its turn comes when the others are closed. */
static void out_of_descriptors_is_put_off(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    start_recording(tells);
    scratch_os.open = no_more_files;
    assert_int_equal(rotate_all(&w, w.second, 1), COF_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(outcomes[i].status, COF_OK);
    assert_int_equal(told[COUNT - 1], 1);
    free_world(&w);
}

static void it_can_be_stopped(void **state)
{
    world w;

    (void)state;
    make_backups(&w);
    stop_at_once = true;
    assert_int_equal(rotate_all(&w, w.second, 1), COF_CANCELLED);
    stop_at_once = false;
    assert_int_equal(told_count, COUNT);
    free_world(&w);
}

static void what_makes_no_sense_has_no_outcomes(void **state)
{
    const cof_rotate_options o = {.path = NULL};
    const cof_rotate_many many = {path_list, COUNT, 1, note_outcome, NULL, NULL};

    (void)state;
    told_count = 0;
    assert_int_equal(cof_rotate_all(&o, &many, NULL), COF_USAGE);
    assert_int_equal(told_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(steps_and_barriers_are_shared),
        IN_DIR(without_a_shared_barrier_each_has_its_own),
        IN_DIR(a_second_run_skips_all),
        IN_DIR(several_threads_do_the_same),
        IN_DIR(a_bad_one_stops_no_other),
        IN_DIR(a_failed_barrier_stops_everything),
        IN_DIR(a_failed_barrier_is_one_disk_s),
        IN_DIR(a_failed_fsync_is_one_file_s),
        IN_DIR(what_is_in_use_comes_last),
        IN_DIR(out_of_descriptors_is_put_off),
        IN_DIR(it_can_be_stopped),
        cmocka_unit_test(what_makes_no_sense_has_no_outcomes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
