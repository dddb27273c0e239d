/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The state of the crypto room: which libcrypto is loaded, and the algorithms fetched from it.
 *
 * Set up once per process, read-only ever after, so that threads share it without locks.  It is
 * never torn down: libcrypto does that at exit.
 */

#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <pthread.h>

#include "crypto/ossl.h"

#define NEEDED "3.0.22 or later in the 3.0 series, 3.5.8 or later in 3.5, or 3.6.4 or later"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct cof_crypto_set set;
static cof_error verdict = COF_ERROR_INIT;

bool cof_crypto_version_ok(unsigned major, unsigned minor, unsigned patch)
{
    if (major != 3)
        return major > 3;
    switch (minor) {
    case 0:
        return patch >= 22;
    case 5:
        return patch >= 8;
    case 6:
        return patch >= 4;
    default:
        return minor > 6;
    }
}

static bool fetch_all(void)
{
    set.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    set.sha384 = EVP_MD_fetch(NULL, "SHA2-384", NULL);
    set.sha512 = EVP_MD_fetch(NULL, "SHA2-512", NULL);
    set.aes_128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    set.aes_192_gcm = EVP_CIPHER_fetch(NULL, "AES-192-GCM", NULL);
    set.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    set.chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    set.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    set.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);

    return set.sha256 != NULL && set.sha384 != NULL && set.sha512 != NULL &&
           set.aes_128_gcm != NULL && set.aes_192_gcm != NULL && set.aes_256_gcm != NULL &&
           set.chacha20_poly1305 != NULL && set.hmac != NULL && set.hkdf != NULL;
}

static void set_up(void)
{
    unsigned major = OPENSSL_version_major();
    unsigned minor = OPENSSL_version_minor();
    unsigned patch = OPENSSL_version_patch();

    cof_crypto_memory_init();
    if (!cof_crypto_version_ok(major, minor, patch)) {
        (void)cof_fail(&verdict, COF_UNSUPPORTED,
                       "the OpenSSL library loaded here is %u.%u.%u, which lacks fixes that coffer "
                       "relies on: install " NEEDED,
                       major, minor, patch);
    } else if (!fetch_all()) {
        (void)cof_fail(&verdict, COF_UNSUPPORTED,
                       "the OpenSSL library loaded here (%u.%u.%u) does not offer all of SHA-2, "
                       "AES-GCM, ChaCha20-Poly1305, HMAC and HKDF: check its configuration",
                       major, minor, patch);
    }
    ERR_clear_error();
}

cof_status cof_crypto_init(cof_error *err)
{
    if (pthread_once(&once, set_up) != 0)
        return cof_fail(err, COF_INTERNAL, "cannot set up the cryptographic library");
    if (verdict.status != COF_OK && err != NULL)
        *err = verdict;
    return verdict.status;
}

const struct cof_crypto_set *cof_crypto_get(void)
{
    return &set;
}

bool cof_crypto_starved(void)
{
    unsigned long code;
    bool starved = false;

    while ((code = ERR_get_error()) != 0)
        starved = starved || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    return starved;
}

cof_status cof_crypto_unless_starved(cof_status st, cof_error *err)
{
    return cof_crypto_starved() ? cof_fail(err, COF_NOMEM, "out of memory") : st;
}

cof_status cof_crypto_fail(cof_error *err, const char *doing)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

    if (cof_crypto_starved())
        return cof_fail(err, COF_NOMEM, "out of memory");
    return cof_fail(err, COF_INTERNAL, "the cryptographic library failed to %s (%s)", doing,
                    reason == NULL ? "it gave no reason" : reason);
}
