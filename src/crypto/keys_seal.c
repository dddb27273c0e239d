/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Wrapping the DEK.  Always a fresh message: libcrypto cannot add a recipient to one that it has
 * parsed without breaking it.
 */

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "crypto/keys_map.h"
#include "crypto/ossl.h"

static cof_status check_certs(cof_cert *const *certs, size_t n, cof_error *err)
{
    char name[COF_CERT_DISPLAY_MAX];
    const char *why;

    if (n == 0)
        return cof_fail(err, COF_USAGE, "a key is wrapped for at least one certificate");
    if (n > COF_KEYS_RECIPIENTS_MAX)
        return cof_fail(err, COF_LIMIT, "%zu recipients are more than the %d that are possible", n,
                        COF_KEYS_RECIPIENTS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (cof_pkey_refuse_wrap(cof_cert_key_info(certs[i]), &why) != COF_CERT_FINE)
            return cof_fail(err, COF_CERT, "the certificate of %s %s",
                            cof_cert_display(certs[i], name), why);
    }
    return cof_keys_check_distinct(certs, n, err);
}

/* The ephemeral key takes after the certificate's, whose point may be compressed. */
static bool uncompress(EVP_PKEY_CTX *ctx)
{
    EVP_PKEY *ephemeral = EVP_PKEY_CTX_get0_pkey(ctx);

    return ephemeral != NULL &&
           EVP_PKEY_set_utf8_string_param(ephemeral, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                          OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) == 1;
}

/* The library's defaults are PKCS#1 v1.5 and a KDF over SHA-1.  Setting the KDF's type breaks it.
 */
static bool set_method(CMS_RecipientInfo *recipient, const struct cof_pkey_info *info)
{
    EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(recipient);

    if (ctx == NULL)
        return false;
    if (info->kind == COF_PKEY_EC)
        return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) == 1 && uncompress(ctx);
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
}

static bool add_recipient(CMS_ContentInfo *cms, const cof_cert *cert)
{
    unsigned flags = CMS_KEY_PARAM;
    CMS_RecipientInfo *recipient;

    if (cof_cert_ski(cert).len > 0)
        flags |= CMS_USE_KEYID;
    recipient = CMS_add1_recipient_cert(cms, cof_cert_x509(cert), flags);
    return recipient != NULL && set_method(recipient, cof_cert_key_info(cert));
}

/* Not CMS_final: that copies the content through the stack and leaves it there. */
static bool encrypt_key(CMS_ContentInfo *cms, const cof_secret *dek)
{
    BIO *chain = CMS_dataInit(cms, NULL);
    bool ok =
        chain != NULL &&
        BIO_write(chain, cof_secret_bytes_const(dek), COF_KEYS_DEK_SIZE) == COF_KEYS_DEK_SIZE &&
        BIO_flush(chain) == 1 && CMS_dataFinal(cms, chain) == 1;

    BIO_free_all(chain);
    return ok;
}

static cof_status build(unsigned char **der, size_t *len, const cof_secret *dek,
                        cof_cert *const *certs, size_t n, cof_error *err)
{
    CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
    bool ok = cms != NULL && CMS_set_detached(cms, 0) == 1;
    int got = 0;
    cof_status st = COF_OK;

    for (size_t i = 0; ok && i < n; i++)
        ok = add_recipient(cms, certs[i]);
    ok = ok && encrypt_key(cms, dek) && (got = i2d_CMS_ContentInfo(cms, der)) > 0;
    if (!ok)
        st = cof_crypto_fail(err, "wrap the key");
    else
        *len = (size_t)got;
    CMS_ContentInfo_free(cms);
    return st;
}

/* What the reader would refuse is a defect here, but for the size. */
static cof_status check_own(cof_slice keys, cof_cert *const *certs, size_t n, cof_error *err)
{
    cof_error inner = COF_ERROR_INIT;
    cof_status st = cof_keys_check(keys, certs, n, &inner);

    if (st == COF_OK)
        return COF_OK;
    if (st == COF_NOMEM)
        return cof_fail(err, st, "out of memory");
    if (st == COF_LIMIT)
        return cof_fail_rule(err, COF_LIMIT, "KY-1", COF_NO_OFFSET,
                             "the key wrapped for %zu recipients takes more than %d KiB", n,
                             COF_KEYS_SIZE_MAX / 1024);
    return cof_fail(err, COF_INTERNAL, "the wrapped key just made breaks rule %s: %.200s",
                    inner.rule, inner.message);
}

cof_status cof_keys_seal(cof_buf *out, const cof_secret *dek, cof_cert *const *certs, size_t n,
                         cof_error *err)
{
    unsigned char *der = NULL;
    size_t len = 0;
    cof_status st;

    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if (cof_secret_len(dek) != COF_KEYS_DEK_SIZE)
        return cof_fail(err, COF_USAGE, "the key to be wrapped is not %d bytes long",
                        COF_KEYS_DEK_SIZE);
    if ((st = check_certs(certs, n, err)) != COF_OK ||
        (st = build(&der, &len, dek, certs, n, err)) != COF_OK ||
        (st = check_own((cof_slice){der, len}, certs, n, err)) != COF_OK)
        goto out;
    st = cof_buf_append(out, der, len, err);
out:
    OPENSSL_free(der);
    ERR_clear_error();
    return st;
}
