/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is a tree read in order and in bounded memory, and is whatever goes wrong meanwhile told, and
 * stored as long as its header says?
 */

#include "base/error.h"
#include "base/treepath.h"
#include "os/os.h"
#include "source/pattern.h"
#include "source/roots.h"
#include "source/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_ok(call) assert_int_equal((call), COF_OK)

static cof_slice slice_of(const char *text)
{
    return (cof_slice){(const uint8_t *)text, strlen(text)};
}

/* A directory of its own, which is then the working directory. */
static char *scratch_new(void)
{
    char *dir = strdup("/tmp/coffer-unit-XXXXXX");

    assert_non_null(dir);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *place)
{
    (void)st;
    (void)flag;
    (void)place;
    return remove(path);
}

static void scratch_free(char *dir)
{
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(dir);
}

/* ---- patterns ------------------------------------------------------------------------------- */

static void patterns_match_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool directory, match;
    } cases[] = {
        {"*.o", "a.o", false, true},
        {"*.o", "src/x/a.o", false, true},
        {"*.o", "a.o/b", false, false}, /* but nobody gets there: a.o is left out */
        {"a.o", "ba.o", false, false},
        {"src/*.o", "src/a.o", false, true},
        {"src/*.o", "x/src/a.o", false, true},
        {"src/*.o", "src/x/a.o", false, false},
        {"src/**/a.o", "src/a.o", false, true},
        {"src/**/a.o", "src/x/y/a.o", false, true},
        {"src/**", "src/x", false, true},
        {"src/**", "src", true, false},
        {"**/tmp", "tmp", true, true},
        {"/**/a/**/b", "a/x/a/y/b", false, true},
        {"/**/a/b/**/c", "a/x/a/b/c", false, true},
        {"/tmp", "tmp", true, true},
        {"/tmp", "var/tmp", true, false},
        {"/home/*/.cache", "home/me/.cache", true, true},
        {"/home/*/.cache", "home/me/x/.cache", true, false},
        {"cache/", "cache", true, true},
        {"cache/", "cache", false, false},
        {"a?c", "abc", false, true},
        {"a?c",
         "a\xc3\xa4"
         "c",
         false, true},
        {"a?c",
         "a\xff"
         "c",
         false, true},
        {"a?c", "a/c", false, false},
        {"a*c", "a/c", false, false},
        {"[a-c]x", "bx", false, true},
        {"[a-c]x", "dx", false, false},
        {"[!a-c]x", "dx", false, true},
        {"[^a-c]x", "bx", false, false},
        {"[]x]", "]", false, true},
        {"[x", "[x", false, true},
        {"[\xc3\xa4-\xc3\xb6]", "\xc3\xa5", false, true},
        {"\\*", "*", false, true},
        {"\\*", "x", false, false},
        {"\\!a", "!a", false, true},
        {"a*b*c", "axxbxxbxc", false, true},
        {"a*b*c", "axxbxxbx", false, false},
        {"*", "anything", false, true},
        {"a\nb", "a\nb", false, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_patterns p = COF_PATTERNS_INIT;

        assert_ok(cof_patterns_add(&p, cases[i].pattern, NULL));
        if (cof_patterns_match(&p, slice_of(cases[i].path), cases[i].directory) != cases[i].match)
            fail_msg("%s on %s (case %zu)", cases[i].pattern, cases[i].path, i);
        cof_patterns_wipe(&p);
    }
}

/* Whoever makes directories that are backed up must not be able to make that take for ever. */
static void patterns_are_quick_on_any_path(void **state)
{
    (void)state;
    cof_patterns p = COF_PATTERNS_INIT;
    char path[2 * 1500];

    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 2 == 0 ? 'a' : '/';
    path[sizeof(path) - 1] = '\0';
    assert_ok(cof_patterns_add(&p, "/**/a/**/a/**/a/**/a/**/b", NULL));
    assert_false(cof_patterns_match(&p, slice_of(path), false));
    cof_patterns_wipe(&p);
}

static void patterns_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    cof_patterns p = COF_PATTERNS_INIT;

    assert_int_equal(cof_patterns_add(&p, "", NULL), COF_USAGE);
    assert_int_equal(cof_patterns_add(&p, "//", NULL), COF_USAGE);
    assert_int_equal(cof_patterns_add(&p, "!x", NULL), COF_USAGE);
    assert_int_equal(p.count, 0);
}

/* ---- roots ---------------------------------------------------------------------------------- */

static void roots_are_named_inside(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/etc", "etc"},    {"/", "."},           {".", "."},      {"..", "."},
        {"./a//b/", "a/b"}, {"../x/./y", "x/y"},  {"a/../b", "b"}, {"/../../c", "c"},
        {"...", "..."},     {"/a/b/../../", "."},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_roots roots;

        if (cof_roots_make(&roots, &cases[i][0], 1, NULL) != COF_OK)
            fail_msg("%s", cases[i][0]);
        assert_int_equal(roots.count, 1);
        assert_string_equal(roots.items[0].inside, cases[i][1]);
        cof_roots_wipe(&roots);
    }
}

