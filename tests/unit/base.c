/* SPDX-License-Identifier: Apache-2.0 */

/* Does base keep its contracts? */

#include "base/buf.h"
#include "base/error.h"
#include "base/num.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/uuid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- error --------------------------------------------------------------------------------- */

static void error_records_the_whole(void **state)
{
    (void)state;
    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_fail_rule(&err, COF_FORMAT, "TL-2", 77, "bad %d", 5), COF_FORMAT);
    assert_int_equal(err.status, COF_FORMAT);
    assert_int_equal(err.offset, 77);
    assert_string_equal(err.rule, "TL-2");
    assert_string_equal(err.message, "bad 5");

    assert_int_equal(cof_fail_sys(&err, ENOENT, "cannot open %s", "/x"), COF_IO);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_true(err.offset == COF_NO_OFFSET);
    assert_string_equal(err.rule, "");
    assert_string_equal(err.message, "cannot open /x: No such file or directory");

    assert_int_equal(cof_fail(NULL, COF_AUTH, "nobody listens"), COF_AUTH);
}

static void error_cuts_long_messages_between_characters(void **state)
{
    (void)state;
    char text[600];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', sizeof text);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 3); /* euro sign */
        text[sizeof text - 1] = '\0';
        cof_error err = COF_ERROR_INIT;
        assert_int_equal(cof_fail(&err, COF_LIMIT, "%s", text), COF_LIMIT);
        size_t len = strlen(err.message);
        assert_true(len < sizeof err.message && len + 4 > sizeof err.message);
        assert_true(cof_utf8_valid(err.message, len));
    }
}

static void status_names_are_complete(void **state)
{
    (void)state;
    for (int i = COF_OK; i <= COF_INTERNAL; i++)
        assert_string_not_equal(cof_status_name((cof_status)i), "UNKNOWN");
    assert_string_equal(cof_status_name(COF_AUTH), "AUTH");
    assert_string_equal(cof_status_name((cof_status)99), "UNKNOWN");
}

/* ---- buf ----------------------------------------------------------------------------------- */

static void buf_grows_and_moves(void **state)
{
    (void)state;
    cof_buf buf = COF_BUF_INIT;
    cof_buf other = COF_BUF_INIT;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(cof_buf_append(&buf, "abc", 3, NULL), COF_OK);
    assert_int_equal(cof_buf_append(&buf, NULL, 0, NULL), COF_OK);
    assert_int_equal(cof_buf_append_zeros(&buf, 5, NULL), COF_OK);
    assert_int_equal(buf.len, 3005);
    assert_memory_equal(buf.data + 2997, "abc\0\0\0\0\0", 8);

    cof_error err = COF_ERROR_INIT;
    assert_int_equal(cof_buf_reserve(&buf, SIZE_MAX, &err), COF_NOMEM);
    assert_int_equal(err.status, COF_NOMEM);
    assert_int_equal(buf.len, 3005);

    assert_int_equal(cof_buf_append(&other, "x", 1, NULL), COF_OK);
    cof_buf_take(&other, &buf);
    assert_int_equal(other.len, 3005);
    assert_null(buf.data);
    cof_buf_free(&buf);
    cof_buf_free(&other);
    cof_buf_free(NULL);
}

static void slices_compare_by_content(void **state)
{
    (void)state;
    const uint8_t a[] = {1, 2, 3}, b[] = {1, 2, 3}, c[] = {1, 2, 4};
    assert_true(cof_slice_equal((cof_slice){a, 3}, (cof_slice){b, 3}));
    assert_false(cof_slice_equal((cof_slice){a, 3}, (cof_slice){c, 3}));
    assert_false(cof_slice_equal((cof_slice){a, 3}, (cof_slice){b, 2}));
    assert_true(cof_slice_equal((cof_slice)COF_SLICE_INIT, (cof_slice){b, 0}));
}

/* ---- secret -------------------------------------------------------------------------------- */

