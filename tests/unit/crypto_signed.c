/* SPDX-License-Identifier: Apache-2.0 */

/* Signed statements: who is found to have signed, and each of the rules SD-1 to SD-12 broken. */

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

static int set_up(void **state)
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

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_key_free(keys[i]);
        cof_cert_free(certs[i]);
    }
    return 0;
}

static cof_buf make(size_t who)
{
    cof_buf out = COF_BUF_INIT;

    assert_ok(cof_signed_make(&out, OID, text, keys[who], certs[who], COF_DIGEST_SHA256, &kit_err));
    return out;
}

static void assert_refused(cof_slice message, cof_status st, const char *rule)
{
    cof_signed *s = NULL;

    assert_fails(cof_signed_parse(&s, message, OID, 4, &kit_err), st, rule);
    assert_null(s);
}

/* Exactly these candidates (bits) are found, of so many distinct keys. */
static void assert_signed_by(cof_slice message, unsigned who, size_t distinct)
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

static void assert_edit_refused(const int *path, enum kit_edit edit, cof_slice replacement,
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

static void add_signer(CMS_ContentInfo *cms, size_t who, const struct otherwise *how)
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
static cof_buf make_otherwise(unsigned who, const struct otherwise *how)
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

static void assert_otherwise_refused(unsigned who, const struct otherwise *how, cof_status st,
                                     const char *rule)
{
    cof_buf message = make_otherwise(who, how);

    assert_refused(cof_buf_slice(&message), st, rule);
    cof_buf_free(&message);
}

static void every_kind_of_key_signs(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        for (int digest = COF_DIGEST_SHA256; digest <= COF_DIGEST_SHA512; digest++) {
            cof_buf out = COF_BUF_INIT;

            if (i == DSA_2048 && digest != COF_DIGEST_SHA256) {
                assert_fails(cof_signed_make(&out, OID, text, keys[i], certs[i], (cof_digest)digest,
                                             &kit_err),
                             COF_UNSUPPORTED, "");
                continue;
            }
            assert_ok(
                cof_signed_make(&out, OID, text, keys[i], certs[i], (cof_digest)digest, &kit_err));
            assert_signed_by(cof_buf_slice(&out), 1u << i, 1);
            cof_buf_free(&out);
        }
    }
}

static void signer_names_himself(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_buf message = make(i), id = COF_BUF_INIT;
        cof_signed *s = NULL;

        assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
        assert_int_equal(cof_signed_signer_count(s), 1);
        assert_ok(cof_cert_key_id(certs[i], &id, &kit_err));
        assert_true(cof_slice_equal(cof_signed_signer_id(s, 0), cof_buf_slice(&id)));
        assert_int_equal(cof_signed_signer_id(s, 1).len, 0);
        cof_signed_free(s);
        cof_buf_free(&message);
        cof_buf_free(&id);
    }
}

static void empty_content_can_be_signed(void **state)
{
    cof_buf out = COF_BUF_INIT;
    cof_signed *s = NULL;

    (void)state;
    assert_ok(cof_signed_make(&out, OID, (cof_slice)COF_SLICE_INIT, keys[P256], certs[P256],
                              COF_DIGEST_SHA256, &kit_err));
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&out), OID, 1, &kit_err));
    assert_int_equal(cof_signed_content(s).len, 0);
    cof_signed_free(s);
    cof_buf_free(&out);
}

static void stock_reader_verifies_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        cof_buf message = make(i);
        const unsigned char *p = message.data;
        CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)message.len);
        STACK_OF(X509) *trusted = sk_X509_new_null();
        BIO *bio = BIO_new(BIO_s_mem());
        char *bytes = NULL;

        assert_true(sk_X509_push(trusted, cof_cert_x509(certs[i])) > 0);
        assert_int_equal(
            CMS_verify(cms, trusted, NULL, NULL, bio, CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY), 1);
        assert_int_equal(BIO_get_mem_data(bio, &bytes), (int)text.len);
        assert_memory_equal(bytes, text.data, text.len);
        sk_X509_free(trusted);
        BIO_free(bio);
        CMS_ContentInfo_free(cms);
        cof_buf_free(&message);
    }
}

