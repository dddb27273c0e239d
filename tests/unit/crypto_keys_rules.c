/* SPDX-License-Identifier: Apache-2.0 */

/* KEYS: each of the rules KY-1 to KY-12 broken in turn. */

#include "crypto_keys_kit.h"

/* KY-11: certificates that cannot be told apart. */
static void twins_are_refused(void **state)
{
    static const struct kit_cert how = {"0102030405", NULL, -60, 86400};
    cof_cert *same_ski[2] = {kit_cert(keys[0], "a", &how), kit_cert(keys[1], "b", &how)};
    cof_cert *same_key[2] = {certs[0], kit_nameless(keys[0], "again")};
    cof_buf out = COF_BUF_INIT;

    (void)state;
    assert_fails(cof_keys_seal(&out, dek, same_ski, 2, &kit_err), COF_CERT, "KY-11");
    assert_fails(cof_keys_seal(&out, dek, same_key, 2, &kit_err), COF_CERT, "KY-11");
    assert_int_equal(out.len, 0);
    for (size_t i = 0; i < 2; i++)
        cof_cert_free(same_ski[i]);
    cof_cert_free(same_key[1]);
}

/* KY-11 in a message that libcrypto made: it does not mind one key under two certificates. */
static void twins_in_a_message_are_refused(void **state)
{
    cof_cert *twins[2] = {certs[P256], kit_nameless(keys[P256], "again")};
    cof_buf one = seal(&twins[0], 1), two = seal(&twins[1], 1), both = COF_BUF_INIT;
    cof_slice other = kit_find(cof_buf_slice(&two), KIT_PATH(AT_SET, 0));

    (void)state;
    kit_edit(&both, cof_buf_slice(&one), KIT_PATH(AT_SET, 0), KIT_INSERT_BEFORE, other);
    if (cof_keys_check(cof_buf_slice(&both), twins, 2, &kit_err) == COF_FORMAT &&
        strcmp(kit_err.rule, "KY-2") == 0) { /* the set is the other way round */
        cof_slice first = kit_find(cof_buf_slice(&one), KIT_PATH(AT_SET, 0));

        both.len = 0;
        kit_edit(&both, cof_buf_slice(&two), KIT_PATH(AT_SET, 0), KIT_INSERT_BEFORE, first);
    }
    assert_fails(cof_keys_check(cof_buf_slice(&both), twins, 2, &kit_err), COF_FORMAT, "KY-11");
    cof_cert_free(twins[1]);
    cof_buf_free(&one);
    cof_buf_free(&two);
    cof_buf_free(&both);
}

static void size_is_bounded(void **state)
{
    static const uint8_t large[COF_KEYS_SIZE_MAX + 1];

    (void)state;
    assert_refused((cof_slice)COF_SLICE_INIT, certs, 1, COF_LIMIT, "KY-1");
    assert_refused((cof_slice){large, sizeof(large)}, certs, 1, COF_LIMIT, "KY-1");
}

static void only_der_is_read(void **state)
{
    cof_buf good = seal(certs, 2), bad = COF_BUF_INIT;
    cof_slice last = kit_find(cof_buf_slice(&good), KIT_PATH(AT_SET, 1));
    cof_slice body = kit_find(cof_buf_slice(&good), KIT_PATH(0, 0));

    (void)state;
    kit_put(&bad, cof_buf_slice(&good));
    kit_put(&bad, KIT_BYTES(0));
    assert_refused(cof_buf_slice(&bad), certs, 2, COF_FORMAT, "KY-2"); /* trailing byte */

    bad.len = 0; /* BER: the outermost length is indefinite */
    kit_put(&bad, KIT_BYTES(0x30, 0x80));
    kit_put(&bad, (cof_slice){body.data, good.len - (size_t)(body.data - good.data)});
    kit_put(&bad, KIT_BYTES(0, 0));
    assert_refused(cof_buf_slice(&bad), certs, 2, COF_FORMAT, "KY-2");

    bad.len = 0; /* a length longer than needed */
    kit_put(&bad, KIT_BYTES(0x30, 0x83, 0));
    kit_put(&bad, (cof_slice){good.data + 2, good.len - 2});
    assert_refused(cof_buf_slice(&bad), certs, 2, COF_FORMAT, "KY-2");

    bad.len = 0; /* recipients in the wrong order */
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_SET, 0), KIT_INSERT_BEFORE, last);
    assert_refused(cof_buf_slice(&bad), certs, 2, COF_FORMAT, "KY-2");
    cof_buf_free(&good);
    cof_buf_free(&bad);
}

