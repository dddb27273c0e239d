/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_UNIT_CRYPTO_SIGNED_KIT_H
#define COF_TESTS_UNIT_CRYPTO_SIGNED_KIT_H

/* What the tests of signed statements share: signers of every kind, and messages by them. */

#include "crypto_kit.h"

#include <openssl/rsa.h>
#include <stdlib.h>

#include "crypto/signed.h"

#define OID       "2.25.54037454755169100369202756945757762599.1.1"
#define OID_OTHER "2.25.54037454755169100369202756945757762599.1.2"

/* Paths into a signed statement. */
#define AT_TYPE    0, 0
#define AT_BODY    0, 1, 0
#define AT_VERSION AT_BODY, 0
#define AT_DIGESTS AT_BODY, 1
#define AT_ECONT   AT_BODY, 2
#define AT_SIGNERS AT_BODY, 3
#define AT_SIGNER  AT_SIGNERS, 0
#define AT_ATTRS   AT_SIGNER, 3

enum { RSA_2048, P256, P384, P521, DSA_2048, PSS, NAMELESS, KINDS };

static cof_key *keys[KINDS];
static cof_cert *certs[KINDS];
static const cof_slice text = {(const uint8_t *)"{\"a\":1}\n\n", 9};

KIT int set_up(void **state)
{
    static const char *const types[KINDS] = {"rsa-2048", "p256",         "p384", "p521",
                                             "dsa-2048", "rsa-pss-3072", "p256"};

    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        keys[i] = kit_key(types[i]);
        certs[i] = i == NAMELESS ? kit_nameless(keys[i], "nameless")
                                 : kit_self_sign(keys[i], types[i], COF_CERT_FOR_SIGNER);
    }
    return 0;
}

KIT int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_key_free(keys[i]);
        cof_cert_free(certs[i]);
    }
    return 0;
}

KIT cof_buf make(size_t who)
{
    cof_buf out = COF_BUF_INIT;

    assert_ok(cof_signed_make(&out, OID, text, keys[who], certs[who], COF_DIGEST_SHA256, &kit_err));
    return out;
}

KIT void assert_refused(cof_slice message, cof_status st, const char *rule)
{
    cof_signed *s = NULL;

    assert_fails(cof_signed_parse(&s, message, OID, 4, &kit_err), st, rule);
    assert_null(s);
}

/* Exactly these candidates (bits) are found, of so many distinct keys. */
KIT void assert_signed_by(cof_slice message, unsigned who, size_t distinct)
{
    cof_signed *s = NULL;
    bool valid[KINDS];
    size_t n = SIZE_MAX;

    assert_ok(cof_signed_parse(&s, message, OID, 4, &kit_err));
    if (who == 0)
        assert_fails(cof_signed_verify(s, certs, KINDS, valid, &n, &kit_err), COF_AUTH, "");
    else
        assert_ok(cof_signed_verify(s, certs, KINDS, valid, &n, &kit_err));
    for (size_t i = 0; i < KINDS; i++)
        assert_int_equal(valid[i], (who >> i & 1) != 0);
    assert_int_equal(n, distinct);
    assert_true(cof_slice_equal(cof_signed_content(s), text));
    cof_signed_free(s);
}

KIT void assert_edit_refused(const int *path, enum kit_edit edit, cof_slice replacement,
                             cof_status st, const char *rule)
{
    cof_buf good = make(P256), bad = COF_BUF_INIT;

    kit_edit(&bad, cof_buf_slice(&good), path, edit, replacement);
    assert_refused(cof_buf_slice(&bad), st, rule);
    cof_buf_free(&good);
    cof_buf_free(&bad);
}

/* A message made by libcrypto alone; with many ways to make it badly. */
struct otherwise {
    const EVP_MD *md;
    unsigned flags;   /* beside those that we use */
    unsigned unflags; /* of those that we use, not */
    int salt;         /* RSA-PSS with this salt; 0: not set */
    const EVP_MD *mgf1;
};

KIT void add_signer(CMS_ContentInfo *cms, size_t who, const struct otherwise *how)
{
    unsigned flags = CMS_BINARY | CMS_NOCERTS | CMS_NOSMIMECAP | CMS_KEY_PARAM | CMS_USE_KEYID;
    CMS_SignerInfo *si = CMS_add1_signer(cms, cof_cert_x509(certs[who]), cof_key_pkey(keys[who]),
                                         how->md, (flags | how->flags) & ~how->unflags);

    assert_non_null(si);
    if (how->salt != 0) {
        EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);

        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, how->salt), 1);
        if (how->mgf1 != NULL)
            assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, how->mgf1), 1);
    }
}

/* Signed by those whose bits are set. */
KIT cof_buf make_otherwise(unsigned who, const struct otherwise *how)
{
    unsigned flags = CMS_PARTIAL | CMS_BINARY;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    ASN1_OBJECT *type = OBJ_txt2obj(OID, 1);
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    cof_buf out = COF_BUF_INIT;

    assert_int_equal(CMS_set1_eContentType(cms, type), 1);
    for (size_t i = 0; i < KINDS; i++) {
        if ((who >> i & 1) != 0)
            add_signer(cms, i, how);
    }
    assert_int_equal(CMS_final(cms, bio, NULL, CMS_BINARY), 1);
    kit_encode(&out, cms);
    BIO_free(bio);
    ASN1_OBJECT_free(type);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return out;
}

KIT void assert_otherwise_refused(unsigned who, const struct otherwise *how, cof_status st,
                                  const char *rule)
{
    cof_buf message = make_otherwise(who, how);

    assert_refused(cof_buf_slice(&message), st, rule);
    cof_buf_free(&message);
}

#endif
