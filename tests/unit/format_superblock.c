/* SPDX-License-Identifier: Apache-2.0 */

/* Is the right superblock chosen, and every wrong one refused? */

#include "format_test.h"

#include "format/superblock.h"

typedef uint8_t block[COF_SUPERBLOCK_SIZE];

static cof_superblock sample(void)
{
    cof_superblock sb = {
        .role = COF_VOLUME_WHOLE,
        .active_slot = 1,
        .compat = 0x80000000,
        .volume = 1,
        .slot_size = COF_SLOT_SIZE_MIN,
        .sequence = 5,
        .envelope_len = 1234,
    };
    cof_preamble p = sample_preamble();

    fill(sb.envelope_sha256, sizeof(sb.envelope_sha256), 4);
    assert_ok(cof_preamble_emit(sb.preamble, &p, NULL));
    return sb;
}

static cof_superblock sample_later(void)
{
    cof_superblock sb = sample();

    sb.role = COF_VOLUME_LATER;
    sb.active_slot = 0;
    sb.volume = 2;
    sb.slot_size = 0;
    sb.envelope_len = 0;
    memset(sb.envelope_sha256, 0, sizeof(sb.envelope_sha256));
    return sb;
}

static void emit(block out, const cof_superblock *sb)
{
    assert_ok(cof_superblock_emit(out, sb, NULL));
}

/* Give a block that was tampered with its right hash again. */
static void rehash(block raw)
{
    assert_ok(cof_sha256(raw + 4064, raw, 4064, NULL));
}

static void superblock_comes_back(void **state)
{
    (void)state;
    cof_superblock sb = sample(), got;
    cof_superblock_state s;
    block a, again;

    emit(a, &sb);
    assert_memory_equal(a,
                        "\x89"
                        "COFFER\n",
                        8);
    assert_ok(cof_superblock_choose(&got, &s, a, a, NULL));
    assert_true(s.both_valid);
    assert_false(s.copies_differ);
    assert_int_equal(got.active_slot, 1);
    assert_int_equal(got.compat, 0x80000000);
    assert_int_equal(got.sequence, 5);
    assert_int_equal(got.envelope_len, 1234);
    emit(again, &got);
    assert_memory_equal(a, again, sizeof(a));

    sb = sample_later();
    emit(a, &sb);
    assert_ok(cof_superblock_choose(&got, NULL, a, a, NULL));
    assert_int_equal(got.role, COF_VOLUME_LATER);
    assert_int_equal(got.volume, 2);
}

static void the_higher_sequence_is_used(void **state)
{
    (void)state;
    cof_superblock sb = sample(), got;
    cof_superblock_state s;
    block older, newer;

    emit(older, &sb);
    sb.sequence = 6;
    sb.active_slot = 0;
    sb.envelope_len = 99;
    sb.envelope_sha256[0] ^= 1;
    emit(newer, &sb);
    assert_ok(cof_superblock_choose(&got, &s, older, newer, NULL));
    assert_int_equal(got.envelope_len, 99);
    assert_int_equal(s.chosen, 1);
    assert_true(s.both_valid);
    assert_true(s.copies_differ);
    assert_ok(cof_superblock_choose(&got, &s, newer, older, NULL));
    assert_int_equal(got.envelope_len, 99);
    assert_int_equal(s.chosen, 0);

    newer[100] = 1; /* torn: the old one counts */
    assert_ok(cof_superblock_choose(&got, &s, newer, older, NULL));
    assert_int_equal(got.envelope_len, 1234);
    assert_int_equal(s.chosen, 1);
    assert_false(s.both_valid);
    assert_true(s.copies_differ);
    assert_ok(cof_superblock_choose(&got, &s, NULL, older, NULL));
    assert_int_equal(s.chosen, 1);
    assert_false(s.both_valid);
}

static void no_valid_copy_is_refused(void **state)
{
    (void)state;
    cof_superblock sb = sample(), got;
    cof_error err;
    block a;

    emit(a, &sb);
    a[0] = 0;
    rehash(a);
    assert_rule(cof_superblock_choose(&got, NULL, a, a, &err), err, COF_FORMAT, "SB-1");
    memset(a, 0, sizeof(a));
    assert_rule(cof_superblock_choose(&got, NULL, a, a, &err), err, COF_FORMAT, "SB-1");
    assert_rule(cof_superblock_choose(&got, NULL, NULL, NULL, &err), err, COF_FORMAT, "SB-1");
}

static void equal_sequence_with_other_bytes_is_refused(void **state)
{
    (void)state;
    cof_superblock sb = sample(), got;
    cof_error err;
    block a, b;

    emit(a, &sb);
    sb.envelope_len++;
    emit(b, &sb);
    assert_rule(cof_superblock_choose(&got, NULL, a, b, &err), err, COF_FORMAT, "SB-2");
}

