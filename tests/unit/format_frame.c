/* SPDX-License-Identifier: Apache-2.0 */

/* Do frame headers keep FR-1 to FR-4, RC-2 to RC-4, and padding RC-6? */

#include "format_test.h"

#include "format/frame.h"
#include "format/index.h"
#include "format/pad.h"
#include "wire/wire.h"

static cof_frame sample(void)
{
    return (cof_frame){.kind = COF_FRAME_DATA,
                       .codec = 1,
                       .plain_len = 1000,
                       .stored_len = 500,
                       .record = 3,
                       .offset = 12345};
}

static cof_preamble signed_only(void)
{
    cof_preamble p = sample_preamble();

    p.protection = COF_PROTECTION_SIGNED_ONLY;
    p.cipher = COF_CIPHER_NONE;
    p.key_schedule = COF_KEY_SCHEDULE_NONE;
    return p;
}

static void frame_comes_back(void **state)
{
    (void)state;
    static const uint8_t expected[COF_FRAME_SIZE] = {0xC0, 0xFE, 1, 1, 0,    0, 0, 0, 0,    0,   3,
                                                     0xE8, 0,    0, 1, 0xF4, 0, 0, 0, 0,    0,   0,
                                                     0,    3,    0, 0, 0,    0, 0, 0, 0x30, 0x39};
    uint8_t raw[COF_FRAME_SIZE];
    cof_frame f = sample(), got;

    cof_frame_emit(raw, &f);
    assert_memory_equal(raw, expected, sizeof(raw));
    assert_ok(cof_frame_parse(&got, raw, NULL));
    assert_int_equal(got.plain_len, 1000);
    assert_int_equal(got.offset, 12345);
    assert_true(cof_frame_is_record(&got));
    f = cof_frame_other(COF_FRAME_TAIL, 77);
    cof_frame_emit(raw, &f);
    assert_ok(cof_frame_parse(&got, raw, NULL));
    assert_false(cof_frame_is_record(&got));
    assert_int_equal(got.stored_len, 77);
}

static void headers_are_refused_by_rule(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind;
        size_t at;
        uint8_t value;
        cof_status class;
        const char *rule;
    } cases[] = {
        {1, 0, 0xC1, COF_FORMAT, "FR-1"},      {1, 1, 0xFF, COF_FORMAT, "FR-1"},
        {1, 5, 1, COF_FORMAT, "FR-1"},         {0x80, 5, 1, COF_FORMAT, "FR-1"},
        {1, 4, 2, COF_FORMAT, "FR-1"},         {1, 4, 0x81, COF_FORMAT, "FR-1"},
        {4, 3, 1, COF_FORMAT, "FR-1"},         {4, 4, 1, COF_FORMAT, "FR-1"},
        {4, 7, 1, COF_FORMAT, "FR-1"},         {5, 11, 1, COF_FORMAT, "FR-1"},
        {6, 23, 1, COF_FORMAT, "FR-1"},        {6, 31, 1, COF_FORMAT, "FR-1"},
        {1, 2, 0, COF_UNSUPPORTED, "FR-2"},    {1, 2, 7, COF_UNSUPPORTED, "FR-2"},
        {1, 2, 0x7F, COF_UNSUPPORTED, "FR-2"}, {1, 3, 4, COF_UNSUPPORTED, "FR-2"},
        {2, 3, 0xFF, COF_UNSUPPORTED, "FR-2"}, {1, 2, 2, COF_FORMAT, "FR-1"},
        {2, 2, 1, COF_FORMAT, "FR-1"},         {2, 2, 3, COF_FORMAT, "FR-1"},
        {3, 7, 0, COF_FORMAT, "FR-1"},
    };
    uint8_t raw[COF_FRAME_SIZE];
    cof_error err;
    cof_frame got = {.record = 99};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_frame f = cases[i].kind <= 3 ? sample() : cof_frame_other(cases[i].kind, 16);
        f.kind = cases[i].kind;
        f.stream = f.kind == 2 ? 0xFFFE : f.kind == 3 ? 0xFFFF : 0;
        cof_frame_emit(raw, &f);
        assert_ok(cof_frame_parse(&got, raw, NULL));
        got.record = 99;
        raw[cases[i].at] = cases[i].value;
        assert_rule(cof_frame_parse(&got, raw, &err), err, cases[i].class, cases[i].rule);
        assert_int_equal(got.record, 99);
    }
}

