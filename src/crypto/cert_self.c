/* SPDX-License-Identifier: Apache-2.0 */

/* Self-signed certificates: a name, dates and a purpose around a key; nobody vouches for them. */

#include <openssl/bn.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/text.h"
#include "crypto/ossl.h"
#include "crypto/random.h"

#define SERIAL_SIZE     16
#define DAYS_MAX        36500
#define COMMON_NAME_MAX 64
#define CLOCK_SKEW      300 /* seconds that another host's clock may be behind */
#define VERSION_3       2

static cof_status check_arguments(const struct cof_pkey_info *info, const char *common_name,
                                  unsigned days, cof_cert_purpose purpose, cof_error *err)
{
    const char *why = NULL;
    size_t len = strlen(common_name);

    if (len == 0 || len > COMMON_NAME_MAX || !cof_utf8_valid(common_name, len))
        return cof_fail(err, COF_USAGE, "a certificate's name is 1 to %d bytes of UTF-8",
                        COMMON_NAME_MAX);
    if (days == 0 || days > DAYS_MAX)
        return cof_fail(err, COF_USAGE, "a certificate is valid for 1 to %d days", DAYS_MAX);
    if (purpose == COF_CERT_FOR_RECIPIENT)
        (void)cof_pkey_refuse_wrap(info, &why);
    else
        (void)cof_pkey_refuse_sign(info, &why);
    if (why != NULL)
        return cof_fail(err, COF_UNSUPPORTED, "the certificate to be made for a key of type %s %s",
                        info->text, why);
    return COF_OK;
}

/* A positive 16-byte number whose first byte is never zero. */
static cof_status set_serial(X509 *x509, cof_error *err)
{
    uint8_t bytes[SERIAL_SIZE];
    BIGNUM *bn = NULL;
    cof_status st = cof_random(bytes, sizeof(bytes), err);

    if (st != COF_OK)
        return st;
    bytes[0] = (uint8_t)((bytes[0] & 0x7F) | 0x40);
    bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
    if (bn == NULL || BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x509)) == NULL)
        st = cof_crypto_fail(err, "number a certificate");
    BN_free(bn);
    return st;
}

static bool set_fields(X509 *x509, EVP_PKEY *pkey, const char *common_name, unsigned days)
{
    X509_NAME *name = X509_get_subject_name(x509);

    return X509_set_version(x509, VERSION_3) == 1 &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x509, name) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -CLOCK_SKEW) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(x509), (int)days, 0, NULL) != NULL &&
           X509_set_pubkey(x509, pkey) == 1;
}

static bool add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension = NULL;
    bool ok;

    X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static const char *usage_text(const struct cof_pkey_info *info, cof_cert_purpose purpose)
{
    if (purpose == COF_CERT_FOR_SIGNER)
        return "critical,digitalSignature";
    return info->kind == COF_PKEY_RSA ? "critical,keyEncipherment" : "critical,keyAgreement";
}

static bool sign(X509 *x509, EVP_PKEY *pkey, const struct cof_pkey_info *info)
{
    EVP_PKEY_CTX *pctx = NULL; /* borrowed from md */
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md != NULL && EVP_DigestSignInit(md, &pctx, EVP_sha256(), NULL, pkey) == 1;

    if (ok && info->kind == COF_PKEY_RSA_PSS)
        ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && X509_sign_ctx(x509, md) > 0;
    EVP_MD_CTX_free(md);
    return ok;
}

cof_status cof_cert_self_sign(cof_cert **out, const cof_key *key, const char *common_name,
                              unsigned days, cof_cert_purpose purpose, cof_error *err)
{
    EVP_PKEY *pkey = cof_key_pkey(key);
    struct cof_pkey_info info;
    X509 *x509 = NULL;
    cof_status st;

    *out = NULL;
    cof_pkey_describe(&info, pkey);
    if ((st = cof_crypto_unless_starved(COF_OK, err)) != COF_OK ||
        (st = check_arguments(&info, common_name, days, purpose, err)) != COF_OK)
        return st;
    if ((x509 = X509_new()) == NULL) {
        st = cof_crypto_fail(err, "make a certificate");
        goto out;
    }
    if ((st = set_serial(x509, err)) != COF_OK)
        goto out;
    if (!set_fields(x509, pkey, common_name, days) ||
        !add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(x509, NID_key_usage, usage_text(&info, purpose)) ||
        !add_extension(x509, NID_subject_key_identifier, "hash") || !sign(x509, pkey, &info)) {
        st = cof_crypto_fail(err, "make a certificate");
        goto out;
    }
    if ((st = cof_cert_wrap(out, x509, "the new certificate", err)) == COF_OK)
        x509 = NULL; /* transferred */
out:
    X509_free(x509);
    ERR_clear_error();
    return st;
}