static void make_refuses_bad_arguments(void **state)
{
    static const uint8_t large[COF_SIGNED_SIZE_MAX];
    cof_buf out = COF_BUF_INIT;

    (void)state;
    assert_fails(
        cof_signed_make(&out, OID, text, keys[P256], certs[P384], COF_DIGEST_SHA256, &kit_err),
        COF_CERT, "");
    assert_fails(
        cof_signed_make(&out, "no oid", text, keys[P256], certs[P256], COF_DIGEST_SHA256, &kit_err),
        COF_USAGE, "");
    assert_fails(cof_signed_make(&out, OID, text, keys[P256], certs[P256], (cof_digest)9, &kit_err),
                 COF_USAGE, "");
    assert_fails(cof_signed_make(&out, OID, (cof_slice){large, sizeof(large)}, keys[P256],
                                 certs[P256], COF_DIGEST_SHA256, &kit_err),
                 COF_LIMIT, "SD-1");
    assert_int_equal(out.len, 0);
}

static void stranger_is_not_accepted(void **state)
{
    cof_buf message = make(P256);
    cof_signed *s = NULL;
    bool valid[2] = {true, true};
    size_t n = 7;

    (void)state;
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
    assert_fails(cof_signed_verify(s, &certs[P384], 2, valid, &n, &kit_err), COF_AUTH, "");
    assert_false(valid[0] || valid[1]);
    assert_int_equal(n, 0);
    assert_fails(cof_signed_verify(s, NULL, 0, NULL, NULL, &kit_err), COF_AUTH, "");
    cof_signed_free(s);
    cof_buf_free(&message);
}

/* The name is a hint: with somebody else's name on it the signature is still its maker's. */
static void names_are_hints(void **state)
{
    cof_buf message = make(P256), renamed = COF_BUF_INIT;

    (void)state;
    kit_edit(&renamed, cof_buf_slice(&message), KIT_PATH(AT_SIGNER, 1), KIT_REPLACE,
             cof_cert_id(certs[P384]));
    assert_signed_by(cof_buf_slice(&renamed), 1u << P256, 1);
    cof_buf_free(&message);
    cof_buf_free(&renamed);
}

/* Two trusted certificates with one identifier: the wrong one first hinders nothing. */
static void shared_identifier_is_no_obstacle(void **state)
{
    static const struct kit_cert how = {"01020304", NULL, -60, 86400};
    cof_cert *twins[2] = {kit_cert(keys[P384], "a", &how), kit_cert(keys[P256], "b", &how)};
    cof_buf out = COF_BUF_INIT;
    cof_signed *s = NULL;
    bool valid[2];

    (void)state;
    assert_ok(cof_signed_make(&out, OID, text, keys[P256], twins[1], COF_DIGEST_SHA256, &kit_err));
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&out), OID, 1, &kit_err));
    assert_ok(cof_signed_verify(s, twins, 2, valid, NULL, &kit_err));
    assert_true(!valid[0] && valid[1]);
    cof_signed_free(s);
    cof_buf_free(&out);
    cof_cert_free(twins[0]);
    cof_cert_free(twins[1]);
}

static void several_signers(void **state)
{
    static const struct otherwise plain = {.md = NULL};
    struct otherwise how = plain;
    unsigned who = 1u << RSA_2048 | 1u << P256 | 1u << DSA_2048;
    cof_signed *s = NULL;
    cof_buf message;

    (void)state;
    how.md = EVP_sha256();
    message = make_otherwise(who, &how);
    assert_signed_by(cof_buf_slice(&message), who, 3);
    assert_fails(cof_signed_parse(&s, cof_buf_slice(&message), OID, 2, &kit_err), COF_FORMAT,
                 "SD-6");
    cof_buf_free(&message);
}

/* One key under two certificates is found twice, and counted once. */
static void one_key_counts_once(void **state)
{
    cof_cert *both[2] = {certs[P256], kit_nameless(keys[P256], "again")};
    cof_buf message = make(P256);
    cof_signed *s = NULL;
    bool valid[2];
    size_t n;

    (void)state;
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
    assert_ok(cof_signed_verify(s, both, 2, valid, &n, &kit_err));
    assert_true(valid[0] && valid[1]);
    assert_int_equal(n, 1);
    cof_signed_free(s);
    cof_buf_free(&message);
    cof_cert_free(both[1]);
}

