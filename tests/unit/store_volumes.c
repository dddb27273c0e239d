/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Volumes on a disk that is full: can the one that is being written always be closed?  And how many
 * files are open when there are many?
 */

#include "store/body.h"
#include "store/sink.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

/* ---- a disk with so many blocks for one file ---- */

#define BLOCK  4096
#define BLOCKS 256

static struct {
    ino_t file; /* that lies on it; 0: the first that is written to */
    bool used[BLOCKS];
    size_t free;
    bool can_promise;
    size_t reserved_zeros; /* calls of allocate that were refused */
} disk;

static bool on_disk(int fd)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    if (disk.file == 0)
        disk.file = info.st_ino;
    return info.st_ino == disk.file;
}

/* As many of len bytes as find room. */
static size_t take(off_t off, size_t len)
{
    size_t end = (size_t)off + len;
    for (size_t b = (size_t)off / BLOCK; b * BLOCK < end; b++) {
        assert_true(b < BLOCKS);
        if (disk.used[b])
            continue;
        if (disk.free == 0)
            return b * BLOCK > (size_t)off ? b * BLOCK - (size_t)off : 0;
        disk.used[b] = true;
        disk.free--;
    }
    return len;
}

static ssize_t small_pwrite(int fd, const void *data, size_t len, off_t off)
{
    size_t fits = on_disk(fd) ? take(off, len) : len;
    if (len > 0 && fits == 0) {
        errno = ENOSPC;
        return -1;
    }
    return cof_os_real()->pwrite(fd, data, fits, off);
}

static int small_allocate(int fd, off_t off, off_t len)
{
    if (!disk.can_promise) {
        disk.reserved_zeros++;
        errno = EOPNOTSUPP;
        return -1;
    }
    if (on_disk(fd) && take(off, (size_t)len) < (size_t)len) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

static int small_ftruncate(int fd, off_t len)
{
    for (size_t b = ((size_t)len + BLOCK - 1) / BLOCK; on_disk(fd) && b < BLOCKS; b++) {
        disk.free += disk.used[b];
        disk.used[b] = false;
    }
    return cof_os_real()->ftruncate(fd, len);
}

static void insert_disk(size_t blocks, bool can_promise)
{
    memset(&disk, 0, sizeof disk);
    disk.free = blocks;
    disk.can_promise = can_promise;
    scratch_os.pwrite = small_pwrite;
    scratch_os.allocate = small_allocate;
    scratch_os.ftruncate = small_ftruncate;
    cof_os_set(&scratch_os);
}

/* ---- what is written ---- */

static uint8_t junk[100000];

/* Begin a volume and keep the room that closing it takes; false if not even that fits. */
static bool open_two(cof_sink **out, size_t keep)
{
    static char paths[2][512];
    const cof_sink_place places[] = {{.path = paths[0]}, {.path = paths[1]}};
    const cof_sink_plan plan = {places, 2, false, false};
    const cof_slice nothing = COF_SLICE_INIT;
    bool fits = false;
    snprintf(paths[0], sizeof paths[0], "%s", in_dir("a"));
    snprintf(paths[1], sizeof paths[1], "%s", in_dir("b"));
    assert_int_equal(cof_sink_volumes(out, &plan, NULL), COF_OK);
    assert_int_equal(cof_sink_append(&fits, *out, nothing, nothing, keep, NULL), COF_OK);
    return fits;
}

/* Frames of growing length, each with more to close behind it, until one does not fit. */
static size_t fill(cof_sink *sink, size_t keep, size_t *kept)
{
    size_t written = 0;
    bool fits = true;
    for (size_t len = 500; fits; len += 777) {
        const cof_slice header = {junk, 32}, payload = {junk, len};
        *kept = keep;
        keep += 64 * 20;
        assert_int_equal(cof_sink_append(&fits, sink, header, payload, keep, NULL), COF_OK);
        written += fits ? 32 + len : 0;
        assert_int_equal(cof_sink_written(sink), written);
    }
    return written;
}

static void assert_size(const char *name, size_t size)
{
    struct stat info;
    assert_int_equal(stat(in_dir(name), &info), 0);
    assert_int_equal(info.st_size, size);
}

/* Whatever the disk's size, what was kept can be written when it is full. */
static void closes(size_t blocks, bool can_promise)
{
    const cof_slice head = {junk, 8192};
    cof_sink *sink = NULL;
    size_t kept = 0, skipped, written;
    insert_disk(blocks, can_promise);
    if (open_two(&sink, 48)) {
        written = fill(sink, 48, &kept);
        assert_true(blocks < 3 || written > 0);
        assert_int_equal(cof_sink_write(sink, junk, kept, NULL), COF_OK);
        assert_int_equal(cof_sink_next(sink, head, 5000, &skipped, NULL), COF_OK);
        assert_int_equal(skipped, 0);
        assert_int_equal(cof_sink_publish(sink, NULL), COF_OK);
        assert_size("a", written + kept);
        assert_size("b", 8192);
        assert_int_equal(unlink(in_dir("a")), 0);
        assert_int_equal(unlink(in_dir("b")), 0);
    }
    assert_true(can_promise || disk.reserved_zeros > 0);
    cof_sink_free(sink);
    assert_int_equal(count_names(), 0);
}

static void full_disk_that_promises(void **state)
{
    (void)state;
    for (size_t blocks = 0; blocks < 60; blocks++)
        closes(blocks, true);
}

static void full_disk_that_does_not(void **state)
{
    (void)state;
    for (size_t blocks = 0; blocks < 60; blocks++)
        closes(blocks, false);
}

static int full_fsync(int fd)
{
    (void)fd;
    errno = ENOSPC;
    return -1;
}

/* What the disk found out late is a failure, and no reason to go on elsewhere. */
static void full_at_fsync(void **state)
{
    const cof_slice head = {junk, 8192};
    cof_sink *sink = NULL;
    cof_error err = COF_ERROR_INIT;
    size_t skipped;
    (void)state;
    assert_true(open_two(&sink, 48));
    assert_int_equal(cof_sink_next(sink, head, 100, &skipped, NULL), COF_OK);
    scratch_os.fsync = full_fsync;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_sink_publish(sink, &err), COF_IO);
    assert_int_equal(err.sys_errno, ENOSPC);
    cof_sink_free(sink);
    assert_int_equal(count_names(), 0);
}

