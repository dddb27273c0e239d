/* SPDX-License-Identifier: Apache-2.0 */

/* New key pairs. */

#include <openssl/dsa.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/ossl.h"

#define DSA_Q_BITS 256

static const struct type {
    const char *name;      /* as the user writes it */
    const char *algorithm; /* as libcrypto calls it */
    const char *group;     /* of elliptic curves */
    int bits;              /* of everything else */
} types[] = {
    {"rsa-2048", "RSA", NULL, 2048}, {"rsa-3072", "RSA", NULL, 3072},
    {"rsa-4096", "RSA", NULL, 4096}, {"rsa-pss-3072", "RSA-PSS", NULL, 3072},
    {"p256", "EC", "P-256", 0},      {"p384", "EC", "P-384", 0},
    {"p521", "EC", "P-521", 0},      {"dsa-2048", "DSA", NULL, 2048},
};

static EVP_PKEY *generate(EVP_PKEY_CTX *ctx, const struct type *type)
{
    EVP_PKEY *pkey = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1)
        return NULL;
    if (type->group != NULL && EVP_PKEY_CTX_set_group_name(ctx, type->group) != 1)
        return NULL;
    if (strncmp(type->algorithm, "RSA", 3) == 0 &&
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, type->bits) != 1)
        return NULL;
    return EVP_PKEY_generate(ctx, &pkey) == 1 ? pkey : NULL;
}

/* DSA needs parameters of its own first. */
static EVP_PKEY *generate_dsa(EVP_PKEY_CTX *ctx, const struct type *type)
{
    EVP_PKEY *params = NULL, *pkey = NULL;
    EVP_PKEY_CTX *second = NULL;

    if (ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, type->bits) == 1 &&
        EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, DSA_Q_BITS) == 1 &&
        EVP_PKEY_generate(ctx, &params) == 1) {
        second = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
        pkey = generate(second, type);
    }
    EVP_PKEY_CTX_free(second);
    EVP_PKEY_free(params);
    return pkey;
}

static const struct type *find(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return NULL;
}

cof_status cof_key_generate(cof_key **out, const char *type, cof_error *err)
{
    const struct type *found = find(type);
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *pkey = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if (found == NULL)
        return cof_fail(err, COF_USAGE,
                        "unknown type of key: use rsa-3072, rsa-4096, p256, p384 or p521");
    ctx = EVP_PKEY_CTX_new_from_name(NULL, found->algorithm, NULL);
    if (strcmp(found->algorithm, "DSA") == 0)
        pkey = generate_dsa(ctx, found);
    else
        pkey = generate(ctx, found);
    if (pkey == NULL)
        st = cof_crypto_fail(err, "make a key");
    else if ((st = cof_key_wrap(out, pkey, err)) == COF_OK)
        pkey = NULL; /* transferred */
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return st;
}
