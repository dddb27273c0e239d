/* SPDX-License-Identifier: Apache-2.0 */

/* HMAC over SHA-256 (RFC 2104). */

#include <openssl/core_names.h>

#include "crypto/kdf.h"
#include "crypto/ossl.h"

cof_status cof_hmac_sha256(uint8_t out[COF_HMAC_SHA256_SIZE], const cof_secret *key, cof_slice data,
                           cof_error *err)
{
    char digest[] = "SHA2-256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *ctx = NULL;
    size_t len = 0;
    cof_status st = cof_crypto_init(err);

    if (st != COF_OK)
        return st;
    ctx = EVP_MAC_CTX_new(cof_crypto_get()->hmac);
    if (ctx == NULL ||
        EVP_MAC_init(ctx, cof_secret_bytes_const(key), cof_secret_len(key), params) != 1 ||
        (data.len > 0 && EVP_MAC_update(ctx, data.data, data.len) != 1) ||
        EVP_MAC_final(ctx, out, &len, COF_HMAC_SHA256_SIZE) != 1 || len != COF_HMAC_SHA256_SIZE)
        st = cof_crypto_fail(err, "compute a message authentication code");
    EVP_MAC_CTX_free(ctx);
    return st;
}
