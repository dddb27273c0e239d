/* SPDX-License-Identifier: Apache-2.0 */

/* Private keys out of every form of file, with the right passphrase, a wrong one, and none. */

#include "crypto_kit.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#define RIGHT "right words"
#define WRONG "wrong words"

static cof_key *rsa, *ec, *dsa;
static cof_cert *rsa_cert;
static int asked;

static int set_up(void **state)
{
    (void)state;
    rsa = kit_key("rsa-2048");
    ec = kit_key("p384");
    dsa = kit_key("dsa-2048");
    rsa_cert = kit_self_sign(rsa, "rsa", COF_CERT_FOR_RECIPIENT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cof_key_free(rsa);
    cof_key_free(ec);
    cof_key_free(dsa);
    cof_cert_free(rsa_cert);
    return 0;
}

static cof_status answer(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    const char *text = ctx;
    cof_status st;

    asked++;
    assert_string_equal(what, "x.key");
    if (text == NULL)
        return cof_fail(err, COF_CANCELLED, "nobody is there");
    if ((st = cof_secret_new(out, strlen(text), err)) == COF_OK)
        memcpy(cof_secret_bytes(*out), text, strlen(text));
    return st;
}

static bool same_key(const cof_key *a, const cof_key *b)
{
    return EVP_PKEY_eq(cof_key_pkey(a), cof_key_pkey(b)) == 1;
}

/* What a BIO holds, which is used up. */
static cof_buf drain(BIO *bio)
{
    cof_buf out = COF_BUF_INIT;
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);

    assert_true(len > 0);
    kit_put(&out, (cof_slice){(const uint8_t *)bytes, (size_t)len});
    BIO_free(bio);
    return out;
}

static cof_status parse(cof_key **out, cof_slice file, const char *passphrase)
{
    char text[64] = "";
    cof_passphrase ask = {answer, passphrase == NULL ? NULL : text};

    if (passphrase != NULL)
        memcpy(text, passphrase, strlen(passphrase) + 1);
    asked = 0;
    return cof_key_parse(out, NULL, file, &ask, "x.key", &kit_err);
}

/* The file gives this key; a locked one only to the right passphrase, asked for once. */
static void assert_parses(cof_buf file, const cof_key *expected, bool locked)
{
    cof_key *got = NULL;

    assert_ok(parse(&got, cof_buf_slice(&file), RIGHT));
    assert_true(same_key(got, expected));
    assert_int_equal(asked, locked ? 1 : 0);
    cof_key_free(got);
    got = NULL;
    if (locked) {
        assert_fails(parse(&got, cof_buf_slice(&file), WRONG), COF_CERT, "");
        assert_string_equal(kit_err.message, "the passphrase for x.key is wrong");
        assert_int_equal(asked, 1);
        assert_fails(parse(&got, cof_buf_slice(&file), NULL), COF_CANCELLED, "");
        assert_int_equal(asked, 1);
        assert_fails(cof_key_parse(&got, NULL, cof_buf_slice(&file), NULL, "x.key", &kit_err),
                     COF_CERT, "");
        assert_null(got);
    }
    cof_buf_free(&file);
}

static const cof_key *const *all(void)
{
    static const cof_key *list[3];

    list[0] = rsa;
    list[1] = ec;
    list[2] = dsa;
    return list;
}

static void pkcs8(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *pkey = cof_key_pkey(all()[i]);
        BIO *bio[4];

        for (size_t j = 0; j < 4; j++)
            bio[j] = BIO_new(BIO_s_mem());
        assert_true(PEM_write_bio_PKCS8PrivateKey(bio[0], pkey, NULL, NULL, 0, NULL, NULL));
        assert_true(i2d_PKCS8PrivateKey_bio(bio[1], pkey, NULL, NULL, 0, NULL, NULL));
        assert_true(PEM_write_bio_PKCS8PrivateKey(bio[2], pkey, EVP_aes_256_cbc(), RIGHT,
                                                  (int)strlen(RIGHT), NULL, NULL));
        assert_true(i2d_PKCS8PrivateKey_bio(bio[3], pkey, EVP_aes_128_cbc(), RIGHT,
                                            (int)strlen(RIGHT), NULL, NULL));
        for (size_t j = 0; j < 4; j++)
            assert_parses(drain(bio[j]), all()[i], j >= 2);
    }
}