/* Strings in pieces are BER as well, where libcrypto would put them together. */
static void constructed_strings_are_refused(void **state)
{
    uint8_t in_pieces[20] = {0x24, 18, 0x04, 16};

    (void)state;
    assert_edit_refused(1, KIT_PATH(AT_MAC), KIT_REPLACE, (cof_slice){in_pieces, sizeof(in_pieces)},
                        COF_FORMAT, "KY-2");
}

static void frame_is_fixed(void **state)
{
    (void)state;
    assert_edit_refused(1, KIT_PATH(AT_TYPE), KIT_REPLACE, /* envelopedData */
                        KIT_BYTES(6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3), COF_FORMAT,
                        "KY-3");
    assert_edit_refused(1, KIT_PATH(AT_VERSION), KIT_REPLACE, KIT_BYTES(2, 1, 2), COF_FORMAT,
                        "KY-3");
    assert_edit_refused(1, KIT_PATH(AT_SET), KIT_INSERT_BEFORE, KIT_BYTES(0xA0, 0), COF_FORMAT,
                        "KY-4"); /* originatorInfo */
    assert_edit_refused(1, KIT_PATH(AT_MAC), KIT_INSERT_BEFORE, KIT_BYTES(0xA1, 0), COF_FORMAT,
                        "KY-4"); /* authAttrs */
    assert_edit_refused(1, KIT_PATH(AT_MAC), KIT_REPLACE,
                        KIT_BYTES(4, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xA2, 0),
                        COF_FORMAT, "KY-4");                     /* unauthAttrs */
    assert_edit_refused(1, KIT_PATH(AT_CONTENT, 0), KIT_REPLACE, /* signedData inside */
                        KIT_BYTES(6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2),
                        COF_UNSUPPORTED, "KY-5");
}

/* What fully patched libraries accept: truncated tags, overlong nonces. */
static void tag_and_nonce_are_full(void **state)
{
    cof_buf good = seal(certs, 1), bad = COF_BUF_INIT, worse = COF_BUF_INIT;
    cof_slice mac = kit_find(cof_buf_slice(&good), KIT_PATH(AT_MAC));
    cof_slice nonce = kit_find(cof_buf_slice(&good), KIT_PATH(AT_GCM, 0));
    uint8_t short_mac[14] = {0x04, 12}, long_nonce[18] = {0x04, 16};

    (void)state;
    memcpy(short_mac + 2, mac.data + 2, 12);
    memcpy(long_nonce + 2, nonce.data + 2, 12);
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_MAC), KIT_REPLACE, (cof_slice){short_mac, 14});
    assert_refused(cof_buf_slice(&bad), certs, 1, COF_FORMAT, "KY-6");
    kit_edit(&worse, cof_buf_slice(&bad), KIT_PATH(AT_GCM, 1), KIT_REPLACE, KIT_BYTES(2, 1, 12));
    assert_refused(cof_buf_slice(&worse), certs, 1, COF_UNSUPPORTED, "KY-5");
    bad.len = 0;
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_GCM, 0), KIT_REPLACE,
             (cof_slice){long_nonce, 18});
    assert_refused(cof_buf_slice(&bad), certs, 1, COF_UNSUPPORTED, "KY-5");
    assert_edit_refused(1, KIT_PATH(AT_GCM, 1), KIT_DELETE, (cof_slice)COF_SLICE_INIT,
                        COF_UNSUPPORTED, "KY-5");
    assert_edit_refused(1, KIT_PATH(AT_CONTENT, 2), KIT_REPLACE, KIT_BYTES(0x80, 1, 7), COF_FORMAT,
                        "KY-6");
    assert_edit_refused(1, KIT_PATH(AT_CONTENT, 2), KIT_DELETE, (cof_slice)COF_SLICE_INIT,
                        COF_FORMAT, "KY-6");
    cof_buf_free(&good);
    cof_buf_free(&bad);
    cof_buf_free(&worse);
}