/* A good signature by a key that is too weak counts for nothing. */
static void weak_key_never_counts(void **state)
{
    static const struct kit_cert kind = {"hash", NULL, -60, 86400};
    EVP_PKEY *pkey = EVP_RSA_gen(1024);
    cof_key *key = NULL;
    cof_cert *cert;
    cof_buf out = COF_BUF_INIT;
    struct otherwise how = {.md = EVP_sha256()};
    cof_key *kept_key = keys[RSA_2048];
    cof_cert *kept_cert = certs[RSA_2048];

    (void)state;
    assert_ok(cof_key_wrap(&key, pkey, &kit_err));
    cert = kit_cert(key, "weak", &kind);
    assert_fails(cof_signed_make(&out, OID, text, key, cert, COF_DIGEST_SHA256, &kit_err), COF_CERT,
                 "");
    keys[RSA_2048] = key;
    certs[RSA_2048] = cert;
    out = make_otherwise(1u << RSA_2048, &how);
    assert_signed_by(cof_buf_slice(&out), 0, 0);
    keys[RSA_2048] = kept_key;
    certs[RSA_2048] = kept_cert;
    cof_buf_free(&out);
    cof_cert_free(cert);
    cof_key_free(key);
}

static void size_is_bounded(void **state)
{
    static const uint8_t large[COF_SIGNED_SIZE_MAX + 1];

    (void)state;
    assert_refused((cof_slice)COF_SLICE_INIT, COF_LIMIT, "SD-1");
    assert_refused((cof_slice){large, sizeof(large)}, COF_LIMIT, "SD-1");
}

static void only_der_is_read(void **state)
{
    cof_buf good = make(P256), bad = COF_BUF_INIT;
    cof_slice inner = kit_find(cof_buf_slice(&good), KIT_PATH(AT_TYPE));
    cof_slice last = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2));
    cof_buf rest = COF_BUF_INIT;

    (void)state;
    kit_put(&bad, cof_buf_slice(&good));
    kit_put(&bad, KIT_BYTES(0));
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-2"); /* trailing byte */

    bad.len = 0; /* BER */
    kit_put(&bad, KIT_BYTES(0x30, 0x80));
    kit_put(&bad, (cof_slice){inner.data, good.len - (size_t)(inner.data - good.data)});
    kit_put(&bad, KIT_BYTES(0, 0));
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-2");

    bad.len = 0; /* signed attributes in another order */
    kit_edit(&rest, cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2), KIT_DELETE,
             (cof_slice)COF_SLICE_INIT);
    kit_edit(&bad, cof_buf_slice(&rest), KIT_PATH(AT_ATTRS, 0), KIT_INSERT_BEFORE, last);
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-2");
    cof_buf_free(&good);
    cof_buf_free(&bad);
    cof_buf_free(&rest);
}

static void frame_is_fixed(void **state)
{
    (void)state;
    assert_edit_refused(KIT_PATH(AT_TYPE), KIT_REPLACE,
                        KIT_BYTES(6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3), COF_FORMAT,
                        "SD-3");
    assert_edit_refused(KIT_PATH(AT_VERSION), KIT_REPLACE, KIT_BYTES(2, 1, 1), COF_FORMAT, "SD-3");
    assert_edit_refused(KIT_PATH(AT_SIGNERS), KIT_INSERT_BEFORE, KIT_BYTES(0xA0, 0), COF_FORMAT,
                        "SD-5");
    assert_edit_refused(KIT_PATH(AT_SIGNERS), KIT_INSERT_BEFORE, KIT_BYTES(0xA1, 0), COF_FORMAT,
                        "SD-5");
    assert_edit_refused(KIT_PATH(AT_SIGNERS), KIT_REPLACE, KIT_BYTES(0x31, 0), COF_FORMAT, "SD-6");
    assert_edit_refused(KIT_PATH(AT_ECONT, 1), KIT_DELETE, (cof_slice)COF_SLICE_INIT, COF_FORMAT,
                        "SD-4"); /* detached */
    assert_edit_refused(KIT_PATH(AT_SIGNER, 0), KIT_REPLACE, KIT_BYTES(2, 1, 1), COF_FORMAT,
                        "SD-8");
    assert_edit_refused(KIT_PATH(AT_SIGNER, 1), KIT_DELETE, (cof_slice)COF_SLICE_INIT, COF_FORMAT,
                        "SD-8");
}

