/* SPDX-License-Identifier: Apache-2.0 */

/* A file that is replaced while it is changed, by a program that asks for no lock. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <stdio.h>

#include "scratch.h"
#include "world.h"

static bool replaced;

static int replacing_fsync(int fd)
{
    char from[256];

    (void)snprintf(from, sizeof(from), "%s", in_dir("y.cof"));
    if (!replaced)
        assert_int_equal(rename(from, in_dir("x.cof")), 0);
    replaced = true;
    return cof_os_real()->fsync(fd);
}

static void start_replacing(void)
{
    replaced = false;
    scratch_os.fsync = replacing_fsync;
    cof_os_set(&scratch_os);
}

/* Two backups: x.cof, and y.cof which is to take its place. */
static void make_two(const world *w)
{
    char from[256];

    make_backup(w);
    (void)snprintf(from, sizeof(from), "%s", in_dir("x.cof"));
    assert_int_equal(rename(from, in_dir("y.cof")), 0);
    make_backup(w);
}

static void an_approval_of_what_was_replaced_is_none(void **state)
{
    cof_approve_result result = {.changed = false};
    cof_signer *second = NULL;
    cof_approve_options o;
    world w;

    (void)state;
    make_world(&w);
    make_two(&w);
    make_key("t.key", "t.crt", COF_KEY_SIGNS);
    assert_int_equal(cof_signer_load(&second, in_dir("t.key"), NULL, NULL, NULL), COF_OK);
    o = (cof_approve_options){.trust = w.trust, .signer = second};
    start_replacing();
    assert_int_equal(cof_approve(in_dir("x.cof"), &o, &result, NULL), COF_BUSY);
    assert_false(result.changed);
    cof_approve_result_wipe(&result);
    cof_signer_free(second);
    free_world(&w);
}

static void a_repair_of_what_was_replaced_is_none(void **state)
{
    cof_repair_result result = {.changed = false};
    cof_repair_options o = {.path = NULL};
    FILE *file;
    world w;

    (void)state;
    make_world(&w);
    make_two(&w);
    file = fopen(in_dir("x.cof"), "r+");
    assert_non_null(file);
    assert_int_equal(fputs("damage", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    o.path = in_dir("x.cof");
    o.trust = w.trust;
    start_replacing();
    assert_int_equal(cof_repair(&o, &result, NULL), COF_BUSY);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_approval_of_what_was_replaced_is_none, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_repair_of_what_was_replaced_is_none, scratch_set_up,
                                        scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
