/* SPDX-License-Identifier: Apache-2.0 */

/* Are the names in a directory listed in order, whole, and in bounded memory? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "scratch.h"
#include "source/listing.h"

static void listing_needs_bounded_memory(void **state)
{
    (void)state;
    int fd = open(scratch_dir, O_RDONLY | O_DIRECTORY);
    cof_listing l;
    char name[32], last[32] = "";
    size_t seen = 0;
    bool more = true;

    memset(&l, 0, sizeof(l));
    assert_true(fd >= 0);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "%05d", i * 7919 % 1000);
        assert_int_equal(close(openat(fd, name, O_CREAT | O_WRONLY, 0600)), 0);
    }
    while (more) {
        assert_int_equal(COF_OK,
                         cof_listing_read(&l, fd, last[0] != '\0' ? last : NULL, 1000, NULL));
        assert_true(l.count > 0 && l.used <= 1000);
        assert_int_equal(l.read_error, 0);
        for (size_t i = 0; i < l.count; i++) {
            assert_true(strcmp(cof_listing_name(&l, i), last) > 0);
            (void)snprintf(last, sizeof(last), "%s", cof_listing_name(&l, i));
            seen++;
        }
        more = l.more;
    }
    assert_int_equal(seen, 1000);
    cof_listing_wipe(&l);
    (void)close(fd);
}

/* Names as some file systems have them: exFAT, with 255 characters of three bytes each. */
#define LONG_NAME 765

static unsigned long_names_left;

static struct dirent *long_readdir(DIR *dir)
{
    static union {
        struct dirent entry;
        char room[sizeof(struct dirent) + LONG_NAME + 1];
    } next;
    char *name = next.room + offsetof(struct dirent, d_name);

    (void)dir;
    if (long_names_left-- == 0)
        return NULL;
    memset(name, 'x', LONG_NAME);
    (void)snprintf(name, 4, "%03u", long_names_left * 7 % 50);
    name[3] = 'x';
    name[LONG_NAME] = '\0';
    return &next.entry;
}

static void listing_takes_names_of_any_length(void **state)
{
    int fd = open(scratch_dir, O_RDONLY | O_DIRECTORY);
    char last[LONG_NAME + 1] = "";
    cof_listing l;
    size_t seen = 0;

    (void)state;
    memset(&l, 0, sizeof(l));
    scratch_os.readdir = long_readdir;
    cof_os_set(&scratch_os);
    do {
        long_names_left = 50;
        assert_int_equal(COF_OK,
                         cof_listing_read(&l, fd, last[0] != '\0' ? last : NULL, 10000, NULL));
        assert_true(l.count > 0 && l.used <= 10000);
        for (size_t i = 0; i < l.count; i++) {
            assert_int_equal(strlen(cof_listing_name(&l, i)), LONG_NAME);
            assert_int_equal(strtoul(cof_listing_name(&l, i), NULL, 10), seen++);
        }
        memcpy(last, cof_listing_name(&l, l.count - 1), sizeof(last));
    } while (l.more);
    cof_os_set(NULL);
    assert_int_equal(seen, 50);
    cof_listing_wipe(&l);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(listing_needs_bounded_memory),
        IN_DIR(listing_takes_names_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
