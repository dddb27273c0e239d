/* SPDX-License-Identifier: Apache-2.0 */

/* Does a record of the catalog keep CA-1, and come back as it was written? */

#include "format_test.h"

#include "format/catalog_tree.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- paths ---------------------------------------------------------------------------------- */

static void paths_are_ordered_by_components(void **state)
{
    (void)state;
    static const char *const order[] = {".",     "-",    ".a",  "a",     "a/\x01", "a/b", "a/b/c",
                                        "a/b-c", "a/b.", "a-b", "a\x01", "ab",     "b",   "\xff"};
    size_t n = sizeof(order) / sizeof(order[0]);

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int forward = cof_treepath_compare(slice_of(order[i]), slice_of(order[j]));
            int back = cof_treepath_compare(slice_of(order[j]), slice_of(order[i]));

            assert_int_equal(forward == 0, i == j);
            assert_true((forward < 0) == (back > 0));
        }
    assert_true(cof_treepath_compare(slice_of("a/b"), slice_of("a-b")) < 0);
    assert_true(cof_treepath_compare(slice_of("a"), slice_of("a/b")) < 0);
    assert_true(cof_treepath_compare(slice_of("."), slice_of("-")) < 0);
    assert_true(cof_treepath_compare(slice_of("z"), slice_of("\xc3\xa4")) < 0);
}

static void paths_are_refused_that_lead_elsewhere(void **state)
{
    (void)state;
    static const char *const good[] = {".", "a", "...", ".a", "a/b", "a/..b/c.", "\xff/\n"};
    static const char *const bad[] = {"",     "/",     "/a", "a/",   "a//b",   "./a", "a/.",
                                      "a/./", "a/./b", "..", "../a", "a/../b", "a/.."};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(cof_treepath_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cof_treepath_valid(slice_of(bad[i])));
    assert_false(cof_treepath_valid((cof_slice){(const uint8_t *)"a\0b", 3}));
    assert_true(cof_treepath_below(slice_of("a/b"), slice_of("a")));
    assert_true(cof_treepath_below(slice_of("a"), slice_of("a")));
    assert_true(cof_treepath_below(slice_of("x"), slice_of(".")));
    assert_false(cof_treepath_below(slice_of("ab"), slice_of("a")));
    assert_false(cof_treepath_below(slice_of("a"), slice_of("a/b")));
}

/* ---- one record ----------------------------------------------------------------------------- */

/* A small tree with one of each type; positions follow from the lengths. */
static size_t sample(cof_catalog_entry out[], size_t cap)
{
    static const struct {
        const char *path, *target;
        cof_entry_type type;
        cof_entry_state state;
        uint64_t size, length;
    } rows[] = {
        {".", "", COF_ENTRY_DIRECTORY, COF_ENTRY_OK, 0, 512},
        {"a", "", COF_ENTRY_DIRECTORY, COF_ENTRY_UNREADABLE, 0, 1536},
        {"a/file", "", COF_ENTRY_FILE, COF_ENTRY_CHANGED, 700, 2048},
        {"a/fill", "a/file", COF_ENTRY_HARDLINK, COF_ENTRY_OK, 0, 512},
        {"a/fit", "../\xff", COF_ENTRY_SYMLINK, COF_ENTRY_OK, 0, 512},
        {"a/gone", "", COF_ENTRY_UNKNOWN, COF_ENTRY_VANISHED, 0, 0},
        {"b", "", COF_ENTRY_FILE, COF_ENTRY_UNREADABLE, UINT64_C(1) << 40, 0},
        {"c", "", COF_ENTRY_CHAR_DEVICE, COF_ENTRY_OK, UINT64_C(5) << 32 | 1, 512},
        {"d", "", COF_ENTRY_BLOCK_DEVICE, COF_ENTRY_OK, UINT64_MAX, 512},
        {"e", "", COF_ENTRY_FIFO, COF_ENTRY_OK, 0, 512},
        {"f", "", COF_ENTRY_NAMED_STREAM, COF_ENTRY_OK, 77, 77},
        {"g", "", COF_ENTRY_FILE, COF_ENTRY_OK, 0, 512},
    };
    uint64_t at = 0;
    size_t n = sizeof(rows) / sizeof(rows[0]);

    assert_true(n <= cap);
    for (size_t i = 0; i < n; i++) {
        out[i] = (cof_catalog_entry){.type = rows[i].type,
                                     .state = rows[i].state,
                                     .stream = rows[i].type == COF_ENTRY_NAMED_STREAM ? 3 : 0,
                                     .mode = (uint16_t)(i * 100),
                                     .user = 1000 + (uint32_t)i,
                                     .group = UINT32_MAX - (uint32_t)i,
                                     .size = rows[i].size,
                                     .mtime = (int64_t)i * 1000000007 - 3000000000,
                                     .mtime_ns = 999999999 - (uint32_t)i,
                                     .position = at,
                                     .length = rows[i].length,
                                     .path = slice_of(rows[i].path),
                                     .target = slice_of(rows[i].target)};
        at += out[i].stream == 0 ? rows[i].length : 0;
    }
    return n;
}

