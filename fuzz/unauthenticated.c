/* SPDX-License-Identifier: Apache-2.0 */

/*
 * For the target "file" alone: a world without cryptography, in which every hash is zero, every
 * signature good and every tag right, so that mutations get to what lies behind them.
 *
 * The functions here take the place of those of the library by options of the linker, in that one
 * program; nothing in src/ knows of them, and the lint "authentic" shows that no other program and
 * no library can have them.
 */

#include <openssl/evp.h>
#include <string.h>

#include "crypto/aead.h"
#include "crypto/keys.h"
#include "crypto/signed.h"

int __wrap_EVP_Digest(const void *data, size_t len, unsigned char *md, unsigned *size,
                      const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned *size);
bool __wrap_cof_equal_consttime(const void *a, const void *b, size_t len);
cof_status __wrap_cof_signed_verify(const cof_signed *s, cof_cert *const *candidates, size_t n,
                                    bool *valid_by, size_t *distinct_keys_valid, cof_error *err);
cof_status __wrap_cof_keys_open(cof_secret **dek, cof_slice keys, cof_cert *const *certs, size_t n,
                                size_t *which, const cof_key *key, cof_error *err);
cof_status __wrap_cof_aead_open(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE],
                                const void *aad, size_t aad_len, const uint8_t *in, size_t len,
                                uint8_t *out, cof_error *err);

int __wrap_EVP_Digest(const void *data, size_t len, unsigned char *md, unsigned *size,
                      const EVP_MD *type, ENGINE *engine)
{
    unsigned digest = (unsigned)EVP_MD_get_size(type);
    const volatile uint8_t *p = data;

    (void)engine;
    for (size_t i = 0; i < len; i += 64) /* so that bytes that are not there are missed */
        (void)p[i];
    memset(md, 0, digest);
    if (size != NULL)
        *size = digest;
    return 1;
}

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    const volatile uint8_t *p = data;

    (void)ctx;
    for (size_t i = 0; i < len; i += 64)
        (void)p[i];
    return 1;
}

int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned *size)
{
    return __wrap_EVP_Digest(NULL, 0, md, size, EVP_MD_CTX_get0_md(ctx), NULL);
}

bool __wrap_cof_equal_consttime(const void *a, const void *b, size_t len)
{
    (void)a;
    (void)b;
    (void)len;
    return true;
}

cof_status __wrap_cof_signed_verify(const cof_signed *s, cof_cert *const *candidates, size_t n,
                                    bool *valid_by, size_t *distinct_keys_valid, cof_error *err)
{
    (void)s;
    (void)candidates;
    for (size_t i = 0; i < n; i++)
        valid_by[i] = true;
    if (distinct_keys_valid != NULL)
        *distinct_keys_valid = n;
    return n > 0 ? COF_OK : cof_fail(err, COF_AUTH, "there is no candidate");
}

cof_status __wrap_cof_keys_open(cof_secret **dek, cof_slice keys, cof_cert *const *certs, size_t n,
                                size_t *which, const cof_key *key, cof_error *err)
{
    (void)keys;
    (void)certs;
    (void)key;
    *dek = NULL;
    if (n == 0)
        return cof_fail(err, COF_NO_MATCH, "there is no recipient");
    if (which != NULL)
        *which = 0;
    return cof_secret_new(dek, COF_KEYS_DEK_SIZE, err);
}

cof_status __wrap_cof_aead_open(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE],
                                const void *aad, size_t aad_len, const uint8_t *in, size_t len,
                                uint8_t *out, cof_error *err)
{
    (void)aead;
    (void)nonce;
    (void)aad;
    (void)aad_len;
    if (len < COF_AEAD_TAG_SIZE)
        return cof_fail(err, COF_AUTH, "there is no tag");
    memmove(out, in, len - COF_AEAD_TAG_SIZE);
    return COF_OK;
}
