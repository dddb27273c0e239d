/* SPDX-License-Identifier: Apache-2.0 */

/* Does the envelope keep EN-1 to EN-4, and come back as it was written? */

#include "format_test.h"

#include "format/envelope.h"
#include "wire/wire.h"

#include <stdlib.h>

static void add(cof_slices *list, const char *text)
{
    assert_ok(cof_slices_add(list, slice_of(text), NULL));
}

static cof_envelope sample(void)
{
    cof_envelope env = COF_ENVELOPE_INIT;

    env.keys = slice_of("keys");
    env.custody = slice_of("custody");
    add(&env.history, "one");
    add(&env.history, "two");
    add(&env.recipients, "alice");
    add(&env.signers, "maker");
    env.manifest = slice_of("manifest");
    return env;
}

static void envelope_comes_back(void **state)
{
    (void)state;
    cof_envelope env = sample(), got;
    cof_buf raw = COF_BUF_INIT, again = COF_BUF_INIT;
    uint64_t len = 0;

    assert_ok(cof_envelope_emit(&raw, &env, COF_PROTECTION_SEALED, NULL));
    assert_ok(cof_envelope_peek_len(&len, raw.data, COF_SLOT_SIZE_MIN, NULL));
    assert_int_equal(len, raw.len);
    assert_memory_equal(raw.data + 16, "\x00\x01\x80\x00\x00\x00\x00\x04keys", 12);
    assert_ok(cof_envelope_parse(&got, cof_buf_slice(&raw), COF_PROTECTION_SEALED, NULL));
    assert_int_equal(got.history.count, 2);
    assert_true(cof_slice_equal(got.history.items[1], slice_of("two")));
    assert_true(cof_slice_equal(got.manifest, env.manifest));
    assert_ok(cof_envelope_emit(&again, &got, COF_PROTECTION_SEALED, NULL));
    assert_true(cof_slice_equal(cof_buf_slice(&raw), cof_buf_slice(&again)));
    cof_envelope_wipe(&got);
    cof_envelope_wipe(&env);
    cof_buf_free(&raw);
    cof_buf_free(&again);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    cof_envelope env = sample(), got;
    cof_buf raw = COF_BUF_INIT;
    cof_error err;

    assert_ok(cof_envelope_emit(&raw, &env, COF_PROTECTION_SEALED, NULL));
    for (size_t len = 0; len < raw.len; len++) {
        uint8_t *cut = malloc(len + 1); /* so that a sanitizer sees the end */
        assert_non_null(cut);
        uint8_t *exact = realloc(cut, len == 0 ? 1 : len);
        assert_non_null(exact);
        memcpy(exact, raw.data, len);
        assert_rule(cof_envelope_parse(&got, (cof_slice){exact, len}, COF_PROTECTION_SEALED, &err),
                    err, COF_FORMAT, "EN-1");
        if (len >= 16) { /* and with a total length that says so */
            cof_be64_store(exact + 8, len);
            cof_status st =
                cof_envelope_parse(&got, (cof_slice){exact, len}, COF_PROTECTION_SEALED, &err);
            if (st == COF_OK) /* cut before the optional MANIFEST */
                assert_int_equal(got.manifest.len, 0);
            else
                assert_int_equal(st, COF_FORMAT);
            cof_envelope_wipe(&got);
        }
        free(exact);
    }
    assert_ok(cof_buf_append_zeros(&raw, 1, NULL));
    assert_rule(cof_envelope_parse(&got, cof_buf_slice(&raw), COF_PROTECTION_SEALED, &err), err,
                COF_FORMAT, "EN-1");
    cof_envelope_wipe(&env);
    cof_buf_free(&raw);
}

/* A hand-made envelope of one-byte items: "type flags" pairs. */
typedef struct item {
    uint16_t type;
    uint16_t flags;
    uint32_t len;
} item;

#define CRITICAL 0x8000
#define ITEM(t)                                                                                    \
    {                                                                                              \
        (t), CRITICAL, 1                                                                           \
    }
#define END                                                                                        \
    {                                                                                              \
        0, 0, 0                                                                                    \
    }

static void build(cof_buf *out, const item *items)
{
    cof_put w;

    out->len = 0;
    cof_put_init_buf(&w, out);
    assert_ok(cof_put_bytes(&w, "COFENV1\n", 8));
    assert_ok(cof_put_u64(&w, 0));
    for (; items->type != 0 || items->flags != 0 || items->len != 0; items++) {
        assert_ok(cof_put_u16(&w, items->type));
        assert_ok(cof_put_u16(&w, items->flags));
        assert_ok(cof_put_u32(&w, items->len));
        assert_ok(cof_put_zeros(&w, items->len));
    }
    cof_be64_store(out->data + 8, out->len);
}