/* A statement of one type never passes for another, whichever of the two places says so. */
static void types_are_kept_apart(void **state)
{
    cof_buf message = make(P256), oid = COF_BUF_INIT, bad = COF_BUF_INIT;
    cof_slice other;
    cof_signed *s = NULL;

    (void)state;
    assert_fails(cof_signed_parse(&s, cof_buf_slice(&message), OID_OTHER, 1, &kit_err), COF_FORMAT,
                 "SD-4");
    kit_put(&oid, kit_find(cof_buf_slice(&message), KIT_PATH(AT_ECONT, 0)));
    oid.data[oid.len - 1] = 2;
    other = cof_buf_slice(&oid);
    kit_edit(&bad, cof_buf_slice(&message), KIT_PATH(AT_ECONT, 0), KIT_REPLACE, other);
    assert_refused(cof_buf_slice(&bad), COF_FORMAT, "SD-4");
    assert_fails(cof_signed_parse(&s, cof_buf_slice(&bad), OID_OTHER, 1, &kit_err), COF_FORMAT,
                 "SD-9");
    cof_buf_free(&message);
    cof_buf_free(&oid);
    cof_buf_free(&bad);
}

static void certificates_inside_are_refused(void **state)
{
    struct otherwise how = {.md = EVP_sha256(), .unflags = CMS_NOCERTS};

    (void)state;
    assert_otherwise_refused(1u << P256, &how, COF_FORMAT, "SD-5");
}

static void digests_are_few(void **state)
{
    struct otherwise sha1 = {.md = EVP_sha1()}, md5 = {.md = EVP_md5()},
                     sha224 = {.md = EVP_sha224()};
    cof_slice sha384 = KIT_BYTES(0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2);

    (void)state;
    assert_otherwise_refused(1u << RSA_2048, &sha1, COF_UNSUPPORTED, "SD-7");
    assert_otherwise_refused(1u << RSA_2048, &md5, COF_UNSUPPORTED, "SD-7");
    assert_otherwise_refused(1u << P256, &sha224, COF_UNSUPPORTED, "SD-7");
    assert_edit_refused(KIT_PATH(AT_DIGESTS, 0), KIT_REPLACE, sha384, COF_UNSUPPORTED, "SD-7");
    assert_edit_refused(KIT_PATH(AT_DIGESTS), KIT_REPLACE, KIT_BYTES(0x31, 0), COF_UNSUPPORTED,
                        "SD-7");
}

static void signed_attributes_are_needed(void **state)
{
    struct otherwise none = {.md = EVP_sha256(), .flags = CMS_NOATTR};
    struct otherwise caps = {.md = EVP_sha256(), .unflags = CMS_NOSMIMECAP};
    cof_buf good = make(P256);
    cof_slice digest = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2));
    cof_slice type = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 1));
    cof_slice value = kit_find(cof_buf_slice(&good), KIT_PATH(AT_ATTRS, 2, 1, 0));

    (void)state;
    assert_otherwise_refused(1u << P256, &none, COF_FORMAT, "SD-9");
    assert_otherwise_refused(1u << P256, &caps, COF_FORMAT, "SD-9");
    for (int i = 1; i <= 2; i++) /* contentType, messageDigest */
        assert_edit_refused(KIT_PATH(AT_ATTRS, i), KIT_DELETE, (cof_slice)COF_SLICE_INIT,
                            COF_FORMAT, "SD-9");
    assert_edit_refused(KIT_PATH(AT_ATTRS, 1), KIT_INSERT_BEFORE, type, COF_FORMAT, "SD-9");
    assert_edit_refused(KIT_PATH(AT_ATTRS, 2), KIT_INSERT_BEFORE, digest, COF_FORMAT, "SD-9");
    assert_edit_refused(KIT_PATH(AT_ATTRS, 2, 1, 0), KIT_INSERT_BEFORE, value, COF_FORMAT, "SD-9");
    cof_buf_free(&good);
}

