/* SPDX-License-Identifier: Apache-2.0 */

/* Do INDEX, TAIL and trailer keep IX-2, TL-1, TL-2, TL-5, and come back as they were written? */

#include "format_test.h"

#include "format/index.h"
#include "format/tail.h"
#include "wire/wire.h"

#include <stdlib.h>

/* A copy that ends where its bytes end, so that a sanitizer sees a read beyond it. */
static uint8_t *exact(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);

    assert_non_null(copy);
    memcpy(copy, data, len);
    return copy;
}

/* ---- INDEX ---------------------------------------------------------------------------------- */

static void index_comes_back(void **state)
{
    (void)state;
    uint8_t entries[3 * COF_ENTRY_SIZE];
    cof_index index = {2, 3, 4711, 4093, entries}, got;
    cof_buf raw = COF_BUF_INIT;

    fill(entries, sizeof(entries), 1);
    assert_ok(cof_index_emit(&raw, &index, NULL));
    assert_int_equal(raw.len, 24 + 3 * 64);
    assert_ok(cof_index_parse(&got, raw.data, raw.len, NULL));
    assert_int_equal(got.volume, 2);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.first_offset, 4711);
    assert_int_equal(got.first_record, 4093);
    assert_null(got.entries);
    assert_memory_equal(raw.data + COF_INDEX_HEADER_SIZE, entries, sizeof(entries));
    cof_error err;
    for (size_t len = 0; len < 2 * raw.len; len++) {
        if (len != raw.len)
            assert_rule(cof_index_parse(&got, raw.data, len, &err), err, COF_FORMAT, "GE-3");
    }
    cof_buf_free(&raw);
}

static void index_is_refused_by_rule(void **state)
{
    (void)state;
    static const struct {
        uint32_t volume, count;
        uint64_t first;
        cof_status class;
        const char *rule;
    } cases[] = {
        {1, 0, 0, COF_FORMAT, "IX-2"},
        {1, 4, 4093, COF_FORMAT, "IX-2"},
        {1, 4097, 0, COF_FORMAT, "IX-2"},
        {1, UINT32_MAX, 0, COF_FORMAT, "IX-2"},
        {0, 1, 0, COF_FORMAT, "IX-2"},
        {65536, 1, 0, COF_FORMAT, "IX-2"},
        {1, 1, COF_RECORDS_MAX, COF_LIMIT, "GE-2"},
        {1, 1, UINT64_MAX, COF_LIMIT, "GE-2"},
    };
    uint8_t raw[COF_INDEX_HEADER_SIZE] = {0};
    cof_buf out = COF_BUF_INIT;
    cof_index got;
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_be32_store(raw, cases[i].volume);
        cof_be32_store(raw + 4, cases[i].count);
        cof_be64_store(raw + 16, cases[i].first);
        assert_rule(cof_index_parse(&got, raw,
                                    sizeof(raw) + (uint64_t)cases[i].count * COF_ENTRY_SIZE, &err),
                    err, cases[i].class, cases[i].rule);
    }
    got = (cof_index){1, 4, 0, 4093, raw};
    assert_rule(cof_index_emit(&out, &got, &err), err, COF_USAGE, "IX-2");
    assert_int_equal(out.len, 0);
    assert_true(cof_index_range_valid(4096, 4096));
    assert_false(cof_index_range_valid(4097, 4096));
}

/* ---- TAIL ----------------------------------------------------------------------------------- */

static const cof_index_ref REFS[] = {
    {1, 4096, 1000, 0}, {1, 4, 2000, 4096}, {2, 4092, 500, 4100}, {2, 1, 600, 8192}};

static cof_tail sample(size_t manifests)
{
    cof_tail tail = COF_TAIL_INIT;

    for (size_t i = 0; i < sizeof(REFS) / sizeof(REFS[0]); i++)
        assert_ok(cof_tail_add_index(&tail, &REFS[i], NULL));
    for (size_t i = 0; i < manifests; i++)
        assert_ok(cof_slices_add(&tail.manifests, slice_of("manifest"), NULL));
    return tail;
}

