/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Small files are made by several threads: the same files come of it with however many, also where
 * a file cannot be without a name; and what cannot be made is heard of in the order of the names.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "scratch.h"

#define FOLDERS 3
#define FILES   60 /* in each */

static const unsigned jobs[] = {1, 2, 5};

/* Names sort as their numbers do. */
static const char *file_name(const char *top, unsigned folder, unsigned file)
{
    static char name[64];

    snprintf(name, sizeof(name), "%s/f%u/%02u", top, folder, file);
    return name;
}

/* From nothing to a little more than what is still small. */
static size_t file_size(unsigned folder, unsigned file)
{
    return file == 7 ? 65537 : file == 8 ? 65536 : (size_t)file * file * (folder + 1);
}

static void fill(uint8_t *out, size_t size, unsigned folder, unsigned file)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(i * 31 + i / 256 + 7 * file + folder);
}

static uint8_t expected[65537], found[65538];

static void make_tree(void)
{
    assert_int_equal(mkdir(in_dir("t"), 0755), 0);
    for (unsigned d = 0; d < FOLDERS; d++) {
        char folder[16];

        snprintf(folder, sizeof(folder), "t/f%u", d);
        assert_int_equal(mkdir(in_dir(folder), 0755), 0);
        for (unsigned f = 0; f < FILES; f++) {
            const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000 + f}};
            int fd = open(in_dir(file_name("t", d, f)), O_CREAT | O_WRONLY | O_EXCL, 0600);

            fill(expected, file_size(d, f), d, f);
            assert_int_equal(write(fd, expected, file_size(d, f)), (ssize_t)file_size(d, f));
            assert_int_equal(fchmod(fd, 0600 + f % 8), 0);
            assert_int_equal(futimens(fd, times), 0);
            assert_int_equal(close(fd), 0);
        }
    }
}

static void make_backup(void)
{
    cof_backup_options o = {.tree = true, .sign_only = true};
    char top[128];
    const char *path = top;
    cof_signer *signer = NULL;
    cof_backup *b = NULL;

    snprintf(top, sizeof(top), "%s", in_dir("t"));
    assert_int_equal(cof_keygen(&(cof_keygen_options){in_dir("s.key"), in_dir("s.crt"), "p256", "s",
                                                      10, COF_KEY_SIGNS, NULL},
                                NULL, NULL),
                     COF_OK);
    assert_int_equal(cof_signer_load(&signer, in_dir("s.key"), NULL, NULL, NULL), COF_OK);
    o.signer = signer;
    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_tree(b, &(cof_tree_options){.paths = &path, .path_count = 1}, NULL),
                     COF_OK);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_OK);
    cof_backup_free(b);
    cof_signer_free(signer);
}

static int set_up(void **state)
{
    if (scratch_set_up(state) != 0)
        return -1;
    assert_int_equal(cof_init(NULL), COF_OK);
    make_tree();
    make_backup();
    return 0;
}

static void remove_tree(const char *top)
{
    char folder[64];

    for (unsigned d = 0; d < FOLDERS; d++) {
        for (unsigned f = 0; f < FILES; f++)
            (void)unlink(in_dir(file_name(top, d, f)));
        snprintf(folder, sizeof(folder), "%s/f%u", top, d);
        (void)rmdir(in_dir(folder)); /* fails where something else was left in it */
    }
    (void)rmdir(in_dir(top));
}

static int tear_down(void **state)
{
    remove_tree("t");
    return scratch_tear_down(state);
}

/* ---- restoring ---- */

static char warnings[4096];

static void on_warning(void *ctx, const char *sentence)
{
    size_t len = strlen(warnings);

    (void)ctx;
    snprintf(warnings + len, sizeof(warnings) - len, "%s\n", sentence);
}

static cof_stats stats; /* of the last restore */

/* Into the folder "o". */
static cof_status restore_without(size_t components, unsigned threads, bool keep_going,
                                  cof_extract_result *result, cof_error *err)
{
    cof_trust *trust = NULL;
    cof_reader *reader = NULL;
    cof_open_options o = {
        .input_fd = -1, .jobs = threads, .stats = &stats, .report = {.warn = on_warning}};
    const cof_extract_options x = {
        .target = in_dir("o"), .strip_components = components, .keep_going = keep_going};
    cof_status st;

    warnings[0] = '\0';
    stats = (cof_stats){.threads = 0};
    assert_int_equal(cof_trust_new(&trust, NULL), COF_OK);
    assert_int_equal(
        cof_trust_add(trust, in_dir("s.crt"), COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, NULL), COF_OK);
    o.trust = trust;
    o.path = in_dir("x.cof");
    assert_int_equal(cof_reader_open(&reader, &o, NULL), COF_OK);
    st = cof_reader_extract(reader, &x, result, err);
    cof_reader_free(reader);
    cof_trust_free(trust);
    return st;
}

static cof_status restore(unsigned threads, bool keep_going, cof_extract_result *result,
                          cof_error *err)
{
    return restore_without(3, threads, keep_going, result, err);
}