/*
 * This oldest of forms has no check of its own: of 256 wrong passphrases about one leaves valid
 * padding behind, and then no key.  It is a wrong passphrase all the same.
 */
static void traditional_wrong_passphrases(void **state)
{
    BIO *bio = BIO_new(BIO_s_mem());
    cof_key *got = NULL;
    char wrong[16];
    cof_buf file;

    (void)state;
    assert_true(PEM_write_bio_PrivateKey_traditional(bio, cof_key_pkey(ec), EVP_aes_256_cbc(),
                                                     (const unsigned char *)RIGHT,
                                                     (int)strlen(RIGHT), NULL, NULL));
    file = drain(bio);
    for (int i = 0; i < 700; i++) {
        snprintf(wrong, sizeof(wrong), "wrong %d", i);
        assert_fails(parse(&got, cof_buf_slice(&file), wrong), COF_CERT, "");
        assert_string_equal(kit_err.message, "the passphrase for x.key is wrong");
    }
    cof_buf_free(&file);
}

static void traditional(void **state)
{
    char right[] = RIGHT;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *pkey = cof_key_pkey(all()[i]);
        BIO *bio[3];

        for (size_t j = 0; j < 3; j++)
            bio[j] = BIO_new(BIO_s_mem());
        assert_true(PEM_write_bio_PrivateKey_traditional(bio[0], pkey, NULL, NULL, 0, NULL, NULL));
        assert_true(i2d_PrivateKey_bio(bio[1], pkey));
        assert_true(PEM_write_bio_PrivateKey_traditional(bio[2], pkey, EVP_aes_256_cbc(),
                                                         (unsigned char *)right, (int)strlen(right),
                                                         NULL, NULL));
        for (size_t j = 0; j < 3; j++)
            assert_parses(drain(bio[j]), all()[i], j == 2);
    }
}

static void scrypt_pkcs8(void **state)
{
    X509_ALGOR *method = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 16, NULL, 1024, 8, 1);
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(cof_key_pkey(ec));
    X509_SIG *sig = PKCS8_set0_pbe(RIGHT, (int)strlen(RIGHT), p8, method);
    BIO *bio = BIO_new(BIO_s_mem());

    (void)state;
    assert_non_null(sig);
    assert_true(PEM_write_bio_PKCS8(bio, sig));
    assert_parses(drain(bio), ec, true);
    X509_SIG_free(sig);
    PKCS8_PRIV_KEY_INFO_free(p8);
}

/* What "openssl ecparam -genkey" writes: parameters first. */
static void parameters_are_skipped(void **state)
{
    static const char parameters[] = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n"
                                     "-----END EC PARAMETERS-----\n";
    BIO *bio = BIO_new(BIO_s_mem());

    (void)state;
    assert_true(BIO_puts(bio, parameters) > 0);
    assert_true(
        PEM_write_bio_PrivateKey_traditional(bio, cof_key_pkey(ec), NULL, NULL, 0, NULL, NULL));
    assert_parses(drain(bio), ec, false);
}

static cof_buf pkcs12(const char *passphrase, int cipher)
{
    PKCS12 *p12 = PKCS12_create(passphrase, NULL, cof_key_pkey(rsa), cof_cert_x509(rsa_cert), NULL,
                                cipher, cipher, 2048, 2048, 0);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(p12);
    assert_true(i2d_PKCS12_bio(bio, p12));
    PKCS12_free(p12);
    return drain(bio);
}

