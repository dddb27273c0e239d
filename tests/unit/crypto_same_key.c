/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One RSA key under two certificates, one of which allows it PSS only.  Whoever counts keys must
 * count one: as a recipient (KY-11), as the signing key that must not be its own recipient, and
 * among those who have signed.
 */

#include "crypto_kit.h"

#include <openssl/core_names.h>

#include "crypto/keys_map.h"
#include "crypto/signed.h"
#include "format/limits.h"

static cof_key *rsa, *pss;
static cof_cert *as_rsa, *as_pss, *of_another;

/* The same numbers, as a key of the other type. */
static cof_key *bind_to_pss(const cof_key *key)
{
    OSSL_PARAM *numbers = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;
    cof_key *out = NULL;

    assert_int_equal(EVP_PKEY_todata(cof_key_pkey(key), EVP_PKEY_KEYPAIR, &numbers), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, numbers), 1);
    assert_ok(cof_key_wrap(&out, pkey, &kit_err));
    OSSL_PARAM_free(numbers);
    EVP_PKEY_CTX_free(ctx);
    return out;
}

static int set_up(void **state)
{
    static const struct kit_cert plain = {NULL, NULL, -60, 86400};
    cof_key *other;

    (void)state;
    assert_ok(cof_crypto_init(&kit_err));
    rsa = kit_key("rsa-3072");
    pss = bind_to_pss(rsa);
    other = kit_key("rsa-pss-3072");
    as_rsa = kit_cert(rsa, "one", &plain);
    as_pss = kit_cert_of(cof_key_pkey(pss), cof_key_pkey(rsa), "two", &plain);
    of_another = kit_cert(other, "three", &plain);
    cof_key_free(other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cof_key_free(rsa);
    cof_key_free(pss);
    cof_cert_free(as_rsa);
    cof_cert_free(as_pss);
    cof_cert_free(of_another);
    return 0;
}

static void it_is_one_key(void **state)
{
    (void)state;
    assert_string_equal(cof_cert_key_text(as_rsa), "RSA-3072");
    assert_string_equal(cof_cert_key_text(as_pss), "RSA-PSS-3072");
    assert_true(cof_cert_same_key(as_rsa, as_pss));
    assert_true(cof_cert_same_key(as_pss, as_rsa));
    assert_true(cof_cert_same_key(as_pss, as_pss));
    assert_false(cof_cert_same_key(as_pss, of_another));
    assert_false(cof_cert_same_key(as_rsa, of_another));
}

static void it_is_no_second_recipient(void **state)
{
    cof_cert *twins[] = {as_rsa, as_pss}, *others[] = {as_rsa, of_another};

    (void)state;
    assert_fails(cof_keys_check_distinct(twins, 2, &kit_err), COF_CERT, "KY-11");
    assert_ok(cof_keys_check_distinct(others, 2, &kit_err));
}

/* A PSS signature is good under both certificates, and is one person's. */
static void it_has_signed_once(void **state)
{
    static const char content[] = "{}";
    cof_cert *candidates[] = {as_rsa, as_pss, of_another};
    bool valid[3];
    cof_buf message = COF_BUF_INIT;
    cof_signed *s = NULL;
    size_t distinct = 0;

    (void)state;
    assert_ok(cof_signed_make(&message, COF_OID_CUSTODY, (cof_slice){(const uint8_t *)content, 2},
                              pss, as_pss, COF_DIGEST_SHA256, &kit_err));
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), COF_OID_CUSTODY, 8, &kit_err));
    assert_ok(cof_signed_verify(s, candidates, 3, valid, &distinct, &kit_err));
    assert_true(valid[0] && valid[1] && !valid[2]);
    assert_int_equal(distinct, 1);
    cof_signed_free(s);
    cof_buf_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_one_key),
        cmocka_unit_test(it_is_no_second_recipient),
        cmocka_unit_test(it_has_signed_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
