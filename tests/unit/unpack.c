/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does a reader go on behind an entry that was whole, and only there?  Is it told where there is no
 * memory for what libarchive reads, which itself does not look?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <string.h>

#include "source/unpack.h"

#define BLOCK 512

static bool starving;
static int readers; /* that were begun */

/* In place of libarchive's; the first also for itself. */
struct archive_entry *archive_entry_new2(struct archive *archive)
{
    struct archive_entry *(*real)(struct archive *);

    *(void **)(void *)&real = dlsym(RTLD_NEXT, "archive_entry_new2");
    return starving ? NULL : real(archive);
}

struct archive *archive_read_new(void)
{
    struct archive *(*real)(void);

    *(void **)(void *)&real = dlsym(RTLD_NEXT, "archive_read_new");
    readers++;
    return real();
}

static uint8_t bytes[16 * BLOCK]; /* an archive with "d/" and the files "a" and "b" */
static const cof_catalog_entry directory = {
    .type = COF_ENTRY_DIRECTORY, .length = BLOCK, .path = {(const uint8_t *)"d", 1}};
static const cof_catalog_entry file_a = {.type = COF_ENTRY_FILE,
                                         .size = 5,
                                         .position = BLOCK,
                                         .length = 2 * BLOCK,
                                         .path = {(const uint8_t *)"a", 1}};
static const cof_catalog_entry file_b = {.type = COF_ENTRY_FILE,
                                         .size = BLOCK,
                                         .position = 3 * BLOCK,
                                         .length = 2 * BLOCK,
                                         .path = {(const uint8_t *)"b", 1}};

static void add(struct archive *a, const char *path, int mode, const char *content, size_t size)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, path);
    archive_entry_set_mode(e, (__LA_MODE_T)mode);
    archive_entry_set_mtime(e, 1, 0);
    archive_entry_set_size(e, (la_int64_t)size);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, content, size), size);
    archive_entry_free(e);
}

static int set_up(void **state)
{
    static char block[BLOCK];
    struct archive *a = archive_write_new();
    size_t used = 0;

    (void)state;
    memset(block, 'b', sizeof(block));
    assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(a, bytes, sizeof(bytes), &used), ARCHIVE_OK);
    add(a, "d", AE_IFDIR | 0755, NULL, 0);
    add(a, "a", AE_IFREG | 0644, "hello", 5);
    add(a, "b", AE_IFREG | 0644, block, sizeof(block));
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
    readers = 0;
    return 0;
}

/* Byte by byte, so that nothing hides in what was read ahead. */
static cof_status on_read(void *ctx, cof_slice *out, uint64_t offset, cof_error *err)
{
    (void)ctx;
    (void)err;
    *out = (cof_slice){bytes + offset, 1};
    return COF_OK;
}

static cof_unpack *new_unpack(void)
{
    cof_unpack *u = NULL;

    assert_int_equal(cof_unpack_new(&u, on_read, NULL, true, NULL), COF_OK);
    return u;
}

static cof_status begin(cof_unpack *u, const cof_catalog_entry *e)
{
    cof_member member;
    cof_status st = cof_unpack_begin(u, &member, e, NULL);

    cof_member_wipe(&member);
    return st;
}

/* An entry from its header to its end; how many bytes of content there were. */
static cof_status whole(cof_unpack *u, const cof_catalog_entry *e, size_t *content)
{
    cof_status st = begin(u, e);
    bool end = false;

    for (*content = 0; st == COF_OK && !end;) {
        uint64_t offset = 0;
        cof_slice piece;

        if ((st = cof_unpack_data(u, &piece, &offset, &end, NULL)) == COF_OK)
            *content += piece.len;
    }
    return st == COF_OK ? cof_unpack_end(u, NULL) : st;
}

static void test_goes_on(void **state)
{
    cof_unpack *u = new_unpack();
    size_t content;

    (void)state;
    for (int i = 0; i < 3; i++) { /* and back, as another choice of the catalog may */
        assert_int_equal(begin(u, &directory), COF_OK);
        assert_int_equal(cof_unpack_end(u, NULL), COF_OK);
        assert_int_equal(whole(u, &file_a, &content), COF_OK);
        assert_int_equal(content, 5);
        assert_int_equal(whole(u, &file_b, &content), COF_OK);
        assert_int_equal(content, BLOCK);
    }
    assert_int_equal(readers, 1);
    cof_unpack_free(u);
}

static void test_goes_on_after_nothing_but_a_whole_entry(void **state)
{
    cof_catalog_entry longer = file_a, shorter = file_b, other = file_b;
    cof_unpack *u = new_unpack();
    size_t content;

    (void)state;
    longer.length += BLOCK;  /* and the next one's header in it */
    shorter.length -= BLOCK; /* without its content */
    other.path.data = (const uint8_t *)"c";
    assert_int_equal(whole(u, &longer, &content), COF_AUTH);
    assert_int_equal(whole(u, &file_b, &content), COF_OK);
    assert_int_equal(whole(u, &shorter, &content), COF_AUTH);
    assert_int_equal(whole(u, &file_b, &content), COF_OK);
    assert_int_equal(begin(u, &other), COF_AUTH);
    assert_int_equal(whole(u, &file_b, &content), COF_OK);
    assert_int_equal(content, BLOCK);
    assert_int_equal(begin(u, &file_b), COF_OK); /* and its content is not asked for */
    assert_int_equal(whole(u, &file_a, &content), COF_OK);
    assert_int_equal(content, 5);
    assert_int_equal(readers, 5);
    cof_unpack_free(u);
}

static void test_content_must_be_read(void **state)
{
    cof_unpack *u = new_unpack();

    (void)state;
    assert_int_equal(begin(u, &file_a), COF_OK);
    assert_int_equal(cof_unpack_end(u, NULL), COF_AUTH);
    cof_unpack_free(u);
}

static void test_no_memory_for_an_entry(void **state)
{
    cof_unpack *u = new_unpack();

    (void)state;
    for (int i = 0; i < 4; i++) {
        starving = i % 2 != 0;
        assert_int_equal(begin(u, &directory), starving ? COF_NOMEM : COF_OK);
    }
    cof_unpack_free(u);
    starving = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_goes_on, set_up),
        cmocka_unit_test_setup(test_goes_on_after_nothing_but_a_whole_entry, set_up),
        cmocka_unit_test_setup(test_content_must_be_read, set_up),
        cmocka_unit_test_setup(test_no_memory_for_an_entry, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
