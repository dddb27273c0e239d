/* SPDX-License-Identifier: Apache-2.0 */

/* Does the preamble keep PR-1 to PR-5, and come back as it was written? */

#include "format_test.h"

#include "base/text.h"

static void preamble_comes_back(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    uint8_t raw[COF_PREAMBLE_SIZE], again[COF_PREAMBLE_SIZE];
    cof_preamble p = sample_preamble(), q;

    p.epoch = 7;
    memset(p.label, 'z', COF_LABEL_MAX);
    assert_ok(cof_preamble_emit(raw, &p, &err));
    assert_ok(cof_preamble_parse(&q, raw, &err));
    assert_int_equal(q.epoch, 7);
    assert_int_equal(q.record_size, p.record_size);
    assert_int_equal(q.created, p.created);
    assert_string_equal(q.label, p.label);
    assert_memory_equal(q.salt, p.salt, sizeof(p.salt));
    assert_ok(cof_preamble_emit(again, &q, &err));
    assert_memory_equal(raw, again, sizeof(raw));
}

static void preamble_has_the_documented_places(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    uint8_t raw[COF_PREAMBLE_SIZE];
    cof_preamble p = sample_preamble();
    static const uint8_t kinds[6] = {1, 1, 1, 1, 1, 3};

    p.epoch = 0x01020304;
    assert_ok(cof_preamble_emit(raw, &p, &err));
    assert_memory_equal(raw, p.uuid, 16);
    assert_memory_equal(raw + 16, "\x01\x02\x03\x04", 4);
    assert_memory_equal(raw + 20, "\x00\x40\x00\x00", 4);
    assert_memory_equal(raw + 32, kinds, sizeof(kinds));
    assert_memory_equal(raw + 48, p.salt, 32);
    assert_memory_equal(raw + 80, p.maker, 32);
    assert_memory_equal(raw + 112, "db1", 4);
}

static void signed_only_comes_back(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    uint8_t raw[COF_PREAMBLE_SIZE];
    cof_preamble p = sample_preamble(), q;

    p.protection = COF_PROTECTION_SIGNED_ONLY;
    p.cipher = COF_CIPHER_NONE;
    p.key_schedule = COF_KEY_SCHEDULE_NONE;
    p.content = COF_CONTENT_TREE;
    p.label[0] = '\0';
    assert_int_equal(cof_preamble_tag_len(&p), 0);
    assert_ok(cof_preamble_emit(raw, &p, &err));
    assert_ok(cof_preamble_parse(&q, raw, &err));
    assert_int_equal(q.content, COF_CONTENT_TREE);
    assert_string_equal(q.label, "");
}

/* One byte of a good preamble changed: what breaks, and how? */
static void readers_refuse_each_broken_rule(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        cof_status class;
        const char *rule;
    } cases[] = {
        {32, 5, COF_UNSUPPORTED, "PR-1"}, /* cipher */
        {33, 0, COF_UNSUPPORTED, "PR-1"}, /* tree hash */
        {33, 2, COF_UNSUPPORTED, "PR-1"}, /* tree hash */
        {34, 2, COF_UNSUPPORTED, "PR-1"}, /* key schedule */
        {35, 0, COF_UNSUPPORTED, "PR-1"}, /* content */
        {35, 3, COF_UNSUPPORTED, "PR-1"}, /* content */
        {36, 0, COF_UNSUPPORTED, "PR-1"}, /* protection */
        {36, 3, COF_UNSUPPORTED, "PR-1"}, /* protection */
        {43, 1, COF_UNSUPPORTED, "PR-1"}, /* body_incompat */
        {40, 0x80, COF_UNSUPPORTED, "PR-1"},
        {23, 1, COF_FORMAT, "PR-2"},     /* record size: no multiple */
        {20, 1, COF_FORMAT, "PR-2"},     /* record size: above 16 MiB */
        {21, 0, COF_FORMAT, "PR-2"},     /* record size: 0 */
        {27, 60, COF_FORMAT, "PR-2"},    /* created: after year 9999 */
        {32, 0, COF_FORMAT, "PR-3"},     /* sealed without a cipher */
        {34, 0, COF_FORMAT, "PR-3"},     /* sealed without a key schedule */
        {36, 2, COF_FORMAT, "PR-3"},     /* signed-only with both */
        {37, 65, COF_FORMAT, "PR-4"},    /* label too long */
        {112, '.', COF_FORMAT, "PR-4"},  /* label starts with a dot */
        {112, '-', COF_FORMAT, "PR-4"},  /* label starts with a dash */
        {113, '/', COF_FORMAT, "PR-4"},  /* label with a slash */
        {113, 0xC3, COF_FORMAT, "PR-4"}, /* label with another byte */
        {113, 0, COF_FORMAT, "PR-4"},    /* label with a NUL */
        {37, 4, COF_FORMAT, "PR-4"},     /* label length covers a NUL */
        {37, 2, COF_FORMAT, "PR-5"},     /* a byte behind the label */
        {38, 1, COF_FORMAT, "PR-5"},
        {39, 1, COF_FORMAT, "PR-5"},
        {44, 1, COF_FORMAT, "PR-5"},
        {47, 1, COF_FORMAT, "PR-5"},
        {175, 1, COF_FORMAT, "PR-5"},
        {176, 1, COF_FORMAT, "PR-5"},
        {511, 0x80, COF_FORMAT, "PR-5"},
    };
    uint8_t good[COF_PREAMBLE_SIZE], raw[COF_PREAMBLE_SIZE];
    cof_error err;
    cof_preamble p = sample_preamble(), q;

    assert_ok(cof_preamble_emit(good, &p, NULL));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memcpy(raw, good, sizeof(raw));
        raw[cases[i].at] = cases[i].value;
        memset(&q, 0x5A, sizeof(q));
        assert_rule(cof_preamble_parse(&q, raw, &err), err, cases[i].class, cases[i].rule);
        assert_int_equal(q.epoch, 0x5A5A5A5A); /* untouched */
    }
}

