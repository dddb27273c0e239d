/* SPDX-License-Identifier: Apache-2.0 */

/* KEYS: what it opens for, and what damage does to it. */

#include "crypto_keys_kit.h"

#include <stdlib.h>

static void opens_for_every_kind_of_key(void **state)
{
    cof_buf message = seal(certs, KINDS);
    cof_cert *turned[KINDS];

    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        assert_opens(cof_buf_slice(&message), certs, KINDS, keys[i], i);
    for (size_t i = 0; i < KINDS; i++)
        turned[i] = certs[KINDS - 1 - i];
    for (size_t i = 0; i < KINDS; i++)
        assert_opens(cof_buf_slice(&message), turned, KINDS, keys[i], KINDS - 1 - i);
    cof_buf_free(&message);
}

static void opens_for_many(void **state)
{
    enum { MANY = 64 };
    static cof_key *many[MANY];
    static cof_cert *list[MANY];
    cof_buf message;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i] = kit_key("p256");
        list[i] = i % 2 == 0 ? kit_nameless(many[i], "even")
                             : kit_self_sign(many[i], "odd", COF_CERT_FOR_RECIPIENT);
    }
    message = seal(list, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_opens(cof_buf_slice(&message), list, MANY, many[i], i);
    for (size_t i = 0; i < MANY; i++) {
        cof_key_free(many[i]);
        cof_cert_free(list[i]);
    }
    cof_buf_free(&message);
}

/* The library's own reader opens what we make: no coffer needed in twenty years. */
static void stock_reader_opens_it(void **state)
{
    cof_buf message = seal(certs, KINDS);

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const unsigned char *p = message.data;
        CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)message.len);
        BIO *bio = BIO_new(BIO_s_mem());
        char *bytes = NULL;

        assert_int_equal(
            CMS_decrypt(cms, cof_key_pkey(keys[i]), cof_cert_x509(certs[i]), NULL, bio, 0), 1);
        assert_int_equal(BIO_get_mem_data(bio, &bytes), 32);
        assert_true(cof_equal_consttime(bytes, cof_secret_bytes(dek), 32));
        BIO_free(bio);
        CMS_ContentInfo_free(cms);
    }
    cof_buf_free(&message);
}

static void stranger_has_no_match(void **state)
{
    cof_buf message = seal(certs, KINDS);
    cof_secret *got = NULL;

    (void)state;
    assert_fails(
        cof_keys_open(&got, cof_buf_slice(&message), certs, KINDS, NULL, stranger, &kit_err),
        COF_NO_MATCH, "");
    assert_null(got);
    cof_buf_free(&message);
}

/* A renewed certificate for the same key still opens, where key identifiers are used. */
static void renewed_certificate_opens(void **state)
{
    cof_buf message = seal(certs, 1);
    cof_cert *renewed = kit_self_sign(keys[0], "renewed", COF_CERT_FOR_RECIPIENT);

    (void)state;
    assert_opens(cof_buf_slice(&message), &renewed, 1, keys[0], 0);
    cof_cert_free(renewed);
    cof_buf_free(&message);
}

/* The same key, its point written in compressed form: another SPKI, but the key fits. */
static void compressed_point_opens(void **state)
{
    static const struct kit_cert how = {"hash", NULL, -60, 86400};
    EVP_PKEY *pkey = EVP_PKEY_dup(cof_key_pkey(keys[P256]));
    cof_cert *compressed;
    cof_buf message;

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, "point-format", "compressed"), 1);
    compressed = kit_cert_of(pkey, pkey, "compressed", &how);
    assert_true(cof_cert_same_key(compressed, certs[P256]));
    assert_memory_not_equal(cof_cert_spki_sha256(compressed), cof_cert_spki_sha256(certs[P256]),
                            32);
    message = seal(&compressed, 1);
    assert_opens(cof_buf_slice(&message), &compressed, 1, keys[P256], 0);
    cof_buf_free(&message);
    cof_cert_free(compressed);
    EVP_PKEY_free(pkey);
}

