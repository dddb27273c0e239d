/* SPDX-License-Identifier: Apache-2.0 */

/* Is it told where there is no memory for what libarchive reads, which itself does not look? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <dlfcn.h>

#include "source/unpack.h"

static bool starving;

/* In place of libarchive's, also for itself. */
struct archive_entry *archive_entry_new2(struct archive *archive)
{
    struct archive_entry *(*real)(struct archive *);

    *(void **)(void *)&real = dlsym(RTLD_NEXT, "archive_entry_new2");
    return starving ? NULL : real(archive);
}

static uint8_t bytes[16384]; /* of an archive with the directory "d" */

static int set_up(void **state)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    size_t used = 0;

    (void)state;
    archive_entry_set_pathname(e, "d");
    archive_entry_set_mode(e, AE_IFDIR | 0755);
    archive_entry_set_mtime(e, 1, 0);
    assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(a, bytes, sizeof(bytes), &used), ARCHIVE_OK);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
    archive_entry_free(e);
    return 0;
}

static cof_status on_read(void *ctx, cof_slice *out, uint64_t offset, cof_error *err)
{
    (void)ctx;
    (void)err;
    *out = (cof_slice){bytes + offset, sizeof(bytes) - (size_t)offset};
    return COF_OK;
}

static void test_no_memory_for_an_entry(void **state)
{
    const cof_catalog_entry e = {
        .type = COF_ENTRY_DIRECTORY, .length = 512, .path = {(const uint8_t *)"d", 1}};
    cof_unpack *u = NULL;
    cof_member member;

    (void)state;
    assert_int_equal(cof_unpack_new(&u, on_read, NULL, true, NULL), COF_OK);
    for (int i = 0; i < 4; i++) {
        starving = i % 2 != 0;
        assert_int_equal(cof_unpack_begin(u, &member, &e, NULL), starving ? COF_NOMEM : COF_OK);
        if (!starving)
            assert_int_equal(cof_unpack_end(u, NULL), COF_OK);
        cof_member_wipe(&member);
    }
    cof_unpack_free(u);
    starving = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory_for_an_entry),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
