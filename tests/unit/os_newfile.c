/* SPDX-License-Identifier: Apache-2.0 */

/* Do new files appear whole or not at all, and do directories tell what is in them? */

#include "os/dir.h"
#include "os/newfile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static char trace[512]; /* the calls that matter for durability, in order */
static int fail_errno;  /* for the call that a test has chosen; 0: do it */

static void note(const char *what)
{
    size_t used = strlen(trace);
    snprintf(trace + used, sizeof trace - used, "%s ", what);
}

static int fail_or(int result)
{
    if (fail_errno == 0)
        return result;
    errno = fail_errno;
    return -1;
}

static int fake_fsync(int fd)
{
    struct stat info;
    note(fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) ? "syncdir" : "sync");
    return fail_or(0);
}

static int fake_dir_fsync(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) ? fail_or(0) : 0;
}

static int fake_rename_noreplace(const char *from, const char *to)
{
    note("name");
    return fail_errno != 0 ? fail_or(0) : cof_os_real()->rename_noreplace(from, to);
}

/* ---- new files ----------------------------------------------------------------------------- */

static cof_newfile *begin(const char *name, const char *text)
{
    cof_newfile *nf = NULL;
    assert_int_equal(cof_newfile_create(&nf, in_dir(name), 0644, NULL), COF_OK);
    assert_int_equal(cof_file_write_stream(cof_newfile_file(nf), text, strlen(text), NULL), COF_OK);
    return nf;
}