static void seal_refuses_bad_arguments(void **state)
{
    cof_buf out = COF_BUF_INIT;
    cof_secret *shorter = NULL;
    static cof_cert *many[COF_KEYS_RECIPIENTS_MAX + 1];

    (void)state;
    assert_ok(cof_random_secret(&shorter, 31, &kit_err));
    assert_fails(cof_keys_seal(&out, shorter, certs, 1, &kit_err), COF_USAGE, NULL);
    assert_fails(cof_keys_seal(&out, dek, certs, 0, &kit_err), COF_USAGE, NULL);
    assert_fails(cof_keys_seal(&out, dek, many, COF_KEYS_RECIPIENTS_MAX + 1, &kit_err), COF_LIMIT,
                 NULL);
    assert_int_equal(out.len, 0);
    cof_secret_free(shorter);
}

static void seal_refuses_unusable_keys(void **state)
{
    static const char *const types[] = {"rsa-pss-3072", "dsa-2048"};
    cof_buf out = COF_BUF_INIT;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        cof_key *key = kit_key(types[i]);
        cof_cert *cert = kit_self_sign(key, types[i], COF_CERT_FOR_SIGNER);

        assert_fails(cof_keys_seal(&out, dek, &cert, 1, &kit_err), COF_CERT, NULL);
        cof_cert_free(cert);
        cof_key_free(key);
    }
}

/* Whatever is wrong inside, the class and the sentence are the same. */
static void inner_failures_look_alike(void **state)
{
    static const struct {
        int path[8];
    } places[] = {{{AT_MAC, -1}},       {{AT_CONTENT, 2, -1}}, {{AT_GCM, 0, -1}},
                  {{AT_SET, 0, 3, -1}}, {{AT_SET, 1, 1, -1}},  {{AT_SET, 1, 3, -1}}};
    char first[sizeof(kit_err.message)] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        cof_buf message = seal(certs, 2);
        cof_slice at = kit_find(cof_buf_slice(&message), places[i].path);
        cof_secret *got = NULL;
        const cof_key *key = keys[i < 4 ? RSA : P256];

        message.data[(size_t)(at.data - message.data) + at.len - 1] ^= 1;
        assert_fails(cof_keys_open(&got, cof_buf_slice(&message), certs, 2, NULL, key, &kit_err),
                     COF_AUTH, "");
        if (first[0] == '\0')
            memcpy(first, kit_err.message, sizeof(first));
        assert_string_equal(first, kit_err.message);
        assert_null(got);
        cof_buf_free(&message);
    }
}

/* A damaged message never opens to another key, and never crashes. */
static void try_damaged(cof_slice message)
{
    for (size_t i = 0; i < 2; i++) {
        cof_secret *got = NULL;
        cof_status st = cof_keys_open(&got, message, certs, 2, NULL, keys[i], &kit_err);

        assert_int_equal(st == COF_OK, got != NULL);
        assert_true(st == COF_OK || st == COF_FORMAT || st == COF_UNSUPPORTED || st == COF_AUTH ||
                    st == COF_LIMIT);
        if (got != NULL)
            assert_true(cof_equal_consttime(cof_secret_bytes(got), cof_secret_bytes(dek), 32));
        cof_secret_free(got);
    }
}

static void every_bit_flipped(void **state)
{
    cof_buf message = seal(certs, 2);

    (void)state;
    for (size_t i = 0; i < message.len * 8; i += flip_step()) {
        message.data[i / 8] ^= (uint8_t)(1u << i % 8);
        try_damaged(cof_buf_slice(&message));
        message.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_opens(cof_buf_slice(&message), certs, 2, keys[0], 0);
    cof_buf_free(&message);
}

static void every_length_cut(void **state)
{
    cof_buf message = seal(certs, 2);

    (void)state;
    for (size_t len = 0; len < message.len; len++) {
        uint8_t *copy = malloc(len + 1); /* so that a read beyond the end is seen */

        assert_non_null(copy);
        memcpy(copy, message.data, len);
        assert_refused((cof_slice){copy, len}, certs, 2, len == 0 ? COF_LIMIT : COF_FORMAT, NULL);
        free(copy);
    }
    cof_buf_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_for_every_kind_of_key),
        cmocka_unit_test(opens_for_many),
        cmocka_unit_test(stock_reader_opens_it),
        cmocka_unit_test(stranger_has_no_match),
        cmocka_unit_test(renewed_certificate_opens),
        cmocka_unit_test(compressed_point_opens),
        cmocka_unit_test(seal_refuses_bad_arguments),
        cmocka_unit_test(seal_refuses_unusable_keys),
        cmocka_unit_test(inner_failures_look_alike),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(every_length_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