static void signature_algorithms_are_few(void **state)
{
    struct otherwise salt20 = {.md = EVP_sha256(), .salt = 20};
    struct otherwise mgf1 = {.md = EVP_sha256(), .salt = 32, .mgf1 = EVP_sha1()};
    struct otherwise pss = {.md = EVP_sha256(), .salt = 32};
    cof_slice sha1_rsa =
        KIT_BYTES(0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 5, 5, 0);
    cof_slice ecdsa384 = KIT_BYTES(0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3);
    cof_buf message;

    (void)state;
    assert_otherwise_refused(1u << RSA_2048, &salt20, COF_UNSUPPORTED, "SD-10");
    assert_otherwise_refused(1u << RSA_2048, &mgf1, COF_UNSUPPORTED, "SD-10");
    assert_edit_refused(KIT_PATH(AT_SIGNER, 4), KIT_REPLACE, sha1_rsa, COF_UNSUPPORTED, "SD-10");
    assert_edit_refused(KIT_PATH(AT_SIGNER, 4), KIT_REPLACE, ecdsa384, COF_UNSUPPORTED, "SD-10");
    assert_edit_refused(KIT_PATH(AT_SIGNER, 5), KIT_REPLACE, KIT_BYTES(4, 0), COF_FORMAT, "SD-10");
    message = make_otherwise(1u << RSA_2048, &pss); /* RSA-PSS by an ordinary RSA key is welcome */
    assert_signed_by(cof_buf_slice(&message), 1u << RSA_2048, 1);
    cof_buf_free(&message);
}

/* The algorithm as other writers name it: sha256WithRSAEncryption. */
static void rsa_may_name_its_digest(void **state)
{
    cof_slice sha256_rsa =
        KIT_BYTES(0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, 5, 0);
    cof_buf message = make(RSA_2048), renamed = COF_BUF_INIT;

    (void)state;
    kit_edit(&renamed, cof_buf_slice(&message), KIT_PATH(AT_SIGNER, 4), KIT_REPLACE, sha256_rsa);
    assert_signed_by(cof_buf_slice(&renamed), 1u << RSA_2048, 1);
    cof_buf_free(&message);
    cof_buf_free(&renamed);
}

/* Append an unsigned attribute of this type (the last number of its OID) to the only signer. */
static cof_buf with_unsigned(cof_slice message, uint8_t type, unsigned times)
{
    uint8_t one[] = {0x30, 0x11, 6,  11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D,
                     1,    9,    16, 2,  type, 0x31, 2,    0x30, 0};
    cof_slice signature = kit_find(message, KIT_PATH(AT_SIGNER, 5));
    cof_buf attributes = COF_BUF_INIT, replacement = COF_BUF_INIT, out = COF_BUF_INIT;

    for (unsigned i = 0; i < times; i++)
        kit_put(&attributes, (cof_slice){one, sizeof(one)});
    kit_put(&replacement, signature);
    kit_put_element(&replacement, 0xA1, cof_buf_slice(&attributes));
    kit_edit(&out, message, KIT_PATH(AT_SIGNER, 5), KIT_REPLACE, cof_buf_slice(&replacement));
    cof_buf_free(&attributes);
    cof_buf_free(&replacement);
    return out;
}

static void only_a_time_stamp_comes_later(void **state)
{
    cof_buf good = make(P256), stamped = with_unsigned(cof_buf_slice(&good), 14, 1);
    cof_buf twice = with_unsigned(cof_buf_slice(&good), 14, 2);
    cof_buf other = with_unsigned(cof_buf_slice(&good), 15, 1);
    cof_buf empty = with_unsigned(cof_buf_slice(&good), 14, 0);

    (void)state;
    assert_signed_by(cof_buf_slice(&stamped), 1u << P256, 1);
    assert_refused(cof_buf_slice(&twice), COF_UNSUPPORTED, "SD-11");
    assert_refused(cof_buf_slice(&other), COF_UNSUPPORTED, "SD-11");
    assert_refused(cof_buf_slice(&empty), COF_UNSUPPORTED, "SD-11");
    cof_buf_free(&good);
    cof_buf_free(&stamped);
    cof_buf_free(&twice);
    cof_buf_free(&other);
    cof_buf_free(&empty);
}