static void roots_are_walked_once(void **state)
{
    (void)state;
    static const char *const dirs[] = {"a", "a/b", "a-", "c", "c/a"};
    char *dir = scratch_new();
    cof_roots roots;
    cof_error err = COF_ERROR_INIT;

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        assert_int_equal(mkdir(dirs[i], 0700), 0);
    assert_ok(
        cof_roots_make(&roots, (const char *const[]){"a-", "a/b", "./a/", "a", "a/gone"}, 5, NULL));
    assert_int_equal(roots.count, 3);
    assert_string_equal(roots.items[0].given, "./a/");
    assert_string_equal(roots.items[1].given, "a/gone");
    assert_true(roots.items[1].nested);
    assert_string_equal(roots.items[2].given, "a-");
    cof_roots_wipe(&roots);

    assert_int_equal(
        cof_roots_make(&roots, (const char *const[]){"a", "c/../c/../a/../c/a"}, 2, &err),
        COF_OK); /* "a" and "c/a" */
    cof_roots_wipe(&roots);
    assert_int_equal(chdir("c"), 0);
    assert_int_equal(cof_roots_make(&roots, (const char *const[]){"../a", "a"}, 2, &err),
                     COF_USAGE);
    assert_int_equal(roots.count, 0);
    assert_int_equal(cof_roots_make(&roots, (const char *const[]){""}, 1, &err), COF_USAGE);
    scratch_free(dir);
}

/* ---- the walk ------------------------------------------------------------------------------- */

typedef struct seen {
    char entries[4096]; /* "path type state length\n" */
    char problems[4096];
    uint64_t bytes;
    uint8_t tail[2048];
    size_t entry_count;
    bool in_order;
    char last[512];
} seen;

static void *on_place(void *ctx, size_t *room)
{
    static uint8_t place[4096];

    (void)ctx;
    *room = sizeof(place);
    return place;
}

static cof_status on_data(void *ctx, const void *data, size_t len, cof_error *err)
{
    seen *s = ctx;
    size_t n = len < sizeof(s->tail) ? len : sizeof(s->tail);

    (void)err;
    memmove(s->tail, s->tail + n, sizeof(s->tail) - n);
    memcpy(s->tail + sizeof(s->tail) - n, (const uint8_t *)data + len - n, n);
    s->bytes += len;
    return COF_OK;
}

static cof_status on_entry(void *ctx, const cof_catalog_entry *e, cof_error *err)
{
    seen *s = ctx;
    size_t at = strlen(s->entries);

    (void)err;
    assert_true(e->position + e->length == s->bytes);
    assert_int_equal(e->path.data[e->path.len], 0);
    (void)snprintf(s->entries + at, sizeof(s->entries) - at, "%s %d %d %d\n",
                   (const char *)e->path.data, (int)e->type, (int)e->state, (int)e->length);
    if (s->entry_count++ > 0 && cof_treepath_compare(slice_of(s->last), e->path) >= 0)
        fail_msg("%s behind %s", (const char *)e->path.data, s->last);
    (void)snprintf(s->last, sizeof(s->last), "%s", (const char *)e->path.data);
    return COF_OK;
}

static void on_problem(void *ctx, const char *sentence)
{
    seen *s = ctx;
    size_t at = strlen(s->problems);

    (void)snprintf(s->problems + at, sizeof(s->problems) - at, "%s\n", sentence);
}

static cof_status read_tree(seen *s, cof_tree_totals *totals, const char *path, bool strict,
                            cof_error *err)
{
    static const cof_patterns none = COF_PATTERNS_INIT;
    const cof_tree_hooks hooks = {on_place, on_data, on_entry, on_problem, s};
    const cof_tree_request request = {
        .paths = &path, .path_count = 1, .exclude = &none, .strict = strict};

    memset(s, 0, sizeof(*s));
    return cof_tree_read(totals, &request, &hooks, err);
}

static void put_file(const char *path, size_t len)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(close(fd), 0);
}

/* A table in which one file does not behave. */
static cof_os strange;
static enum trouble {
    GROWS,
    SHRINKS,
    TOUCHED,
    FAILS,
    VANISHES,
    FORBIDDEN,
    REPLACED,
    LIST_FAILS
} how;
static int victim = -1, asked; /* its descriptor, and how often fstat was called on it */

static int strange_openat(int dir, const char *name, int flags, mode_t mode)
{
    int fd;

    if (strcmp(name, "victim") != 0)
        return cof_os_real()->openat(dir, name, flags, mode);
    if (how == VANISHES || how == FORBIDDEN || how == REPLACED) {
        errno = how == VANISHES ? ENOENT : how == FORBIDDEN ? EACCES : ELOOP;
        return -1;
    }
    fd = cof_os_real()->openat(dir, name, flags, mode);
    victim = fd;
    asked = 0;
    return fd;
}