static void secret_lives(void **state)
{
    (void)state;
    cof_secret *secret = NULL;
    cof_secret *copy = NULL;
    assert_int_equal(cof_secret_new(&secret, 5000, NULL), COF_OK);
    assert_int_equal(cof_secret_len(secret), 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(cof_secret_bytes(secret)[i], 0);
    memset(cof_secret_bytes(secret), 7, 5000);
    assert_int_equal(cof_secret_dup(&copy, secret, NULL), COF_OK);
    cof_secret_shrink(secret, 10);
    assert_int_equal(cof_secret_len(secret), 10);
    assert_int_equal(cof_secret_bytes(secret)[9], 7);
    assert_int_equal(cof_secret_bytes(secret)[10], 0);
    assert_int_equal(cof_secret_bytes(secret)[4999], 0);
    assert_int_equal(cof_secret_bytes_const(copy)[4999], 7);
    cof_secret_free(secret);
    cof_secret_free(copy);
    cof_secret_free(NULL);

    assert_int_equal(cof_secret_new(&secret, 0, NULL), COF_OK);
    assert_int_equal(cof_secret_len(secret), 0);
    assert_non_null(cof_secret_bytes(secret));
    cof_secret_free(secret);
    assert_int_equal(cof_secret_new(&secret, SIZE_MAX, NULL), COF_NOMEM);
    assert_null(secret);
}

static void wipe_and_compare(void **state)
{
    (void)state;
    uint8_t a[32], b[32];
    memset(a, 0xA5, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(cof_equal_consttime(a, b, sizeof a));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] = (uint8_t)(b[bit / 8] ^ (1u << bit % 8));
        assert_false(cof_equal_consttime(a, b, sizeof a));
        b[bit / 8] = (uint8_t)(b[bit / 8] ^ (1u << bit % 8));
    }
    assert_true(cof_equal_consttime(a, b, 0));
    cof_wipe(a, sizeof a);
    memset(b, 0, sizeof b);
    assert_memory_equal(a, b, sizeof a);
    cof_wipe(NULL, 0);
}

/* ---- num ----------------------------------------------------------------------------------- */

static void arithmetic_stops_at_the_edge(void **state)
{
    (void)state;
    uint64_t u = 42;
    size_t z = 42;
    uint32_t w = 42;
    assert_false(cof_add_u64(UINT64_MAX, 1, &u));
    assert_false(cof_sub_u64(1, 2, &u));
    assert_false(cof_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &u));
    assert_false(cof_round_up_u64(UINT64_MAX, 4096, &u));
    assert_false(cof_add_size(SIZE_MAX, 1, &z));
    assert_false(cof_mul_size(SIZE_MAX, 2, &z));
    assert_false(cof_u32_from_u64(UINT64_C(1) << 32, &w));
    assert_true(u == 42 && z == 42 && w == 42);

    assert_true(cof_add_u64(UINT64_MAX, 0, &u) && u == UINT64_MAX);
    assert_true(cof_sub_u64(2, 2, &u) && u == 0);
    assert_true(cof_mul_u64(UINT64_MAX, 1, &u) && u == UINT64_MAX);
    assert_true(cof_round_up_u64(0, 4096, &u) && u == 0);
    assert_true(cof_round_up_u64(1, 4096, &u) && u == 4096);
    assert_true(cof_round_up_u64(4096, 4096, &u) && u == 4096);
    assert_true(cof_size_from_u64(7, &z) && z == 7);
    assert_true(cof_u32_from_u64(UINT32_MAX, &w) && w == UINT32_MAX);
    assert_true(cof_min_u64(1, 2) == 1 && cof_max_u64(1, 2) == 2);
    assert_true(cof_min_size(1, 2) == 1 && cof_max_size(1, 2) == 2);
}

/* ---- text ---------------------------------------------------------------------------------- */

static void text_is_made_safe(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain /path/file.txt", "plain /path/file.txt"},
        {"Gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80", "Gr\xC3\xBC\xC3\x9F \xE2\x82\xAC "
                                                             "\xF0\x9F\x98\x80"},
        {"a\\b", "a\\\\b"},
        {"\x1B[2J", "\\x1B[2J"},
        {"a\nb\tc\x7F", "a\\x0Ab\\x09c\\x7F"},
        {"\xC2\x9B", "\\u{009B}"},
        {"\xE2\x80\xAE", "\\u{202E}"},
        {"\xE2\x81\xA6", "\\u{2066}"},
        {"\xE2\x80\x8B", "\\u{200B}"},
        {"\xE2\x80\x8E", "\\u{200E}"},
        {"\xE2\x80\xA8", "\\u{2028}"},
        {"\xD8\x9C", "\\u{061C}"},
        {"\xEF\xBB\xBF", "\\u{FEFF}"},
        {"\xF3\xA0\x81\x81", "\\u{E0041}"},
        {"\x80", "\\x80"},
        {"\xC0\xAF", "\\xC0\\xAF"},                   /* overlong */
        {"\xE2\x82", "\\xE2\\x82"},                   /* cut short */
        {"\xED\xA0\x80", "\\xED\\xA0\\x80"},          /* surrogate */
        {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"}, /* above U+10FFFF */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[128];
        assert_string_equal(cof_text_safe_str(out, sizeof out, cases[i].in), cases[i].out);
        assert_true(strlen(out) < COF_TEXT_SAFE_CAP(strlen(cases[i].in)));
    }
    char out[16];
    assert_string_equal(cof_text_safe(out, sizeof out, "a\0b", 3), "a\\x00b");
}

