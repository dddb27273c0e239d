/* SPDX-License-Identifier: Apache-2.0 */

/* Does wire keep its contracts? */

#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct sample {
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;
    uint8_t bytes[3];
} sample;

static const sample model = {0x01, 0x0203, 0x04050607, UINT64_C(0x08090A0B0C0D0E0F), "xyz"};
static const uint8_t image[] = {1,  2,  3,  4,   5,   6,   7, 8, 9, 10, 11,  12,
                                13, 14, 15, 'x', 'y', 'z', 0, 0, 0, 0,  'E', 'N'};

static cof_status put_sample(cof_put *w, const sample *s)
{
    cof_status st;
    if ((st = cof_put_u8(w, s->a)) != COF_OK || (st = cof_put_u16(w, s->b)) != COF_OK ||
        (st = cof_put_u32(w, s->c)) != COF_OK || (st = cof_put_u64(w, s->d)) != COF_OK ||
        (st = cof_put_bytes(w, s->bytes, sizeof s->bytes)) != COF_OK ||
        (st = cof_put_zeros_until(w, 22)) != COF_OK ||
        (st = cof_put_slice(w, (cof_slice){(const uint8_t *)"EN", 2})) != COF_OK)
        return st;
    return COF_OK;
}

static cof_status get_sample(cof_get *g, sample *s)
{
    cof_status st;
    if ((st = cof_get_u8(g, &s->a)) != COF_OK || (st = cof_get_u16(g, &s->b)) != COF_OK ||
        (st = cof_get_u32(g, &s->c)) != COF_OK || (st = cof_get_u64(g, &s->d)) != COF_OK ||
        (st = cof_get_bytes(g, s->bytes, sizeof s->bytes)) != COF_OK ||
        (st = cof_get_skip_zeros(g, 4)) != COF_OK || (st = cof_get_expect(g, "EN", 2)) != COF_OK)
        return st;
    return cof_get_done(g);
}

static void puts_are_big_endian(void **state)
{
    (void)state;
    uint8_t fixed[sizeof image];
    cof_put w;
    cof_put_init(&w, fixed, sizeof fixed);
    assert_int_equal(put_sample(&w, &model), COF_OK);
    assert_memory_equal(fixed, image, sizeof image);
    assert_int_equal(w.at, sizeof image);

    cof_buf buf = COF_BUF_INIT;
    assert_int_equal(cof_buf_append(&buf, "before", 6, NULL), COF_OK);
    cof_put_init_buf(&w, &buf);
    assert_int_equal(put_sample(&w, &model), COF_OK);
    assert_int_equal(buf.len, 6 + sizeof image);
    assert_memory_equal(buf.data + 6, image, sizeof image);
    cof_buf_free(&buf);
}

static void puts_stay_inside(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < sizeof image; cap++) {
        uint8_t fixed[sizeof image + 1];
        memset(fixed, 0xEE, sizeof fixed);
        cof_put w;
        cof_put_init(&w, fixed, cap);
        assert_int_equal(put_sample(&w, &model), COF_LIMIT);
        assert_memory_equal(fixed, image, w.at);
        for (size_t i = w.at; i < sizeof fixed; i++)
            assert_int_equal(fixed[i], 0xEE);
    }
    uint8_t large[sizeof image + 1];
    cof_put w;
    cof_put_init(&w, large, sizeof large);
    assert_int_equal(put_sample(&w, &model), COF_OK);
    assert_int_equal(w.left, 1);
    assert_int_equal(cof_put_zeros_until(&w, 3), COF_LIMIT);
}

static void gets_read_what_was_put(void **state)
{
    (void)state;
    sample s = {0};
    cof_get g;
    cof_get_init(&g, image, sizeof image);
    assert_int_equal(get_sample(&g, &s), COF_OK);
    assert_int_equal(g.at, sizeof image);
    assert_true(s.a == model.a && s.b == model.b && s.c == model.c && s.d == model.d);
    assert_memory_equal(s.bytes, "xyz", 3);
}

static void every_cut_and_addition_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len <= sizeof image + 1; len++) {
        if (len == sizeof image)
            continue;
        uint8_t *copy = calloc(1, len + 1); /* as small as can be, for the sanitizers */
        assert_non_null(copy);
        uint8_t *exact = realloc(copy, len > 0 ? len : 1);
        assert_non_null(exact);
        memcpy(exact, image, len < sizeof image ? len : sizeof image);
        sample s;
        cof_get g;
        cof_get_init(&g, exact, len);
        assert_int_equal(get_sample(&g, &s), COF_FORMAT);
        free(exact);
    }
}

static void failed_gets_change_nothing(void **state)
{
    (void)state;
    const uint8_t one[] = {9};
    cof_get g;
    uint16_t b = 7;
    uint32_t c = 7;
    uint64_t d = 7;
    cof_slice s = {one, 1};
    uint8_t bytes[2] = {7, 7};
    cof_get_init(&g, one, 1);
    assert_int_equal(cof_get_u16(&g, &b), COF_FORMAT);
    assert_int_equal(cof_get_u32(&g, &c), COF_FORMAT);
    assert_int_equal(cof_get_u64(&g, &d), COF_FORMAT);
    assert_int_equal(cof_get_slice(&g, &s, SIZE_MAX), COF_FORMAT);
    assert_int_equal(cof_get_bytes(&g, bytes, 2), COF_FORMAT);
    assert_int_equal(cof_get_expect(&g, "x", 1), COF_FORMAT);
    assert_int_equal(cof_get_skip_zeros(&g, 1), COF_FORMAT);
    assert_int_equal(cof_get_skip_zeros(&g, 2), COF_FORMAT);
    assert_int_equal(cof_get_skip(&g, 2), COF_FORMAT);
    assert_int_equal(cof_get_done(&g), COF_FORMAT);
    assert_true(b == 7 && c == 7 && d == 7 && s.len == 1 && bytes[0] == 7);
    assert_true(g.p == one && g.left == 1 && g.at == 0);
}

static void empty_is_fine(void **state)
{
    (void)state;
    cof_get g;
    cof_slice s;
    cof_get_init_slice(&g, (cof_slice)COF_SLICE_INIT);
    assert_int_equal(cof_get_slice(&g, &s, 0), COF_OK);
    assert_int_equal(cof_get_skip_zeros(&g, 0), COF_OK);
    assert_int_equal(cof_get_bytes(&g, NULL, 0), COF_OK);
    assert_int_equal(cof_get_done(&g), COF_OK);
    cof_put w;
    cof_put_init(&w, NULL, 0);
    assert_int_equal(cof_put_bytes(&w, NULL, 0), COF_OK);
    assert_int_equal(cof_put_zeros(&w, 0), COF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_are_big_endian),
        cmocka_unit_test(puts_stay_inside),
        cmocka_unit_test(gets_read_what_was_put),
        cmocka_unit_test(every_cut_and_addition_is_refused),
        cmocka_unit_test(failed_gets_change_nothing),
        cmocka_unit_test(empty_is_fine),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
