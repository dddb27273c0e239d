/* SPDX-License-Identifier: Apache-2.0 */

/* Does os keep its contracts for files, also when the system is interrupted, slow, full or broken?
 */

#include "os/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "scratch.h"

static unsigned calls;

static int fake_open(const char *path, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return open(path, flags, mode);
}

/* One byte at a time, every second call interrupted. */
static ssize_t slow_pread(int fd, void *out, size_t len, off_t off)
{
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return pread(fd, out, len > 0 ? 1 : 0, off);
}

static ssize_t slow_pwrite(int fd, const void *data, size_t len, off_t off)
{
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return pwrite(fd, data, len > 0 ? 1 : 0, off);
}

static ssize_t slow_read(int fd, void *out, size_t len)
{
    if (calls++ % 2 == 0) {
        errno = calls % 4 == 1 ? EAGAIN : EINTR;
        return -1;
    }
    return read(fd, out, len > 0 ? 1 : 0);
}

static ssize_t slow_write(int fd, const void *data, size_t len)
{
    if (calls++ % 2 == 0) {
        errno = calls % 4 == 1 ? EAGAIN : EINTR;
        return -1;
    }
    return write(fd, data, len > 0 ? 1 : 0);
}

static ssize_t full_pwrite(int fd, const void *data, size_t len, off_t off)
{
    if (off >= 4) {
        errno = ENOSPC;
        return -1;
    }
    return pwrite(fd, data, len < 4 ? len : 4, off);
}

static ssize_t stuck_pwrite(int fd, const void *data, size_t len, off_t off)
{
    (void)fd, (void)data, (void)len, (void)off;
    return 0;
}

static int full_close(int fd)
{
    close(fd);
    errno = ENOSPC;
    return -1;
}

/* ---- files --------------------------------------------------------------------------------- */

static void opening_explains_itself(void **state)
{
    (void)state;
    cof_file *file = NULL;
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_file_open_read(&file, "/nowhere/\x1B[x", &err), COF_IO);
    assert_null(file);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.message, "cannot open /nowhere/\\x1B[x: No such file or directory");
    assert_int_equal(cof_file_open_read(&file, scratch_dir, &err), COF_USAGE);
    assert_non_null(strstr(err.message, "is a directory"));
    assert_int_equal(cof_file_open_rw(&file, scratch_dir, &err), COF_USAGE);
    assert_null(file);
    make("there", "x", 0600);
    assert_int_equal(cof_file_create_excl(&file, in_dir("there"), 0600, &err), COF_IO);
    assert_int_equal(err.sys_errno, EEXIST);
    cof_file_free(NULL);
}

/* Nobody writes to the FIFO: an open that waits for that is ended by the alarm. */
static void what_is_no_regular_file_is_not_waited_for(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    cof_file *file = NULL;
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    make("f", "text", 0600);
    alarm(10);
    assert_int_equal(cof_file_open_regular(&file, in_dir("fifo"), &err), COF_USAGE);
    alarm(0);
    assert_null(file);
    assert_non_null(strstr(err.message, "is not a regular file"));
    assert_int_equal(cof_file_open_regular(&file, scratch_dir, &err), COF_USAGE);
    assert_int_equal(cof_file_open_regular(&file, in_dir("nowhere"), &err), COF_IO);
    assert_int_equal(cof_file_open_regular(&file, in_dir("f"), NULL), COF_OK);
    cof_file_free(file);
}

static void round_trip(cof_file *file)
{
    char out[16] = "";
    size_t got = 0;
    uint64_t size = 0;
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_file_write_at(file, 3, "hello", 5, &err), COF_OK);
    assert_int_equal(cof_file_read_full(out, 8, file, 0, &err), COF_OK);
    assert_memory_equal(out, "\0\0\0hello", 8);
    assert_int_equal(cof_file_pread_some(out, 16, &got, file, 4, &err), COF_OK);
    assert_int_equal(got, 4);
    assert_int_equal(cof_file_read_full(out, 16, file, 4, &err), COF_FORMAT);
    assert_int_equal(err.offset, 8);
    assert_int_equal(cof_file_read_full(out, 1, file, UINT64_MAX, &err), COF_FORMAT);
    assert_int_equal(cof_file_write_at(file, INT64_MAX, "xy", 2, &err), COF_IO);
    assert_int_equal(err.sys_errno, EFBIG);
    assert_int_equal(cof_file_size(&size, file, &err), COF_OK);
    assert_int_equal(size, 8);
    assert_int_equal(cof_file_truncate(file, 5, &err), COF_OK);
    assert_int_equal(cof_file_size(&size, file, &err), COF_OK);
    assert_int_equal(size, 5);
    assert_int_equal(cof_file_sync(file, &err), COF_OK);
    assert_int_equal(cof_file_sync_fs(file, &err), COF_OK);
    cof_file_advise(file, 0, 0, COF_ADVICE_SEQUENTIAL);
}

