/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does what one entry says end with it?  Is it told where there is no memory for what libarchive
 * reads, which itself does not look?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "source/unpack.h"

#define BLOCK 512

static bool starving;
static size_t at_once; /* so many bytes are yielded */
static bool unreadable;

/* In place of libarchive's, also for itself. */
struct archive_entry *archive_entry_new2(struct archive *archive)
{
    struct archive_entry *(*real)(struct archive *);

    *(void **)(void *)&real = dlsym(RTLD_NEXT, "archive_entry_new2");
    return starving ? NULL : real(archive);
}

static uint8_t bytes[32 * BLOCK]; /* an archive with "d/" and the files "a" and "b" */
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
    at_once = 1;
    return 0;
}

static cof_status on_read(void *ctx, cof_slice *out, uint64_t offset, cof_error *err)
{
    (void)ctx;
    (void)err;
    if (unreadable)
        return COF_IO;
    *out = (cof_slice){bytes + offset, at_once};
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

/* As whole(), byte by byte, and with far more at hand than belongs to it. */
static void assert_whole(cof_unpack *u, const cof_catalog_entry *e, cof_status expected)
{
    static const size_t sizes[] = {1, 8 * BLOCK};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t content;

        at_once = sizes[i];
        assert_int_equal(whole(u, e, &content), expected);
        if (expected == COF_OK)
            assert_int_equal(content, e->size);
    }
}

static void test_in_any_order(void **state)
{
    cof_unpack *u = new_unpack();

    (void)state;
    assert_whole(u, &file_b, COF_OK);
    assert_whole(u, &directory, COF_OK);
    assert_whole(u, &file_a, COF_OK);
    cof_unpack_free(u);
}

static void test_nothing_is_carried_over(void **state)
{
    cof_catalog_entry longer = file_a, shorter = file_b, other = file_b;
    cof_unpack *u = new_unpack();

    (void)state;
    longer.length += BLOCK;  /* and the next one's header in it */
    shorter.length -= BLOCK; /* without its content */
    other.path.data = (const uint8_t *)"c";
    assert_whole(u, &longer, COF_AUTH);
    assert_whole(u, &file_b, COF_OK);
    assert_whole(u, &shorter, COF_AUTH);
    assert_whole(u, &file_b, COF_OK);
    assert_int_equal(begin(u, &other), COF_AUTH);
    assert_whole(u, &file_b, COF_OK);
    assert_int_equal(begin(u, &file_b), COF_OK); /* and its content is not asked for */
    assert_whole(u, &file_a, COF_OK);
    unreadable = true;
    assert_int_equal(begin(u, &file_a), COF_IO);
    unreadable = false;
    assert_whole(u, &file_a, COF_OK);
    cof_unpack_free(u);
}

/* ---- a directory that claims to have content: what follows it must not be taken for that ---- */

static size_t pax_header(uint8_t *out, const char *record)
{
    struct ustar {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
        char magic[6], version[2], rest[247];
    } header = {.name = "x",
                .mode = "0000644",
                .uid = "0000000",
                .gid = "0000000",
                .mtime = "00000000000",
                .sum = "        ",
                .type = 'x',
                .magic = "ustar",
                .version = {'0', '0'}};
    unsigned sum = 0;

    (void)snprintf(header.size, sizeof(header.size), "%011o", (unsigned)strlen(record));
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const unsigned char *)&header)[i];
    (void)snprintf(header.sum, sizeof(header.sum), "%06o", sum);
    memcpy(out, &header, BLOCK);
    memset(out + BLOCK, 0, BLOCK);
    memcpy(out + BLOCK, record, strlen(record));
    return 2 * BLOCK;
}

static void test_a_directory_with_content_does_not_end_where_it_should(void **state)
{
    static uint8_t archive[16 * BLOCK];
    cof_catalog_entry claims = directory, behind = file_a;
    cof_unpack *u = new_unpack();
    size_t used = pax_header(archive, "12 size=512\n");

    (void)state;
    memcpy(archive + used, bytes, 5 * BLOCK); /* the directory, and what comes behind it */
    memcpy(bytes, archive, sizeof(archive));
    claims.length += used;
    behind.position += used;
    assert_whole(u, &claims, COF_AUTH);
    assert_whole(u, &behind, COF_OK);
    at_once = 1;
    assert_int_equal(begin(u, &claims), COF_OK); /* nobody reads a directory's content */
    assert_int_equal(cof_unpack_end(u, NULL), COF_AUTH);
    assert_whole(u, &behind, COF_OK);
    cof_unpack_free(u);
}

static void test_content_must_be_there(void **state)
{
    cof_catalog_entry shorter = file_b;
    cof_unpack *u = new_unpack();

    (void)state;
    shorter.length -= BLOCK;
    at_once = 1;
    assert_int_equal(begin(u, &shorter), COF_OK);
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
        cmocka_unit_test_setup(test_in_any_order, set_up),
        cmocka_unit_test_setup(test_nothing_is_carried_over, set_up),
        cmocka_unit_test_setup(test_a_directory_with_content_does_not_end_where_it_should, set_up),
        cmocka_unit_test_setup(test_content_must_be_there, set_up),
        cmocka_unit_test_setup(test_no_memory_for_an_entry, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
