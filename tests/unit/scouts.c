/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is read from a disk is looked at ahead, by other threads.  It makes no difference to what is
 * read; what was left out is not opened by them either, nor is anything that is no file; and where
 * nothing comes from a disk, or there are no threads, they stay at home.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "scratch.h"
#include "source/scouts.h"
#include "source/tree.h"

#define FOLDERS 4
#define FILES   100

/* ---- a tree ---- */

static const char *name_of(unsigned folder, unsigned file)
{
    static char name[64];

    snprintf(name, sizeof(name), "t%u/file-%03u%s", folder, file, file % 10 == 3 ? ".left" : "");
    return name;
}

static int set_up(void **state)
{
    char folder[16], text[64];

    if (scratch_set_up(state) != 0)
        return -1;
    for (unsigned d = 0; d < FOLDERS; d++) {
        snprintf(folder, sizeof(folder), "t%u", d);
        assert_int_equal(mkdir(in_dir(folder), 0755), 0);
        for (unsigned f = 0; f < FILES; f++) {
            snprintf(text, sizeof(text), "folder %u file %u", d, f);
            make(name_of(d, f), text, 0644);
        }
        snprintf(folder, sizeof(folder), "t%u/pipe", d);
        assert_int_equal(mkfifo(in_dir(folder), 0600), 0);
    }
    return 0;
}

static int tear_down(void **state)
{
    char name[32];

    for (unsigned d = 0; d < FOLDERS; d++) {
        for (unsigned f = 0; f < FILES; f++)
            (void)unlink(in_dir(name_of(d, f)));
        snprintf(name, sizeof(name), "t%u/pipe", d);
        (void)unlink(in_dir(name));
    }
    return scratch_tear_down(state);
}

/* ---- reading it ---- */

static uint64_t sum; /* of the archive's bytes, in their order */
static size_t entries;

static void *on_place(void *ctx, size_t *room)
{
    static uint8_t place[512];

    (void)ctx;
    *room = sizeof(place);
    return place;
}

static cof_status on_data(void *ctx, const void *data, size_t len, cof_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
    return COF_OK;
}

static cof_status on_entry(void *ctx, const cof_catalog_entry *entry, cof_error *err)
{
    (void)ctx;
    (void)entry;
    (void)err;
    entries++;
    return COF_OK;
}

static void on_problem(void *ctx, const char *sentence)
{
    (void)ctx;
    fail_msg("%s", sentence);
}

static uint64_t read_tree(bool ahead)
{
    const char *path = scratch_dir;
    cof_patterns exclude = COF_PATTERNS_INIT;
    const cof_tree_hooks hooks = {on_place, on_data, on_entry, on_problem, NULL};
    const cof_tree_request request = {
        .paths = &path, .path_count = 1, .exclude = &exclude, .ahead = ahead};
    cof_tree_totals totals;

    sum = 0;
    entries = 0;
    assert_int_equal(cof_patterns_add(&exclude, "*.left", NULL), COF_OK);
    assert_int_equal(cof_tree_read(&totals, &request, &hooks, NULL), COF_OK);
    cof_patterns_wipe(&exclude);
    assert_int_equal(totals.files, FOLDERS * FILES * 9 / 10);
    return sum;
}

/* ---- a system that tells what they do ---- */

static pthread_t reader;
static atomic_uint opened, advised, wrong, blocks;
static unsigned per_look; /* what seems to come from a disk meanwhile */

static uint64_t disk_input(void)
{
    return atomic_fetch_add(&blocks, per_look);
}

static int watched_openat(int dir, const char *name, int flags, mode_t mode)
{
    if (!pthread_equal(pthread_self(), reader)) {
        atomic_fetch_add(&opened, 1);
        if (strstr(name, ".left") != NULL || strcmp(name, "pipe") == 0 || name[0] == 't')
            atomic_fetch_add(&wrong, 1);
    }
    return cof_os_real()->openat(dir, name, flags, mode);
}

static int watched_fadvise(int fd, off_t off, off_t len, cof_advice advice)
{
    atomic_fetch_add(&advised, 1);
    return cof_os_real()->fadvise(fd, off, len, advice);
}

static int no_thread(pthread_t *out, void *(*run)(void *arg), void *arg)
{
    (void)out;
    (void)run;
    (void)arg;
    return EAGAIN;
}

/* Read it so, with so much coming from a disk; the same must come out as without anybody ahead. */
static void read_watched(unsigned input, bool ahead)
{
    uint64_t expected;
    int before, after;

    cof_os_set(NULL);
    expected = read_tree(false);
    reader = pthread_self();
    opened = advised = wrong = 0;
    per_look = input;
    scratch_os.input = disk_input;
    scratch_os.openat = watched_openat;
    scratch_os.fadvise = watched_fadvise;
    cof_os_set(&scratch_os);
    before = dup(0);
    assert_true(read_tree(ahead) == expected);
    after = dup(0);
    cof_os_set(NULL);
    assert_int_equal(after, before + 1); /* no descriptor is left open */
    assert_int_equal(close(before), 0);
    assert_int_equal(close(after), 0);
    assert_int_equal(wrong, 0);
}

/* ---- tests ---- */

static void test_from_a_disk(void **state)
{
    (void)state;
    read_watched(8, true);
    assert_int_equal(opened, FOLDERS * FILES * 9 / 10);
    assert_int_equal(advised, opened);
}

static void test_from_memory(void **state)
{
    (void)state;
    read_watched(0, true);
    assert_int_equal(opened, 0);
    read_watched(8, false);
    assert_int_equal(opened, 0);
}

static void test_without_threads(void **state)
{
    (void)state;
    scratch_os.thread = no_thread;
    read_watched(8, true);
    assert_int_equal(opened + advised, 0);
    scratch_os.thread = cof_os_real()->thread;
}

/* What is too long is not cut to the name of something else. */
static void test_long_names(void **state)
{
    char name[301], short_name[256];
    cof_scouts *s = NULL;
    int dir = open(scratch_dir, O_RDONLY | O_DIRECTORY);

    (void)state;
    memset(name, 'a', sizeof(name));
    name[300] = '\0';
    memset(short_name, 'a', sizeof(short_name));
    short_name[255] = '\0';
    make(short_name, "", 0644);
    reader = pthread_self();
    opened = 0;
    scratch_os.openat = watched_openat;
    cof_os_set(&scratch_os);
    assert_int_equal(cof_scouts_new(&s, NULL), COF_OK);
    cof_scouts_send(s, dir, name);
    cof_scouts_call_back(s);
    assert_int_equal(opened, 0);
    cof_scouts_send(s, dir, short_name);
    cof_scouts_call_back(s);
    assert_int_equal(opened, 1);
    cof_scouts_free(s);
    cof_os_set(NULL);
    assert_int_equal(unlink(in_dir(short_name)), 0);
    assert_int_equal(close(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_a_disk),
        cmocka_unit_test(test_from_memory),
        cmocka_unit_test(test_without_threads),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
