/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kind of key is this, and what is it good for?  The one place that knows which algorithms
 * and sizes coffer takes; dates and keyUsage are the certificate's business.
 */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/ossl.h"

#define RSA_BITS_MIN   2048
#define RSA_BITS_MAX   16384
#define DSA_BITS_MIN   2048
#define DSA_BITS_MAX   4096 /* larger ones only take time: 11 ms at 10,000 */
#define DSA_Q_BITS_MIN 256

static const struct {
    const char *group;
    const char *text;
    size_t field_len;
} curves[] = {
    {"prime256v1", "EC-P-256", 32},
    {"secp384r1", "EC-P-384", 48},
    {"secp521r1", "EC-P-521", 66},
};

static void describe_ec(struct cof_pkey_info *out, EVP_PKEY *pkey)
{
    char group[64] = "";
    int is_explicit = 0;

    out->kind = COF_PKEY_EC;
    (void)EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                 &is_explicit);
    if (is_explicit != 0 || EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1) {
        (void)snprintf(out->text, sizeof(out->text), "EC-unnamed");
        return;
    }
    (void)snprintf(out->text, sizeof(out->text), "EC-%.20s", group);
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(group, curves[i].group) == 0) {
            out->field_len = curves[i].field_len;
            (void)snprintf(out->text, sizeof(out->text), "%s", curves[i].text);
        }
    }
}

static void describe_dsa(struct cof_pkey_info *out, EVP_PKEY *pkey)
{
    BIGNUM *q = NULL;

    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_FFC_Q, &q) == 1)
        out->q_bits = BN_num_bits(q);
    BN_free(q);
    out->kind = COF_PKEY_DSA;
    (void)snprintf(out->text, sizeof(out->text), "DSA-%d", out->bits);
}

void cof_pkey_describe(struct cof_pkey_info *out, EVP_PKEY *pkey)
{
    const char *name;

    *out = (struct cof_pkey_info){.kind = COF_PKEY_OTHER, .text = "unknown"};
    if (pkey == NULL)
        return;
    out->bits = EVP_PKEY_get_bits(pkey);
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        out->kind = COF_PKEY_RSA;
        (void)snprintf(out->text, sizeof(out->text), "RSA-%d", out->bits);
        break;
    case EVP_PKEY_RSA_PSS:
        out->kind = COF_PKEY_RSA_PSS;
        (void)snprintf(out->text, sizeof(out->text), "RSA-PSS-%d", out->bits);
        break;
    case EVP_PKEY_EC:
        describe_ec(out, pkey);
        break;
    case EVP_PKEY_DSA:
        describe_dsa(out, pkey);
        break;
    case EVP_PKEY_ED25519:
        (void)snprintf(out->text, sizeof(out->text), "Ed25519");
        break;
    case EVP_PKEY_ED448:
        (void)snprintf(out->text, sizeof(out->text), "Ed448");
        break;
    default:
        if ((name = EVP_PKEY_get0_type_name(pkey)) != NULL)
            (void)snprintf(out->text, sizeof(out->text), "%.20s", name);
        break;
    }
}

/* The numbers that a public key is made of; none where its encoding has to do. */
static const char *const *numbers_of(const struct cof_pkey_info *info)
{
    static const char *const rsa[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, NULL};
    static const char *const ec[] = {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y, NULL};
    static const char *const dsa[] = {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q,
                                      OSSL_PKEY_PARAM_FFC_G, OSSL_PKEY_PARAM_PUB_KEY, NULL};

    if (info->kind == COF_PKEY_RSA || info->kind == COF_PKEY_RSA_PSS)
        return rsa;
    if (info->kind == COF_PKEY_EC && info->field_len > 0)
        return ec;
    return info->kind == COF_PKEY_DSA && info->q_bits > 0 ? dsa : NULL;
}

static cof_status add_number(cof_sha256_ctx *sha256, const EVP_PKEY *pkey, const char *name,
                             cof_error *err)
{
    BIGNUM *number = NULL;
    char *hex = NULL;
    cof_status st;

    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1 || (hex = BN_bn2hex(number)) == NULL)
        st = cof_crypto_fail(err, "read a public key");
    else
        st = cof_sha256_update(sha256, hex, strlen(hex) + 1, err);
    OPENSSL_free(hex);
    BN_free(number);
    return st;
}