static void same_entry(const cof_catalog_entry *a, const cof_catalog_entry *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->stream, b->stream);
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->user, b->user);
    assert_int_equal(a->group, b->group);
    assert_true(a->size == b->size && a->mtime == b->mtime && a->mtime_ns == b->mtime_ns);
    assert_true(a->position == b->position && a->length == b->length);
    assert_true(cof_slice_equal(a->path, b->path));
    assert_true(cof_slice_equal(a->target, b->target));
}

/* All of a record of level 0; how many entries were read before the end or the failure. */
static cof_status read_all(cof_slice plain, cof_catalog_entry *last, uint32_t *count,
                           cof_error *err)
{
    cof_catalog_view view;
    cof_catalog_entry e;
    bool end = false;
    cof_status st = cof_catalog_view_open(&view, plain, err);

    *count = 0;
    while (st == COF_OK && view.level == 0 &&
           (st = cof_catalog_view_entry(&view, &e, &end, err)) == COF_OK && !end) {
        *last = e;
        ++*count;
    }
    cof_catalog_view_wipe(&view);
    last->path = last->target = (cof_slice)COF_SLICE_INIT;
    return st;
}

static void put_sample(cof_catalog_page *page)
{
    cof_catalog_entry entries[16];
    size_t n = sample(entries, 16);
    bool full = true;

    memset(page, 0, sizeof(*page));
    for (size_t i = 0; i < n; i++) {
        assert_ok(cof_catalog_page_entry(page, &full, 4096, &entries[i], NULL));
        assert_false(full);
    }
}

static void record_comes_back(void **state)
{
    (void)state;
    cof_catalog_entry entries[16], got;
    size_t n = sample(entries, 16);
    cof_catalog_page page;
    cof_catalog_view view;
    bool end;

    put_sample(&page);
    assert_ok(cof_catalog_view_open(&view, cof_buf_slice(&page.plain), NULL));
    assert_int_equal(view.level, 0);
    assert_int_equal(view.count, n);
    for (size_t i = 0; i < n; i++) {
        assert_ok(cof_catalog_view_entry(&view, &got, &end, NULL));
        assert_false(end);
        same_entry(&got, &entries[i]);
    }
    assert_ok(cof_catalog_view_entry(&view, &got, &end, NULL));
    assert_true(end);
    assert_true(view.position == entries[n - 1].position + entries[n - 1].length);
    cof_catalog_view_wipe(&view);
    cof_catalog_page_wipe(&page);
}