/* One field of the used copy changed; the hash is right. */
static void readers_refuse_each_broken_field(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        bool later;
        cof_status class;
        const char *rule;
    } cases[] = {
        {9, 2, false, COF_UNSUPPORTED, "SB-3"},     /* version */
        {8, 1, false, COF_UNSUPPORTED, "SB-3"},     /* version */
        {10, 3, false, COF_UNSUPPORTED, "SB-3"},    /* role: journal */
        {10, 4, false, COF_UNSUPPORTED, "SB-3"},    /* role: unknown */
        {15, 1, false, COF_UNSUPPORTED, "SB-3"},    /* incompat */
        {12, 0x80, false, COF_UNSUPPORTED, "SB-3"}, /* incompat */
        {11, 2, false, COF_FORMAT, "SB-5"},         /* active slot */
        {23, 0, false, COF_FORMAT, "SB-5"},         /* volume number */
        {23, 2, false, COF_FORMAT, "SB-5"},         /* volume number */
        {31, 1, false, COF_FORMAT, "SB-5"},         /* S no multiple */
        {30, 0x30, false, COF_FORMAT, "SB-5"},      /* S too small */
        {28, 2, false, COF_FORMAT, "SB-5"},         /* S too large */
        {46, 0x41, false, COF_FORMAT, "SB-5"},      /* envelope longer than S */
        {40, 1, false, COF_FORMAT, "SB-5"},         /* envelope much longer */
        {80, 1, false, COF_FORMAT, "SB-5"},         /* journal pointer */
        {95, 1, false, COF_FORMAT, "SB-5"},         /* journal pointer */
        {96, 1, false, COF_FORMAT, "SB-5"},         /* zeros */
        {511, 1, false, COF_FORMAT, "SB-5"},        /* zeros */
        {1024, 1, false, COF_FORMAT, "SB-5"},       /* zeros */
        {4063, 1, false, COF_FORMAT, "SB-5"},       /* zeros */
        {11, 1, true, COF_FORMAT, "SB-5"},          /* later: active slot */
        {23, 1, true, COF_FORMAT, "SB-5"},          /* later: volume 1 */
        {21, 1, true, COF_FORMAT, "SB-5"},          /* later: volume 65,538 */
        {30, 0x40, true, COF_FORMAT, "SB-5"},       /* later: S */
        {47, 16, true, COF_FORMAT, "SB-5"},         /* later: envelope length */
        {48, 1, true, COF_FORMAT, "SB-5"},          /* later: envelope hash */
        {10, 0, true, COF_FORMAT, "SB-5"},          /* later, called whole */
        {10, 2, false, COF_FORMAT, "SB-5"},         /* whole, called later */
    };
    cof_superblock whole = sample(), later = sample_later(), got;
    cof_error err;
    block raw;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        emit(raw, cases[i].later ? &later : &whole);
        raw[cases[i].at] = cases[i].value;
        rehash(raw);
        got.volume = 77;
        assert_rule(cof_superblock_choose(&got, NULL, raw, raw, &err), err, cases[i].class,
                    cases[i].rule);
        assert_int_equal(got.volume, 77); /* untouched */
    }
}

static void a_tiny_envelope_is_refused(void **state)
{
    (void)state;
    cof_superblock sb = sample();
    cof_error err;
    block raw;

    sb.envelope_len = 15;
    assert_rule(cof_superblock_emit(raw, &sb, &err), err, COF_USAGE, "SB-5");
    sb = sample();
    sb.incompat = 1;
    assert_rule(cof_superblock_emit(raw, &sb, &err), err, COF_USAGE, "SB-3");
}

/* The older copy, valid, differs where it must not. */
static void copies_must_agree(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *rule;
    } cases[] = {
        {10, 1, "SB-4"}, {23, 2, "SB-4"}, {30, 0x50, "SB-4"}, {512, 0, "SB-4"},  {1023, 1, "SB-4"},
        {80, 1, "SB-5"}, {96, 1, "SB-5"}, {511, 1, "SB-5"},   {1024, 1, "SB-5"}, {4063, 1, "SB-5"},
    };
    cof_superblock sb = sample(), got;
    cof_error err;
    block older, newer;

    sb.sequence = 6;
    emit(newer, &sb);
    sb.sequence = 5;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        emit(older, &sb);
        older[cases[i].at] = cases[i].value;
        rehash(older);
        assert_rule(cof_superblock_choose(&got, NULL, older, newer, &err), err, COF_FORMAT,
                    cases[i].rule);
        assert_rule(cof_superblock_choose(&got, NULL, newer, older, &err), err, COF_FORMAT,
                    cases[i].rule);
    }
}

/* A flipped bit makes a copy invalid, wherever it is; with both flipped nothing is left. */
static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    cof_superblock sb = sample(), got;
    cof_superblock_state s;
    block good, bad;
    bool valid = true;

    emit(good, &sb);
    emit(bad, &sb);
    for (size_t bit = 0; bit < sizeof(good) * 8; bit++) {
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_ok(cof_superblock_valid_copy(&valid, bad, NULL));
        assert_false(valid);
        if (bit % 64 == 0) {
            assert_int_equal(cof_superblock_choose(&got, NULL, bad, bad, NULL), COF_FORMAT);
            assert_ok(cof_superblock_choose(&got, &s, bad, good, NULL));
            assert_int_equal(s.chosen, 1);
        }
        bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_ok(cof_superblock_valid_copy(&valid, bad, NULL));
    assert_true(valid);
}

static void places_in_a_head(void **state)
{
    (void)state;
    assert_int_equal(cof_head_len(0), 8192);
    assert_int_equal(cof_head_len(16384), 8192 + 32768);
    assert_int_equal(cof_head_superblock_offset(0), 0);
    assert_int_equal(cof_head_superblock_offset(1), 4096);
    assert_int_equal(cof_head_slot_offset(16384, 0), 8192);
    assert_int_equal(cof_head_slot_offset(16384, 1), 8192 + 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(superblock_comes_back),
        cmocka_unit_test(the_higher_sequence_is_used),
        cmocka_unit_test(no_valid_copy_is_refused),
        cmocka_unit_test(equal_sequence_with_other_bytes_is_refused),
        cmocka_unit_test(readers_refuse_each_broken_field),
        cmocka_unit_test(a_tiny_envelope_is_refused),
        cmocka_unit_test(copies_must_agree),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(places_in_a_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
