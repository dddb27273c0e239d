/* SPDX-License-Identifier: Apache-2.0 */

/* Do the items of a lineage come back, and is every other row of bytes refused (LI-2, LI-3)? */

#include "format_test.h"

#include "format/lineage.h"
#include "wire/wire.h"

#include <stdlib.h>

#define MANIFEST 300 /* bytes of each manifest of the samples */

typedef struct sample {
    cof_preamble preamble;
    uint64_t records;
    cof_buf additions[4];
} sample;

typedef struct seen {
    size_t items;
    uint64_t hashes;
    uint64_t began[4]; /* of each addition */
    uint8_t sum;       /* of all bytes of all values */
    size_t stop_at;    /* refuse this item; 0: none */
} seen;

static void put_item(cof_buf *out, cof_lineage_type type, size_t len, const void *value)
{
    uint8_t header[COF_LINEAGE_ITEM_HEADER];

    cof_lineage_emit_header(header, type, (uint32_t)len);
    assert_ok(cof_buf_append(out, header, sizeof(header), NULL));
    assert_ok(cof_buf_append(out, value, len, NULL));
}

static void put_hashes(cof_buf *out, uint64_t records)
{
    static uint8_t value[8 + 4096 * 32];

    for (uint64_t first = 0; first < records; first += COF_LINEAGE_BLOCK) {
        size_t n = cof_lineage_block_count(records, first / COF_LINEAGE_BLOCK);

        fill(value, 8 + n * 32, (unsigned)first);
        cof_be64_store(value, first);
        put_item(out, COF_LINEAGE_HASHES, 8 + n * 32, value);
    }
}

static void make(sample *s, uint32_t epoch, uint64_t records, uint32_t record_size)
{
    uint8_t value[COF_PREAMBLE_SIZE];

    memset(s, 0, sizeof(*s));
    s->preamble = sample_preamble();
    s->preamble.epoch = epoch;
    s->preamble.record_size = record_size;
    s->records = records;
    for (uint32_t k = 0; k < epoch; k++) {
        fill(value, sizeof(value), k + 1);
        if (k == 0)
            put_item(&s->additions[k], COF_LINEAGE_DEK, 32, value);
        put_item(&s->additions[k], COF_LINEAGE_PREAMBLE, COF_PREAMBLE_SIZE, value);
        put_item(&s->additions[k], COF_LINEAGE_MANIFEST, MANIFEST, value);
        if (k == 0)
            put_hashes(&s->additions[k], records);
    }
}

static void wipe(sample *s)
{
    for (size_t k = 0; k < 4; k++)
        cof_buf_free(&s->additions[k]);
}

static cof_status take(void *ctx, const cof_lineage_item *item, cof_error *err)
{
    seen *s = ctx;

    if (++s->items == s->stop_at)
        return cof_fail_rule(err, COF_AUTH, "LI-1", COF_NO_OFFSET, "not this one");
    for (size_t i = 0; i < item->value.len; i++)
        s->sum = (uint8_t)(s->sum + item->value.data[i]);
    if (item->type == COF_LINEAGE_HASHES)
        s->hashes += item->value.len / 32;
    else
        s->began[item->epoch] = item->first_record;
    return COF_OK;
}

/* Hand over records of at most R bytes; a copy of each ends where its bytes end. */
static cof_status feed(cof_lineage *l, cof_slice bytes, size_t piece, cof_error *err)
{
    cof_status st = COF_OK;

    for (size_t at = 0; st == COF_OK && at < bytes.len; at += piece) {
        size_t n = bytes.len - at < piece ? bytes.len - at : piece;
        uint8_t *copy = malloc(n);

        assert_non_null(copy);
        memcpy(copy, bytes.data + at, n);
        st = cof_lineage_record(l, (cof_slice){copy, n}, err);
        free(copy);
    }
    return st;
}

static cof_status read_all(seen *out, const sample *s, cof_error *err)
{
    cof_lineage l;
    cof_status st;

    assert_ok(cof_lineage_init(&l, &s->preamble, s->records, take, out, NULL));
    st = COF_OK;
    for (uint32_t k = 0; st == COF_OK && k < 4; k++)
        st = feed(&l, cof_buf_slice(&s->additions[k]), s->preamble.record_size, err);
    if (st == COF_OK)
        st = cof_lineage_finish(&l, err);
    cof_lineage_wipe(&l);
    return st;
}

static void comes_back(void **state)
{
    (void)state;
    static const struct {
        uint32_t epoch;
        uint64_t records;
        uint32_t record_size;
    } cases[] = {{1, 0, 4096},    {1, 1, 4096},    {1, 4096, 4096},   {1, 4097, 4096},
                 {3, 9000, 8192}, {2, 17, 262144}, {4, 5000, 1 << 22}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t blocks = (cases[i].records + 4095) / 4096, at = cases[i].records;
        seen got = {0};
        sample s;

        make(&s, cases[i].epoch, cases[i].records, cases[i].record_size);
        assert_ok(read_all(&got, &s, NULL));
        assert_int_equal(got.items, 1 + 2 * cases[i].epoch + blocks);
        assert_int_equal(got.hashes, cases[i].records);
        for (uint32_t k = 0; k < cases[i].epoch; k++) {
            assert_int_equal(got.began[k], at);
            at += (s.additions[k].len + s.preamble.record_size - 1) / s.preamble.record_size;
        }
        wipe(&s);
    }
}