static void tail_comes_back(void **state)
{
    (void)state;
    cof_tail tail = sample(3), got;
    cof_buf raw = COF_BUF_INIT, again = COF_BUF_INIT;

    assert_ok(cof_tail_emit(&raw, &tail, NULL));
    assert_int_equal(raw.len, 16 + 4 * 24 + 3 * 12);
    assert_ok(cof_tail_parse(&got, cof_buf_slice(&raw), 2, NULL));
    assert_int_equal(cof_tail_records(&got), 8193);
    assert_int_equal(got.indexes[2].offset, 500);
    assert_int_equal(got.manifests.count, 3);
    assert_ok(cof_tail_emit(&again, &got, NULL));
    assert_true(cof_slice_equal(cof_buf_slice(&raw), cof_buf_slice(&again)));
    cof_tail_wipe(&got);
    for (size_t len = 0; len < raw.len; len++) {
        uint8_t *cut = exact(raw.data, len);
        assert_int_equal(cof_tail_parse(&got, (cof_slice){cut, len}, 2, NULL), COF_FORMAT);
        assert_null(got.indexes);
        free(cut);
    }
    cof_tail_wipe(&tail);
    cof_buf_free(&raw);
    cof_buf_free(&again);
}

static void a_tail_without_records(void **state)
{
    (void)state;
    cof_tail tail = COF_TAIL_INIT, got;
    cof_buf raw = COF_BUF_INIT;
    cof_error err;

    assert_rule(cof_tail_emit(&raw, &tail, &err), err, COF_USAGE, "TL-5");
    assert_ok(cof_slices_add(&tail.manifests, slice_of("m"), NULL));
    assert_ok(cof_tail_emit(&raw, &tail, NULL));
    assert_ok(cof_tail_parse(&got, cof_buf_slice(&raw), 0, NULL));
    assert_int_equal(cof_tail_records(&got), 0);
    cof_tail_wipe(&got);
    cof_tail_wipe(&tail);
    cof_buf_free(&raw);
}

static void tail_is_refused_by_rule(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        cof_status class;
        const char *rule;
    } cases[] = {
        {0, 'c', COF_FORMAT, "TL-5"},               /* magic */
        {15, 2, COF_FORMAT, "TL-5"},                /* manifests: not 1 + epoch */
        {15, 0, COF_FORMAT, "TL-5"},                /* no manifest */
        {8, 0xFF, COF_FORMAT, "GE-2"},              /* four billion index frames */
        {11, 100, COF_FORMAT, "GE-2"},              /* more index frames than bytes */
        {16 + 3, 0, COF_FORMAT, "TL-5"},            /* volume 0 */
        {16 + 1, 1, COF_FORMAT, "TL-5"},            /* volume 65,537 */
        {16 + 23, 1, COF_FORMAT, "TL-5"},           /* does not begin with record 0 */
        {16 + 7, 1, COF_FORMAT, "TL-5"},            /* over a multiple of 4096 */
        {16 + 6, 0, COF_FORMAT, "TL-5"},            /* no record */
        {40 + 7, 5, COF_FORMAT, "TL-5"},            /* a gap */
        {40 + 14, 3, COF_FORMAT, "TL-5"},           /* offset goes back */
        {64 + 3, 0, COF_FORMAT, "TL-5"},            /* volume goes back */
        {16 + 4 * 24 + 3, 9, COF_FORMAT, "GE-2"},   /* manifest longer than what is left */
        {16 + 4 * 24 + 3, 0, COF_FORMAT, "TL-5"},   /* empty manifest */
        {16 + 4 * 24 + 3, 7, COF_FORMAT, "GE-3"},   /* a byte behind the manifest */
        {16 + 4 * 24 + 1, 0x11, COF_LIMIT, "GE-2"}, /* manifest over a mebibyte */
    };
    cof_tail tail = sample(1), got;
    cof_buf raw = COF_BUF_INIT;
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        raw.len = 0;
        assert_ok(cof_tail_emit(&raw, &tail, NULL));
        raw.data[cases[i].at] = cases[i].value;
        assert_rule(cof_tail_parse(&got, cof_buf_slice(&raw), 0, &err), err, cases[i].class,
                    cases[i].rule);
        assert_null(got.indexes);
    }
    raw.data[0] = 0;
    assert_rule(cof_tail_parse(&got, (cof_slice){raw.data, (size_t)COF_TAIL_MAX + 1}, 0, &err), err,
                COF_LIMIT, "GE-2");
    tail.indexes[1].first_record++;
    assert_rule(cof_tail_emit(&raw, &tail, &err), err, COF_USAGE, "TL-5");
    cof_tail_wipe(&tail);
    cof_buf_free(&raw);
}