static void pkcs12_containers(void **state)
{
    cof_cert_list certs = COF_CERT_LIST_INIT;
    cof_buf file = pkcs12("", 0);
    cof_key *got = NULL;

    (void)state;
    assert_parses(pkcs12(RIGHT, 0), rsa, true);
    assert_parses(pkcs12("", 0), rsa, false);
    assert_ok(cof_key_parse(&got, &certs, cof_buf_slice(&file), NULL, "x.key", &kit_err));
    assert_int_equal(certs.count, 1);
    assert_true(cof_key_matches_cert(got, certs.certs[0]));
    cof_key_free(got);
    cof_cert_list_wipe(&certs);
    cof_buf_free(&file);
}

/* An encrypted part of which there is nothing but its type, as the syntax allows. */
static void pkcs12_without_what_it_announces(void **state)
{
    cof_slice file =
        KIT_BYTES(0x30, 0x23, 0x02, 0x01, 3,                                  /* PFX */
                  0x30, 0x1E, 0x06, 9, 42, 0x86, 72, 0x86, 0xF7, 13, 1, 7, 1, /* data */
                  0xA0, 0x11, 0x04, 0x0F, 0x30, 0x0D,                         /* safes */
                  0x30, 0x0B, 0x06, 9, 42, 0x86, 72, 0x86, 0xF7, 13, 1, 7, 6);
    cof_cert_list certs = COF_CERT_LIST_INIT;
    cof_key *got = NULL;

    (void)state;
    assert_fails(parse(&got, file, RIGHT), COF_CERT, "");
    assert_fails(cof_cert_parse_all(&certs, file, NULL, "x", &kit_err), COF_CERT, "");
}

static void certificates_beside_the_key(void **state)
{
    cof_cert_list certs = COF_CERT_LIST_INIT;
    cof_buf file = COF_BUF_INIT;
    cof_secret *pem = NULL;
    cof_key *got = NULL;

    (void)state;
    assert_ok(cof_cert_to_pem(rsa_cert, &file, &kit_err)); /* the certificate first */
    assert_ok(cof_key_to_pem(&pem, rsa, NULL, &kit_err));
    kit_put(&file, (cof_slice){cof_secret_bytes(pem), cof_secret_len(pem)});
    assert_ok(cof_key_parse(&got, &certs, cof_buf_slice(&file), NULL, "x.key", &kit_err));
    assert_true(same_key(got, rsa));
    assert_int_equal(certs.count, 1);
    cof_key_free(got);
    assert_ok(cof_key_parse(&got, &certs, (cof_slice){cof_secret_bytes(pem), cof_secret_len(pem)},
                            NULL, "x.key", &kit_err)); /* none: no failure */
    assert_int_equal(certs.count, 1);
    cof_key_free(got);
    cof_cert_list_wipe(&certs);
    cof_secret_free(pem);
    cof_buf_free(&file);
}

static void files_without_a_key(void **state)
{
    static const uint8_t large[COF_KEY_FILE_MAX + 1];
    cof_buf pem = COF_BUF_INIT;
    cof_key *got = NULL;

    (void)state;
    assert_ok(cof_cert_to_pem(rsa_cert, &pem, &kit_err));
    assert_fails(parse(&got, cof_buf_slice(&pem), RIGHT), COF_CERT, "");
    assert_string_equal(kit_err.message, "x.key holds no private key");
    assert_fails(parse(&got, cof_cert_der(rsa_cert), RIGHT), COF_CERT, "");
    assert_string_equal(kit_err.message, "x.key holds no private key");
    assert_fails(parse(&got, (cof_slice)COF_SLICE_INIT, RIGHT), COF_CERT, "");
    assert_fails(parse(&got, KIT_BYTES('h', 'i'), RIGHT), COF_CERT, "");
    assert_fails(parse(&got, (cof_slice){large, sizeof(large)}, RIGHT), COF_LIMIT, "");
    assert_int_equal(asked, 0);
    assert_null(got);
    cof_buf_free(&pem);
}