static void new_files_appear_whole(void **state)
{
    (void)state;
    struct stat info;
    trace[0] = '\0';
    fail_errno = 0;
    scratch_os.fsync = fake_fsync;
    scratch_os.rename_noreplace = fake_rename_noreplace;
    cof_os_set(&scratch_os);
    cof_newfile *nf = begin("f", "new");
    assert_string_equal(cof_newfile_path(nf), in_dir("f"));
    assert_int_equal(stat(in_dir("f"), &info), -1);
    assert_int_equal(fstat(cof_file_fd(cof_newfile_file(nf)), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(cof_newfile_publish(nf, false, NULL), COF_OK);
    assert_string_equal(trace, "sync name syncdir ");
    assert_int_equal(cof_newfile_publish(nf, false, NULL), COF_INTERNAL);
    cof_newfile_free(nf);
    assert_int_equal(stat(in_dir("f"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    assert_content("f", "new");
    assert_int_equal(count_names(), 1);
}

static void existing_files_are_not_replaced(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    char expected[256];
    make("f", "old", 0600);
    snprintf(expected, sizeof expected, "%s exists already; use --force to replace it",
             in_dir("f"));
    static const int reasons[] = {0, EINVAL, ENOSYS}; /* the last two: by link and unlink */
    scratch_os.rename_noreplace = fake_rename_noreplace;
    cof_os_set(&scratch_os);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        fail_errno = reasons[i];
        cof_newfile *nf = begin("f", "new");
        assert_int_equal(cof_newfile_publish(nf, false, &err), COF_USAGE);
        assert_string_equal(err.message, expected);
        cof_newfile_free(nf);
        assert_content("f", "old");
        nf = begin("g", "new");
        assert_int_equal(cof_newfile_publish(nf, false, &err), COF_OK);
        cof_newfile_free(nf);
        assert_content("g", "new");
        assert_int_equal(count_names(), 2);
        assert_int_equal(unlink(in_dir("g")), 0);
    }
    cof_newfile *nf = begin("f", "new");
    assert_int_equal(cof_newfile_publish(nf, true, &err), COF_OK);
    cof_newfile_free(nf);
    assert_content("f", "new");
    assert_int_equal(count_names(), 1);
}

static void failed_syncs_publish_nothing(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    make("f", "old", 0600);
    scratch_os.fsync = fake_fsync;
    fail_errno = EIO;
    cof_os_set(&scratch_os);
    cof_newfile *nf = begin("f", "new");
    assert_int_equal(cof_newfile_publish(nf, true, &err), COF_IO);
    assert_int_equal(err.sys_errno, EIO);
    cof_newfile_free(nf);
    assert_content("f", "old");
    assert_int_equal(count_names(), 1);

    scratch_os.fsync =
        fake_dir_fsync; /* too late to undo: the file is there, and the caller is told */
    nf = begin("f", "new");
    assert_int_equal(cof_newfile_publish(nf, true, &err), COF_IO);
    assert_non_null(strstr(err.message, "a power loss may still undo it"));
    cof_newfile_free(nf);
    assert_content("f", "new");
    fail_errno = EINVAL; /* a file system that does not sync directories */
    nf = begin("f", "newer");
    assert_int_equal(cof_newfile_publish(nf, true, &err), COF_OK);
    cof_newfile_free(nf);
}

/* ---- several ---- */

static int dir_syncs_until_failure;

static int failing_dir_fsync(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISDIR(info.st_mode) || dir_syncs_until_failure-- != 0)
        return 0;
    errno = EIO;
    return -1;
}

static int no_unlink_aside(const char *path)
{
    if (strstr(path, ".old") == NULL)
        return cof_os_real()->unlink(path);
    errno = EPERM;
    return -1;
}

/* Publish "new" as f and f.002 in the place of "old". */
typedef enum left { NOTHING, SAID_ONLY, OLD } left;

static cof_status publish_two(left *out, cof_error *err)
{
    cof_newfile *files[2];
    make("f", "old", 0600);
    make("f.002", "old", 0600);
    files[0] = begin("f", "new");
    files[1] = begin("f.002", "new");
    cof_status st = cof_newfile_publish_set(files, 2, true, err);
    const char *aside = cof_newfile_left_aside(files[1]);
    cof_buf bytes = COF_BUF_INIT;
    *out = aside != NULL ? SAID_ONLY : NOTHING;
    if (aside != NULL && cof_file_read_whole(&bytes, aside, 10, NULL) == COF_OK) {
        assert_true(cof_slice_equal(cof_buf_slice(&bytes), (cof_slice){(const uint8_t *)"old", 3}));
        assert_int_equal(cof_os_real()->unlink(aside), 0);
        *out = OLD;
    }
    cof_buf_free(&bytes);
    assert_null(cof_newfile_left_aside(files[0]));
    cof_newfile_free(files[0]);
    cof_newfile_free(files[1]);
    return st;
}

/* The syncs of a directory: aside, the name of the second, the name of the first, what is gone. */
static void what_made_room_stays_while_it_may_be_needed(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    left aside;
    scratch_os.fsync = failing_dir_fsync;
    cof_os_set(&scratch_os);
    for (int n = 0; n < 5; n++) {
        bool is_new = n >= 2;
        dir_syncs_until_failure = n;
        assert_int_equal(publish_two(&aside, &err), n < 3 ? COF_IO : COF_OK);
        assert_content("f", is_new ? "new" : "old");
        assert_content("f.002", is_new ? "new" : "old");
        assert_int_equal(aside, n == 2 ? OLD : n == 3 ? SAID_ONLY : NOTHING);
        assert_int_equal(count_names(), 2);
    }
    dir_syncs_until_failure = -1;
    scratch_os.unlink = no_unlink_aside;
    cof_os_set(&scratch_os);
    assert_int_equal(publish_two(&aside, &err), COF_OK);
    assert_int_equal(aside, OLD);
}

static void unpublished_files_vanish(void **state)
{
    (void)state;
    cof_newfile *many[100];
    struct stat info;
    cof_newfile_free(begin("f", "never"));
    assert_int_equal(count_names(), 0);
    for (size_t i = 0; i < 100; i++)
        many[i] = begin(i % 2 == 0 ? "a" : "b", "x");
    assert_int_equal(count_names(), 100);
    assert_int_equal(cof_newfile_publish(many[50], false, NULL), COF_OK);
    cof_newfile_abandon_all();
    assert_int_equal(count_names(), 1);
    assert_int_equal(stat(in_dir("a"), &info), 0);
    for (size_t i = 0; i < 100; i++)
        cof_newfile_free(many[i]);
    cof_newfile_free(NULL);
}

static void impossible_new_files_are_refused(void **state)
{
    (void)state;
    cof_newfile *nf = NULL;
    cof_error err = COF_ERROR_INIT;
    char longest[256];
    assert_int_equal(cof_newfile_create(&nf, "/tmp/", 0600, &err), COF_USAGE);
    assert_int_equal(cof_newfile_create(&nf, "", 0600, &err), COF_USAGE);
    assert_int_equal(cof_newfile_create(&nf, "/nowhere/f", 0600, &err), COF_IO);
    assert_string_equal(err.message, "cannot create /nowhere/f: No such file or directory");
    char *endless = malloc(10000);
    assert_non_null(endless);
    memset(endless, 'x', 9999);
    endless[0] = '/';
    endless[9000] = '/';
    endless[9999] = '\0';
    assert_int_equal(cof_newfile_create(&nf, endless, 0600, &err), COF_LIMIT);
    free(endless);
    assert_null(nf);

    memset(longest, 'n', 255); /* as long as a name can be */
    longest[255] = '\0';
    nf = begin(longest, "x");
    assert_int_equal(cof_newfile_publish(nf, false, NULL), COF_OK);
    cof_newfile_free(nf);
}

/* ---- directories --------------------------------------------------------------------------- */

static void directories_are_listed_in_order(void **state)
{
    (void)state;
    cof_names names = COF_NAMES_INIT;
    make("b", "", 0600);
    make("a", "", 0600);
    make("\xFF", "", 0600);
    make(".hidden", "", 0600);
    assert_int_equal(cof_dir_list(&names, scratch_dir, NULL), COF_OK);
    assert_int_equal(names.count, 4);
    assert_string_equal(names.names[0], ".hidden");
    assert_string_equal(names.names[1], "a");
    assert_string_equal(names.names[2], "b");
    assert_string_equal(names.names[3], "\xFF");
    cof_names_free(&names);
    cof_names_free(NULL);
    assert_int_equal(cof_dir_list(&names, in_dir("none"), NULL), COF_IO);
    assert_int_equal(names.count, 0);
}

static void directories_are_made_and_measured(void **state)
{
    (void)state;
    uint64_t space = 0;
    cof_path_type type;
    assert_int_equal(cof_dir_make(in_dir("d"), 0700, NULL), COF_OK);
    assert_int_equal(cof_dir_make(in_dir("d"), 0700, NULL), COF_OK);
    make("f", "", 0600);
    assert_int_equal(cof_dir_make(in_dir("f"), 0700, NULL), COF_IO);
    assert_int_equal(cof_dir_sync(in_dir("d"), NULL), COF_OK);
    assert_int_equal(cof_dir_sync(in_dir("f"), NULL), COF_IO);
    assert_int_equal(cof_dir_space(&space, scratch_dir, NULL), COF_OK);
    assert_true(space > 0);
    assert_int_equal(cof_path_kind(&type, in_dir("d"), NULL), COF_OK);
    assert_int_equal(type, COF_PATH_DIRECTORY);
    assert_int_equal(cof_path_kind(&type, in_dir("f"), NULL), COF_OK);
    assert_int_equal(type, COF_PATH_REGULAR);
    assert_int_equal(cof_path_kind(&type, in_dir("f/x"), NULL), COF_OK);
    assert_int_equal(type, COF_PATH_NOTHING);
    assert_int_equal(cof_path_kind(&type, "/dev/null", NULL), COF_OK);
    assert_int_equal(type, COF_PATH_OTHER);
}

static void others_are_noticed(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool others;
    } cases[] = {{0600, false}, {0644, false}, {0620, true}, {0602, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool others = !cases[i].others;
        make("f", "", cases[i].mode);
        assert_int_equal(cof_path_others_can_write(&others, in_dir("f"), NULL), COF_OK);
        assert_int_equal(others, cases[i].others);
    }
}

static void assert_parent(const char *path, const char *parent)
{
    char *out = NULL;
    assert_int_equal(cof_path_parent(&out, path, NULL), COF_OK);
    assert_string_equal(out, parent);
    free(out);
}

static void paths_come_apart_and_together(void **state)
{
    (void)state;
    char *out = NULL;
    assert_parent("f", ".");
    assert_parent("/f", "/");
    assert_parent("//f", "/");
    assert_parent("a/f", "a");
    assert_parent("/a//f", "/a");
    assert_parent("a/", "a");
    assert_string_equal(cof_path_name("/a/b"), "b");
    assert_string_equal(cof_path_name("b"), "b");
    assert_string_equal(cof_path_name("a/"), "");
    assert_int_equal(cof_path_join(&out, "a", "b", NULL), COF_OK);
    assert_string_equal(out, "a/b");
    free(out);
    assert_int_equal(cof_path_join(&out, "/", "b", NULL), COF_OK);
    assert_string_equal(out, "/b");
    free(out);
    make("f", "", 0600);
    assert_int_equal(symlink("f", in_dir("link")), 0);
    assert_int_equal(cof_path_real(&out, in_dir("link"), NULL), COF_OK);
    assert_string_equal(out, in_dir("f"));
    free(out);
    assert_int_equal(cof_path_real(&out, in_dir("none"), NULL), COF_IO);
    assert_null(out);
}

static void temporary_names_are_known(void **state)
{
    (void)state;
    char name[300];
    assert_true(cof_newfile_is_temporary(".a.cof.0123456789abcdef.tmp"));
    assert_true(cof_newfile_is_temporary(".a.0123456789abcdef.tmp"));
    assert_false(cof_newfile_is_temporary("..0123456789abcdef.tmp"));
    assert_false(cof_newfile_is_temporary("a.cof.0123456789abcdef.tmp"));
    assert_false(cof_newfile_is_temporary(".a.cof.0123456789ABCDEF.tmp"));
    assert_false(cof_newfile_is_temporary(".a.cof.123456789abcdef.tmp"));
    assert_false(cof_newfile_is_temporary(".a.cof0123456789abcdef.tmp"));
    assert_false(cof_newfile_is_temporary(".a.cof.0123456789abcdef.tmp2"));
    assert_false(cof_newfile_is_temporary(".tmp"));
    assert_false(cof_newfile_is_temporary(""));
    for (int len = 200; len <= 201; len++) {
        snprintf(name, sizeof name, ".%0*d.0123456789abcdef.tmp", len, 0);
        assert_int_equal(cof_newfile_is_temporary(name), len == 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(new_files_appear_whole),
        IN_DIR(existing_files_are_not_replaced),
        IN_DIR(failed_syncs_publish_nothing),
        IN_DIR(what_made_room_stays_while_it_may_be_needed),
        IN_DIR(unpublished_files_vanish),
        cmocka_unit_test(temporary_names_are_known),
        IN_DIR(impossible_new_files_are_refused),
        IN_DIR(directories_are_listed_in_order),
        IN_DIR(directories_are_made_and_measured),
        IN_DIR(others_are_noticed),
        IN_DIR(paths_come_apart_and_together),
    };
    return cmocka_run_group_tests_name("os_newfile", tests, NULL, NULL);
}
