/* SPDX-License-Identifier: Apache-2.0 */

/* Digests, derivation and records against published vectors; the strict reader of DER. */

#include "crypto_kit.h"

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

static cof_secret *secret_of(const char *hex)
{
    size_t len = strlen(hex) / 2;
    cof_secret *secret = NULL;

    assert_ok(cof_secret_new(&secret, len, &kit_err));
    assert_true(cof_hex_decode(cof_secret_bytes(secret), len, hex, len * 2, COF_HEX_LOWER));
    return secret;
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    char text[COF_HEX_CAP(256)];

    assert_true(len <= 256);
    cof_hex_encode(text, bytes, len);
    assert_string_equal(text, hex);
}

static void versions_are_told_apart(void **state)
{
    (void)state;
    assert_true(cof_crypto_version_ok(3, 0, 22) && cof_crypto_version_ok(3, 0, 23));
    assert_true(cof_crypto_version_ok(3, 5, 8) && cof_crypto_version_ok(3, 6, 4));
    assert_true(cof_crypto_version_ok(3, 7, 0) && cof_crypto_version_ok(4, 0, 0));
    assert_false(cof_crypto_version_ok(3, 0, 21) || cof_crypto_version_ok(3, 5, 7));
    assert_false(cof_crypto_version_ok(3, 6, 3) || cof_crypto_version_ok(3, 1, 99));
    assert_false(cof_crypto_version_ok(3, 4, 99) || cof_crypto_version_ok(1, 1, 1));
    assert_ok(cof_crypto_init(&kit_err));
    assert_ok(cof_crypto_init(NULL));
}