static void safe_text_is_cut_between_characters(void **state)
{
    (void)state;
    const char in[] = "ab\x1B\xE2\x82\xACz";
    char whole[64], out[64];
    cof_text_safe_str(whole, sizeof whole, in);
    for (size_t cap = 1; cap <= strlen(whole) + 1; cap++) {
        memset(out, 'X', sizeof out);
        cof_text_safe_str(out, cap, in);
        assert_true(strlen(out) < cap);
        assert_int_equal(out[cap], 'X');
        assert_true(cof_utf8_valid(out, strlen(out)));
    }
    assert_string_equal(cof_text_safe_str(out, strlen(whole) + 1, in), whole);
    assert_string_equal(cof_text_safe_str(out, strlen(whole), in), "ab\\x1B...");
    assert_string_equal(cof_text_safe_str(out, 9, in), "ab...");
    assert_string_equal(cof_text_safe_str(out, 4, in), "...");
    assert_string_equal(cof_text_safe_str(out, 3, in), "ab");
    assert_string_equal(cof_text_safe_str(out, 1, in), "");
}

/* Safe text is printable ASCII or valid UTF-8, whatever two bytes come in. */
static void every_pair_of_bytes_becomes_safe(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        char in[2] = {(char)(pair >> 8), (char)(pair & 0xFF)};
        char out[COF_TEXT_SAFE_CAP(2)];
        cof_text_safe(out, sizeof out, in, 2);
        size_t len = strlen(out);
        assert_true(cof_utf8_valid(out, len));
        for (size_t i = 0; i < len; i++)
            assert_false((unsigned char)out[i] < 0x20 || out[i] == 0x7F);
    }
}

static void bytes_become_text(void **state)
{
    const uint8_t bytes[] = {'a', 'b', 'c'}; /* no NUL in it, and none has to be behind it */
    char *text = cof_text_dup(bytes, sizeof bytes), *none = cof_text_dup(bytes, 0);

    (void)state;
    assert_string_equal(text, "abc");
    assert_string_equal(none, "");
    free(text);
    free(none);
}

static void hex_is_strict(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x00, 0x9F, 0xAB, 0xFF};
    char text[COF_HEX_CAP(4)];
    uint8_t out[4] = {1, 1, 1, 1};
    cof_hex_encode(text, bytes, 4);
    assert_string_equal(text, "009fabff");
    assert_false(cof_hex_decode(out, 4, "009FABFF", 8, COF_HEX_LOWER));
    assert_false(cof_hex_decode(out, 4, "009fabf", 7, COF_HEX_LOWER));
    assert_false(cof_hex_decode(out, 4, "009fabff00", 10, COF_HEX_LOWER));
    assert_false(cof_hex_decode(out, 4, "009fab g", 8, COF_HEX_ANY));
    assert_int_equal(out[0], 1);
    assert_true(cof_hex_decode(out, 4, "009fabff", 8, COF_HEX_LOWER));
    assert_memory_equal(out, bytes, 4);
    assert_true(cof_hex_decode(out, 4, "009FaBfF", 8, COF_HEX_ANY));
    assert_true(cof_hex_decode(NULL, 0, "", 0, COF_HEX_LOWER));
}

/* ---- time and size ------------------------------------------------------------------------- */