/*
 * The same recipients around the same bytes, relabelled as EnvelopedData under AES-256-CFB, which
 * has no tag: stock tools hand out 32 unauthenticated bytes for it.
 */
static void relabelling_is_refused(void **state)
{
    static const uint8_t cfb[] = {0x30, 0x1D, 6, 9, 0x60, 0x86, 0x48, 1,
                                  0x65, 3,    4, 1, 0x2C, 0x04, 16};
    uint8_t algorithm[31] = {0};
    cof_buf good = seal(certs, 2), typed = COF_BUF_INIT, ciphered = COF_BUF_INIT,
            bad = COF_BUF_INIT, versioned = COF_BUF_INIT;

    (void)state;
    memcpy(algorithm, cfb, sizeof(cfb));
    kit_edit(&typed, cof_buf_slice(&good), KIT_PATH(AT_TYPE), KIT_REPLACE,
             KIT_BYTES(6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3));
    kit_edit(&ciphered, cof_buf_slice(&typed), KIT_PATH(AT_CONTENT, 1), KIT_REPLACE,
             (cof_slice){algorithm, sizeof(algorithm)});
    kit_edit(&versioned, cof_buf_slice(&ciphered), KIT_PATH(AT_VERSION), KIT_REPLACE,
             KIT_BYTES(2, 1, 2));
    kit_edit(&bad, cof_buf_slice(&versioned), KIT_PATH(AT_MAC), KIT_DELETE,
             (cof_slice)COF_SLICE_INIT);
    assert_refused(cof_buf_slice(&bad), certs, 2, COF_FORMAT, "KY-3");
    cof_buf_free(&good);
    cof_buf_free(&typed);
    cof_buf_free(&ciphered);
    cof_buf_free(&versioned);
    cof_buf_free(&bad);
}

static void counts_must_agree(void **state)
{
    cof_buf two = seal(certs, 2), three = seal(certs, 3), none = COF_BUF_INIT;

    (void)state;
    assert_refused(cof_buf_slice(&two), certs, 3, COF_FORMAT, "KY-7");   /* one is missing */
    assert_refused(cof_buf_slice(&three), certs, 2, COF_FORMAT, "KY-7"); /* one is too many */
    assert_refused(cof_buf_slice(&two), certs, 0, COF_FORMAT, "KY-7");
    kit_edit(&none, cof_buf_slice(&two), KIT_PATH(AT_SET), KIT_REPLACE, KIT_BYTES(0x31, 0));
    assert_refused(cof_buf_slice(&none), certs, 1, COF_FORMAT, "KY-7");
    cof_buf_free(&two);
    cof_buf_free(&three);
    cof_buf_free(&none);
}

/* A wrap for somebody else in the place of a listed recipient, and one recipient twice. */
static void recipients_are_those_listed(void **state)
{
    cof_cert *with_stranger[2] = {certs[0], stranger_cert};
    cof_buf strange = seal(with_stranger, 2), good = seal(certs, 2), twice = COF_BUF_INIT;
    cof_slice first = kit_find(cof_buf_slice(&good), KIT_PATH(AT_SET, 0)), half;

    (void)state;
    assert_refused(cof_buf_slice(&strange), certs, 2, COF_FORMAT, "KY-11");
    half = first;
    kit_edit(&twice, cof_buf_slice(&good), KIT_PATH(AT_SET, 1), KIT_REPLACE, half);
    assert_refused(cof_buf_slice(&twice), certs, 2, COF_FORMAT, "KY-11");
    cof_buf_free(&strange);
    cof_buf_free(&good);
    cof_buf_free(&twice);
}