/* A header that still parses is written back to the same bytes: nothing in it is unread. */
static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    uint8_t raw[COF_FRAME_SIZE], again[COF_FRAME_SIZE];
    cof_frame got;

    for (unsigned kind = 1; kind <= 0x80; kind = kind == 6 ? 0x80 : kind + 1) {
        cof_frame f = kind <= 3 ? sample() : cof_frame_other((uint8_t)kind, 16);
        f.kind = (uint8_t)kind;
        f.stream = kind == 2 ? 0xFFFE : kind == 3 ? 0xFFFF : 0;
        cof_frame_emit(raw, &f);
        for (size_t bit = 0; bit < sizeof(raw) * 8; bit++) {
            raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (cof_frame_parse(&got, raw, NULL) == COF_OK) {
                cof_frame_emit(again, &got);
                assert_memory_equal(raw, again, sizeof(raw));
            }
            raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

static void ancillary_frames_are_not_looked_at(void **state)
{
    (void)state;
    uint8_t raw[COF_FRAME_SIZE];
    cof_frame f = sample(), got;

    f.kind = 0xFF;
    f.codec = 200;
    f.flags = 0xFF;
    cof_frame_emit(raw, &f);
    assert_ok(cof_frame_parse(&got, raw, NULL));
    assert_ok(cof_frame_check_other(&got, NULL));
}

static void records_are_bounded(void **state)
{
    (void)state;
    cof_preamble p = sample_preamble();
    cof_error err;
    cof_frame f = sample();

    assert_ok(cof_frame_check_record(&f, &p, NULL));
    f.plain_len = 0;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "RC-2");
    f.plain_len = p.record_size + 1;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "RC-2");
    f = sample();
    f.offset = COF_STREAM_END_MAX - 1000;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "RC-2");
    f.offset--;
    assert_ok(cof_frame_check_record(&f, &p, NULL));
    f.offset = UINT64_MAX;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "RC-2");
    f = sample();
    f.record = COF_RECORDS_MAX;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_LIMIT, "GE-2");
    f = cof_frame_other(COF_FRAME_INDEX, 88);
    assert_int_equal(cof_frame_check_record(&f, &p, NULL), COF_INTERNAL);
}

static void lineage_needs_an_epoch(void **state)
{
    (void)state;
    cof_preamble p = sample_preamble();
    cof_frame f = sample();
    cof_error err;

    f.kind = COF_FRAME_LINEAGE;
    f.stream = COF_STREAM_LINEAGE;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "RC-4");
    p.epoch = 1;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "LI-3"); /* compressed */
    f.codec = 0;
    f.stored_len = f.plain_len + 16;
    assert_ok(cof_frame_check_record(&f, &p, NULL));
    f.flags = COF_FRAME_PADDED;
    assert_rule(cof_frame_check_record(&f, &p, &err), err, COF_FORMAT, "LI-3");
}

static void stored_lengths(void **state)
{
    (void)state;
    static const struct {
        bool sealed;
        uint8_t codec, flags;
        uint32_t plain, stored;
        bool good;
    } cases[] = {
        {true, 0, 0, 1000, 1016, true},     {true, 0, 0, 1000, 1015, false},
        {true, 0, 0, 1000, 1017, false},    {true, 0, 0, 1000, 1000, false},
        {true, 1, 0, 1000, 1015, true},     {true, 1, 0, 1000, 1016, false},
        {true, 1, 0, 1000, 17, true},       {true, 1, 0, 1000, 16, false},
        {true, 1, 0, 1, 16, false},         {true, 3, 0, 1000, 0, false},
        {true, 0, 1, 1000, 20, true},       {true, 0, 1, 1000, 19, false},
        {true, 1, 1, 1000, 4212, true},     {true, 1, 1, 1000, 4116, true},
        {true, 1, 1, 1000, 4194324, true},  {true, 1, 1, 1000, 4194325, false},
        {true, 1, 1, 1, UINT32_MAX, false}, {false, 0, 0, 1000, 1000, true},
        {false, 0, 0, 1000, 1016, false},   {false, 2, 0, 1000, 999, true},
        {false, 2, 0, 1000, 1000, false},   {false, 2, 0, 1000, 0, false},
        {false, 2, 0, 1000, 1, true},       {false, 0, 1, 1000, 1004, false},
        {false, 0, 1, 1000, 1000, false},
    };
    cof_preamble sealed = sample_preamble(), open = signed_only();
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const cof_preamble *p = cases[i].sealed ? &sealed : &open;
        cof_frame f = sample();
        f.codec = cases[i].codec;
        f.flags = cases[i].flags;
        f.plain_len = cases[i].plain;
        f.stored_len = cases[i].stored;
        if (cases[i].good) {
            assert_ok(cof_frame_check_record(&f, p, NULL));
            assert_true(f.stored_len <= cof_frame_stored_max(p));
        } else {
            assert_rule(cof_frame_check_record(&f, p, &err), err, COF_FORMAT, "RC-3");
        }
    }
}