static void files_keep_what_is_written(void **state)
{
    (void)state;
    cof_file *file = NULL;
    assert_int_equal(cof_file_create_excl(&file, in_dir("f"), 0600, NULL), COF_OK);
    assert_int_equal(cof_file_kind(file), COF_FILE_REGULAR);
    assert_string_equal(cof_file_path(file), in_dir("f"));
    round_trip(file);
    assert_int_equal(cof_file_close(&file, NULL), COF_OK);
    assert_null(file);
    assert_int_equal(cof_file_close(&file, NULL), COF_OK);
}

static void slow_systems_only_take_longer(void **state)
{
    (void)state;
    cof_file *file = NULL;
    scratch_os.pread = slow_pread;
    scratch_os.pwrite = slow_pwrite;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_file_create_unlinked(&file, scratch_dir, NULL), COF_OK);
    round_trip(file);
    cof_file_free(file);
}

static void full_disks_are_told(void **state)
{
    (void)state;
    cof_file *file = NULL;
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_file_create_excl(&file, in_dir("f"), 0600, NULL), COF_OK);
    scratch_os.pwrite = full_pwrite;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_file_write_at(file, 0, "hello", 5, &err), COF_IO);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_int_equal(err.offset, 4);
    scratch_os.pwrite = stuck_pwrite;
    assert_int_equal(cof_file_write_at(file, 0, "hello", 5, &err), COF_IO);
    scratch_os.close = full_close;
    assert_int_equal(cof_file_close(&file, &err), COF_IO);
    assert_null(file);
}

static void unlinked_files_have_no_name(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        cof_file *file = NULL;
        uint64_t links = 9;
        struct stat info;
        assert_int_equal(cof_file_create_unlinked(&file, scratch_dir, NULL), COF_OK);
        assert_int_equal(cof_file_link_count(&links, file, NULL), COF_OK);
        assert_int_equal(links, 0);
        assert_int_equal(fstat(cof_file_fd(file), &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        assert_int_equal(count_names(), 0);
        cof_file_free(file);
        scratch_os.open = fake_open; /* and now without O_TMPFILE */
        cof_os_set(&scratch_os);
    }
}

static void pipes_are_streams(void **state)
{
    (void)state;
    int fds[2];
    cof_file *in = NULL;
    cof_file *out = NULL;
    uint64_t size;
    size_t got = 0;
    char text[32] = "";
    assert_int_equal(pipe(fds), 0);
    scratch_os.read = slow_read;
    scratch_os.write = slow_write;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_file_from_fd(&in, fds[0], "standard input", true, NULL), COF_OK);
    assert_int_equal(cof_file_from_fd(&out, fds[1], "standard output", true, NULL), COF_OK);
    assert_int_equal(cof_file_kind(in), COF_FILE_PIPE);
    assert_string_equal(cof_file_label(in), "standard input");
    assert_int_equal(cof_file_size(&size, in, NULL), COF_USAGE);
    assert_int_equal(cof_file_write_stream(out, "through the pipe", 16, NULL), COF_OK);
    assert_int_equal(cof_file_close(&out, NULL), COF_OK);
    assert_int_equal(cof_file_read_stream(text, 11, &got, in, NULL), COF_OK);
    assert_int_equal(got, 11);
    assert_int_equal(cof_file_read_stream(text + 11, 20, &got, in, NULL), COF_OK);
    assert_int_equal(got, 5);
    assert_string_equal(text, "through the pipe");
    cof_file_free(in);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
}

static void borrowed_descriptors_stay_open(void **state)
{
    (void)state;
    cof_file *file = NULL;
    make("f", "x", 0600);
    int fd = open(in_dir("f"), O_RDONLY);
    assert_int_equal(cof_file_from_fd(&file, fd, "it", false, NULL), COF_OK);
    cof_file_free(file);
    assert_int_not_equal(fcntl(fd, F_GETFD), -1);
    close(fd);
    assert_int_equal(cof_file_from_fd(&file, fd, "it", true, NULL), COF_IO);
    assert_null(file);
}