/* Where the certificate has a key identifier, its issuer and serial number will not do. */
static void other_name_is_refused(void **state)
{
    cof_cert *named = certs[RSA];
    cof_buf good = seal(&named, 1), version = COF_BUF_INIT, bad = COF_BUF_INIT;
    cof_slice other = cof_cert_id(certs[RSA_NAMELESS]);

    (void)state;
    kit_edit(&version, cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 0), KIT_REPLACE,
             KIT_BYTES(2, 1, 0));
    kit_edit(&bad, cof_buf_slice(&version), KIT_PATH(AT_SET, 0, 1), KIT_REPLACE, other);
    assert_refused(cof_buf_slice(&bad), &named, 1, COF_FORMAT, "KY-11");
    assert_refused(cof_buf_slice(&version), &named, 1, COF_FORMAT, "KY-8");
    cof_buf_free(&good);
    cof_buf_free(&version);
    cof_buf_free(&bad);
}

/* A message as the library makes it when told otherwise than by us. */
static cof_buf wrap_otherwise(cof_cert *cert, int padding, const EVP_MD *md, bool kekri)
{
    CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
    cof_buf out = COF_BUF_INIT;
    BIO *in = BIO_new_mem_buf(cof_secret_bytes(dek), 32);
    CMS_RecipientInfo *ri;
    EVP_PKEY_CTX *ctx;

    assert_int_equal(CMS_set_detached(cms, 0), 1);
    if (kekri) {
        unsigned char *kek = OPENSSL_zalloc(32), *id = OPENSSL_zalloc(3);
        assert_non_null(CMS_add0_recipient_key(cms, NID_undef, kek, 32, id, 3, NULL, NULL, NULL));
    } else {
        ri = CMS_add1_recipient_cert(cms, cof_cert_x509(cert), CMS_KEY_PARAM | CMS_USE_KEYID);
        ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
        if (padding != 0)
            assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
        if (padding == RSA_PKCS1_OAEP_PADDING)
            assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
        if (padding == 0)
            assert_int_equal(EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, md), 1);
    }
    assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    kit_encode(&out, cms);
    BIO_free(in);
    CMS_ContentInfo_free(cms);
    return out;
}

static void other_methods_are_refused(void **state)
{
    cof_buf v15 = wrap_otherwise(certs[RSA], RSA_PKCS1_PADDING, NULL, false);
    cof_buf oaep_sha1 = wrap_otherwise(certs[RSA], RSA_PKCS1_OAEP_PADDING, EVP_sha1(), false);
    cof_buf oaep_sha512 = wrap_otherwise(certs[RSA], RSA_PKCS1_OAEP_PADDING, EVP_sha512(), false);
    cof_buf kdf_sha1 = wrap_otherwise(certs[P256], 0, EVP_sha1(), false);
    cof_buf kdf_sha512 = wrap_otherwise(certs[P256], 0, EVP_sha512(), false);
    cof_buf kekri = wrap_otherwise(NULL, 0, NULL, true);

    (void)state;
    assert_refused(cof_buf_slice(&v15), &certs[RSA], 1, COF_UNSUPPORTED, "KY-9");
    assert_refused(cof_buf_slice(&oaep_sha1), &certs[RSA], 1, COF_UNSUPPORTED, "KY-9");
    assert_refused(cof_buf_slice(&oaep_sha512), &certs[RSA], 1, COF_UNSUPPORTED, "KY-9");
    assert_refused(cof_buf_slice(&kdf_sha1), &certs[P256], 1, COF_UNSUPPORTED, "KY-10");
    assert_refused(cof_buf_slice(&kdf_sha512), &certs[P256], 1, COF_UNSUPPORTED, "KY-10");
    assert_refused(cof_buf_slice(&kekri), &certs[P256], 1, COF_UNSUPPORTED, "KY-8");
    cof_buf_free(&v15);
    cof_buf_free(&oaep_sha1);
    cof_buf_free(&oaep_sha512);
    cof_buf_free(&kdf_sha1);
    cof_buf_free(&kdf_sha512);
    cof_buf_free(&kekri);
}