static void page_says_when_it_is_full(void **state)
{
    (void)state;
    cof_catalog_entry entries[16];
    cof_catalog_page page;
    size_t len, used;
    bool full = false;

    sample(entries, 16);
    memset(&page, 0, sizeof(page));
    assert_ok(cof_catalog_page_entry(&page, &full, 65 + 49, &entries[0], NULL));
    len = page.plain.len;
    assert_int_equal(len, 16 + 48 + 1);
    assert_ok(cof_catalog_page_entry(&page, &full, len + 48, &entries[1], NULL));
    assert_true(full);
    assert_int_equal(page.plain.len, len);
    assert_int_equal(page.count, 1);
    assert_ok(cof_catalog_page_entry(&page, &full, len + 49, &entries[1], NULL));
    assert_false(full);
    used = page.plain.len;
    /* Not in order, and not where the one before ends: mistakes of the caller. */
    assert_int_equal(cof_catalog_page_entry(&page, &full, 4096, &entries[1], NULL), COF_INTERNAL);
    assert_int_equal(cof_catalog_page_entry(&page, &full, 4096, &entries[3], NULL), COF_INTERNAL);
    assert_int_equal(page.plain.len, used);
    /* The order goes on behind a restart. */
    cof_catalog_page_restart(&page);
    assert_int_equal(cof_catalog_page_entry(&page, &full, 4096, &entries[0], NULL), COF_INTERNAL);
    assert_int_equal(cof_catalog_page_entry(&page, &full, 32, &entries[2], NULL), COF_LIMIT);
    assert_ok(cof_catalog_page_entry(&page, &full, 4096, &entries[2], NULL));
    cof_catalog_page_wipe(&page);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    cof_catalog_entry last;
    cof_catalog_page page;
    uint32_t count;
    cof_error err;

    put_sample(&page);
    for (size_t len = 0; len < page.plain.len; len++) {
        uint8_t *cut = malloc(len == 0 ? 1 : len);

        assert_non_null(cut);
        memcpy(cut, page.plain.data, len);
        assert_rule(read_all((cof_slice){cut, len}, &last, &count, &err), err, COF_FORMAT, "CA-1");
        free(cut);
    }
    assert_ok(cof_buf_append_zeros(&page.plain, 1, NULL));
    assert_rule(read_all(cof_buf_slice(&page.plain), &last, &count, &err), err, COF_FORMAT, "GE-3");
    cof_catalog_page_wipe(&page);
}

/* A record with a flipped bit is refused, or it says something else: no bit is without meaning. */
static void every_bit_means_something(void **state)
{
    (void)state;
    cof_catalog_entry entries[16], got;
    size_t n = sample(entries, 16);
    cof_catalog_page page;

    put_sample(&page);
    for (size_t bit = 0; bit < page.plain.len * 8; bit++) {
        cof_catalog_view view;
        bool end = false, same = true;
        cof_status st;
        size_t i = 0;

        page.plain.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        st = cof_catalog_view_open(&view, cof_buf_slice(&page.plain), NULL);
        while (st == COF_OK && view.level == 0 &&
               (st = cof_catalog_view_entry(&view, &got, &end, NULL)) == COF_OK && !end) {
            same = same && i < n && got.type == entries[i].type && got.state == entries[i].state &&
                   got.stream == entries[i].stream && got.mode == entries[i].mode &&
                   got.user == entries[i].user && got.group == entries[i].group &&
                   got.size == entries[i].size && got.mtime == entries[i].mtime &&
                   got.mtime_ns == entries[i].mtime_ns && got.position == entries[i].position &&
                   got.length == entries[i].length && cof_slice_equal(got.path, entries[i].path) &&
                   cof_slice_equal(got.target, entries[i].target);
            i++;
        }
        if (st == COF_OK && same && i == n && view.level == 0)
            fail_msg("bit %zu of byte %zu means nothing", bit % 8, bit / 8);
        cof_catalog_view_wipe(&view);
        page.plain.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cof_catalog_page_wipe(&page);
}

/* ---- CA-1, one breach at a time -------------------------------------------------------------- */

static void entries_are_refused_by_rule(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at, len; /* in a record of one entry: where its bytes change */
        uint64_t to;
    } cases[] = {
        {"level", 0, 1, 16},
        {"zero bytes", 1, 1, 1},
        {"zero bytes", 3, 1, 1},
        {"no entry", 4, 4, 0},
        {"more entries than bytes", 4, 4, 2},
        {"more entries than bytes", 4, 4, UINT32_MAX},
        {"position and length beyond 2^63", 8, 8, (UINT64_C(1) << 63) - 512},
        {"type", 16, 1, 8},
        {"type", 16, 1, 10},
        {"unknown, but in the archive", 16, 1, 0},
        {"state", 17, 1, 4},
        {"vanished, but in the archive", 17, 1, 3},
        {"stream of a file", 18, 2, 1},
        {"mode", 20, 2, 010000},
        {"size of a file", 30, 8, UINT64_C(1) << 63},
        {"nanoseconds", 46, 4, 1000000000},
        {"length 0 and ok", 50, 8, 0},
        {"length", 50, 8, 511},
        {"length", 50, 8, UINT64_C(1) << 63},
        {"shared with nothing", 58, 2, 1},
        {"no path", 60, 2, 0},
        {"path longer than the record", 60, 2, 5},
        {"target of a file", 62, 2, 1},
        {"directory with a size", 16, 1, 2},
        {"symbolic link without target", 16, 1, 3},
        {"hard link without target", 16, 1, 4},
        {"named stream in stream 0", 16, 1, 9},
        {"path", 64, 4, 0x2e2e2f61}, /* ../a */
        {"path", 64, 4, 0x2f616161},
        {"path", 64, 4, 0x61612f2f},
        {"path", 64, 4, 0x61006161},
        {"path", 64, 4, 0x612f2e2f},
    };
    const cof_catalog_entry file = {
        .type = COF_ENTRY_FILE, .size = 5, .length = 1024, .path = slice_of("file")};
    cof_catalog_entry last;
    uint32_t count;
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_catalog_page page;
        uint8_t raw[8];
        bool full;

        memset(&page, 0, sizeof(page));
        assert_ok(cof_catalog_page_entry(&page, &full, 4096, &file, NULL));
        cof_be64_store(raw, cases[i].to);
        memcpy(page.plain.data + cases[i].at, raw + 8 - cases[i].len, cases[i].len);
        if (read_all(cof_buf_slice(&page.plain), &last, &count, &err) == COF_OK)
            fail_msg("accepted: %s (case %zu)", cases[i].what, i);
        assert_rule(read_all(cof_buf_slice(&page.plain), &last, &count, &err), err, COF_FORMAT,
                    "CA-1");
        cof_catalog_page_wipe(&page);
    }
}

