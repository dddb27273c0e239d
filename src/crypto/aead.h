/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_AEAD_H
#define COF_CRYPTO_AEAD_H

/*
 * Authenticated encryption of records: AES-GCM and ChaCha20-Poly1305 with 12-byte nonces and
 * 16-byte tags.  An object holds one key and one direction; a record costs no key set-up and no
 * allocation.  This room does not watch over nonces: never seal twice under one key and nonce.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"

/* As stored in the preamble. */
typedef enum cof_cipher {
    COF_CIPHER_NONE = 0,
    COF_CIPHER_AES_256_GCM = 1,
    COF_CIPHER_AES_128_GCM = 2,
    COF_CIPHER_AES_192_GCM = 3,
    COF_CIPHER_CHACHA20_POLY1305 = 4
} cof_cipher;

typedef enum cof_aead_direction { COF_AEAD_SEAL, COF_AEAD_OPEN } cof_aead_direction;

#define COF_AEAD_NONCE_SIZE 12
#define COF_AEAD_TAG_SIZE   16
#define COF_AEAD_INPUT_MAX  ((size_t)1 << 30) /* bytes of text or of additional data per call */

/* Bytes of key that a cipher takes; 0 for COF_CIPHER_NONE and for unknown values. */
size_t cof_cipher_key_len(cof_cipher cipher);

/* Opaque; one object belongs to one thread at a time. */
typedef struct cof_aead cof_aead;

/*
 * A new object for one direction.  The key is copied into the library's context (wiped by free).
 * COF_UNSUPPORTED for an unknown cipher, COF_USAGE if the key's length is not that of the cipher.
 */
COF_MUST_USE cof_status cof_aead_new(cof_aead **out, cof_cipher cipher, const cof_secret *key,
                                     cof_aead_direction direction, cof_error *err);

/* Put another key in place of the present one.  Errors as cof_aead_new. */
COF_MUST_USE cof_status cof_aead_rekey(cof_aead *aead, const cof_secret *key, cof_error *err);

/*
 * Encrypt len bytes of in to out: len bytes of ciphertext, then the 16-byte tag; out must have
 * room for len + 16.  out may be in itself, but must not overlap it otherwise.  aad and in may be
 * NULL where their length is 0.  COF_LIMIT beyond COF_AEAD_INPUT_MAX.  What is in out after
 * COF_INTERNAL must not be used.
 */
COF_MUST_USE cof_status cof_aead_seal(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE],
                                      const void *aad, size_t aad_len, const uint8_t *in,
                                      size_t len, uint8_t *out, cof_error *err);

/*
 * The same in pieces, for who does more with each piece while it is at hand: begin, next..., end.
 * Each piece of in becomes as many bytes of out, which may be in itself.  The pieces together are
 * at most COF_AEAD_INPUT_MAX bytes, for which the caller answers.
 */
COF_MUST_USE cof_status cof_aead_seal_begin(cof_aead *aead,
                                            const uint8_t nonce[COF_AEAD_NONCE_SIZE],
                                            const void *aad, size_t aad_len, cof_error *err);
COF_MUST_USE cof_status cof_aead_seal_next(cof_aead *aead, const uint8_t *in, size_t len,
                                           uint8_t *out, cof_error *err);
COF_MUST_USE cof_status cof_aead_seal_end(cof_aead *aead, uint8_t tag[COF_AEAD_TAG_SIZE],
                                          cof_error *err);

/*
 * Decrypt len bytes of in (ciphertext and tag) to out, which gets len - 16 bytes and may be in
 * itself.  COF_AUTH if the tag is wrong or len is below 16; out is then wiped (also when it is in
 * itself: the ciphertext is lost with it).
 */
COF_MUST_USE cof_status cof_aead_open(cof_aead *aead, const uint8_t nonce[COF_AEAD_NONCE_SIZE],
                                      const void *aad, size_t aad_len, const uint8_t *in,
                                      size_t len, uint8_t *out, cof_error *err);

void cof_aead_free(cof_aead *aead);

#endif
