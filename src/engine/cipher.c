/* SPDX-License-Identifier: Apache-2.0 */

/* The ciphers by the names that people use. */

#include "engine/cipher.h"

#include <string.h>

#include "base/error.h"

static const struct {
    cof_cipher cipher;
    const char *text; /* to be typed */
    const char *name; /* to be read */
} ciphers[] = {
    {COF_CIPHER_AES_256_GCM, "aes-256-gcm", "AES-256-GCM"}, /* the default */
    {COF_CIPHER_AES_192_GCM, "aes-192-gcm", "AES-192-GCM"},
    {COF_CIPHER_AES_128_GCM, "aes-128-gcm", "AES-128-GCM"},
    {COF_CIPHER_CHACHA20_POLY1305, "chacha20-poly1305", "ChaCha20-Poly1305"},
};

#define COUNT (sizeof(ciphers) / sizeof(ciphers[0]))

cof_status cof_cipher_from_text(cof_cipher *out, const char *text, cof_error *err)
{
    if (text == NULL)
        text = ciphers[0].text;
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(text, ciphers[i].text) == 0) {
            *out = ciphers[i].cipher;
            return COF_OK;
        }
    }
    return cof_fail(err, COF_USAGE,
                    "there is no cipher of that name: use aes-256-gcm, aes-192-gcm, aes-128-gcm or "
                    "chacha20-poly1305");
}

const char *cof_cipher_name(cof_cipher cipher)
{
    for (size_t i = 0; i < COUNT; i++)
        if (ciphers[i].cipher == cipher)
            return ciphers[i].name;
    return "none";
}