/* ---- many ---- */

static size_t count_open(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

#define MANY 150

static void make_many(void)
{
    const cof_sink_place place = {.path = in_dir("x"), .limit = 2000, .numbered = true};
    const cof_sink_plan plan = {&place, 1, true, false};
    cof_sink *sink = NULL;
    size_t before = count_open(), skipped;
    assert_int_equal(cof_sink_volumes(&sink, &plan, NULL), COF_OK);
    for (size_t n = 1; n <= MANY; n++) {
        uint8_t mine[1000];
        memset(mine, (int)n, sizeof mine);
        if (n > 1)
            assert_int_equal(
                cof_sink_next(sink, (cof_slice){junk, 100}, sizeof mine, &skipped, NULL), COF_OK);
        assert_int_equal(cof_sink_write(sink, mine, sizeof mine, NULL), COF_OK);
    }
    assert_true(count_open() - before < 70);
    assert_int_equal(count_names(), MANY); /* under names that nobody takes for backups */
    assert_int_equal(cof_sink_publish(sink, NULL), COF_OK);
    cof_sink_free(sink);
    assert_int_equal(count_names(), MANY);
    assert_int_equal(count_open(), before);
}

static void add_volume(cof_body *body, uint32_t n)
{
    char name[16];
    cof_file *file = NULL;
    snprintf(name, sizeof name, "x.%03u", n);
    assert_int_equal(cof_file_open_read(&file, in_dir(name), NULL), COF_OK);
    assert_int_equal(cof_body_add(body, n, &file, 100, NULL), COF_OK);
    assert_null(file);
}

static void many_volumes(void **state)
{
    cof_file *first = NULL;
    cof_body *body = NULL;
    size_t before;
    (void)state;
    make_many();
    before = count_open();
    assert_int_equal(cof_file_open_read(&first, in_dir("x"), NULL), COF_OK);
    assert_int_equal(cof_body_new(&body, first, 0, NULL), COF_OK);
    for (uint32_t n = MANY; n > 1; n--)
        add_volume(body, n);
    assert_int_equal(cof_body_highest(body), MANY);
    for (uint32_t i = 0; i < 3 * MANY; i++) {
        uint32_t n = i * 7 % MANY + 1;
        uint8_t byte;
        assert_int_equal(cof_body_read(&byte, 1, body, n, 500, NULL), COF_OK);
        assert_int_equal(byte, (uint8_t)n);
        assert_true(count_open() - before < 12);
    }
    cof_body_free(body);
    cof_file_free(first);
    assert_int_equal(count_open(), before);
}

/* Closed meanwhile, and another file of that name when it is wanted again. */
static void replaced_volume(void **state)
{
    cof_file *first = NULL;
    cof_body *body = NULL;
    uint8_t byte;
    (void)state;
    make_many();
    assert_int_equal(cof_file_open_read(&first, in_dir("x"), NULL), COF_OK);
    assert_int_equal(cof_body_new(&body, first, 0, NULL), COF_OK);
    for (uint32_t n = 2; n <= 20; n++)
        add_volume(body, n);
    assert_int_equal(rename(in_dir("x.021"), in_dir("x.002")), 0);
    assert_int_equal(cof_body_read(&byte, 1, body, 2, 500, NULL), COF_FORMAT);
    assert_int_equal(cof_body_read(&byte, 1, body, 20, 900, NULL), COF_OK);
    assert_int_equal(cof_body_read(&byte, 1, body, 20, 1000, NULL), COF_FORMAT); /* its end */
    assert_int_equal(cof_body_read(&byte, 1, body, 30, 0, NULL), COF_FORMAT);    /* VO-1 */
    cof_body_free(body);
    cof_file_free(first);
}

/* ---- several files that are one ---- */

static int no_room_for_names(const char *from, const char *to)
{
    if (strstr(to, "/x.004") != NULL) {
        errno = ENOSPC;
        return -1;
    }
    return cof_os_real()->rename(from, to);
}

static int nor_for_new_ones(const char *from, const char *to)
{
    if (strstr(to, "/x.004") != NULL) {
        errno = ENOSPC;
        return -1;
    }
    return cof_os_real()->rename_noreplace(from, to);
}

static cof_sink *begin_five(bool force)
{
    const cof_sink_place place = {.path = in_dir("x"), .limit = 2000, .numbered = true};
    const cof_sink_plan plan = {&place, 1, true, force};
    cof_sink *sink = NULL;
    size_t skipped;
    assert_int_equal(cof_sink_volumes(&sink, &plan, NULL), COF_OK);
    for (size_t n = 2; n <= 5; n++)
        assert_int_equal(cof_sink_next(sink, (cof_slice){junk, 3}, 1, &skipped, NULL), COF_OK);
    return sink;
}

static void publishing_fails_half_way(void **state)
{
    cof_sink *sink = begin_five(false);
    (void)state;
    scratch_os.rename_noreplace = nor_for_new_ones;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_sink_publish(sink, NULL), COF_IO);
    cof_sink_free(sink);
    assert_int_equal(count_names(), 0);
}

static void replacing_fails_half_way(void **state)
{
    cof_sink *sink;
    (void)state;
    for (unsigned n = 1; n <= 5; n++) {
        char name[8];
        snprintf(name, sizeof name, n == 1 ? "x" : "x.%03u", n);
        make(name, "old", 0600);
    }
    sink = begin_five(true);
    scratch_os.rename = no_room_for_names;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_sink_publish(sink, NULL), COF_IO);
    cof_sink_free(sink);
    assert_int_equal(count_names(), 5);
    assert_content("x", "old");
    assert_content("x.002", "old");
    assert_content("x.003", "old");
    assert_content("x.005", "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(full_disk_that_promises),
        IN_DIR(full_disk_that_does_not),
        IN_DIR(full_at_fsync),
        IN_DIR(many_volumes),
        IN_DIR(replaced_volume),
        IN_DIR(publishing_fails_half_way),
        IN_DIR(replacing_fails_half_way),
    };
    return cmocka_run_group_tests_name("store volumes", tests, NULL, NULL);
}
