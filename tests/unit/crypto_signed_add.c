/* SPDX-License-Identifier: Apache-2.0 */

/* Adding a signature to a statement that somebody else has signed. */

#include "crypto_signed_kit.h"

static cof_status add(cof_buf *out, const cof_buf *message, size_t who, size_t max)
{
    return cof_signed_add(out, cof_buf_slice(message), OID, max, keys[who], certs[who], &kit_err);
}

static void every_pair_of_keys(void **state)
{
    (void)state;
    for (size_t first = 0; first < KINDS; first++)
        for (size_t second = 0; second < KINDS; second++) {
            cof_buf message = make(first), both = COF_BUF_INIT;

            if (first == second) {
                assert_fails(add(&both, &message, second, 4), COF_USAGE, "");
                assert_int_equal(both.len, 0);
            } else {
                assert_ok(add(&both, &message, second, 4));
                assert_signed_by(cof_buf_slice(&both), 1u << first | 1u << second, 2);
            }
            cof_buf_free(&message);
            cof_buf_free(&both);
        }
}

/* What was there is there still, byte for byte, and the set stays sorted whatever comes. */
static void one_after_the_other(void **state)
{
    static const size_t order[] = {P256, PSS, DSA_2048, RSA_2048};
    cof_buf message = make(order[0]);
    unsigned who = 1u << order[0];

    (void)state;
    for (size_t i = 1; i < 4; i++) {
        cof_buf more = COF_BUF_INIT;

        assert_ok(add(&more, &message, order[i], 4));
        who |= 1u << order[i];
        assert_signed_by(cof_buf_slice(&more), who, i + 1);
        cof_buf_free(&message);
        message = more;
    }
    cof_buf_free(&message);
}

static void the_digest_is_the_statement_s(void **state)
{
    static const cof_digest digests[] = {COF_DIGEST_SHA384, COF_DIGEST_SHA512};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        cof_buf message = COF_BUF_INIT, both = COF_BUF_INIT;

        assert_ok(
            cof_signed_make(&message, OID, text, keys[P256], certs[P256], digests[i], &kit_err));
        assert_ok(add(&both, &message, PSS, 2));
        assert_signed_by(cof_buf_slice(&both), 1u << P256 | 1u << PSS, 2);
        both.len = 0;
        assert_fails(add(&both, &message, DSA_2048, 2), COF_UNSUPPORTED, "");
        assert_int_equal(both.len, 0);
        cof_buf_free(&message);
        cof_buf_free(&both);
    }
}

/* SD-6: so many, and not one more. */
static void there_is_an_end(void **state)
{
    cof_buf message = make(P256), both = COF_BUF_INIT, more = COF_BUF_INIT;

    (void)state;
    assert_fails(add(&both, &message, P384, 1), COF_LIMIT, "SD-6");
    assert_ok(add(&both, &message, P384, 2));
    assert_fails(add(&more, &both, P521, 2), COF_LIMIT, "SD-6");
    assert_int_equal(more.len, 0);
    cof_buf_free(&message);
    cof_buf_free(&both);
}

static void what_is_no_statement_gets_none(void **state)
{
    cof_buf message = make(P256), both = COF_BUF_INIT;

    (void)state;
    assert_fails(cof_signed_add(&both, cof_buf_slice(&message), OID_OTHER, 4, keys[P384],
                                certs[P384], &kit_err),
                 COF_FORMAT, "SD-4");
    assert_fails(
        cof_signed_add(&both, cof_buf_slice(&message), OID, 4, keys[P384], certs[P521], &kit_err),
        COF_CERT, "");
    message.data[message.len / 2] ^= 1;
    assert_int_not_equal(add(&both, &message, P384, 4), COF_OK);
    assert_int_equal(both.len, 0);
    cof_buf_free(&message);
}

/* A long content, so that lengths of all sizes occur. */
static void lengths_of_all_sizes(void **state)
{
    static const size_t sizes[] = {0, 100, 127, 128, 200, 255, 256, 300, 65535, 65536, 70000};
    uint8_t *long_text = calloc(1, 70000);

    (void)state;
    assert_non_null(long_text);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        cof_buf message = COF_BUF_INIT, both = COF_BUF_INIT;
        const cof_slice content = {long_text, sizes[i]};

        assert_ok(cof_signed_make(&message, OID, content, keys[P256], certs[P256],
                                  COF_DIGEST_SHA256, &kit_err));
        assert_ok(add(&both, &message, P384, 4));
        cof_buf_free(&message);
        cof_buf_free(&both);
    }
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_keys),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(the_digest_is_the_statement_s),
        cmocka_unit_test(there_is_an_end),
        cmocka_unit_test(what_is_no_statement_gets_none),
        cmocka_unit_test(lengths_of_all_sizes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