static void readers_refuse_each_broken_rule(void **state)
{
    (void)state;
    static const struct {
        item items[8];
        bool signed_only;
        cof_status class;
        const char *rule;
    } cases[] = {
        {{ITEM(1), ITEM(2), ITEM(4), {5, CRITICAL, 0}, END}, false, COF_FORMAT, "EN-1"},
        {{ITEM(2), ITEM(1), ITEM(4), ITEM(5), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(1), ITEM(2), ITEM(4), ITEM(5), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(2), ITEM(2), ITEM(4), ITEM(5), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(2), ITEM(4), ITEM(5), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(4), ITEM(5), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(2), ITEM(5), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(2), ITEM(4), END}, false, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(2), ITEM(4), ITEM(5), ITEM(6), ITEM(6), END}, false, COF_FORMAT, "EN-2"},
        {{END}, false, COF_FORMAT, "EN-2"},
        {{END}, true, COF_FORMAT, "EN-2"},
        {{ITEM(1), ITEM(5), END}, true, COF_FORMAT, "EN-2"},
        {{ITEM(2), ITEM(5), END}, true, COF_FORMAT, "EN-2"},
        {{ITEM(3), ITEM(5), END}, true, COF_FORMAT, "EN-2"},
        {{ITEM(4), ITEM(5), END}, true, COF_FORMAT, "EN-2"},
        {{ITEM(5), ITEM(7), END}, true, COF_UNSUPPORTED, "EN-4"},
        {{{0, CRITICAL, 1}, ITEM(5), END}, true, COF_UNSUPPORTED, "EN-4"},
        {{{5, 0, 1}, END}, true, COF_FORMAT, "EN-3"},
        {{{5, CRITICAL | 1, 1}, END}, true, COF_FORMAT, "EN-3"},
        {{ITEM(5), {9, 1, 1}, END}, true, COF_FORMAT, "EN-3"},
        {{ITEM(5), {9, CRITICAL | 2, 1}, END}, true, COF_FORMAT, "EN-3"},
        {{{1, CRITICAL, 262145}, ITEM(2), ITEM(4), ITEM(5), END}, false, COF_LIMIT, "GE-2"},
        {{ITEM(1), {2, CRITICAL, 1048577}, END}, false, COF_LIMIT, "GE-2"},
        {{ITEM(1), ITEM(2), {3, CRITICAL, 1048577}, END}, false, COF_LIMIT, "GE-2"},
        {{ITEM(1), ITEM(2), {4, CRITICAL, 65537}, END}, false, COF_LIMIT, "GE-2"},
        {{{5, CRITICAL, 65537}, END}, true, COF_LIMIT, "GE-2"},
        {{ITEM(5), {6, CRITICAL, 1048577}, END}, true, COF_LIMIT, "GE-2"},
    };
    cof_buf raw = COF_BUF_INIT;
    cof_envelope got;
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        build(&raw, cases[i].items);
        assert_rule(cof_envelope_parse(&got, cof_buf_slice(&raw),
                                       cases[i].signed_only ? COF_PROTECTION_SIGNED_ONLY
                                                            : COF_PROTECTION_SEALED,
                                       &err),
                    err, cases[i].class, cases[i].rule);
        assert_null(got.signers.items);
    }
    cof_buf_free(&raw);
}

static void unknown_items_are_skipped(void **state)
{
    (void)state;
    static const item items[] = {ITEM(5), ITEM(5), ITEM(6), {7, 0, 3}, {7, 0, 1}, {9, 0, 1}, END};
    cof_buf raw = COF_BUF_INIT;
    cof_envelope got;

    build(&raw, items);
    assert_ok(cof_envelope_parse(&got, cof_buf_slice(&raw), COF_PROTECTION_SIGNED_ONLY, NULL));
    assert_int_equal(got.signers.count, 2);
    raw.len = 0;
    assert_ok(cof_envelope_emit(&raw, &got, COF_PROTECTION_SIGNED_ONLY, NULL));
    assert_int_equal(raw.len, 16 + 3 * 9); /* not carried on */
    cof_envelope_wipe(&got);
    cof_buf_free(&raw);
}

static void too_many(unsigned type, size_t max, cof_status class, const char *rule)
{
    item *items = calloc(max + 8, sizeof(*items));
    cof_buf raw = COF_BUF_INIT;
    cof_envelope got;
    cof_error err;
    size_t n = 0;

    assert_non_null(items);
    for (unsigned t = 1; t <= 5; t++) {
        if (t == 3 && type != 3)
            continue;
        for (size_t i = 0; i < (t == type ? max : 1); i++)
            items[n++] = (item){(uint16_t)t, CRITICAL, 1};
    }
    build(&raw, items);
    assert_ok(cof_envelope_parse(&got, cof_buf_slice(&raw), COF_PROTECTION_SEALED, NULL));
    cof_envelope_wipe(&got);
    n = 0;
    for (unsigned t = 1; t <= 5; t++) {
        if (t == 3 && type != 3)
            continue;
        for (size_t i = 0; i < (t == type ? max + 1 : 1); i++)
            items[n++] = (item){(uint16_t)t, CRITICAL, 1};
    }
    items[n] = (item)END;
    build(&raw, items);
    assert_rule(cof_envelope_parse(&got, cof_buf_slice(&raw), COF_PROTECTION_SEALED, &err), err,
                class, rule);
    cof_buf_free(&raw);
    free(items);
}