static int strange_close(int fd)
{
    if (fd == victim)
        victim = -1;
    return cof_os_real()->close(fd);
}

static ssize_t strange_pread(int fd, void *out, size_t len, off_t off)
{
    if (fd != victim)
        return cof_os_real()->pread(fd, out, len, off);
    if (how == FAILS) {
        errno = EIO;
        return off < 100 ? cof_os_real()->pread(fd, out, 100, off) : -1;
    }
    if (how == SHRINKS && off >= 100)
        return 0;
    if (how == SHRINKS && len > 100)
        len = 100;
    return cof_os_real()->pread(fd, out, len, off);
}

static int strange_fstat(int fd, struct stat *out)
{
    int result = cof_os_real()->fstat(fd, out);

    if (fd != victim || asked++ == 0)
        return result;
    out->st_size += how == GROWS ? 1 : how == SHRINKS ? -900 : 0;
    out->st_mtim.tv_nsec ^= how == TOUCHED;
    return result;
}

static struct dirent *strange_readdir(DIR *dir)
{
    struct dirent *entry = cof_os_real()->readdir(dir);

    if (how != LIST_FAILS || entry != NULL)
        return entry;
    errno = EIO;
    return NULL;
}

static void whatever_happens_is_told(void **state)
{
    (void)state;
    static const struct {
        enum trouble how;
        const char *entries, *problem;
        uint64_t files;
    } cases[] = {
        {GROWS, "t/victim 1 1 2560\n", "grew while it was read", 3},
        {SHRINKS, "t/victim 1 1 2560\n", "shrank while it was read; zeros", 3},
        {TOUCHED, "t/victim 1 1 2560\n", "changed while it was read", 3},
        {FAILS, "t/victim 1 2 2560\n", "could not be read to its end", 3},
        {VANISHES, "t/victim 1 3 0\n", "was gone when it was to be read", 2},
        {REPLACED, "t/victim 1 3 0\n", "was gone when it was to be read", 2},
        {FORBIDDEN, "t/victim 1 2 0\n", "cannot be read: Permission denied", 2},
        {LIST_FAILS, "t 2 2 1536\n", "cannot be listed", 3},
    };
    char *dir = scratch_new();
    cof_tree_totals totals;
    cof_error err = COF_ERROR_INIT;
    static seen s;

    assert_int_equal(mkdir("t", 0700), 0);
    put_file("t/a", 10);
    put_file("t/victim", 1000);
    put_file("t/z", 10);
    strange = *cof_os_real();
    strange.openat = strange_openat;
    strange.close = strange_close;
    strange.pread = strange_pread;
    strange.fstat = strange_fstat;
    strange.readdir = strange_readdir;
    cof_os_set(&strange);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        how = cases[i].how;
        victim = -1;
        assert_ok(read_tree(&s, &totals, "t", false, &err));
        if (strstr(s.entries, cases[i].entries) == NULL ||
            strstr(s.problems, cases[i].problem) == NULL)
            fail_msg("case %zu: %s%s", i, s.entries, s.problems);
        if (totals.problems != 1)
            fail_msg("case %zu: %s", i, s.problems);
        assert_true(totals.files == cases[i].files);
        assert_int_equal(s.entry_count, 4);
        assert_int_equal(s.bytes % 512, 0);
        assert_int_equal(read_tree(&s, &totals, "t", true, &err), COF_SOURCE);
        assert_non_null(strstr(err.message, cases[i].problem));
    }
    cof_os_set(NULL);
    assert_ok(read_tree(&s, &totals, "t", true, NULL));
    assert_int_equal(totals.problems, 0);
    scratch_free(dir);
}

static void archive_ends_with_two_blocks_of_zeros(void **state)
{
    (void)state;
    static const uint8_t zeros[1024];
    char *dir = scratch_new();
    cof_tree_totals totals;
    static seen s;

    put_file("f", 1);
    assert_ok(read_tree(&s, &totals, "f", true, NULL));
    assert_string_equal(s.problems, "");
    assert_int_equal(s.bytes, 512 + 1024 + 512 + 1024);
    assert_memory_equal(s.tail + 1024, zeros, 1024);
    assert_int_not_equal(s.tail[1023 - 511], 0);
    assert_int_equal(read_tree(&s, &totals, "gone", false, NULL), COF_SOURCE);
    assert_string_equal(s.entries, "gone 0 3 0\n");
    scratch_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_what_they_say),
        cmocka_unit_test(patterns_are_quick_on_any_path),
        cmocka_unit_test(patterns_that_make_no_sense_are_refused),
        cmocka_unit_test(roots_are_named_inside),
        cmocka_unit_test(roots_are_walked_once),
        cmocka_unit_test(whatever_happens_is_told),
        cmocka_unit_test(archive_ends_with_two_blocks_of_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