static void assert_same_at(const char *path, unsigned folder, unsigned file)
{
    size_t size = file_size(folder, file);
    struct stat st;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600 + file % 8);
    assert_int_equal(st.st_mtim.tv_sec, 1000000 + file);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(read(fd, found, sizeof(found)), (ssize_t)size);
    fill(expected, size, folder, file);
    assert_memory_equal(found, expected, size);
    assert_int_equal(close(fd), 0);
}

static void assert_same(unsigned folder, unsigned file)
{
    assert_same_at(in_dir(file_name("o", folder, file)), folder, file);
}

static void assert_all_same(const cof_extract_result *result)
{
    uint64_t bytes = 0;

    for (unsigned d = 0; d < FOLDERS; d++)
        for (unsigned f = 0; f < FILES; f++) {
            bytes += file_size(d, f);
            assert_same(d, f);
        }
    assert_int_equal(result->files, FOLDERS * FILES);
    assert_int_equal(result->bytes, bytes);
    assert_int_equal(result->lost, 0);
    assert_string_equal(warnings, "");
}

/* ---- tests ---- */

static unsigned sent; /* files that were on their way to the disk before all was synced */

static int counting_fadvise(int fd, off_t off, off_t len, cof_advice advice)
{
    sent += advice == COF_ADVICE_WRITTEN;
    return cof_os_real()->fadvise(fd, off, len, advice);
}

static void test_with_however_many_threads(void **state)
{
    cof_extract_result result;

    (void)state;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
        scratch_os.fadvise = counting_fadvise;
        cof_os_set(&scratch_os);
        sent = 0;
        assert_int_equal(restore(jobs[i], false, &result, NULL), COF_OK);
        cof_os_set(NULL);
        assert_all_same(&result);
        assert_int_equal(sent, FOLDERS); /* the large ones */
        remove_tree("o");
        assert_int_equal(access(in_dir("o"), F_OK), -1); /* so nothing else was there */
    }
}

static int named_openat(int dir, const char *name, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return cof_os_real()->openat(dir, name, flags, mode);
}

static void test_where_files_need_a_name(void **state)
{
    cof_extract_result result;

    (void)state;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
        scratch_os = *cof_os_real();
        scratch_os.openat = named_openat;
        cof_os_set(&scratch_os);
        assert_int_equal(restore(jobs[i], false, &result, NULL), COF_OK);
        cof_os_set(NULL);
        assert_all_same(&result);
        remove_tree("o");
        assert_int_equal(access(in_dir("o"), F_OK), -1);
    }
}

/* ---- a file system without nameless files, which turns out while threads are at work ---- */

static pthread_t owner;
static atomic_bool refused, named;
static atomic_uint named_by_others;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void tell_all(atomic_bool *what)
{
    assert_int_equal(pthread_mutex_lock(&lock), 0);
    *what = true;
    assert_int_equal(pthread_cond_broadcast(&changed), 0);
    assert_int_equal(pthread_mutex_unlock(&lock), 0);
}

/* Not for ever: what is waited for may be what must not happen. */
static void wait_for(const atomic_bool *what, unsigned milliseconds)
{
    struct timespec until;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    until.tv_nsec += 1000000L * (milliseconds % 1000);
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    assert_int_equal(pthread_mutex_lock(&lock), 0);
    while (!*what && pthread_cond_timedwait(&changed, &lock, &until) == 0)
        continue;
    assert_int_equal(pthread_mutex_unlock(&lock), 0);
}

/* Who has made a batch goes on when the owner has found out, and so in the middle of another. */
static int late_openat(int dir, const char *name, int flags, mode_t mode)
{
    static _Thread_local unsigned count;
    bool is_owner = pthread_equal(pthread_self(), owner);

    if ((flags & O_TMPFILE) != O_TMPFILE) {
        if (is_owner && (flags & O_CREAT) != 0)
            tell_all(&named);
        else if (!is_owner)
            atomic_fetch_add(&named_by_others, 1);
        return cof_os_real()->openat(dir, name, flags, mode);
    }
    if (is_owner && !refused)
        return cof_os_real()->openat(dir, name, flags, mode);
    refused = true;
    if (!is_owner && count++ >= 16)
        wait_for(&named, 10000);
    errno = EOPNOTSUPP;
    return -1;
}

static void test_where_the_threads_learn_that_files_need_a_name(void **state)
{
    cof_extract_result result;

    (void)state;
    owner = pthread_self();
    scratch_os = *cof_os_real();
    scratch_os.openat = late_openat;
    cof_os_set(&scratch_os);
    assert_int_equal(restore(2, false, &result, NULL), COF_OK);
    cof_os_set(NULL);
    assert_true(named);
    assert_int_equal(named_by_others, 0); /* temporary names are the owner's */
    assert_all_same(&result);
    remove_tree("o");
    assert_int_equal(access(in_dir("o"), F_OK), -1);
}

/* ---- several files of one name ---- */

static atomic_uint links;
static atomic_bool linked_again;

/* The first is slower than the second, if that does not wait for it. */
static int slow_linkfd(int fd, int dir, const char *name)
{
    if (strcmp(name, "00") == 0) {
        if (atomic_fetch_add(&links, 1) == 0)
            wait_for(&linked_again, 300);
        else
            tell_all(&linked_again);
    }
    return cof_os_real()->linkfd(fd, dir, name);
}