static void hashes_are_where_they_are_looked_for(void **state)
{
    (void)state;
    sample s;

    make(&s, 1, 10000, 4096);
    for (uint64_t b = 0; b < 3; b++) {
        uint64_t at = cof_lineage_block_at(b, MANIFEST);

        assert_true(at + cof_lineage_block_count(10000, b) * 32 <= s.additions[0].len);
        assert_int_equal(cof_be64_load(s.additions[0].data + at - 8), b * 4096);
    }
    assert_int_equal(cof_lineage_block_count(10000, 2), 10000 - 8192);
    wipe(&s);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    sample s;
    cof_error err;

    make(&s, 3, 40, 4096);
    for (size_t k = 0; k < 3; k++)
        for (size_t len = s.additions[k].len; s.additions[k].len > 0;) {
            size_t whole = len;
            seen got = {0};
            cof_status st;

            s.additions[k].len--;
            st = read_all(&got, &s, &err);
            assert_int_equal(st, COF_FORMAT);
            assert_true(strcmp(err.rule, "LI-2") == 0 || strcmp(err.rule, "LI-3") == 0);
            if (s.additions[k].len == 0) {
                s.additions[k].len = whole;
                break;
            }
        }
    wipe(&s);
}

/* A bit of a header or of a number is refused; one of a value is the caller's, who sees it. */
static void every_flip_is_seen(void **state)
{
    (void)state;
    seen good = {0};
    sample s;

    make(&s, 2, 40, 4096);
    assert_ok(read_all(&good, &s, NULL));
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < s.additions[k].len * 8; i++) {
            uint8_t *byte = s.additions[k].data + i / 8;
            seen got = {0};
            cof_status st;

            *byte ^= (uint8_t)(1 << i % 8);
            st = read_all(&got, &s, NULL);
            assert_true(st == COF_FORMAT || (st == COF_OK && got.sum != good.sum));
            *byte ^= (uint8_t)(1 << i % 8);
        }
    wipe(&s);
}

static void more_is_refused(void **state)
{
    (void)state;
    seen got = {0};
    cof_error err;
    sample s;

    make(&s, 1, 40, 4096);
    assert_ok(cof_buf_append_zeros(&s.additions[0], 1, NULL)); /* in the last record */
    assert_rule(read_all(&got, &s, &err), err, COF_FORMAT, "LI-3");
    s.additions[0].len--;
    assert_ok(cof_buf_append_zeros(&s.additions[1], 1, NULL)); /* in one more */
    assert_rule(read_all(&got, &s, &err), err, COF_FORMAT, "LI-2");
    wipe(&s);
}

static void borders_are_kept(void **state)
{
    (void)state;
    sample s;
    cof_error err;
    cof_lineage l;
    seen got = {0};

    make(&s, 2, 200, 4096);
    assert_true(s.additions[0].len > 4096);
    assert_ok(
        cof_lineage_init(&l, &s.preamble, s.records, take, &got, NULL)); /* records too short */
    assert_rule(feed(&l, cof_buf_slice(&s.additions[0]), 4095, &err), err, COF_FORMAT, "LI-3");
    cof_lineage_wipe(&l);
    assert_ok(cof_buf_append(&s.additions[0], s.additions[1].data, s.additions[1].len, NULL));
    s.additions[1].len = 0; /* an addition that does not begin with a record */
    assert_rule(read_all(&got, &s, &err), err, COF_FORMAT, "LI-3");
    wipe(&s);
}

static void another_count_is_refused(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 39, 41, 4096, UINT64_C(1) << 47};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        seen got = {0};
        sample s;

        make(&s, 1, 40, 4096);
        s.records = counts[i];
        assert_int_equal(read_all(&got, &s, NULL), COF_FORMAT);
        wipe(&s);
    }
}

static void hook_ends_it(void **state)
{
    (void)state;
    cof_error err;
    sample s;

    make(&s, 2, 40, 4096);
    for (size_t i = 1; i <= 6; i++) {
        seen got = {.stop_at = i};

        assert_rule(read_all(&got, &s, &err), err, COF_AUTH, "LI-1");
    }
    wipe(&s);
}

static void needs_an_epoch(void **state)
{
    (void)state;
    cof_preamble p = sample_preamble();
    cof_lineage l;

    assert_int_equal(cof_lineage_init(&l, &p, 1, take, NULL, NULL), COF_INTERNAL);
    cof_lineage_wipe(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(hashes_are_where_they_are_looked_for),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_flip_is_seen),
        cmocka_unit_test(more_is_refused),
        cmocka_unit_test(borders_are_kept),
        cmocka_unit_test(another_count_is_refused),
        cmocka_unit_test(hook_ends_it),
        cmocka_unit_test(needs_an_epoch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
