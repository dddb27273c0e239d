/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Key files that would keep a process busy for days: each is refused before a passphrase is asked
 * for, let alone tried, and what people use is not.
 */

#include "crypto_kit.h"

static unsigned asked;

static cof_status count_asking(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    (void)ctx;
    (void)what;
    asked++;
    assert_ok(cof_secret_new(out, 6, err));
    memcpy(cof_secret_bytes(*out), "secret", 6);
    return COF_OK;
}

static const cof_passphrase ask = {count_asking, NULL};

/* An encrypted PKCS#8 whose content is noise: nobody gets so far. */
static void put_sig(cof_buf *out, X509_ALGOR *alg)
{
    static const uint8_t noise[64] = {1, 2, 3};
    cof_buf octets = COF_BUF_INIT, body = COF_BUF_INIT;
    uint8_t *der = NULL;
    int len = i2d_X509_ALGOR(alg, &der);

    assert_true(len > 0);
    kit_put(&body, (cof_slice){der, (size_t)len});
    kit_put_element(&octets, COF_DER_OCTETS, (cof_slice){noise, sizeof(noise)});
    kit_put(&body, cof_buf_slice(&octets));
    kit_put_element(out, COF_DER_SEQUENCE, cof_buf_slice(&body));
    OPENSSL_free(der);
    X509_ALGOR_free(alg);
    cof_buf_free(&octets);
    cof_buf_free(&body);
}

static cof_status parse(const cof_buf *file)
{
    cof_key *key = NULL;
    cof_status st;

    asked = 0;
    st = cof_key_parse(&key, NULL, cof_buf_slice(file), &ask, "x.key", &kit_err);
    cof_key_free(key);
    return st;
}

static void assert_too_costly(X509_ALGOR *alg, const char *why)
{
    cof_buf file = COF_BUF_INIT;

    assert_non_null(alg);
    put_sig(&file, alg);
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_non_null(strstr(kit_err.message, why));
    assert_int_equal(asked, 0);
    cof_buf_free(&file);
}

static X509_ALGOR *pbkdf2(int iterations)
{
    static unsigned char salt[8], iv[16];

    return PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), iterations, salt, sizeof(salt), iv,
                             NID_hmacWithSHA256);
}

static X509_ALGOR *scrypt(uint64_t n, uint64_t r, uint64_t p)
{
    static unsigned char salt[8], iv[16];

    return PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), iv, n, r, p);
}

static void pbkdf2_is_bounded(void **state)
{
    cof_buf file = COF_BUF_INIT;

    (void)state;
    assert_too_costly(pbkdf2(10000001), "more than 10,000,000 iterations");
    assert_too_costly(pbkdf2(INT32_MAX), "more than 10,000,000 iterations");
    put_sig(&file, pbkdf2(100000));
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_non_null(strstr(kit_err.message, "the passphrase for x.key is wrong"));
    assert_int_equal(asked, 1);
    cof_buf_free(&file);
}

static void older_methods_are_bounded(void **state)
{
    static unsigned char salt[8];

    (void)state;
    assert_too_costly(
        PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, INT32_MAX, salt, sizeof(salt)),
        "more than 10,000,000 iterations");
}

static void scrypt_is_bounded(void **state)
{
    cof_buf file = COF_BUF_INIT;

    (void)state;
    assert_too_costly(scrypt(1 << 15, 1, 1 << 16), "far more work");
    put_sig(&file, scrypt(1 << 14, 8, 1));
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_int_equal(asked, 1);
    cof_buf_free(&file);
}

/* More memory than libcrypto allows: it would not even make such parameters, so they are patched.
 */
static void scrypt_memory_is_bounded(void **state)
{
    static const uint8_t n14[] = {0x02, 0x02, 0x40, 0x00}, n30[] = {0x02, 0x02, 0x7F, 0xFF};
    cof_buf file = COF_BUF_INIT;
    uint8_t *place;

    (void)state;
    put_sig(&file, scrypt(1 << 14, 8, 1));
    place = memmem(file.data, file.len, n14, sizeof(n14));
    assert_non_null(place);
    memcpy(place, n30, sizeof(n30));
    place = memmem(file.data, file.len, "\x02\x01\x08", 3);
    assert_non_null(place);
    place[2] = 0x7F;
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_non_null(strstr(kit_err.message, "more than 32 MiB of memory"));
    assert_int_equal(asked, 0);
    cof_buf_free(&file);
}

/* ---- PKCS#12 ---- */

static void put_container(cof_buf *out, PKCS12 *container)
{
    uint8_t *der = NULL;
    int len = i2d_PKCS12(container, &der);

    assert_true(len > 0);
    kit_put(out, (cof_slice){der, (size_t)len});
    OPENSSL_free(der);
    PKCS12_free(container);
}

