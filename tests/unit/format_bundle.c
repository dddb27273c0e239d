/* SPDX-License-Identifier: Apache-2.0 */

/* The header of a bundle of heads: BU-1, BU-2. */

#include "format_test.h"

#include "format/bundle.h"
#include "wire/wire.h"

#define LEAST 40960 /* the smallest head */

static uint8_t raw[COF_BUNDLE_HEADER_SIZE];
static uint64_t size;

static void good(uint32_t count)
{
    size = COF_BUNDLE_HEADER_SIZE + (uint64_t)count * LEAST + COF_BUNDLE_DIGEST_SIZE;
    cof_bundle_header_emit(raw, &(cof_bundle_header){count, size});
}

static void what_is_written_is_read(void **state)
{
    static const uint32_t counts[] = {1, 2, 1000, COF_BUNDLE_HEADS_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        cof_bundle_header h = {0, 0};

        good(counts[i]);
        assert_true(cof_bundle_has_magic(raw));
        assert_ok(cof_bundle_header_parse(&h, raw, size, NULL));
        assert_int_equal(h.count, counts[i]);
        assert_int_equal(h.length, size);
    }
}

static void every_byte_counts(void **state)
{
    cof_bundle_header h;

    (void)state;
    for (size_t i = 0; i < sizeof(raw); i++) {
        good(1);
        raw[i] ^= 0x10;
        assert_int_not_equal(cof_bundle_header_parse(&h, raw, size, NULL), COF_OK);
        assert_int_equal(cof_bundle_has_magic(raw), i >= 8);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    cof_bundle_header h = {7, 7};
    cof_error err;

    (void)state;
    good(1);
    raw[0] ^= 1;
    assert_rule(cof_bundle_header_parse(&h, raw, size, &err), err, COF_FORMAT, "BU-1");
    good(1);
    cof_be16_store(raw + 8, 2);
    assert_rule(cof_bundle_header_parse(&h, raw, size, &err), err, COF_UNSUPPORTED, "BU-1");
    good(1);
    raw[63] = 1;
    assert_rule(cof_bundle_header_parse(&h, raw, size, &err), err, COF_FORMAT, "BU-1");
    good(1);
    cof_be32_store(raw + 12, 0);
    assert_rule(cof_bundle_header_parse(&h, raw, size, &err), err, COF_FORMAT, "BU-2");
    cof_be32_store(raw + 12, COF_BUNDLE_HEADS_MAX + 1);
    assert_rule(cof_bundle_header_parse(&h, raw, size, &err), err, COF_LIMIT, "BU-2");
    cof_be32_store(raw + 12, 2);
    assert_rule(cof_bundle_header_parse(&h, raw, size, &err), err, COF_FORMAT, "BU-2");
    good(1);
    assert_rule(cof_bundle_header_parse(&h, raw, size + 1, &err), err, COF_FORMAT, "BU-2");
    assert_rule(cof_bundle_header_parse(&h, raw, size - 1, &err), err, COF_FORMAT, "BU-2");
    for (uint64_t length = 0; length < 128; length++) {
        good(1);
        cof_be64_store(raw + 16, length);
        assert_rule(cof_bundle_header_parse(&h, raw, length, &err), err, COF_FORMAT, "BU-2");
    }
    assert_int_equal(h.count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
