/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_CIPHER_H
#define COF_ENGINE_CIPHER_H

#include "crypto/aead.h"

/*
 * "aes-256-gcm", "aes-192-gcm", "aes-128-gcm" or "chacha20-poly1305", in lower case; NULL is
 * "aes-256-gcm".  COF_USAGE for everything else.
 */
cof_status cof_cipher_from_text(cof_cipher *out, const char *text, cof_error *err) COF_MUST_USE;

/* "AES-256-GCM"; "none" where nothing is encrypted.  Static storage. */
const char *cof_cipher_name(cof_cipher cipher);

#endif
