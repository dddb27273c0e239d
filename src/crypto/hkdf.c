/* SPDX-License-Identifier: Apache-2.0 */

/* HKDF over SHA-256 (RFC 5869), its two halves apart: the PRK is kept, and expanded many times. */

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "crypto/kdf.h"
#include "crypto/ossl.h"

#define PARAMS_MAX 5

/* Run one half: mode, key and one more octet string, whose name is salt's or info's. */
static cof_status run(uint8_t *out, size_t len, int mode, const cof_secret *key,
                      const char *extra_name, cof_slice extra, cof_error *err)
{
    char digest[] = "SHA2-256";
    OSSL_PARAM params[PARAMS_MAX];
    OSSL_PARAM *p = params;
    cof_status st = COF_OK;
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(cof_crypto_get()->hkdf);

    if (ctx == NULL) {
        st = cof_crypto_fail(err, "derive a key");
        goto out;
    }
    *p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    *p++ = OSSL_PARAM_construct_octet_string(
        OSSL_KDF_PARAM_KEY, cof_crypto_unconst(cof_secret_bytes_const(key)), cof_secret_len(key));
    if (extra.len > 0)
        *p++ = OSSL_PARAM_construct_octet_string(extra_name, cof_crypto_unconst(extra.data),
                                                 extra.len);
    *p = OSSL_PARAM_construct_end();
    if (EVP_KDF_derive(ctx, out, len, params) != 1)
        st = cof_crypto_fail(err, "derive a key");
out:
    EVP_KDF_CTX_free(ctx);
    return st;
}

cof_status cof_hkdf_extract(cof_secret **prk, const uint8_t salt[32], const cof_secret *ikm,
                            cof_error *err)
{
    cof_secret *secret = NULL;
    cof_status st;

    *prk = NULL;
    if (cof_secret_len(ikm) == 0)
        return cof_fail(err, COF_USAGE, "a key cannot be derived from nothing");
    if ((st = cof_crypto_init(err)) != COF_OK ||
        (st = cof_secret_new(&secret, COF_HKDF_PRK_SIZE, err)) != COF_OK ||
        (st = run(cof_secret_bytes(secret), COF_HKDF_PRK_SIZE, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, ikm,
                  OSSL_KDF_PARAM_SALT, (cof_slice){salt, 32}, err)) != COF_OK)
        goto out;
    *prk = secret;
    secret = NULL; /* transferred */
out:
    cof_secret_free(secret);
    return st;
}

cof_status cof_hkdf_expand_public(uint8_t *out, size_t len, const cof_secret *prk, cof_slice info,
                                  cof_error *err)
{
    cof_status st = cof_crypto_init(err);

    if (st != COF_OK)
        return st;
    if (cof_secret_len(prk) != COF_HKDF_PRK_SIZE || info.len > COF_HKDF_INFO_MAX || len == 0 ||
        len > COF_HKDF_OUTPUT_MAX)
        return cof_fail(err, COF_USAGE, "a length is out of range for deriving a key");
    return run(out, len, EVP_KDF_HKDF_MODE_EXPAND_ONLY, prk, OSSL_KDF_PARAM_INFO, info, err);
}

cof_status cof_hkdf_expand(cof_secret **out, const cof_secret *prk, cof_slice info, size_t len,
                           cof_error *err)
{
    cof_secret *secret = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_secret_new(&secret, len, err)) != COF_OK ||
        (st = cof_hkdf_expand_public(cof_secret_bytes(secret), len, prk, info, err)) != COF_OK)
        goto out;
    *out = secret;
    secret = NULL; /* transferred */
out:
    cof_secret_free(secret);
    return st;
}