cof_status cof_pkey_identify(uint8_t out[COF_SHA256_SIZE], bool *found, const EVP_PKEY *pkey,
                             const struct cof_pkey_info *info, cof_error *err)
{
    const char *const *numbers = numbers_of(info);
    const char *family = info->kind == COF_PKEY_EC ? info->text : "";
    cof_sha256_ctx *sha256 = NULL;
    cof_status st;

    *found = numbers != NULL;
    if (numbers == NULL)
        return COF_OK;
    if ((st = cof_sha256_new(&sha256, err)) == COF_OK)
        st = cof_sha256_update(sha256, family, strlen(family) + 1, err);
    for (; st == COF_OK && *numbers != NULL; numbers++)
        st = add_number(sha256, pkey, *numbers, err);
    if (st == COF_OK)
        st = cof_sha256_final(sha256, out, err);
    cof_sha256_free(sha256);
    return st;
}

static cof_cert_reason refuse_rsa(const struct cof_pkey_info *info, const char **why)
{
    if (info->bits < RSA_BITS_MIN) {
        *why = "holds an RSA key of less than 2048 bits, which is too weak";
        return COF_CERT_WEAK;
    }
    if (info->bits > RSA_BITS_MAX) {
        *why = "holds an RSA key of more than 16384 bits, which is not supported";
        return COF_CERT_KEY_TYPE;
    }
    *why = NULL;
    return COF_CERT_FINE;
}

static cof_cert_reason refuse_ec(const struct cof_pkey_info *info, const char **why)
{
    if (info->field_len == 0) {
        *why = "holds an elliptic-curve key on a curve that is not supported: use P-256, P-384 or "
               "P-521";
        return COF_CERT_KEY_TYPE;
    }
    *why = NULL;
    return COF_CERT_FINE;
}

cof_cert_reason cof_pkey_refuse_wrap(const struct cof_pkey_info *info, const char **why)
{
    switch (info->kind) {
    case COF_PKEY_RSA:
        return refuse_rsa(info, why);
    case COF_PKEY_EC:
        return refuse_ec(info, why);
    case COF_PKEY_RSA_PSS:
        *why = "holds an RSA-PSS key, which can only sign: a recipient needs an RSA or EC key";
        break;
    case COF_PKEY_DSA:
        *why = "holds a DSA key, which can only sign: a recipient needs an RSA or EC key";
        break;
    case COF_PKEY_OTHER:
        if (strcmp(info->text, "Ed25519") == 0 || strcmp(info->text, "Ed448") == 0)
            *why = "holds an Ed25519 or Ed448 key, which can only sign: a recipient needs an RSA "
                   "or EC key";
        else if (strcmp(info->text, "X25519") == 0 || strcmp(info->text, "X448") == 0)
            *why = "holds an X25519 or X448 key, which OpenSSL cannot encrypt a message for: use "
                   "RSA, P-256, P-384 or P-521";
        else
            *why = "holds a kind of key that nothing can be encrypted for: a recipient needs an "
                   "RSA or EC key";
        break;
    }
    return COF_CERT_KEY_TYPE;
}

static cof_cert_reason refuse_dsa(const struct cof_pkey_info *info, const char **why)
{
    if (info->bits < DSA_BITS_MIN || info->q_bits < DSA_Q_BITS_MIN) {
        *why = "holds a DSA key smaller than 2048/256 bits, which is too weak";
        return COF_CERT_WEAK;
    }
    if (info->bits > DSA_BITS_MAX) {
        *why = "holds a DSA key of more than 4096 bits, which is not supported";
        return COF_CERT_KEY_TYPE;
    }
    *why = NULL;
    return COF_CERT_FINE;
}

cof_cert_reason cof_pkey_refuse_sign(const struct cof_pkey_info *info, const char **why)
{
    switch (info->kind) {
    case COF_PKEY_RSA:
    case COF_PKEY_RSA_PSS:
        return refuse_rsa(info, why);
    case COF_PKEY_EC:
        return refuse_ec(info, why);
    case COF_PKEY_DSA:
        return refuse_dsa(info, why);
    case COF_PKEY_OTHER:
        break;
    }
    if (strcmp(info->text, "Ed25519") == 0 || strcmp(info->text, "Ed448") == 0)
        *why = "holds an Ed25519 or Ed448 key, which OpenSSL cannot sign statements with that "
               "every version of it verifies: use RSA, RSA-PSS, or EC on P-256, P-384 or P-521";
    else
        *why = "holds a kind of key that coffer cannot sign with: use RSA, RSA-PSS, EC on P-256, "
               "P-384 or P-521, or DSA with its own parameters";
    return COF_CERT_KEY_TYPE;
}
