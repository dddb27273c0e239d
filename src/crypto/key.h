/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_KEY_H
#define COF_CRYPTO_KEY_H

/* Private keys: read, matched with certificates, made, written.  Their bytes never leave as such.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/passphrase.h"

#define COF_KEY_FILE_MAX (1024 * 1024) /* bytes of a key file */

struct cof_cert;
struct cof_cert_list;

/* Opaque, immutable, reference-counted, may be shared between threads. */
typedef struct cof_key cof_key;

/*
 * The first private key of a file: PEM (PKCS#8 plain or encrypted, traditional RSA, EC, DSA plain
 * or encrypted; other blocks are skipped), DER (the same, unencrypted or PKCS#8 encrypted), or
 * PKCS#12.  ask (may be NULL) is called once if, and only if, it is protected.
 *
 * certs may be NULL; otherwise the certificates in the same file are appended to it.
 *
 * COF_CERT: "x holds no private key", "the passphrase for x is wrong", a passphrase is needed and
 * ask is NULL, damaged, or protected by a method that the library has given up.  COF_LIMIT above
 * COF_KEY_FILE_MAX.  A failure of ask is returned as it is.
 */
COF_MUST_USE cof_status cof_key_parse(cof_key **out, struct cof_cert_list *certs, cof_slice file,
                                      const cof_passphrase *ask, const char *what, cof_error *err);

/* Another reference to the same key; the caller frees it.  key must not be NULL. */
cof_key *cof_key_ref(cof_key *key);

/* Drop a reference; the last one wipes the key. */
void cof_key_free(cof_key *key);

/* Whether this is the private half of the certificate's key. */
bool cof_key_matches_cert(const cof_key *key, const struct cof_cert *cert);

/*
 * Whether this kind of key can sign statements, and whether it can open what was wrapped for it;
 * sizes are not looked at, since old backups may have weak recipients.  COF_CERT: it never can;
 * what names the key's file in the sentence, safe for a terminal.
 */
COF_MUST_USE cof_status cof_key_check_signs(const cof_key *key, const char *what, cof_error *err);
COF_MUST_USE cof_status cof_key_check_opens(const cof_key *key, const char *what, cof_error *err);

/*
 * SHA-256 of the SubjectPublicKeyInfo as the library encodes it.  It equals cof_cert_spki_sha256
 * of the key's certificate unless that one encodes the same key otherwise (compressed EC points):
 * match with cof_key_matches_cert, use this only for display.
 */
COF_MUST_USE cof_status cof_key_spki_sha256(const cof_key *key, uint8_t out[32], cof_error *err);

/*
 * A new key pair: "rsa-2048", "rsa-3072", "rsa-4096", "p256", "p384", "p521", "dsa-2048" (slow;
 * for tests and old habits), "rsa-pss-3072".  COF_USAGE for another type.
 */
COF_MUST_USE cof_status cof_key_generate(cof_key **out, const char *type, cof_error *err);

/*
 * The key as a PKCS#8 PEM file in a new secret (the caller frees it); with a passphrase encrypted
 * by PBES2: PBKDF2-HMAC-SHA256, 600,000 iterations, AES-256-CBC.  passphrase may be NULL: plain.
 * An empty passphrase is COF_USAGE.
 */
COF_MUST_USE cof_status cof_key_to_pem(cof_secret **out, const cof_key *key,
                                       const cof_secret *passphrase, cof_error *err);

#endif
