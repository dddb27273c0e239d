/* SPDX-License-Identifier: Apache-2.0 */

/* Do the records of a catalog make one tree (CA-3), and no other? */

#include "format_test.h"

#include "format/catalog_tree.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct store {
    cof_buf records[4096];
    uint64_t numbers[4096];
    size_t count;
    uint64_t next;
} store;

static cof_status keep(void *ctx, uint64_t *number, cof_slice plain, cof_error *err)
{
    store *s = ctx;

    assert_true(s->count < 4096);
    *number = s->numbers[s->count] = s->next;
    s->next += 3; /* DATA records stand in between */
    return cof_buf_append(&s->records[s->count++], plain.data, plain.len, err);
}

static void empty(store *s)
{
    for (size_t i = 0; i < s->count; i++)
        cof_buf_free(&s->records[i]);
    memset(s, 0, sizeof(*s));
}

/* Write a catalog of n files whose paths have path_len bytes; the length of the stream. */
static uint64_t write_tree(store *s, size_t n, size_t path_len)
{
    const cof_catalog_hooks hooks = {keep, s};
    char *path = malloc(path_len + 1);
    cof_catalog_writer *w;
    uint64_t at = 0;

    assert_non_null(path);
    assert_ok(cof_catalog_writer_new(&w, 262144, &hooks, NULL));
    for (size_t i = 0; i < n; i++) {
        cof_catalog_entry e = {.type = COF_ENTRY_FILE, .length = 512, .position = at};

        memset(path, 'x', path_len);
        for (size_t d = 0, rest = i; d < 9; d++, rest /= 10)
            path[8 - d] = (char)('0' + rest % 10);
        e.path = (cof_slice){(const uint8_t *)path, path_len};
        assert_ok(cof_catalog_writer_add(w, &e, NULL));
        at += 512;
    }
    assert_ok(cof_catalog_writer_finish(w, NULL));
    cof_catalog_writer_free(w);
    free(path);
    return at + COF_CATALOG_END;
}

static cof_status check(const store *s, size_t skip, size_t swap, uint64_t stream_len,
                        cof_error *err)
{
    cof_catalog_checker *c;
    cof_status st = cof_catalog_checker_new(&c, err);

    for (size_t i = 0; st == COF_OK && i < s->count; i++) {
        size_t j = i == swap ? i + 1 : i == swap + 1 ? i - 1 : i;

        if (i != skip)
            st = cof_catalog_checker_record(c, s->numbers[i], cof_buf_slice(&s->records[j]), err);
    }
    if (st == COF_OK)
        st = cof_catalog_checker_finish(c, stream_len, err);
    cof_catalog_checker_free(c);
    return st;
}

#define NONE ((size_t)-2)

static void tree_is_found_from_its_top(void **state)
{
    (void)state;
    static store s;
    cof_error err;
    /* One record; two levels; and, with paths that fill a record with few entries, many. */
    static const size_t shapes[][2] = {{1, 10}, {4000, 20}, {20000, 40}, {200, 65535}};

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        uint64_t len = write_tree(&s, shapes[i][0], shapes[i][1]);
        uint8_t top = s.records[s.count - 1].data[0];

        assert_int_equal(top == 0, s.count == 1);
        assert_true(i != 3 || top >= 3);
        for (size_t j = 0; j < s.count; j++)
            assert_true(s.records[j].len <= 262144);
        if (check(&s, NONE, NONE, len, &err) != COF_OK)
            fail_msg("shape %zu: %s", i, err.message);
        assert_rule(check(&s, NONE, NONE, len + 512, &err), err, COF_FORMAT, "CA-1");
        assert_rule(check(&s, NONE, NONE, len - 512, &err), err, COF_FORMAT, "CA-1");
        empty(&s);
    }
}

static void tree_with_a_hole_is_no_tree(void **state)
{
    (void)state;
    static store s;
    cof_error err;
    uint64_t len = write_tree(&s, 40, 65535);

    for (size_t i = 0; i < s.count; i++) {
        assert_int_equal(check(&s, i, NONE, len, &err), COF_FORMAT);
        assert_true(strcmp(err.rule, "CA-3") == 0 || strcmp(err.rule, "CA-1") == 0);
        if (i + 1 < s.count)
            assert_int_equal(check(&s, NONE, i, len, &err), COF_FORMAT);
    }
    /* Each item names its record. */
    for (size_t i = 0; i < s.count; i++) {
        s.numbers[i]++;
        if (i + 1 < s.count)
            assert_rule(check(&s, NONE, NONE, len, &err), err, COF_FORMAT, "CA-3");
        s.numbers[i]--;
    }
    /* A second top. */
    assert_ok(cof_buf_append(&s.records[s.count], s.records[s.count - 1].data,
                             s.records[s.count - 1].len, NULL));
    s.count++;
    assert_int_equal(check(&s, NONE, NONE, len, &err), COF_FORMAT);
    empty(&s);
    assert_rule(check(&s, NONE, NONE, 1024, &err), err, COF_FORMAT, "CA-3");
}

static void writer_refuses_what_would_be_refused(void **state)
{
    (void)state;
    static store s;
    const cof_catalog_hooks hooks = {keep, &s};
    const cof_catalog_entry up = {.type = COF_ENTRY_FILE, .length = 512, .path = slice_of("../a")};
    cof_catalog_writer *w;

    assert_int_equal(cof_catalog_writer_new(&w, 4096, &hooks, NULL), COF_USAGE);
    assert_null(w);
    assert_ok(cof_catalog_writer_new(&w, 262144, &hooks, NULL));
    assert_int_equal(cof_catalog_writer_add(w, &up, NULL), COF_INTERNAL);
    assert_int_equal(cof_catalog_writer_finish(w, NULL), COF_INTERNAL);
    cof_catalog_writer_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_is_found_from_its_top),
        cmocka_unit_test(tree_with_a_hole_is_no_tree),
        cmocka_unit_test(writer_refuses_what_would_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
