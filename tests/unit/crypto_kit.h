/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_TESTS_UNIT_CRYPTO_KIT_H
#define COF_TESTS_UNIT_CRYPTO_KIT_H

/*
 * What the tests of the crypto room share: odd certificates, and messages spoilt in one place.
 * Everything is made when the test runs; setters fail the test at once.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/der.h"
#include "crypto/ossl.h"

#define KIT __attribute__((unused)) static

/* Fail with the error's sentence where something should have worked. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        cof_status kit_st = (call);                                                                \
        if (kit_st != COF_OK)                                                                      \
            fail_msg("%s: %s %s: %s", #call, cof_status_name(kit_st), kit_err.rule,                \
                     kit_err.message);                                                             \
    } while (0)

/* The class and, if not NULL, the rule that a call must fail with; the queue must be empty. */
#define assert_fails(call, status_, rule_)                                                         \
    do {                                                                                           \
        cof_status kit_st = (call);                                                                \
        const char *kit_rule = (rule_);                                                            \
        if (kit_st != (status_) || (kit_rule != NULL && strcmp(kit_err.rule, kit_rule) != 0))      \
            fail_msg("%s: %s %s: %s", #call, cof_status_name(kit_st), kit_err.rule,                \
                     kit_err.message);                                                             \
        assert_int_equal(kit_err.status, (status_));                                               \
        assert_true(kit_err.message[0] != '\0');                                                   \
        assert_int_equal(ERR_peek_error(), 0);                                                     \
    } while (0)

KIT cof_error kit_err = COF_ERROR_INIT;

KIT cof_key *kit_key(const char *type)
{
    cof_key *key = NULL;

    assert_ok(cof_key_generate(&key, type, &kit_err));
    return key;
}

KIT cof_cert *kit_self_sign(const cof_key *key, const char *name, cof_cert_purpose purpose)
{
    cof_cert *cert = NULL;

    assert_ok(cof_cert_self_sign(&cert, key, name, 30, purpose, &kit_err));
    return cert;
}

/* How a certificate made by hand differs from an ordinary one. */
struct kit_cert {
    const char *ski;       /* NULL: none; "hash", or hexadecimal digits */
    const char *key_usage; /* NULL: none */
    long begins;           /* seconds from now */
    long ends;
};

KIT void kit_extend(X509 *x509, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate for pkey, signed by signer (which may be pkey); serial numbers count up. */
KIT cof_cert *kit_cert_of(EVP_PKEY *pkey, EVP_PKEY *signer, const char *name,
                          const struct kit_cert *how)
{
    static long serial = 1000;
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);
    cof_cert *cert = NULL;

    assert_int_equal(X509_set_version(x509, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x509, subject), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), how->begins));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), how->ends));
    assert_int_equal(X509_set_pubkey(x509, pkey), 1);
    if (how->ski != NULL)
        kit_extend(x509, NID_subject_key_identifier, how->ski);
    if (how->key_usage != NULL)
        kit_extend(x509, NID_key_usage, how->key_usage);
    assert_true(X509_sign(x509, signer, EVP_sha256()) > 0);
    assert_ok(cof_cert_wrap(&cert, x509, "test", &kit_err));
    return cert;
}

KIT cof_cert *kit_cert(const cof_key *key, const char *name, const struct kit_cert *how)
{
    return kit_cert_of(cof_key_pkey(key), cof_key_pkey(key), name, how);
}

/* A certificate without a key identifier. */
KIT cof_cert *kit_nameless(const cof_key *key, const char *name)
{
    static const struct kit_cert how = {NULL, NULL, -60, 86400};
    return kit_cert(key, name, &how);
}

/* ---- editing DER ---- */

enum kit_edit { KIT_REPLACE, KIT_INSERT_BEFORE, KIT_DELETE };

KIT void kit_put(cof_buf *out, cof_slice bytes)
{
    assert_ok(cof_buf_append(out, bytes.data, bytes.len, &kit_err));
}

/* Append an element of this tag around body. */
KIT void kit_put_element(cof_buf *out, uint8_t tag, cof_slice body)
{
    uint8_t head[4] = {tag, 0x82, (uint8_t)(body.len >> 8), (uint8_t)body.len};
    size_t used = 4;

    assert_true(body.len < 0x10000);
    if (body.len < 0x80) {
        head[1] = (uint8_t)body.len;
        used = 2;
    } else if (body.len < 0x100) {
        head[1] = 0x81;
        head[2] = (uint8_t)body.len;
        used = 3;
    }
    kit_put(out, (cof_slice){head, used});
    kit_put(out, body);
}

/*
 * Copy the elements of in, but for the one that path (ended by -1: child numbers, from the outside
 * in) leads to: with replacement in its place or before it, or without it.
 */
KIT void kit_edit(cof_buf *out, cof_slice in, const int *path, enum kit_edit edit,
                  cof_slice replacement)
{
    cof_slice body, whole;
    uint8_t tag;
    bool found = false;

    for (int i = 0; cof_der_next(&in, &tag, &body, &whole); i++) {
        if (i != path[0]) {
            kit_put(out, whole);
            continue;
        }
        found = true;
        if (path[1] >= 0) {
            cof_buf inner = COF_BUF_INIT;

            kit_edit(&inner, body, path + 1, edit, replacement);
            kit_put_element(out, tag, cof_buf_slice(&inner));
            cof_buf_free(&inner);
            continue;
        }
        if (edit != KIT_DELETE)
            kit_put(out, replacement);
        if (edit == KIT_INSERT_BEFORE)
            kit_put(out, whole);
    }
    assert_true(found && in.len == 0);
}

/* The element that path leads to. */
KIT cof_slice kit_find(cof_slice in, const int *path)
{
    cof_slice body = COF_SLICE_INIT, whole = COF_SLICE_INIT;
    uint8_t tag;

    for (; *path >= 0; path++) {
        for (int i = 0; i <= *path; i++)
            assert_true(cof_der_next(&in, &tag, &body, &whole));
        in = body;
    }
    return whole;
}

#define KIT_PATH(...)                                                                              \
    (const int[])                                                                                  \
    {                                                                                              \
        __VA_ARGS__, -1                                                                            \
    }
#define KIT_BYTES(...)                                                                             \
    ((cof_slice){(const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})})

/* The DER of a CMS message. */
KIT void kit_encode(cof_buf *out, CMS_ContentInfo *cms)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);

    assert_true(len > 0);
    kit_put(out, (cof_slice){der, (size_t)len});
    OPENSSL_free(der);
}

/* Tests that flip every bit do so by this step: more than 1 where each try is slow (valgrind). */
static inline size_t flip_step(void)
{
    const char *step = getenv("COFFER_FLIP_STEP");

    return step != NULL && atoi(step) > 0 ? (size_t)atoi(step) : 1;
}

#endif