static void writers_refuse_what_readers_would(void **state)
{
    (void)state;
    uint8_t raw[COF_PREAMBLE_SIZE];
    cof_error err;
    cof_preamble p = sample_preamble();

    p.tree_hash = 9;
    assert_rule(cof_preamble_emit(raw, &p, &err), err, COF_USAGE, "PR-1");
    p = sample_preamble();
    p.record_size = 4097;
    assert_rule(cof_preamble_emit(raw, &p, &err), err, COF_USAGE, "PR-2");
    p = sample_preamble();
    p.created = COF_TIME_MAX + 1;
    assert_rule(cof_preamble_emit(raw, &p, &err), err, COF_USAGE, "PR-2");
    p = sample_preamble();
    p.cipher = COF_CIPHER_NONE;
    assert_rule(cof_preamble_emit(raw, &p, &err), err, COF_USAGE, "PR-3");
    p = sample_preamble();
    memset(p.label, 'a', sizeof(p.label)); /* no NUL anywhere */
    assert_rule(cof_preamble_emit(raw, &p, &err), err, COF_USAGE, "PR-4");
}

/* No flipped bit gives the same core, and what parses is written back as it was. */
static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    uint8_t raw[COF_PREAMBLE_SIZE], again[COF_PREAMBLE_SIZE];
    uint8_t core[COF_SHA256_SIZE], other[COF_SHA256_SIZE];
    cof_preamble p = sample_preamble(), q;

    assert_ok(cof_preamble_emit(raw, &p, NULL));
    assert_ok(cof_preamble_core(core, raw, NULL));
    for (size_t bit = 0; bit < sizeof(raw) * 8; bit++) {
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_ok(cof_preamble_core(other, raw, NULL));
        assert_memory_not_equal(core, other, sizeof(core));
        if (cof_preamble_parse(&q, raw, NULL) == COF_OK) {
            assert_ok(cof_preamble_emit(again, &q, NULL));
            assert_memory_equal(raw, again, sizeof(raw));
        }
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void labels(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "_", "A.b-c_9"};
    static const char *const bad[] = {".", "-a", ".hidden", "a b", "a/b", "\xC3\xA4", "a\n"};
    char longest[66];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(cof_label_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cof_label_valid(bad[i], strlen(bad[i])));
    memset(longest, 'x', sizeof(longest));
    assert_true(cof_label_valid(longest, 64));
    assert_false(cof_label_valid(longest, 65));
    assert_false(cof_label_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preamble_comes_back),
        cmocka_unit_test(preamble_has_the_documented_places),
        cmocka_unit_test(signed_only_comes_back),
        cmocka_unit_test(readers_refuse_each_broken_rule),
        cmocka_unit_test(writers_refuse_what_readers_would),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
