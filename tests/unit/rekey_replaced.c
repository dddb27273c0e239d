/* SPDX-License-Identifier: Apache-2.0 */

/* Somebody puts another file under the name of a later volume during a rekey: is it left alone? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>

#include "scratch.h"
#include "world.h"

#define BYTES 600000

static void make_volumes(const world *w)
{
    cof_backup_options o = {
        .recipients = w->first, .signer = w->signer, .volume_size = 400000, .compress = "none"};
    uint8_t *content = calloc(1, BYTES);
    cof_backup *b = NULL;

    assert_non_null(content);
    o.output = in_dir("x.cof");
    o.record_size = 65536;
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_write(b, content, BYTES, NULL), COF_OK);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_OK);
    cof_backup_free(b);
    free(content);
}

static bool done;

static int replacing_fsync(int fd)
{
    if (!done) {
        done = true;
        assert_int_equal(unlink(in_dir("x.cof.002")), 0);
        make("x.cof.002", "somebody's", 0600);
    }
    return cof_os_real()->fsync(fd);
}

static void another_file_is_not_replaced(void **state)
{
    cof_rekey_result result = {.changed = false};
    cof_error err = COF_ERROR_INIT;
    cof_buf bytes = COF_BUF_INIT;
    world w;

    (void)state;
    make_world(&w);
    make_volumes(&w);
    scratch_os.fsync = replacing_fsync;
    cof_os_set(&scratch_os);
    cof_rekey_options o = {
        .trust = w.trust, .keys = w.keys, .signer = w.signer, .recipients = w.second};
    o.path = in_dir("x.cof");
    assert_int_equal(cof_rekey(&o, &result, &err), COF_BUSY);
    assert_true(done);
    assert_non_null(strstr(err.message, "x.cof.002 is another file now"));
    assert_int_equal(cof_file_read_whole(&bytes, in_dir("x.cof.002"), 100, NULL), COF_OK);
    assert_true(
        cof_slice_equal(cof_buf_slice(&bytes), (cof_slice){(const uint8_t *)"somebody's", 10}));
    cof_buf_free(&bytes);
    cof_rekey_result_wipe(&result);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(another_file_is_not_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