static void numbers_of_items_are_bounded(void **state)
{
    (void)state;
    too_many(3, 4096, COF_LIMIT, "GE-2");
    too_many(4, 256, COF_LIMIT, "GE-2");
    too_many(5, 64, COF_FORMAT, "EN-2");
}

static void headers_are_checked(void **state)
{
    (void)state;
    uint8_t header[16] = "COFENV1\n";
    cof_error err;
    uint64_t len = 77;

    cof_be64_store(header + 8, 15);
    assert_rule(cof_envelope_peek_len(&len, header, 16384, &err), err, COF_FORMAT, "EN-1");
    cof_be64_store(header + 8, 16385);
    assert_rule(cof_envelope_peek_len(&len, header, 16384, &err), err, COF_FORMAT, "EN-1");
    cof_be64_store(header + 8, UINT64_MAX);
    assert_rule(cof_envelope_peek_len(&len, header, 16384, &err), err, COF_FORMAT, "EN-1");
    assert_int_equal(len, 77);
    cof_be64_store(header + 8, 16384);
    assert_ok(cof_envelope_peek_len(&len, header, 16384, &err));
    assert_int_equal(len, 16384);
    header[0] = 'c';
    assert_rule(cof_envelope_peek_len(&len, header, 16384, &err), err, COF_FORMAT, "EN-1");
}

static void writers_refuse_what_readers_would(void **state)
{
    (void)state;
    static uint8_t large[COF_KEYS_ITEM_MAX + 1];
    cof_envelope env = sample();
    cof_buf raw = COF_BUF_INIT;
    cof_error err;

    assert_rule(cof_envelope_emit(&raw, &env, COF_PROTECTION_SIGNED_ONLY, &err), err, COF_USAGE,
                "EN-2");
    env.keys.len = 0;
    assert_rule(cof_envelope_emit(&raw, &env, COF_PROTECTION_SEALED, &err), err, COF_USAGE, "EN-2");
    env.keys = (cof_slice){large, sizeof(large)};
    assert_rule(cof_envelope_emit(&raw, &env, COF_PROTECTION_SEALED, &err), err, COF_LIMIT, "GE-2");
    env.keys.len = 1;
    env.signers.items[0].len = 0;
    assert_rule(cof_envelope_emit(&raw, &env, COF_PROTECTION_SEALED, &err), err, COF_USAGE, "EN-1");
    assert_int_equal(raw.len, 0);
    cof_envelope_wipe(&env);
    cof_buf_free(&raw);
}

/* Whatever bits are flipped: refused, or an envelope that is written back as it was read. */
static void flipped_bits_never_confuse(void **state)
{
    (void)state;
    cof_envelope env = sample(), got;
    cof_buf raw = COF_BUF_INIT, again = COF_BUF_INIT;

    assert_ok(cof_envelope_emit(&raw, &env, COF_PROTECTION_SEALED, NULL));
    for (size_t bit = 0; bit < raw.len * 8; bit++) {
        raw.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (cof_envelope_parse(&got, cof_buf_slice(&raw), COF_PROTECTION_SEALED, NULL) == COF_OK) {
            again.len = 0;
            assert_ok(cof_envelope_emit(&again, &got, COF_PROTECTION_SEALED, NULL));
            assert_true(cof_slice_equal(cof_buf_slice(&raw), cof_buf_slice(&again)));
            cof_envelope_wipe(&got);
        }
        raw.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    cof_envelope_wipe(&env);
    cof_buf_free(&raw);
    cof_buf_free(&again);
}

static void slot_sizes(void **state)
{
    (void)state;
    assert_int_equal(cof_envelope_slot_size(100), 16384);
    assert_int_equal(cof_envelope_slot_size(4096), 16384);
    assert_int_equal(cof_envelope_slot_size(4607), 16384);
    assert_int_equal(cof_envelope_slot_size(4608), 20480);
    assert_int_equal(cof_envelope_slot_size(4194304), 16777216);
    assert_int_equal(cof_envelope_slot_size(4194305), 16777216);
    assert_int_equal(cof_envelope_slot_size(UINT64_MAX), 16777216);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope_comes_back),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(readers_refuse_each_broken_rule),
        cmocka_unit_test(unknown_items_are_skipped),
        cmocka_unit_test(numbers_of_items_are_bounded),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(writers_refuse_what_readers_would),
        cmocka_unit_test(flipped_bits_never_confuse),
        cmocka_unit_test(slot_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