/* Two entries, the second one put by hand: shared, rest and what it would be. */
static cof_status read_two(const char *first, uint16_t shared, const char *rest,
                           cof_entry_type type, const char *target, cof_error *err)
{
    const cof_catalog_entry file = {.type = COF_ENTRY_FILE, .length = 512, .path = slice_of(first)};
    uint8_t fixed[COF_CATALOG_ENTRY_SIZE] = {0};
    cof_catalog_page page;
    cof_catalog_entry last;
    uint32_t count;
    cof_status st;
    bool full;

    memset(&page, 0, sizeof(page));
    assert_ok(cof_catalog_page_entry(&page, &full, 4096, &file, NULL));
    fixed[0] = (uint8_t)type;
    cof_be64_store(fixed + 34, 512);
    cof_be16_store(fixed + 42, shared);
    cof_be16_store(fixed + 44, (uint16_t)strlen(rest));
    cof_be16_store(fixed + 46, (uint16_t)strlen(target));
    assert_ok(cof_buf_append(&page.plain, fixed, sizeof(fixed), NULL));
    assert_ok(cof_buf_append(&page.plain, rest, strlen(rest), NULL));
    assert_ok(cof_buf_append(&page.plain, target, strlen(target), NULL));
    cof_be32_store(page.plain.data + 4, 2);
    st = read_all(cof_buf_slice(&page.plain), &last, &count, err);
    cof_catalog_page_wipe(&page);
    return st;
}