/* Cut and flipped key files: a key or a refusal, never a crash and never an unasked passphrase. */
static void damaged_files(void **state)
{
    BIO *bio = BIO_new(BIO_s_mem());
    cof_buf file;

    (void)state;
    assert_true(PEM_write_bio_PKCS8PrivateKey(bio, cof_key_pkey(ec), NULL, NULL, 0, NULL, NULL));
    file = drain(bio);
    for (size_t i = 0; i < file.len * 8; i += flip_step()) {
        cof_key *got = NULL;
        cof_status st;

        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
        st = parse(&got, cof_buf_slice(&file), RIGHT);
        assert_true(st == COF_OK || st == COF_CERT);
        assert_int_equal(ERR_peek_error(), 0);
        cof_key_free(got);
        got = NULL;
        st = parse(&got, (cof_slice){file.data, i / 8}, RIGHT);
        assert_true(st == COF_OK || st == COF_CERT);
        cof_key_free(got);
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    cof_buf_free(&file);
}

static void passphrases_are_bounded(void **state)
{
    char long_text[COF_PASSPHRASE_MAX + 2];
    cof_secret *passphrase = NULL, *pem = NULL;
    cof_passphrase ask = {answer, long_text};
    cof_key *got = NULL;

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    assert_ok(cof_secret_new(&passphrase, 3, &kit_err));
    memcpy(cof_secret_bytes(passphrase), "abc", 3);
    assert_ok(cof_key_to_pem(&pem, ec, passphrase, &kit_err));
    assert_fails(cof_key_parse(&got, NULL, (cof_slice){cof_secret_bytes(pem), cof_secret_len(pem)},
                               &ask, "x.key", &kit_err),
                 COF_CERT, "");
    cof_secret_free(pem);
    cof_secret_free(passphrase);
    assert_ok(cof_secret_new(&passphrase, 0, &kit_err));
    assert_fails(cof_key_to_pem(&pem, ec, passphrase, &kit_err), COF_USAGE, "");
    assert_null(pem);
    cof_secret_free(passphrase);
}

static void written_keys_are_read(void **state)
{
    cof_secret *passphrase = NULL, *pem = NULL;
    cof_key *got = NULL;
    char text[] = RIGHT;
    cof_passphrase ask = {answer, text};

    (void)state;
    assert_ok(cof_secret_new(&passphrase, strlen(RIGHT), &kit_err));
    memcpy(cof_secret_bytes(passphrase), RIGHT, strlen(RIGHT));
    for (int locked = 0; locked <= 1; locked++) {
        assert_ok(cof_key_to_pem(&pem, ec, locked ? passphrase : NULL, &kit_err));
        asked = 0;
        assert_ok(cof_key_parse(&got, NULL, (cof_slice){cof_secret_bytes(pem), cof_secret_len(pem)},
                                &ask, "x.key", &kit_err));
        assert_int_equal(asked, locked);
        assert_true(same_key(got, ec));
        assert_int_equal(memmem(cof_secret_bytes(pem), cof_secret_len(pem), "ENCRYPTED", 9) != NULL,
                         locked);
        cof_key_free(got);
        cof_secret_free(pem);
    }
    cof_secret_free(passphrase);
}

static void keys_match_their_certificates(void **state)
{
    cof_key *reference = cof_key_ref(rsa), *none = NULL;

    (void)state;
    assert_true(cof_key_matches_cert(reference, rsa_cert));
    assert_false(cof_key_matches_cert(ec, rsa_cert));
    cof_key_free(reference);
    cof_key_free(NULL);
    assert_fails(cof_key_generate(&none, "rsa-1024", &kit_err), COF_USAGE, "");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs8),
        cmocka_unit_test(traditional),
        cmocka_unit_test(traditional_wrong_passphrases),
        cmocka_unit_test(scrypt_pkcs8),
        cmocka_unit_test(parameters_are_skipped),
        cmocka_unit_test(pkcs12_containers),
        cmocka_unit_test(pkcs12_without_what_it_announces),
        cmocka_unit_test(certificates_beside_the_key),
        cmocka_unit_test(files_without_a_key),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(passphrases_are_bounded),
        cmocka_unit_test(written_keys_are_read),
        cmocka_unit_test(keys_match_their_certificates),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
