/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Making signed statements with libcrypto's CMS, then reading and verifying the result with our own
 * code before it is given out.
 */

#include <openssl/rsa.h>

#include "crypto/signed_parts.h"

/* Unless told so, the library signs with an RSA-PSS key in a way that it cannot verify. */
static bool set_pss(EVP_PKEY_CTX *ctx, cof_digest digest)
{
    return ctx != NULL && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, cof_signed_md(digest)) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* An RSA-PSS key can be bound to one digest, and to salts longer than ours. */
static bool pss_allows(const cof_key *key, cof_digest digest)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL; /* of md */
    bool ok = md != NULL &&
              EVP_DigestSignInit(md, &ctx, cof_signed_md(digest), NULL, cof_key_pkey(key)) == 1 &&
              set_pss(ctx, digest);

    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return ok;
}

cof_status cof_signed_can_make(const cof_key *key, const cof_cert *cert, cof_digest digest,
                               cof_error *err)
{
    const struct cof_pkey_info *info = cof_cert_key_info(cert);
    char name[COF_CERT_DISPLAY_MAX];
    const char *why;

    if (cof_signed_md(digest) == NULL)
        return cof_fail(err, COF_USAGE, "digest number %u is unknown", (unsigned)digest);
    if (cof_pkey_refuse_sign(info, &why) != COF_CERT_FINE)
        return cof_fail(err, COF_CERT, "the certificate of %s %s", cof_cert_display(cert, name),
                        why);
    if (!cof_key_matches_cert(key, cert))
        return cof_fail(err, COF_CERT, "the signing key does not belong to the certificate of %s",
                        cof_cert_display(cert, name));
    if (info->kind == COF_PKEY_DSA && digest != COF_DIGEST_SHA256)
        return cof_fail(err, COF_UNSUPPORTED,
                        "the key of %s is a DSA key, which signs with SHA-256 only",
                        cof_cert_display(cert, name));
    if (info->kind == COF_PKEY_RSA_PSS && !pss_allows(key, digest))
        return cof_fail(
            err, COF_UNSUPPORTED,
            "the RSA-PSS key of %s is bound to another digest than SHA-%zu, or to longer "
            "salts than that gives",
            cof_cert_display(cert, name), 8 * cof_signed_md_len(digest));
    return COF_OK;
}

static bool add_signer(CMS_ContentInfo *cms, const cof_key *key, const cof_cert *cert,
                       cof_digest digest)
{
    unsigned flags = CMS_BINARY | CMS_NOCERTS | CMS_NOSMIMECAP | CMS_KEY_PARAM;
    CMS_SignerInfo *signer;

    if (cof_cert_ski(cert).len > 0)
        flags |= CMS_USE_KEYID;
    signer =
        CMS_add1_signer(cms, cof_cert_x509(cert), cof_key_pkey(key), cof_signed_md(digest), flags);
    if (signer == NULL)
        return false;
    return cof_cert_key_info(cert)->kind != COF_PKEY_RSA_PSS ||
           set_pss(CMS_SignerInfo_get0_pkey_ctx(signer), digest);
}

static cof_status build(unsigned char **der, size_t *len, const char *oid, cof_slice content,
                        const cof_key *key, const cof_cert *cert, cof_digest digest, cof_error *err)
{
    unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOCERTS;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    BIO *bio = BIO_new_mem_buf(content.len > 0 ? (const void *)content.data : "", (int)content.len);
    int got = 0;
    cof_status st = COF_OK;

    if (cms == NULL || type == NULL || bio == NULL || CMS_set1_eContentType(cms, type) != 1 ||
        !add_signer(cms, key, cert, digest) || CMS_final(cms, bio, NULL, CMS_BINARY) != 1 ||
        (got = i2d_CMS_ContentInfo(cms, der)) <= 0)
        st = cof_crypto_fail(err, "sign");
    else
        *len = (size_t)got;
    BIO_free(bio);
    ASN1_OBJECT_free(type);
    CMS_ContentInfo_free(cms);
    return st;
}

/* What the reader would refuse is a defect here, but for the size. */
static cof_status check_own(cof_slice message, const char *oid, cof_slice content,
                            const cof_cert *cert, cof_error *err)
{
    cof_error inner = COF_ERROR_INIT;
    cof_signed *s = NULL;
    cof_cert *candidate = cof_crypto_unconst(cert);
    bool valid = false;
    cof_status st;

    if ((st = cof_signed_parse(&s, message, oid, 1, &inner)) == COF_OK)
        st = cof_signed_verify(s, &candidate, 1, &valid, NULL, &inner);
    if (st == COF_OK && !cof_slice_equal(cof_signed_content(s), content))
        st = cof_fail(&inner, COF_INTERNAL, "the content differs");
    cof_signed_free(s);
    if (st == COF_OK)
        return COF_OK;
    if (st == COF_NOMEM)
        return cof_fail(err, st, "out of memory");
    if (st == COF_LIMIT)
        return cof_fail_rule(err, COF_LIMIT, "SD-1", COF_NO_OFFSET,
                             "a statement to be signed is too long");
    return cof_fail(err, COF_INTERNAL, "the statement just signed is not good: %.200s",
                    inner.message);
}

cof_status cof_signed_make(cof_buf *out, const char *oid, cof_slice content, const cof_key *key,
                           const cof_cert *cert, cof_digest digest, cof_error *err)
{
    cof_buf type = COF_BUF_INIT;
    unsigned char *der = NULL;
    size_t len = 0;
    cof_status st;

    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if (content.len > COF_SIGNED_SIZE_MAX)
        return cof_fail_rule(err, COF_LIMIT, "SD-1", COF_NO_OFFSET,
                             "a statement to be signed is too long");
    if ((st = cof_signed_oid(&type, oid, err)) != COF_OK ||
        (st = cof_signed_can_make(key, cert, digest, err)) != COF_OK ||
        (st = build(&der, &len, oid, content, key, cert, digest, err)) != COF_OK ||
        (st = check_own((cof_slice){der, len}, oid, content, cert, err)) != COF_OK)
        goto out;
    st = cof_buf_append(out, der, len, err);
out:
    OPENSSL_free(der);
    cof_buf_free(&type);
    ERR_clear_error();
    return st;
}