static void replacement_is_noticed(void **state)
{
    (void)state;
    cof_file *file = NULL;
    bool still = false;
    make("f", "x", 0600);
    make("g", "x", 0600);
    assert_int_equal(cof_file_open_rw(&file, in_dir("f"), NULL), COF_OK);
    assert_int_equal(cof_file_still_at_path(&still, file, in_dir("f"), NULL), COF_OK);
    assert_true(still);
    assert_int_equal(rename(in_dir("g"), in_dir("f")), 0);
    assert_int_equal(cof_file_still_at_path(&still, file, in_dir("f"), NULL), COF_OK);
    assert_false(still);
    still = true;
    assert_int_equal(cof_file_still_at_path(&still, file, in_dir("gone"), NULL), COF_OK);
    assert_false(still);
    cof_file_free(file);
}

static void attributes_are_carried_over(void **state)
{
    (void)state;
    cof_file *from = NULL;
    cof_file *to = NULL;
    struct stat info;
    make("from", "x", 0640);
    make("to", "y", 0600);
    assert_int_equal(cof_file_open_read(&from, in_dir("from"), NULL), COF_OK);
    assert_int_equal(cof_file_open_rw(&to, in_dir("to"), NULL), COF_OK);
    assert_int_equal(cof_file_copy_attributes(to, from, NULL), COF_OK);
    assert_int_equal(stat(in_dir("to"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    cof_file_free(from);
    cof_file_free(to);
}

static cof_lock_kind in_the_way(const cof_file *file, cof_lock_kind wanted)
{
    cof_lock_kind kind;
    assert_int_equal(cof_lock_obstacle(&kind, file, wanted, NULL), COF_OK);
    return kind;
}

static void locks_exclude(void **state)
{
    (void)state;
    cof_file *a = NULL;
    cof_file *b = NULL;
    cof_error err = COF_ERROR_INIT;
    make("f", "x", 0600);
    assert_int_equal(cof_file_open_rw(&a, in_dir("f"), NULL), COF_OK);
    assert_int_equal(cof_file_open_read(&b, in_dir("f"), NULL), COF_OK);
    assert_int_equal(cof_os_get()->lock(cof_file_fd(b), COF_LOCK_SHARED, 0), 0);
    assert_int_equal(cof_lock_exclusive(a, false, &err), COF_BUSY);
    assert_non_null(strstr(err.message, "kept locked by a program that reads it"));
    assert_int_equal(in_the_way(a, COF_LOCK_EXCLUSIVE), COF_LOCK_SHARED);
    assert_int_equal(in_the_way(a, COF_LOCK_SHARED), COF_LOCK_NONE);
    cof_lock_release(b);
    assert_int_equal(cof_lock_exclusive(a, true, &err), COF_OK);
    assert_int_equal(in_the_way(a, COF_LOCK_EXCLUSIVE), COF_LOCK_NONE); /* not one's own */
    assert_int_equal(in_the_way(b, COF_LOCK_SHARED), COF_LOCK_EXCLUSIVE);
    cof_file_free(b);
    assert_int_equal(cof_file_open_rw(&b, in_dir("f"), NULL), COF_OK);
    assert_int_equal(cof_lock_exclusive(b, false, &err), COF_BUSY);
    assert_non_null(strstr(err.message, "is being changed by another process"));
    cof_file_free(a); /* closing releases */
    assert_int_equal(cof_lock_exclusive(b, false, &err), COF_OK);
    cof_file_free(b);
}

static void whole_files_are_bounded(void **state)
{
    (void)state;
    cof_buf buf = COF_BUF_INIT;
    make("f", "0123456789", 0600);
    assert_int_equal(cof_buf_append(&buf, "ab", 2, NULL), COF_OK);
    assert_int_equal(cof_file_read_whole(&buf, in_dir("f"), 9, NULL), COF_LIMIT);
    assert_int_equal(buf.len, 2);
    assert_int_equal(cof_file_read_whole(&buf, in_dir("f"), 10, NULL), COF_OK);
    assert_int_equal(buf.len, 12);
    assert_memory_equal(buf.data, "ab0123456789", 12);
    assert_int_equal(cof_file_read_whole(&buf, in_dir("f"), 0, NULL), COF_LIMIT);
    assert_int_equal(cof_file_read_whole(&buf, in_dir("none"), 10, NULL), COF_IO);
    assert_int_equal(buf.len, 12);
    cof_buf_free(&buf);

    char *big = malloc(200001);
    assert_non_null(big);
    memset(big, 'x', 200000);
    big[200000] = '\0';
    make("big", big, 0600);
    free(big);
    assert_int_equal(cof_file_read_whole(&buf, in_dir("big"), 199999, NULL), COF_LIMIT);
    assert_int_equal(cof_file_read_whole(&buf, in_dir("big"), SIZE_MAX, NULL), COF_OK);
    assert_int_equal(buf.len, 200000);
    cof_buf_free(&buf);
}

/* ---- the process --------------------------------------------------------------------------- */

static int frozen_clock(clockid_t clock, struct timespec *out)
{
    *out = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? 1795515302 : 2, .tv_nsec = 5};
    return 0;
}

static void clocks_can_be_set(void **state)
{
    (void)state;
    assert_true(cof_clock_now() > 1700000000);
    assert_true(cof_clock_monotonic_ns() > 0);
    scratch_os.clock_gettime = frozen_clock;
    cof_os_set(&scratch_os);
    assert_ptr_equal(cof_os_get(), &scratch_os);
    assert_int_equal(cof_clock_now(), 1795515302);
    assert_int_equal(cof_clock_monotonic_ns(), 2000000005);
}

static void windows_show_a_part(void **state)
{
    (void)state;
    cof_file *file = NULL, *window = NULL;
    cof_error err = COF_ERROR_INIT;
    char out[16];
    uint64_t size;
    size_t got;
    make("whole", "0123456789", 0600);
    assert_int_equal(cof_file_open_rw(&file, in_dir("whole"), NULL), COF_OK);
    assert_int_equal(cof_file_window(&window, file, 3, 4, "a part", NULL), COF_OK);
    assert_int_equal(cof_file_size(&size, window, NULL), COF_OK);
    assert_int_equal(size, 4);
    assert_int_equal(cof_file_pread_some(out, 16, &got, window, 1, NULL), COF_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(out, "456", 3);
    assert_int_equal(cof_file_read_full(out, 4, window, 0, NULL), COF_OK);
    assert_int_equal(cof_file_read_full(out, 5, window, 0, &err), COF_FORMAT);
    assert_string_equal(err.message, "a part ends too early: it is cut off or damaged");
    for (uint64_t off = 4; off < 8; off++) {
        assert_int_equal(cof_file_pread_some(out, 1, &got, window, off, NULL), COF_OK);
        assert_int_equal(got, 0);
    }
    assert_int_equal(cof_file_read_full(out, 1, window, UINT64_MAX, NULL), COF_FORMAT);
    assert_int_equal(cof_file_write_at(window, 0, "x", 1, NULL), COF_INTERNAL);
    cof_file_free(window);
    assert_int_equal(cof_file_window(&window, file, 8, 100, "beyond", NULL), COF_OK);
    assert_int_equal(cof_file_size(&size, window, NULL), COF_OK);
    assert_int_equal(size, 2);
    cof_file_free(window);
    assert_int_equal(cof_file_read_full(out, 10, file, 0, NULL), COF_OK);
    assert_memory_equal(out, "0123456789", 10);
    cof_file_free(file);
}

/* For this whole process: so it stands last. */
static void cores_can_be_forbidden(void **state)
{
    (void)state;
    struct rlimit limit = {1, 1};
    assert_int_equal(cof_no_core_dumps(), 0);
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
    assert_int_equal(limit.rlim_max, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(opening_explains_itself),
        IN_DIR(what_is_no_regular_file_is_not_waited_for),
        IN_DIR(files_keep_what_is_written),
        IN_DIR(slow_systems_only_take_longer),
        IN_DIR(full_disks_are_told),
        IN_DIR(unlinked_files_have_no_name),
        IN_DIR(pipes_are_streams),
        IN_DIR(borrowed_descriptors_stay_open),
        IN_DIR(replacement_is_noticed),
        IN_DIR(attributes_are_carried_over),
        IN_DIR(locks_exclude),
        IN_DIR(whole_files_are_bounded),
        IN_DIR(windows_show_a_part),
        IN_DIR(clocks_can_be_set),
        IN_DIR(cores_can_be_forbidden),
    };
    return cmocka_run_group_tests_name("os", tests, NULL, NULL);
}
