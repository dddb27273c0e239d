/* SPDX-License-Identifier: Apache-2.0 */

/* Is the reader of JSON as strict as ST-3 and ST-4 ask, and no stricter? */

#include "format_statement.h"

#include "format/json.h"
#include "format/limits.h"

static void texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "{",
        "{}{}",
        "{} x",
        "\xEF\xBB\xBF{}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "{\"a\":-0}",
        "{\"a\":-1}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":0x1}",
        "{\"a\":NaN}",
        "{\"a\":\"\xFF\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":99999999999999999999}",
        "{\"a\":\"\n\"}",
        "{\"x\":{\"y\":1},\"a\":-1}",
        "{\"a\":\"x\",\"b\":[-1]}",
        "{\"xx\":[-1]}",
        "{\"a",
        "{\"a\\",
        "{/**/}",
    };
    json_t *root = NULL;
    cof_error err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_rule(cof_json_parse(&root, slice_of(bad[i]), &err), err, COF_FORMAT, "ST-3");
        assert_null(root);
    }
    assert_rule(cof_json_parse(&root, (cof_slice){(const uint8_t *)"{}\0", 3}, &err), err,
                COF_FORMAT, "ST-3");
}

static void texts_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        " {} ",
        "{\"a\":\"-1\"}",
        "{\"-\":0}",
        "{\"x\":{\"a\":-1.5e3,\"b\":[-0]}}",
        "{\"x\":[-1],\"a\":1}",
        "{\"\\u0078\":{\"a\":-1}}",
        "{\"a\":\"\\\"-{[\\\\\"}",
        "{\"a\":[[[[[[[0]]]]]]]}", /* eight deep */
    };
    json_t *root = NULL;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_ok(cof_json_parse(&root, slice_of(good[i]), NULL));
        json_decref(root);
    }
}

static void size_and_depth_are_bounded(void **state)
{
    (void)state;
    json_t *root = NULL;
    cof_error err;
    char *deep = repeated("{\"a\":", 100000);
    char *large = repeated(" ", COF_STATEMENT_MAX + 1);

    assert_rule(cof_json_parse(&root, slice_of(deep), &err), err, COF_LIMIT, "GE-2");
    assert_rule(cof_json_parse(&root, slice_of("{\"a\":[[[[[[[[0]]]]]]]]}"), &err), err, COF_LIMIT,
                "GE-2");
    assert_rule(cof_json_parse(&root, slice_of("{\"x\":[[[[[[[[0]]]]]]]]}"), &err), err, COF_LIMIT,
                "GE-2");
    assert_rule(cof_json_parse(&root, slice_of(large), &err), err, COF_LIMIT, "GE-2");
    large[COF_STATEMENT_MAX] = '\0';
    memcpy(large, "{}", 2);
    assert_ok(cof_json_parse(&root, slice_of(large), NULL));
    json_decref(root);
    free(deep);
    free(large);
}

static cof_json_object open_object(json_t **root, const char *text, cof_error *err)
{
    cof_json_object o;

    assert_ok(cof_json_parse(root, slice_of(text), err));
    assert_ok(cof_json_object_init(&o, *root, err));
    return o;
}

static void numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"1.0", "1e3", "9007199254740992", "\"1\"", "null", "true"};
    json_t *root = NULL;
    uint64_t n = 0;
    char text[64];
    cof_error err = COF_ERROR_INIT;

    cof_json_object o = open_object(&root, "{\"a\":9007199254740991}", &err);
    assert_ok(cof_json_get_u64(&o, "a", &n));
    assert_true(n == UINT64_C(9007199254740991));
    assert_ok(cof_json_done(&o, false));
    json_decref(root);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "{\"a\":%s}", bad[i]);
        o = open_object(&root, text, &err);
        assert_int_equal(cof_json_get_u64(&o, "a", &n), COF_FORMAT);
        assert_string_equal(err.rule, "ST-3");
        json_decref(root);
    }
    assert_true(n == UINT64_C(9007199254740991));
}

static void members_are_all_and_only_those(void **state)
{
    (void)state;
    json_t *root = NULL;
    bool b = false;
    cof_error err = COF_ERROR_INIT;

    cof_json_object o = open_object(&root, "{\"a\":true,\"b\":false,\"x\":{\"q\":1}}", &err);
    assert_ok(cof_json_get_bool(&o, "a", &b));
    assert_true(b);
    assert_int_equal(cof_json_get_bool(&o, "c", &b), COF_FORMAT);
    assert_int_equal(cof_json_done(&o, true), COF_FORMAT); /* b is left */
    assert_ok(cof_json_get_bool(&o, "b", &b));
    assert_false(b);
    assert_int_equal(cof_json_done(&o, false), COF_FORMAT); /* x is not allowed here */
    assert_ok(cof_json_done(&o, true));
    json_decref(root);

    o = open_object(&root, "{\"x\":1}", &err);
    assert_int_equal(cof_json_done(&o, true), COF_FORMAT); /* x must be an object */
    json_decref(root);
}

static void builders_remember_failures(void **state)
{
    (void)state;
    cof_json_builder b;
    cof_buf out = COF_BUF_INIT;
    cof_error err;

    cof_json_begin(&b);
    cof_json_put_text(&b, "a", "\xC3\xA4 \"q\" / \x7F");
    cof_json_put_u64(&b, "n", COF_JSON_INTEGER_MAX);
    cof_json_put_hash(&b, "h", NULL);
    assert_ok(cof_json_finish(&b, &out, NULL));
    assert_true(cof_slice_equal(
        cof_buf_slice(&out),
        slice_of("{\"a\":\"\xC3\xA4 \\\"q\\\" / \x7F\",\"n\":9007199254740991,\"h\":null}")));

    cof_json_begin(&b);
    cof_json_put_text(&b, "a", "\xFF");
    cof_json_put_u64(&b, "n", 1);
    out.len = 0;
    assert_rule(cof_json_finish(&b, &out, &err), err, COF_USAGE, "ST-3");
    assert_int_equal(out.len, 0);
    cof_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_refused),
        cmocka_unit_test(texts_are_accepted),
        cmocka_unit_test(size_and_depth_are_bounded),
        cmocka_unit_test(numbers),
        cmocka_unit_test(members_are_all_and_only_those),
        cmocka_unit_test(builders_remember_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