/* SD-12, and what remains when the signed digest is made to fit the changed content. */
static void changed_content_is_seen(void **state)
{
    cof_buf message = make(P256);
    cof_slice content = kit_find(cof_buf_slice(&message), KIT_PATH(AT_ECONT, 1, 0));
    cof_slice digest = kit_find(cof_buf_slice(&message), KIT_PATH(AT_ATTRS, 2, 1, 0));
    uint8_t *byte = message.data + (content.data - message.data) + 3;
    uint8_t *md = message.data + (digest.data - message.data) + 2;
    cof_signed *s = NULL;
    bool valid[KINDS];

    (void)state;
    *byte = 'b';
    assert_refused(cof_buf_slice(&message), COF_AUTH, "SD-12");
    assert_int_equal(EVP_Digest(content.data + 2, content.len - 2, md, NULL, EVP_sha256(), NULL),
                     1);
    assert_ok(cof_signed_parse(&s, cof_buf_slice(&message), OID, 1, &kit_err));
    assert_fails(cof_signed_verify(s, certs, KINDS, valid, NULL, &kit_err), COF_AUTH, "");
    cof_signed_free(s);
    cof_buf_free(&message);
}

/* Whatever is damaged: no other content is ever accepted, and nothing crashes. */
static void try_damaged(cof_slice message)
{
    cof_signed *s = NULL;
    bool valid[KINDS];
    cof_status st = cof_signed_parse(&s, message, OID, 2, &kit_err);

    assert_int_equal(st == COF_OK, s != NULL);
    if (st != COF_OK)
        return;
    st = cof_signed_verify(s, certs, KINDS, valid, NULL, &kit_err);
    assert_true(st == COF_OK || st == COF_AUTH);
    if (st == COF_OK)
        assert_true(cof_slice_equal(cof_signed_content(s), text));
    cof_signed_free(s);
}

static void every_bit_flipped(void **state)
{
    struct otherwise how = {.md = EVP_sha256()};
    cof_buf message = make_otherwise(1u << RSA_2048 | 1u << P256, &how);

    (void)state;
    for (size_t i = 0; i < message.len * 8; i++) {
        message.data[i / 8] ^= (uint8_t)(1u << i % 8);
        try_damaged(cof_buf_slice(&message));
        message.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_signed_by(cof_buf_slice(&message), 1u << RSA_2048 | 1u << P256, 2);
    cof_buf_free(&message);
}

static void every_length_cut(void **state)
{
    cof_buf message = make(PSS);

    (void)state;
    for (size_t len = 0; len < message.len; len++) {
        uint8_t *copy = malloc(len + 1); /* so that a read beyond the end is seen */

        assert_non_null(copy);
        memcpy(copy, message.data, len);
        assert_refused((cof_slice){copy, len}, len == 0 ? COF_LIMIT : COF_FORMAT, NULL);
        free(copy);
    }
    cof_buf_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_signs),
        cmocka_unit_test(signer_names_himself),
        cmocka_unit_test(empty_content_can_be_signed),
        cmocka_unit_test(stock_reader_verifies_it),
        cmocka_unit_test(make_refuses_bad_arguments),
        cmocka_unit_test(stranger_is_not_accepted),
        cmocka_unit_test(names_are_hints),
        cmocka_unit_test(shared_identifier_is_no_obstacle),
        cmocka_unit_test(several_signers),
        cmocka_unit_test(one_key_counts_once),
        cmocka_unit_test(weak_key_never_counts),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(only_der_is_read),
        cmocka_unit_test(frame_is_fixed),
        cmocka_unit_test(types_are_kept_apart),
        cmocka_unit_test(certificates_inside_are_refused),
        cmocka_unit_test(digests_are_few),
        cmocka_unit_test(signed_attributes_are_needed),
        cmocka_unit_test(signature_algorithms_are_few),
        cmocka_unit_test(rsa_may_name_its_digest),
        cmocka_unit_test(only_a_time_stamp_comes_later),
        cmocka_unit_test(changed_content_is_seen),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(every_length_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
