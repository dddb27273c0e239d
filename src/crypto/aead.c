/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Authenticated encryption of records.
 *
 * The cipher context is made once and keyed once; a record only sets its nonce.  Nothing decrypted
 * survives a wrong tag.
 */

#include "crypto/aead.h"

#include <stdlib.h>

#include "crypto/ossl.h"

struct cof_aead {
    EVP_CIPHER_CTX *ctx; /* owned */
    cof_cipher cipher;
};

size_t cof_cipher_key_len(cof_cipher cipher)
{
    switch (cipher) {
    case COF_CIPHER_AES_128_GCM:
        return 16;
    case COF_CIPHER_AES_192_GCM:
        return 24;
    case COF_CIPHER_AES_256_GCM:
    case COF_CIPHER_CHACHA20_POLY1305:
        return 32;
    case COF_CIPHER_NONE:
        break;
    }
    return 0;
}

static const EVP_CIPHER *find(cof_cipher cipher)
{
    const struct cof_crypto_set *set = cof_crypto_get();

    switch (cipher) {
    case COF_CIPHER_AES_128_GCM:
        return set->aes_128_gcm;
    case COF_CIPHER_AES_192_GCM:
        return set->aes_192_gcm;
    case COF_CIPHER_AES_256_GCM:
        return set->aes_256_gcm;
    case COF_CIPHER_CHACHA20_POLY1305:
        return set->chacha20_poly1305;
    case COF_CIPHER_NONE:
        break;
    }
    return NULL;
}

static cof_status check_key(cof_cipher cipher, const cof_secret *key, cof_error *err)
{
    if (cof_secret_len(key) != cof_cipher_key_len(cipher))
        return cof_fail(err, COF_USAGE, "the cipher takes a key of %zu bytes, not of %zu",
                        cof_cipher_key_len(cipher), cof_secret_len(key));
    return COF_OK;
}

cof_status cof_aead_new(cof_aead **out, cof_cipher cipher, const cof_secret *key,
                        cof_aead_direction direction, cof_error *err)
{
    cof_aead *aead = NULL;
    const EVP_CIPHER *type;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if ((type = find(cipher)) == NULL)
        return cof_fail(err, COF_UNSUPPORTED, "cipher number %u is unknown", (unsigned)cipher);
    if ((st = check_key(cipher, key, err)) != COF_OK)
        return st;

    aead = calloc(1, sizeof(*aead));
    if (aead == NULL || (aead->ctx = EVP_CIPHER_CTX_new()) == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    aead->cipher = cipher;
    if (EVP_CipherInit_ex2(aead->ctx, type, cof_secret_bytes_const(key), NULL,
                           direction == COF_AEAD_SEAL, NULL) != 1) {
        st = cof_crypto_fail(err, "set up a cipher");
        goto out;
    }
    *out = aead;
    aead = NULL; /* transferred */
out:
    cof_aead_free(aead);
    ERR_clear_error();
    return st;
}

cof_status cof_aead_rekey(cof_aead *aead, const cof_secret *key, cof_error *err)
{
    cof_status st = check_key(aead->cipher, key, err);
    if (st != COF_OK)
        return st;
    if (EVP_CipherInit_ex2(aead->ctx, NULL, cof_secret_bytes_const(key), NULL, -1, NULL) != 1)
        return cof_crypto_fail(err, "change the key of a cipher");
    return COF_OK;
}

static bool begin(cof_aead *aead, const uint8_t *nonce, const void *aad, size_t aad_len)
{
    int n = 0;

    return EVP_CipherInit_ex2(aead->ctx, NULL, NULL, nonce, -1, NULL) == 1 &&
           (aad_len == 0 || EVP_CipherUpdate(aead->ctx, NULL, &n, aad, (int)aad_len) == 1);
}

static bool turn(cof_aead *aead, const uint8_t *in, size_t len, uint8_t *out)
{
    int n = 0;

    return len == 0 || (EVP_CipherUpdate(aead->ctx, out, &n, in, (int)len) == 1 && n == (int)len);
}

cof_status cof_aead_seal_begin(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE],
                               const void *aad, size_t aad_len, cof_error *err)
{
    if (aad_len > COF_AEAD_INPUT_MAX)
        return cof_fail(err, COF_LIMIT, "too much to encrypt at once");
    return begin(aead, nonce, aad, aad_len) ? COF_OK : cof_crypto_fail(err, "encrypt");
}

cof_status cof_aead_seal_next(cof_aead *aead, const uint8_t *in, size_t len, uint8_t *out,
                              cof_error *err)
{
    if (len > COF_AEAD_INPUT_MAX)
        return cof_fail(err, COF_LIMIT, "too much to encrypt at once");
    return turn(aead, in, len, out) ? COF_OK : cof_crypto_fail(err, "encrypt");
}

cof_status cof_aead_seal_end(cof_aead *aead, uint8_t tag[COF_AEAD_TAG_SIZE], cof_error *err)
{
    uint8_t none[1];
    int n = 0;

    if (EVP_CipherFinal_ex(aead->ctx, none, &n) != 1 || n != 0 ||
        EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, COF_AEAD_TAG_SIZE, tag) != 1)
        return cof_crypto_fail(err, "encrypt");
    return COF_OK;
}

cof_status cof_aead_seal(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE], const void *aad,
                         size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
                         cof_error *err)
{
    cof_status st;

    if ((st = cof_aead_seal_begin(aead, nonce, aad, aad_len, err)) != COF_OK ||
        (st = cof_aead_seal_next(aead, in, len, out, err)) != COF_OK)
        return st;
    return cof_aead_seal_end(aead, out + len, err);
}

cof_status cof_aead_open(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE], const void *aad,
                         size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
                         cof_error *err)
{
    uint8_t tag[COF_AEAD_TAG_SIZE], none[1];
    size_t text_len;
    int n = 0;
    cof_status st = COF_OK;

    if (len < COF_AEAD_TAG_SIZE)
        return cof_fail(err, COF_AUTH, "encrypted data is too short to be genuine");
    text_len = len - COF_AEAD_TAG_SIZE;
    if (text_len > COF_AEAD_INPUT_MAX || aad_len > COF_AEAD_INPUT_MAX)
        return cof_fail(err, COF_LIMIT, "too much to decrypt at once");

    for (size_t i = 0; i < COF_AEAD_TAG_SIZE; i++)
        tag[i] = in[text_len + i];
    if (!begin(aead, nonce, aad, aad_len) || !turn(aead, in, text_len, out) ||
        EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, COF_AEAD_TAG_SIZE, tag) != 1)
        st = cof_crypto_fail(err, "decrypt");
    else if (EVP_CipherFinal_ex(aead->ctx, none, &n) != 1)
        st = cof_fail(err, COF_AUTH, "encrypted data was changed, or the key is not its key");
    if (st != COF_OK && text_len > 0)
        cof_wipe(out, text_len);
    ERR_clear_error();
    return st;
}

void cof_aead_free(cof_aead *aead)
{
    if (aead == NULL)
        return;
    EVP_CIPHER_CTX_free(aead->ctx);
    free(aead);
}
