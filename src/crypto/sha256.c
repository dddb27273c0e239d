/* SPDX-License-Identifier: Apache-2.0 */

/* SHA-256: the hash of records, certificates and statements. */

#include "crypto/digest.h"

#include <stdlib.h>

#include "crypto/ossl.h"

struct cof_sha256_ctx {
    EVP_MD_CTX *md; /* owned */
};

cof_status cof_sha256(uint8_t out[COF_SHA256_SIZE], const void *data, size_t len, cof_error *err)
{
    cof_status st = cof_crypto_init(err);
    if (st != COF_OK)
        return st;
    if (EVP_Digest(data, len, out, NULL, cof_crypto_get()->sha256, NULL) != 1)
        return cof_crypto_fail(err, "hash");
    return COF_OK;
}

cof_status cof_sha256_new(cof_sha256_ctx **out, cof_error *err)
{
    cof_sha256_ctx *ctx = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL || (ctx->md = EVP_MD_CTX_new()) == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    if ((st = cof_sha256_init(ctx, err)) != COF_OK)
        goto out;
    *out = ctx;
    ctx = NULL; /* transferred */
out:
    cof_sha256_free(ctx);
    ERR_clear_error();
    return st;
}

cof_status cof_sha256_init(cof_sha256_ctx *ctx, cof_error *err)
{
    if (EVP_DigestInit_ex2(ctx->md, cof_crypto_get()->sha256, NULL) != 1)
        return cof_crypto_fail(err, "begin a hash");
    return COF_OK;
}

cof_status cof_sha256_update(cof_sha256_ctx *ctx, const void *data, size_t len, cof_error *err)
{
    if (len > 0 && EVP_DigestUpdate(ctx->md, data, len) != 1)
        return cof_crypto_fail(err, "hash");
    return COF_OK;
}

cof_status cof_sha256_final(cof_sha256_ctx *ctx, uint8_t out[COF_SHA256_SIZE], cof_error *err)
{
    if (EVP_DigestFinal_ex(ctx->md, out, NULL) != 1)
        return cof_crypto_fail(err, "finish a hash");
    return COF_OK;
}

void cof_sha256_free(cof_sha256_ctx *ctx)
{
    if (ctx == NULL)
        return;
    EVP_MD_CTX_free(ctx->md);
    free(ctx);
}