static void test_of_several_with_one_name_the_first_is_there(void **state)
{
    cof_extract_result result;

    (void)state;
    scratch_os = *cof_os_real();
    scratch_os.linkfd = slow_linkfd;
    cof_os_set(&scratch_os);
    assert_int_equal(restore_without(4, 2, true, &result, NULL), COF_OK);
    cof_os_set(NULL);
    assert_int_equal(result.files, FILES);
    assert_int_equal(result.lost, (FOLDERS - 1) * FILES);
    for (unsigned f = 0; f < FILES; f++) {
        char name[16];

        snprintf(name, sizeof(name), "o/%02u", f);
        assert_same_at(in_dir(name), 0, f);
        assert_int_equal(unlink(in_dir(name)), 0);
    }
    assert_int_equal(rmdir(in_dir("o")), 0);
}

/* Files that stand where others are to be put. */
static void occupy(void)
{
    assert_int_equal(mkdir(in_dir("o"), 0755), 0);
    assert_int_equal(mkdir(in_dir("o/f1"), 0755), 0);
    make("o/f1/05", "mine", 0644);
    make("o/f1/40", "mine", 0644);
    make("o/f1/41", "mine", 0644);
}

static void test_the_first_that_fails_is_told(void **state)
{
    cof_error err = COF_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
        occupy();
        assert_int_equal(restore(jobs[i], false, NULL, &err), COF_USAGE);
        assert_string_equal(
            err.message, "f1/05 exists already; --force replaces it, --skip-old-files leaves it");
        assert_string_equal(warnings, "");
        assert_content("o/f1/05", "mine");
        assert_content("o/f1/40", "mine");
        assert_same(0, 59);
        remove_tree("o");
        assert_int_equal(access(in_dir("o"), F_OK), -1);
    }
}

static void test_all_that_fail_are_told(void **state)
{
    cof_extract_result result;

    (void)state;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
        occupy();
        assert_int_equal(restore(jobs[i], true, &result, NULL), COF_OK);
        assert_string_equal(
            warnings,
            "f1/05 is not restored: f1/05 exists already; --force replaces it, --skip-old-files "
            "leaves it\n"
            "f1/40 is not restored: f1/40 exists already; --force replaces it, --skip-old-files "
            "leaves it\n"
            "f1/41 is not restored: f1/41 exists already; --force replaces it, --skip-old-files "
            "leaves it\n");
        assert_int_equal(result.lost, 3);
        assert_int_equal(result.files, FOLDERS * FILES - 3);
        assert_content("o/f1/41", "mine");
        assert_same(1, 42);
        assert_same(2, 59);
        remove_tree("o");
        assert_int_equal(access(in_dir("o"), F_OK), -1);
    }
}

static int full_disk(int dir, const char *name, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        errno = ENOSPC;
        return -1;
    }
    return cof_os_real()->openat(dir, name, flags, mode);
}

/* What strikes all of them is told once, and ends it, unless each may fail for itself. */
static void test_a_full_disk(void **state)
{
    cof_error err = COF_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
        scratch_os = *cof_os_real();
        scratch_os.openat = full_disk;
        cof_os_set(&scratch_os);
        assert_int_equal(restore(jobs[i], false, NULL, &err), COF_IO);
        cof_os_set(NULL);
        assert_string_equal(err.message, "cannot create f0/00: No space left on device");
        assert_string_equal(warnings, "");
        remove_tree("o");
        assert_int_equal(access(in_dir("o"), F_OK), -1);
    }
}

static atomic_uint slow;

/* A millisecond in each thread, so that the owner does not do it all; the others' are counted. */
static ssize_t slow_pwrite(int fd, const void *data, size_t len, off_t off)
{
    const struct timespec millisecond = {.tv_nsec = 1000000};

    if (nanosleep(&millisecond, NULL) == 0 && !pthread_equal(pthread_self(), owner))
        atomic_fetch_add(&slow, 1);
    return cof_os_real()->pwrite(fd, data, len, off);
}

static void test_the_time_of_all_threads_counts(void **state)
{
    cof_extract_result result;

    (void)state;
    owner = pthread_self();
    slow = 0;
    scratch_os = *cof_os_real();
    scratch_os.pwrite = slow_pwrite;
    cof_os_set(&scratch_os);
    assert_int_equal(restore(5, false, &result, NULL), COF_OK);
    cof_os_set(NULL);
    assert_all_same(&result);
    assert_true(slow > FILES);
    assert_true(stats.stage[COF_STAGE_WRITE].nanoseconds >= slow * UINT64_C(1000000));
    remove_tree("o");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_however_many_threads),
        cmocka_unit_test(test_where_files_need_a_name),
        cmocka_unit_test(test_where_the_threads_learn_that_files_need_a_name),
        cmocka_unit_test(test_of_several_with_one_name_the_first_is_there),
        cmocka_unit_test(test_the_first_that_fails_is_told),
        cmocka_unit_test(test_all_that_fail_are_told),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_the_time_of_all_threads_counts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