/* ---- trailer -------------------------------------------------------------------------------- */

static void trailer_comes_back(void **state)
{
    (void)state;
    cof_slice payload = slice_of("payload");
    uint8_t raw[COF_TRAILER_SIZE];
    cof_trailer t, got;

    assert_ok(cof_trailer_make(&t, 1000, payload, NULL));
    assert_int_equal(t.second, 1000 + 32 + 7 + 64);
    cof_trailer_emit(raw, &t);
    assert_ok(cof_trailer_parse(&got, raw, NULL));
    assert_memory_equal(&t, &got, sizeof(t));
    assert_ok(cof_trailer_check_body(&got, t.second + 32 + 7 + 64, NULL));
    assert_ok(cof_trailer_check_payload(&got, payload, NULL));
}

static void trailer_is_refused_by_rule(void **state)
{
    (void)state;
    cof_slice payload = slice_of("payload");
    uint8_t raw[COF_TRAILER_SIZE];
    cof_trailer t, got;
    cof_error err;

    assert_ok(cof_trailer_make(&t, 1000, payload, NULL));
    assert_rule(cof_trailer_check_body(&t, t.second, &err), err, COF_FORMAT, "TL-1");
    assert_rule(cof_trailer_check_body(&t, t.second + 32 + 7 + 65, &err), err, COF_FORMAT, "TL-1");
    assert_rule(cof_trailer_check_payload(&t, slice_of("payloaf"), &err), err, COF_FORMAT, "TL-2");
    assert_rule(cof_trailer_check_payload(&t, slice_of("payload7"), &err), err, COF_FORMAT, "TL-2");
    t.len = COF_TAIL_MAX + UINT64_C(1);
    t.second = t.first + 32 + t.len + 64;
    cof_trailer_emit(raw, &t);
    assert_rule(cof_trailer_parse(&got, raw, &err), err, COF_LIMIT, "GE-2");
    t.first = UINT64_MAX - 50; /* both sums wrap around */
    t.len = 7;
    t.second = t.first + 32 + t.len + 64;
    cof_trailer_emit(raw, &t);
    assert_rule(cof_trailer_parse(&got, raw, &err), err, COF_FORMAT, "TL-1");
    t.first = UINT64_MAX - 150; /* only the second one does */
    t.second = t.first + 32 + t.len + 64;
    cof_trailer_emit(raw, &t);
    assert_rule(cof_trailer_parse(&got, raw, &err), err, COF_FORMAT, "TL-1");
    assert_rule(cof_trailer_make(&got, UINT64_MAX - 150, payload, &err), err, COF_LIMIT, "TL-1");
}

/* Each flipped bit is seen: by the trailer itself, or when the payload is compared with it. */
static void every_flipped_bit_of_a_trailer_is_seen(void **state)
{
    (void)state;
    cof_slice payload = slice_of("payload");
    uint8_t raw[COF_TRAILER_SIZE];
    cof_trailer t, got;
    cof_error err;

    assert_ok(cof_trailer_make(&t, 1000, payload, NULL));
    cof_trailer_emit(raw, &t);
    for (size_t bit = 0; bit < sizeof(raw) * 8; bit++) {
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cof_status st = cof_trailer_parse(&got, raw, &err);
        if (bit < 32 * 8)
            assert_int_not_equal(st, COF_OK);
        else
            assert_rule(cof_trailer_check_payload(&got, payload, &err), err, COF_FORMAT, "TL-2");
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_comes_back),
        cmocka_unit_test(index_is_refused_by_rule),
        cmocka_unit_test(tail_comes_back),
        cmocka_unit_test(a_tail_without_records),
        cmocka_unit_test(tail_is_refused_by_rule),
        cmocka_unit_test(trailer_comes_back),
        cmocka_unit_test(trailer_is_refused_by_rule),
        cmocka_unit_test(every_flipped_bit_of_a_trailer_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