static void order_and_links_are_refused_by_rule(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        uint16_t shared;
        const char *rest;
        cof_entry_type type;
        const char *target;
        bool good;
    } cases[] = {
        {"ab", 1, "c", COF_ENTRY_FILE, "", true},
        {"ab", 2, "/c", COF_ENTRY_FILE, "", true},
        {"ab", 0, "ac", COF_ENTRY_FILE, "", false},  /* shares more than it says */
        {"ab", 3, "c", COF_ENTRY_FILE, "", false},   /* shares more than there is */
        {"ab", 1, "a", COF_ENTRY_FILE, "", false},   /* backwards */
        {"ab", 1, "b", COF_ENTRY_FILE, "", false},   /* again */
        {"ab", 2, "", COF_ENTRY_FILE, "", false},    /* again */
        {"a-", 1, "/b", COF_ENTRY_FILE, "", false},  /* a/b belongs before a- */
        {"ab", 2, "/..", COF_ENTRY_FILE, "", false}, /* leads elsewhere when joined */
        {"ab", 0, "b", COF_ENTRY_SYMLINK, "x", true},
        {"ab", 0, "b", COF_ENTRY_SYMLINK, "/etc/../x", true},
        {"ab", 0, "b", COF_ENTRY_HARDLINK, "ab", true},
        {"ab", 0, "b", COF_ENTRY_HARDLINK, "b", false},
        {"ab", 0, "b", COF_ENTRY_HARDLINK, "c", false},
        {"ab", 0, "b", COF_ENTRY_HARDLINK, "../a", false},
        {"ab", 0, "b", COF_ENTRY_HARDLINK, "/a", false},
        {"ab", 0, "b", COF_ENTRY_FIFO, "x", false},
    };
    cof_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cof_status st = read_two(cases[i].first, cases[i].shared, cases[i].rest, cases[i].type,
                                 cases[i].target, &err);

        if ((st == COF_OK) != cases[i].good)
            fail_msg("case %zu: %s", i, cof_status_name(st));
        if (!cases[i].good)
            assert_rule(read_two(cases[i].first, cases[i].shared, cases[i].rest, cases[i].type,
                                 cases[i].target, &err),
                        err, COF_FORMAT, "CA-1");
    }
}

static cof_status read_items(cof_slice plain, size_t *count, cof_error *err)
{
    cof_catalog_item item;
    cof_catalog_view view;
    bool end = false;
    cof_status st = cof_catalog_view_open(&view, plain, err);

    *count = 0;
    while (st == COF_OK && (st = cof_catalog_view_item(&view, &item, &end, err)) == COF_OK && !end)
        ++*count;
    cof_catalog_view_wipe(&view);
    return st;
}

static void items_are_refused_by_rule(void **state)
{
    (void)state;
    const cof_catalog_item items[] = {
        {4, 512, slice_of("a")}, {9, 1024, slice_of("b/c")}, {11, 1024, slice_of("b/d")}};
    static const struct {
        size_t at; /* one byte */
        uint8_t to;
    } cases[] = {
        {15, 1},                /* the record's position is not that of its first item */
        {24 + 8 - 8, 1},        /* the first item's is not either */
        {34 + 1 + 8 + 5, 0xff}, /* the second's is behind the third's */
        {34, '/'},              /* a path that is none */
        {34, 'c'},              /* not in order */
        {7, 4},                 /* more items than there are */
        {33, 2},                /* a path that takes what is behind it */
    };
    cof_catalog_page page = {.level = 1};
    size_t count;
    bool full;
    cof_error err;

    for (size_t i = 0; i < 3; i++)
        assert_ok(cof_catalog_page_item(&page, &full, 4096, &items[i], NULL));
    assert_ok(read_items(cof_buf_slice(&page.plain), &count, NULL));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t was = page.plain.data[cases[i].at];

        page.plain.data[cases[i].at] = cases[i].to;
        assert_rule(read_items(cof_buf_slice(&page.plain), &count, &err), err, COF_FORMAT, "CA-1");
        page.plain.data[cases[i].at] = was;
    }
    for (size_t len = 0; len < page.plain.len; len++)
        assert_rule(read_items((cof_slice){page.plain.data, len}, &count, &err), err, COF_FORMAT,
                    "CA-1");
    cof_catalog_page_wipe(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_ordered_by_components),
        cmocka_unit_test(paths_are_refused_that_lead_elsewhere),
        cmocka_unit_test(record_comes_back),
        cmocka_unit_test(page_says_when_it_is_full),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_bit_means_something),
        cmocka_unit_test(entries_are_refused_by_rule),
        cmocka_unit_test(order_and_links_are_refused_by_rule),
        cmocka_unit_test(items_are_refused_by_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