static void other_frames_are_bounded(void **state)
{
    (void)state;
    static const uint32_t bad_index[] = {0, 24, 87, 89, 24 + 4097 * 64};
    cof_error err;
    cof_frame f;

    for (size_t i = 0; i < sizeof(bad_index) / sizeof(bad_index[0]); i++) {
        f = cof_frame_other(COF_FRAME_INDEX, bad_index[i]);
        assert_rule(cof_frame_check_other(&f, &err), err, COF_FORMAT, "IX-2");
    }
    f = cof_frame_other(COF_FRAME_INDEX, COF_INDEX_SIZE_MAX);
    assert_ok(cof_frame_check_other(&f, NULL));
    f = cof_frame_other(COF_FRAME_VOLUME_END, 15);
    assert_rule(cof_frame_check_other(&f, &err), err, COF_FORMAT, "VE-1");
    f.stored_len = 16;
    assert_ok(cof_frame_check_other(&f, NULL));
    f = cof_frame_other(COF_FRAME_TAIL, COF_TAIL_MAX);
    assert_ok(cof_frame_check_other(&f, NULL));
    f.stored_len++;
    assert_rule(cof_frame_check_other(&f, &err), err, COF_LIMIT, "GE-2");
    f = sample();
    assert_int_equal(cof_frame_check_other(&f, NULL), COF_INTERNAL);
}

static void volume_ends_are_written(void **state)
{
    (void)state;
    static const uint8_t expected[COF_VOLUME_END_SIZE] = {0, 0, 0, 3, 0, 0, 0,    0,
                                                          0, 0, 0, 0, 0, 0, 0x12, 0x67};
    uint8_t raw[COF_VOLUME_END_SIZE];

    cof_volume_end_emit(raw, 3, 4711);
    assert_memory_equal(raw, expected, sizeof(raw));
}

/* ---- padding -------------------------------------------------------------------------------- */

static void padding_comes_off(void **state)
{
    (void)state;
    uint8_t content[64];
    size_t data = 0;

    for (uint32_t pad = 0; pad <= 50; pad++) {
        size_t len = 10 + pad + 4;

        memset(content, 0xEE, sizeof(content));
        memset(content + 10, 0, pad);
        cof_be32_store(content + 10 + pad, pad);
        assert_ok(cof_pad_parse(&data, content, len, 4096, NULL));
        assert_int_equal(data, 10);
        for (size_t cut = 0; cut < len; cut++) /* never reads beyond, whatever it says */
            (void)!cof_pad_parse(&data, content, cut, 4096, NULL);
    }
}

static void padding_is_refused_by_rule(void **state)
{
    (void)state;
    static uint8_t content[4096 + 5];
    size_t len = 77;
    cof_error err;

    assert_rule(cof_pad_parse(&len, content, 3, 4096, &err), err, COF_FORMAT, "RC-6");
    assert_rule(cof_pad_parse(&len, content, 4096 + 5, 4096, &err), err, COF_FORMAT, "RC-6");
    cof_be32_store(content + 10, 11); /* longer than what is there */
    assert_rule(cof_pad_parse(&len, content, 14, 4096, &err), err, COF_FORMAT, "RC-6");
    cof_be32_store(content + 10, UINT32_MAX);
    assert_rule(cof_pad_parse(&len, content, 14, 4096, &err), err, COF_FORMAT, "RC-6");
    cof_be32_store(content + 10, 4);
    content[6] = 1;
    assert_rule(cof_pad_parse(&len, content, 14, 4096, &err), err, COF_FORMAT, "RC-6");
    assert_int_equal(len, 77);
    cof_be32_store(content + 10, 3);
    assert_ok(cof_pad_parse(&len, content, 14, 4096, NULL));
    assert_int_equal(len, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_comes_back),
        cmocka_unit_test(headers_are_refused_by_rule),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(ancillary_frames_are_not_looked_at),
        cmocka_unit_test(records_are_bounded),
        cmocka_unit_test(lineage_needs_an_epoch),
        cmocka_unit_test(stored_lengths),
        cmocka_unit_test(other_frames_are_bounded),
        cmocka_unit_test(volume_ends_are_written),
        cmocka_unit_test(padding_comes_off),
        cmocka_unit_test(padding_is_refused_by_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
