/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does a block of the head, or one copy of the tail, that the disk does not give back any more
 * (EIO, not other bytes) stop anybody from verifying, or from changing the locks?
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <coffer/coffer.h>
#include <errno.h>

#include "scratch.h"

#define BLOCK 4096

static off_t lost; /* the block that cannot be read; -1: all can; -2: none can */
static off_t lost_len = BLOCK;

static ssize_t failing_pread(int fd, void *out, size_t len, off_t off)
{
    if (lost == -2 || (lost >= 0 && off < lost + lost_len && off + (off_t)len > lost)) {
        errno = EIO;
        return -1;
    }
    return cof_os_real()->pread(fd, out, len, off);
}

typedef struct world {
    cof_certs *first, *second;
    cof_signer *signer;
    cof_trust *trust;
    cof_keyring *keys;
    off_t size;
} world;

static void make_key(const char *key, const char *cert, cof_key_use use)
{
    const cof_keygen_options o = {in_dir(key), in_dir(cert), "p256", key, 10, use, NULL};

    assert_int_equal(cof_keygen(&o, NULL, NULL), COF_OK);
}

static void make_backup(world *w)
{
    cof_backup_options o = {.recipients = w->first, .signer = w->signer, .force = true};
    char content[2 * BLOCK] = {0};
    cof_backup *b = NULL;
    struct stat s;

    o.output = in_dir("x.cof");
    o.compress = "none"; /* so that the tail stands in a block of its own */
    assert_int_equal(cof_backup_begin(&b, &o, NULL), COF_OK);
    assert_int_equal(cof_backup_write(b, content, sizeof(content), NULL), COF_OK);
    assert_int_equal(cof_backup_finish(b, NULL, NULL), COF_OK);
    cof_backup_free(b);
    assert_int_equal(stat(in_dir("x.cof"), &s), 0);
    w->size = s.st_size;
}

static int set_up(void **state)
{
    static world w;

    if (scratch_set_up(state) != 0)
        return -1;
    assert_int_equal(cof_init(NULL), COF_OK);
    make_key("s.key", "s.crt", COF_KEY_SIGNS);
    make_key("a.key", "a.crt", COF_KEY_OPENS);
    make_key("b.key", "b.crt", COF_KEY_OPENS);
    assert_int_equal(cof_signer_load(&w.signer, in_dir("s.key"), NULL, NULL, NULL), COF_OK);
    assert_int_equal(cof_trust_new(&w.trust, NULL), COF_OK);
    assert_int_equal(
        cof_trust_add(w.trust, in_dir("s.crt"), COF_ROLE_MAKER | COF_ROLE_CUSTODIAN, NULL), COF_OK);
    assert_int_equal(cof_keyring_new(&w.keys, NULL), COF_OK);
    assert_int_equal(cof_keyring_add(w.keys, in_dir("a.key"), NULL, NULL), COF_OK);
    assert_int_equal(cof_certs_new(&w.first, NULL), COF_OK);
    assert_int_equal(cof_certs_add(w.first, in_dir("a.crt"), NULL), COF_OK);
    assert_int_equal(cof_certs_new(&w.second, NULL), COF_OK);
    assert_int_equal(cof_certs_add(w.second, in_dir("b.crt"), NULL), COF_OK);
    scratch_os.pread = failing_pread;
    cof_os_set(&scratch_os);
    lost = -1;
    make_backup(&w);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;

    cof_certs_free(w->first);
    cof_certs_free(w->second);
    cof_signer_free(w->signer);
    cof_trust_free(w->trust);
    cof_keyring_free(w->keys);
    return scratch_tear_down(state);
}

static cof_status verify(const world *w, size_t *damaged)
{
    cof_open_options o = {.trust = w->trust};
    cof_reader *reader = NULL;
    cof_status st;

    o.path = in_dir("x.cof");
    *damaged = 0;
    if ((st = cof_reader_open(&reader, &o, NULL)) == COF_OK &&
        (st = cof_reader_verify(reader, COF_VERIFY_FULL, NULL)) == COF_OK)
        *damaged = cof_reader_info(reader)->damaged;
    cof_reader_free(reader);
    return st;
}