/* KY-10: each part of a key agreement. */
static void agreement_is_fixed(void **state)
{
    cof_cert *one = certs[P256];
    cof_buf good = seal(&one, 1), other = seal(&certs[P384], 1), bad = COF_BUF_INIT;
    cof_slice encrypted = kit_find(cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 3, 0));
    cof_slice point = kit_find(cof_buf_slice(&other), KIT_PATH(AT_SET, 0, 1));

    (void)state;
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 2), KIT_INSERT_BEFORE,
             KIT_BYTES(0xA1, 3, 4, 1, 0)); /* ukm */
    assert_refused(cof_buf_slice(&bad), &one, 1, COF_UNSUPPORTED, "KY-10");
    bad.len = 0; /* a second encrypted key */
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 3, 0), KIT_INSERT_BEFORE, encrypted);
    assert_refused(cof_buf_slice(&bad), &one, 1, COF_UNSUPPORTED, "KY-10");
    bad.len = 0; /* an ephemeral key on another curve */
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 1), KIT_REPLACE, point);
    assert_refused(cof_buf_slice(&bad), &one, 1, COF_UNSUPPORTED, "KY-10");
    bad.len = 0; /* no ephemeral key at all */
    kit_edit(&bad, cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 1), KIT_DELETE,
             (cof_slice)COF_SLICE_INIT);
    assert_refused(cof_buf_slice(&bad), &one, 1, COF_UNSUPPORTED, "KY-10");
    cof_buf_free(&good);
    cof_buf_free(&other);
    cof_buf_free(&bad);
}

/* KY-12: names swapped between an RSA and an EC recipient, and lengths that do not fit. */
static void kind_and_length_fit(void **state)
{
    cof_buf good = seal(certs, 2), half = COF_BUF_INIT, bad = COF_BUF_INIT, name = COF_BUF_INIT;
    cof_slice rsa_ski = cof_cert_ski(certs[RSA]), ec_ski = cof_cert_ski(certs[P256]);

    (void)state;
    kit_put_element(&name, 0x80, ec_ski);
    kit_edit(&half, cof_buf_slice(&good), KIT_PATH(AT_SET, 0, 1), KIT_REPLACE,
             cof_buf_slice(&name));
    name.len = 0;
    kit_put_element(&name, 0x04, rsa_ski);
    kit_edit(&bad, cof_buf_slice(&half), KIT_PATH(AT_SET, 1, 3, 0, 0, 0), KIT_REPLACE,
             cof_buf_slice(&name));
    assert_refused(cof_buf_slice(&bad), certs, 2, COF_FORMAT, "KY-12");
    assert_edit_refused(2, KIT_PATH(AT_SET, 0, 3), KIT_REPLACE, KIT_BYTES(4, 1, 0), COF_FORMAT,
                        "KY-12");
    assert_edit_refused(2, KIT_PATH(AT_SET, 1, 3, 0, 1), KIT_REPLACE, KIT_BYTES(4, 1, 0),
                        COF_FORMAT, "KY-12");
    cof_buf_free(&good);
    cof_buf_free(&half);
    cof_buf_free(&bad);
    cof_buf_free(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_are_refused),
        cmocka_unit_test(twins_in_a_message_are_refused),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(only_der_is_read),
        cmocka_unit_test(constructed_strings_are_refused),
        cmocka_unit_test(frame_is_fixed),
        cmocka_unit_test(tag_and_nonce_are_full),
        cmocka_unit_test(relabelling_is_refused),
        cmocka_unit_test(counts_must_agree),
        cmocka_unit_test(recipients_are_those_listed),
        cmocka_unit_test(other_name_is_refused),
        cmocka_unit_test(other_methods_are_refused),
        cmocka_unit_test(agreement_is_fixed),
        cmocka_unit_test(kind_and_length_fit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
