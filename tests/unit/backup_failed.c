/* SPDX-License-Identifier: Apache-2.0 */

/* A backup whose source has failed is never finished, whatever its caller does next. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>

#include "scratch.h"

#include "world.h"

static world w;

static int set_up(void **state)
{
    if (scratch_set_up(state) != 0)
        return -1;
    make_world(&w);
    return 0;
}

static int tear_down(void **state)
{
    free_world(&w);
    return scratch_tear_down(state);
}

static cof_status fail_by_descriptor(cof_backup *b)
{
    int fd = open(in_dir("."), O_RDONLY);
    cof_status st;

    assert_true(fd >= 0);
    st = cof_backup_read_fd(b, fd, NULL);
    close(fd);
    return st;
}

static cof_status fail_by_command(cof_backup *b)
{
    static const char *const argv[] = {"sh", "-c", "echo half; exit 1", NULL};
    const cof_command command = {.argv = argv};

    return cof_backup_command(b, &command, NULL);
}

static void never_finished(cof_status (*break_it)(cof_backup *b))
{
    cof_backup_options o = {.recipients = w.first, .signer = w.signer};
    size_t names = count_names();
    cof_backup *b = NULL;

    o.output = in_dir("x.cof");
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_stream(b, "name", NULL), COF_USAGE); /* harms nothing */
    assert_int_equal(cof_backup_write(b, "content", 7, NULL), COF_OK);
    assert_int_equal(break_it(b), COF_SOURCE);
    assert_int_equal(cof_backup_write(b, "content", 7, NULL), COF_USAGE);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_USAGE);
    cof_backup_free(b);
    assert_int_equal(count_names(), names);
}

static void test_a_failed_source(void **state)
{
    (void)state;
    never_finished(fail_by_descriptor);
    never_finished(fail_by_command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_source),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