static void times_have_one_spelling(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},          {951782400, "2000-02-29T00:00:00Z"},
        {951868799, "2000-02-29T23:59:59Z"},  {4107542400, "2100-03-01T00:00:00Z"},
        {1795515302, "2026-11-24T10:15:02Z"}, {COF_TIME_MAX, "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[COF_TIME_CAP];
        uint64_t back = 1;
        assert_true(cof_time_format(text, cases[i].seconds));
        assert_string_equal(text, cases[i].text);
        assert_true(cof_time_parse(&back, text, strlen(text)));
        assert_int_equal(back, cases[i].seconds);
    }
    char compact[COF_TIME_COMPACT_CAP], text[COF_TIME_CAP];
    assert_true(cof_time_format_compact(compact, 1795515302));
    assert_string_equal(compact, "20261124T101502Z");
    assert_false(cof_time_format(text, COF_TIME_MAX + 1));
    assert_string_equal(text, "");
    assert_false(cof_time_format_compact(compact, UINT64_MAX));
}

static void every_day_comes_back(void **state)
{
    (void)state;
    for (uint64_t t = 43210; t <= COF_TIME_MAX; t += 86400) {
        char text[COF_TIME_CAP];
        uint64_t back = 0;
        assert_true(cof_time_format(text, t));
        assert_true(cof_time_parse(&back, text, 20));
        if (back != t)
            assert_int_equal(back, t);
    }
}

static void other_times_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T10:15:02",
        "2026-11-24T10:15:02z",
        "2026-11-24t10:15:02Z",
        "2026-11-24 10:15:02Z",
        "2026-11-24T10:15:60Z",
        "2026-11-24T10:60:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-31T10:15:02Z",
        "2026-02-29T10:15:02Z",
        "2100-02-29T10:15:02Z",
        "2026-00-24T10:15:02Z",
        "2026-13-24T10:15:02Z",
        "2026-11-00T10:15:02Z",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "+026-11-24T10:15:02Z",
        "2026-11-24T10:15:02ZZ",
        "2026-11-24T10:15: 2Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t out = 42;
        assert_false(cof_time_parse(&out, bad[i], strlen(bad[i])));
        assert_int_equal(out, 42);
    }
}

static void sizes_read_well(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {1048575, "1.0 MiB"}, /* not 1024.0 KiB */
        {2040109466, "1.9 GiB"},
        {5583457485, "5.2 GiB"},
        {UINT64_C(1) << 60, "1.0 EiB"},
        {(UINT64_C(3) << 60) / 2, "1.5 EiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[COF_SIZE_CAP];
        cof_size_format(text, cases[i].bytes);
        assert_string_equal(text, cases[i].text);
    }
}

/* ---- uuid ---------------------------------------------------------------------------------- */

static void uuids_have_one_spelling(void **state)
{
    (void)state;
    static const char good[] = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    static const char *const bad[] = {
        "7C9E6679-7425-40de-944b-e07fc1f90ae7",   "7c9e667974254-0de-944b-e07fc1f90ae7",
        "7c9e6679-7425-40de-944b-e07fc1f90ae",    "{7c9e6679-7425-40de-944b-e07fc1f90ae}",
        "7c9e6679-7425-40de-944b-e07fc1f90ae7\n", "7c9e6679742540de944be07fc1f90ae7",
    };
    uint8_t uuid[COF_UUID_LEN];
    char text[COF_UUID_TEXT_CAP];
    assert_true(cof_uuid_parse(uuid, good, strlen(good)));
    cof_uuid_format(text, uuid);
    assert_string_equal(text, good);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(cof_uuid_parse(uuid, bad[i], strlen(bad[i])));
    cof_uuid_format(text, uuid);
    assert_string_equal(text, good);

    memset(uuid, 0xFF, sizeof uuid);
    cof_uuid_from_random(uuid);
    cof_uuid_format(text, uuid);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_records_the_whole),
        cmocka_unit_test(error_cuts_long_messages_between_characters),
        cmocka_unit_test(status_names_are_complete),
        cmocka_unit_test(buf_grows_and_moves),
        cmocka_unit_test(slices_compare_by_content),
        cmocka_unit_test(secret_lives),
        cmocka_unit_test(wipe_and_compare),
        cmocka_unit_test(arithmetic_stops_at_the_edge),
        cmocka_unit_test(text_is_made_safe),
        cmocka_unit_test(safe_text_is_cut_between_characters),
        cmocka_unit_test(every_pair_of_bytes_becomes_safe),
        cmocka_unit_test(bytes_become_text),
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(times_have_one_spelling),
        cmocka_unit_test(every_day_comes_back),
        cmocka_unit_test(other_times_are_refused),
        cmocka_unit_test(sizes_read_well),
        cmocka_unit_test(uuids_have_one_spelling),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