static cof_status rotate(const world *w)
{
    cof_rotate_options o = {
        .trust = w->trust, .keys = w->keys, .signer = w->signer, .add = w->second};
    cof_rotate_result result = {.changed = false};
    cof_status st;

    o.path = in_dir("x.cof");
    st = cof_rotate(&o, &result, NULL);
    cof_rotate_result_wipe(&result);
    return st;
}

/* Every block up to the body, padding included: reported, and renewed by the next rotation. */
static void any_block_of_the_head(void **state)
{
    world *w = *state;
    const off_t head = 8192 + 2 * 16384;
    size_t damaged;

    for (off_t at = 0; at < head; at += BLOCK) {
        lost = at;
        assert_int_equal(verify(w, &damaged), COF_OK);
        assert_true(damaged > 0);
        assert_int_equal(rotate(w), COF_OK);
        lost = -1;
        assert_int_equal(verify(w, &damaged), COF_OK);
        assert_int_equal(damaged, 0);
        make_backup(w);
    }
}

static void the_last_copy_of_the_tail(void **state)
{
    world *w = *state;
    size_t damaged;

    lost = w->size - 32;
    assert_int_equal(verify(w, &damaged), COF_OK);
    assert_int_equal(damaged, 1);
}

static cof_status count_bytes(void *ctx, const void *data, size_t len, cof_error *err)
{
    (void)data;
    (void)err;
    *(size_t *)ctx += len;
    return COF_OK;
}

static cof_status restore(const world *w, size_t *got)
{
    cof_open_options o = {.trust = w->trust, .keys = w->keys};
    cof_reader *reader = NULL;
    cof_status st;

    o.path = in_dir("x.cof");
    *got = 0;
    if ((st = cof_reader_open(&reader, &o, NULL)) == COF_OK)
        st = cof_reader_restore(reader, count_bytes, got, NULL);
    cof_reader_free(reader);
    return st;
}

/* IX-3: an index is a hint, also one that the disk does not give back. */
static void an_index(void **state)
{
    const off_t index = 8192 + 2 * 16384 + 32 + 2 * BLOCK + 16, len = 32 + 24 + 64;
    world *w = *state;
    size_t damaged, got;

    for (off_t at = 0; at < len; at += 8) {
        lost = index + at;
        lost_len = 8;
        assert_int_equal(verify(w, &damaged), COF_OK);
        assert_int_equal(damaged, 1);
        assert_int_equal(restore(w, &got), COF_OK);
        assert_int_equal(got, 2 * BLOCK);
    }
    lost = index - 1; /* a record, and not the index */
    assert_int_equal(verify(w, &damaged), COF_IO);
    assert_int_equal(restore(w, &got), COF_IO);
    lost_len = BLOCK;
}

/* TL-4: the manifest in the head serves where both copies of the tail cannot be read. */
static void both_copies_of_the_tail(void **state)
{
    world *w = *state;
    size_t damaged, got;

    lost = 8192 + 2 * 16384 + 32 + 2 * BLOCK + 16 + 32 + 24 + 64;
    lost_len = w->size;
    assert_int_equal(verify(w, &damaged), COF_OK);
    assert_true(damaged > 0);
    assert_int_equal(restore(w, &got), COF_OK);
    assert_int_equal(got, 2 * BLOCK);
    lost_len = BLOCK;
}

static void a_disk_that_gives_nothing_is_an_io_error(void **state)
{
    world *w = *state;
    size_t damaged;

    lost = -2;
    assert_int_equal(verify(w, &damaged), COF_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_block_of_the_head, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_copy_of_the_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_copies_of_the_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_gives_nothing_is_an_io_error, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