/* FIPS 180-2. */
static void sha256_vectors(void **state)
{
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char none[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    cof_sha256_ctx *ctx = NULL;
    uint8_t out[COF_SHA256_SIZE];

    (void)state;
    assert_ok(cof_sha256(out, "abc", 3, &kit_err));
    assert_hex(out, sizeof(out), abc);
    assert_ok(cof_sha256(out, NULL, 0, &kit_err));
    assert_hex(out, sizeof(out), none);

    assert_ok(cof_sha256_new(&ctx, &kit_err));
    for (int i = 0; i < 3; i++) { /* one context, used again */
        assert_ok(cof_sha256_init(ctx, &kit_err));
        assert_ok(cof_sha256_update(ctx, "a", 1, &kit_err));
        assert_ok(cof_sha256_update(ctx, NULL, 0, &kit_err));
        assert_ok(cof_sha256_update(ctx, "bc", 2, &kit_err));
        assert_ok(cof_sha256_final(ctx, out, &kit_err));
        assert_hex(out, sizeof(out), abc);
    }
    cof_sha256_free(ctx);
    cof_sha256_free(NULL);
}

/* RFC 5869 A.1 with its salt padded by zeros to 32 bytes, which HMAC does by itself. */
static void hkdf_vector(void **state)
{
    static const uint8_t salt[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    cof_secret *ikm = secret_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    cof_secret *prk = NULL, *okm = NULL;
    uint8_t public_okm[42];

    (void)state;
    assert_ok(cof_hkdf_extract(&prk, salt, ikm, &kit_err));
    assert_hex(cof_secret_bytes(prk), cof_secret_len(prk),
               "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    assert_ok(cof_hkdf_expand(&okm, prk, COF_DER_BYTES(info), 42, &kit_err));
    assert_hex(
        cof_secret_bytes(okm), cof_secret_len(okm),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    assert_ok(cof_hkdf_expand_public(public_okm, 42, prk, COF_DER_BYTES(info), &kit_err));
    assert_true(cof_equal_consttime(public_okm, cof_secret_bytes(okm), 42));
    cof_secret_free(ikm);
    cof_secret_free(prk);
    cof_secret_free(okm);
}

static void hkdf_bounds(void **state)
{
    static const uint8_t info[COF_HKDF_INFO_MAX + 1], salt[32];
    cof_secret *prk = NULL, *okm = NULL, *empty = NULL, *shorter = NULL;
    uint8_t large[COF_HKDF_OUTPUT_MAX + 1];

    (void)state;
    assert_ok(cof_random_secret(&prk, 32, &kit_err));
    assert_ok(cof_random_secret(&shorter, 31, &kit_err));
    assert_ok(cof_random_secret(&empty, 0, &kit_err));
    assert_fails(cof_hkdf_extract(&okm, salt, empty, &kit_err), COF_USAGE, "");
    assert_fails(cof_hkdf_expand(&okm, shorter, (cof_slice){info, 1}, 32, &kit_err), COF_USAGE, "");
    assert_fails(cof_hkdf_expand(&okm, prk, COF_DER_BYTES(info), 32, &kit_err), COF_USAGE, "");
    assert_fails(cof_hkdf_expand(&okm, prk, (cof_slice){info, 1}, 0, &kit_err), COF_USAGE, "");
    assert_fails(cof_hkdf_expand_public(large, sizeof(large), prk, (cof_slice){info, 1}, &kit_err),
                 COF_USAGE, "");
    assert_null(okm);
    assert_ok(cof_hkdf_expand_public(large, COF_HKDF_OUTPUT_MAX, prk,
                                     (cof_slice){info, COF_HKDF_INFO_MAX}, &kit_err));
    assert_ok(cof_hkdf_expand(&okm, prk, (cof_slice)COF_SLICE_INIT, 16, &kit_err));
    cof_secret_free(prk);
    cof_secret_free(okm);
    cof_secret_free(empty);
    cof_secret_free(shorter);
}

/* RFC 4231, case 1. */
static void hmac_vector(void **state)
{
    cof_secret *key = secret_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    uint8_t out[COF_HMAC_SHA256_SIZE];

    (void)state;
    assert_ok(cof_hmac_sha256(out, key, (cof_slice){(const uint8_t *)"Hi There", 8}, &kit_err));
    assert_hex(out, sizeof(out),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_ok(cof_hmac_sha256(out, key, (cof_slice)COF_SLICE_INIT, &kit_err));
    cof_secret_free(key);
}

/* The GCM specification's test case 14: a zero key, nonce and block. */
static void aes_gcm_vector(void **state)
{
    static const uint8_t nonce[12], block[16];
    cof_secret *key = secret_of("0000000000000000000000000000000000000000000000000000000000000000");
    cof_aead *aead = NULL;
    uint8_t out[32];

    (void)state;
    assert_ok(cof_aead_new(&aead, COF_CIPHER_AES_256_GCM, key, COF_AEAD_SEAL, &kit_err));
    assert_ok(cof_aead_seal(aead, nonce, NULL, 0, block, sizeof(block), out, &kit_err));
    assert_hex(out, sizeof(out),
               "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    cof_aead_free(aead);
    cof_secret_free(key);
}

/* Many records through one pair of objects, in place and not, changing keys in between. */
static void records_round_trip(void **state)
{
    (void)state;
    for (int cipher = COF_CIPHER_AES_256_GCM; cipher <= COF_CIPHER_CHACHA20_POLY1305; cipher++) {
        size_t key_len = cof_cipher_key_len((cof_cipher)cipher);
        cof_secret *keys[2] = {NULL, NULL};
        cof_aead *seal = NULL, *open = NULL;

        for (size_t i = 0; i < 2; i++)
            assert_ok(cof_random_secret(&keys[i], key_len, &kit_err));
        assert_ok(cof_aead_new(&seal, (cof_cipher)cipher, keys[0], COF_AEAD_SEAL, &kit_err));
        assert_ok(cof_aead_new(&open, (cof_cipher)cipher, keys[0], COF_AEAD_OPEN, &kit_err));
        for (size_t i = 0; i < 200; i++) {
            uint8_t nonce[12] = {0}, text[256], sealed[256 + 16], opened[256];
            size_t len = i;

            nonce[11] = (uint8_t)i;
            assert_ok(cof_random(text, sizeof(text), &kit_err));
            if (i == 100) {
                assert_ok(cof_aead_rekey(seal, keys[1], &kit_err));
                assert_ok(cof_aead_rekey(open, keys[1], &kit_err));
            }
            assert_ok(cof_aead_seal(seal, nonce, "head", i % 5, text, len, sealed, &kit_err));
            if (i % 2 == 0) {
                assert_ok(
                    cof_aead_open(open, nonce, "head", i % 5, sealed, len + 16, opened, &kit_err));
                assert_memory_equal(opened, text, len);
            } else {
                assert_ok(
                    cof_aead_open(open, nonce, "head", i % 5, sealed, len + 16, sealed, &kit_err));
                assert_memory_equal(sealed, text, len);
                assert_ok(cof_aead_seal(seal, nonce, NULL, 0, sealed, len, sealed, &kit_err));
                assert_ok(cof_aead_open(open, nonce, NULL, 0, sealed, len + 16, opened, &kit_err));
                assert_memory_equal(opened, text, len);
            }
        }
        cof_aead_free(seal);
        cof_aead_free(open);
        cof_secret_free(keys[0]);
        cof_secret_free(keys[1]);
    }
}

static void changed_records_are_refused(void **state)
{
    static const uint8_t zeros[32];
    uint8_t nonce[12] = {1}, text[32], sealed[48], opened[32];
    cof_secret *key = NULL;
    cof_aead *seal = NULL, *open = NULL;

    (void)state;
    for (int cipher = COF_CIPHER_AES_256_GCM; cipher <= COF_CIPHER_CHACHA20_POLY1305; cipher++) {
        assert_ok(cof_random_secret(&key, cof_cipher_key_len((cof_cipher)cipher), &kit_err));
        assert_ok(cof_random(text, sizeof(text), &kit_err));
        assert_ok(cof_aead_new(&seal, (cof_cipher)cipher, key, COF_AEAD_SEAL, &kit_err));
        assert_ok(cof_aead_new(&open, (cof_cipher)cipher, key, COF_AEAD_OPEN, &kit_err));
        assert_ok(cof_aead_seal(seal, nonce, "ab", 2, text, sizeof(text), sealed, &kit_err));
        for (size_t i = 0; i < sizeof(sealed) * 8; i++) {
            sealed[i / 8] ^= (uint8_t)(1u << i % 8);
            memset(opened, 7, sizeof(opened));
            assert_fails(
                cof_aead_open(open, nonce, "ab", 2, sealed, sizeof(sealed), opened, &kit_err),
                COF_AUTH, "");
            assert_memory_equal(opened, zeros, sizeof(opened));
            sealed[i / 8] ^= (uint8_t)(1u << i % 8);
        }
        for (size_t len = 0; len < sizeof(sealed); len++)
            assert_fails(cof_aead_open(open, nonce, "ab", 2, sealed, len, opened, &kit_err),
                         COF_AUTH, "");
        assert_fails(cof_aead_open(open, nonce, "ac", 2, sealed, sizeof(sealed), opened, &kit_err),
                     COF_AUTH, "");
        nonce[0] ^= 1;
        assert_fails(cof_aead_open(open, nonce, "ab", 2, sealed, sizeof(sealed), opened, &kit_err),
                     COF_AUTH, "");
        nonce[0] ^= 1;
        assert_ok(cof_aead_open(open, nonce, "ab", 2, sealed, sizeof(sealed), opened, &kit_err));
        assert_memory_equal(opened, text, sizeof(text));
        cof_aead_free(seal);
        cof_aead_free(open);
        cof_secret_free(key);
    }
}

static void wrong_keys_and_ciphers(void **state)
{
    cof_secret *key = NULL;
    cof_aead *aead = NULL;

    (void)state;
    assert_ok(cof_random_secret(&key, 16, &kit_err));
    assert_int_equal(cof_cipher_key_len(COF_CIPHER_NONE), 0);
    assert_int_equal(cof_cipher_key_len((cof_cipher)77), 0);
    assert_fails(cof_aead_new(&aead, COF_CIPHER_NONE, key, COF_AEAD_SEAL, &kit_err),
                 COF_UNSUPPORTED, "");
    assert_fails(cof_aead_new(&aead, (cof_cipher)77, key, COF_AEAD_SEAL, &kit_err), COF_UNSUPPORTED,
                 "");
    assert_fails(cof_aead_new(&aead, COF_CIPHER_AES_256_GCM, key, COF_AEAD_SEAL, &kit_err),
                 COF_USAGE, "");
    assert_null(aead);
    cof_aead_free(NULL);
    cof_secret_free(key);
}

static void der_is_strict(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t len;
        bool good;
    } cases[] = {
        {{0x30, 0}, 2, true},
        {{0x30, 0x80, 0, 0}, 4, false},          /* indefinite */
        {{0x30, 0x81, 0}, 3, false},             /* long form for a short length */
        {{0x30, 0, 0}, 3, false},                /* something behind */
        {{0x30, 1}, 2, false},                   /* cut */
        {{0x02, 0}, 2, false},                   /* an INTEGER of nothing */
        {{0x02, 2, 0, 0x80}, 4, true},           /* 128 */
        {{0x02, 2, 0, 0x7F}, 4, false},          /* 127 with a leading zero */
        {{0x02, 2, 0xFF, 0x80}, 4, false},       /* -128 with a leading one */
        {{0x01, 1, 0xFF}, 3, true},              /* TRUE */
        {{0x01, 1, 1}, 3, false},                /* BER's TRUE */
        {{0x05, 1, 0}, 3, false},                /* a NULL of something */
        {{0x03, 2, 4, 0xF0}, 4, true},           /* four bits */
        {{0x03, 2, 4, 0xF8}, 4, false},          /* an unused bit is set */
        {{0x03, 1, 1}, 3, false},                /* unused bits of nothing */
        {{0x06, 1, 0x80}, 3, false},             /* half a sub-identifier */
        {{0x06, 2, 0x80, 1}, 4, false},          /* a sub-identifier with a leading zero */
        {{0x24, 0}, 2, false},                   /* a string in pieces */
        {{0x10, 0}, 2, false},                   /* a primitive SEQUENCE */
        {{0x1F, 0x81, 1, 0}, 4, false},          /* a tag of several bytes */
        {{0x31, 6, 2, 1, 1, 2, 1, 2}, 8, true},  /* sorted */
        {{0x31, 6, 2, 1, 2, 2, 1, 1}, 8, false}, /* not sorted */
        {{0x31, 6, 2, 1, 1, 2, 1, 1}, 8, true},  /* equal */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cof_der_strict((cof_slice){cases[i].bytes, cases[i].len}) != cases[i].good)
            fail_msg("case %zu", i);
    }
    assert_false(cof_der_strict((cof_slice)COF_SLICE_INIT));
}

static void der_is_not_too_deep(void **state)
{
    uint8_t bytes[2 * 60];

    (void)state;
    for (size_t depth = 1; depth <= 60; depth++) {
        for (size_t i = 0; i < depth; i++) {
            bytes[2 * i] = COF_DER_SEQUENCE;
            bytes[2 * i + 1] = (uint8_t)(2 * (depth - i - 1));
        }
        assert_int_equal(cof_der_strict((cof_slice){bytes, 2 * depth}), depth <= COF_DER_DEPTH_MAX);
    }
}

static void random_is_not_constant(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    (void)state;
    assert_ok(cof_random(a, sizeof(a), &kit_err));
    assert_ok(cof_random(b, sizeof(b), &kit_err));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_ok(cof_random(NULL, 0, &kit_err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_told_apart),
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(hkdf_vector),
        cmocka_unit_test(hkdf_bounds),
        cmocka_unit_test(hmac_vector),
        cmocka_unit_test(aes_gcm_vector),
        cmocka_unit_test(records_round_trip),
        cmocka_unit_test(changed_records_are_refused),
        cmocka_unit_test(wrong_keys_and_ciphers),
        cmocka_unit_test(der_is_strict),
        cmocka_unit_test(der_is_not_too_deep),
        cmocka_unit_test(random_is_not_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