static void container_macs_are_bounded(void **state)
{
    cof_key *key = kit_key("p256");
    cof_cert *cert = kit_self_sign(key, "x", COF_CERT_FOR_RECIPIENT);
    PKCS12 *good = PKCS12_create("secret", "x", cof_key_pkey(key), cof_cert_x509(cert), NULL, 0, 0,
                                 1000, 1000, 0);
    cof_buf file = COF_BUF_INIT;
    uint8_t *place, *found = NULL;

    (void)state;
    assert_non_null(good);
    put_container(&file, good);
    assert_ok(parse(&file));
    assert_int_equal(asked, 1);
    /* The last INTEGER 1000 is the one of the MAC: make it 0x7FFF of ... three bytes are not there,
     * so the salt before it gives up one. */
    for (place = file.data; place + 4 <= file.data + file.len; place++)
        if (memcmp(place, "\x02\x02\x03\xE8", 4) == 0)
            found = place;
    assert_non_null(found);
    assert_int_equal(found[-9], 8); /* OCTET STRING of 8 bytes */
    found[-9] = 6;
    memmove(found - 2, found, 2);
    memcpy(found - 2, "\x02\x04\x7F\xFF\xFF\xFF", 6);
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_non_null(strstr(kit_err.message, "more than 10,000,000 iterations"));
    assert_int_equal(asked, 0);
    cof_buf_free(&file);
    cof_cert_free(cert);
    cof_key_free(key);
}

/* A key in a safe that is not encrypted itself. */
static void container_keys_are_bounded(void **state)
{
    cof_buf sig = COF_BUF_INIT, file = COF_BUF_INIT;
    const unsigned char *p;
    PKCS12_SAFEBAG *bag;
    STACK_OF(PKCS12_SAFEBAG) *bags = sk_PKCS12_SAFEBAG_new_null();
    STACK_OF(PKCS7) *safes = sk_PKCS7_new_null();

    (void)state;
    put_sig(&sig, pbkdf2(INT32_MAX));
    p = sig.data;
    bag = PKCS12_SAFEBAG_create0_pkcs8(d2i_X509_SIG(NULL, &p, (long)sig.len));
    assert_non_null(bag);
    assert_true(sk_PKCS12_SAFEBAG_push(bags, bag) > 0);
    assert_true(sk_PKCS7_push(safes, PKCS12_pack_p7data(bags)) > 0);
    put_container(&file, PKCS12_add_safes(safes, 0));
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_non_null(strstr(kit_err.message, "more than 10,000,000 iterations"));
    assert_int_equal(asked, 0);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    cof_buf_free(&sig);
    cof_buf_free(&file);
}

/* The same inside an encrypted safe: seen once that is open, and then no further. */
static void container_keys_inside_are_bounded(void **state)
{
    cof_buf sig = COF_BUF_INIT, file = COF_BUF_INIT;
    const unsigned char *p;
    STACK_OF(PKCS12_SAFEBAG) *bags = sk_PKCS12_SAFEBAG_new_null();
    STACK_OF(PKCS7) *safes = sk_PKCS7_new_null();
    PKCS7 *safe;

    (void)state;
    put_sig(&sig, pbkdf2(INT32_MAX));
    p = sig.data;
    assert_true(sk_PKCS12_SAFEBAG_push(
                    bags, PKCS12_SAFEBAG_create0_pkcs8(d2i_X509_SIG(NULL, &p, (long)sig.len))) > 0);
    safe = PKCS12_pack_p7encdata(-1, "secret", -1, NULL, 0, 1000, bags);
    if (safe == NULL)
        safe = PKCS12_pack_p7encdata(NID_aes_256_cbc, "secret", -1, NULL, 0, 1000, bags);
    assert_non_null(safe);
    assert_true(sk_PKCS7_push(safes, safe) > 0);
    put_container(&file, PKCS12_add_safes(safes, 0));
    assert_fails(parse(&file), COF_CERT, NULL);
    assert_non_null(strstr(kit_err.message, "more than 10,000,000 iterations"));
    assert_int_equal(asked, 1);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    cof_buf_free(&sig);
    cof_buf_free(&file);
}

static int set_up(void **state)
{
    (void)state;
    assert_ok(cof_crypto_init(&kit_err));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pbkdf2_is_bounded),
        cmocka_unit_test(older_methods_are_bounded),
        cmocka_unit_test(scrypt_is_bounded),
        cmocka_unit_test(scrypt_memory_is_bounded),
        cmocka_unit_test(container_macs_are_bounded),
        cmocka_unit_test(container_keys_are_bounded),
        cmocka_unit_test(container_keys_inside_are_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
