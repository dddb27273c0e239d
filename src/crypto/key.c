/* SPDX-License-Identifier: Apache-2.0 */

/* A private key, counted; written out only into a secret. */

#include "crypto/key.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/ossl.h"

#define PBKDF2_ITERATIONS 600000
#define PBKDF2_SALT_SIZE  16

struct cof_key {
    atomic_uint refs;
    EVP_PKEY *pkey; /* owned */
    bool identified;
    uint8_t sha256[COF_SHA256_SIZE]; /* see cof_pkey_identify */
};

cof_status cof_key_wrap(cof_key **out, EVP_PKEY *pkey, cof_error *err)
{
    cof_key *key = calloc(1, sizeof(*key));
    struct cof_pkey_info info;
    cof_status st;

    *out = NULL;
    if (key == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    cof_pkey_describe(&info, pkey);
    if ((st = cof_crypto_unless_starved(COF_OK, err)) != COF_OK ||
        (st = cof_pkey_identify(key->sha256, &key->identified, pkey, &info, err)) != COF_OK)
        goto out;
    atomic_init(&key->refs, 1);
    key->pkey = pkey;
    *out = key;
    key = NULL; /* transferred */
out:
    free(key);
    return st;
}

EVP_PKEY *cof_key_pkey(const cof_key *key)
{
    return key->pkey;
}

cof_key *cof_key_ref(cof_key *key)
{
    atomic_fetch_add(&key->refs, 1);
    return key;
}

void cof_key_free(cof_key *key)
{
    if (key == NULL || atomic_fetch_sub(&key->refs, 1) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

bool cof_key_matches_cert(const cof_key *key, const cof_cert *cert)
{
    return key->identified &&
           cof_equal_consttime(key->sha256, cof_cert_key_sha256(cert), COF_SHA256_SIZE);
}

static cof_status check_kind(const cof_key *key,
                             cof_cert_reason (*refuse)(const struct cof_pkey_info *, const char **),
                             const char *what, cof_error *err)
{
    struct cof_pkey_info info;
    const char *why = NULL;

    cof_pkey_describe(&info, key->pkey);
    if (cof_crypto_starved())
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (refuse(&info, &why) != COF_CERT_KEY_TYPE)
        return COF_OK;
    return cof_fail(err, COF_CERT, "%s %s", what, why);
}

cof_status cof_key_check_signs(const cof_key *key, const char *what, cof_error *err)
{
    return check_kind(key, cof_pkey_refuse_sign, what, err);
}

cof_status cof_key_check_opens(const cof_key *key, const char *what, cof_error *err)
{
    return check_kind(key, cof_pkey_refuse_wrap, what, err);
}

cof_status cof_key_spki_sha256(const cof_key *key, uint8_t out[COF_SHA256_SIZE], cof_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    cof_status st;

    if (len <= 0)
        st = cof_crypto_fail(err, "write a public key");
    else
        st = cof_sha256(out, der, (size_t)len, err);
    OPENSSL_free(der);
    return st;
}

/* Encrypt p8 by PBES2; NULL on failure. */
static X509_SIG *encrypt_key(PKCS8_PRIV_KEY_INFO *p8, const cof_secret *passphrase)
{
    X509_SIG *sig = NULL;
    X509_ALGOR *method = PKCS5_pbe2_set_iv_ex(EVP_aes_256_cbc(), PBKDF2_ITERATIONS, NULL,
                                              PBKDF2_SALT_SIZE, NULL, NID_hmacWithSHA256, NULL);

    if (method == NULL)
        return NULL;
    sig = PKCS8_set0_pbe((const char *)cof_secret_bytes_const(passphrase),
                         (int)cof_secret_len(passphrase), p8, method);
    if (sig == NULL) /* otherwise it owns the method */
        X509_ALGOR_free(method);
    return sig;
}

static bool write_pem(BIO *bio, PKCS8_PRIV_KEY_INFO *p8, const cof_secret *passphrase)
{
    X509_SIG *sig = NULL;
    bool ok;

    if (passphrase == NULL)
        return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, p8) == 1;
    sig = encrypt_key(p8, passphrase);
    ok = sig != NULL && PEM_write_bio_PKCS8(bio, sig) == 1;
    X509_SIG_free(sig);
    return ok;
}

cof_status cof_key_to_pem(cof_secret **out, const cof_key *key, const cof_secret *passphrase,
                          cof_error *err)
{
    PKCS8_PRIV_KEY_INFO *p8 = NULL;
    BIO *bio = NULL; /* its buffer is wiped when it is freed */
    char *text = NULL;
    long len = 0;
    cof_status st;

    *out = NULL;
    if (passphrase != NULL &&
        (cof_secret_len(passphrase) == 0 || cof_secret_len(passphrase) > COF_PASSPHRASE_MAX))
        return cof_fail(err, COF_USAGE, "a passphrase is 1 to %d bytes long", COF_PASSPHRASE_MAX);
    p8 = EVP_PKEY2PKCS8(key->pkey);
    bio = BIO_new(BIO_s_secmem());
    if (p8 == NULL || bio == NULL || !write_pem(bio, p8, passphrase) ||
        (len = BIO_get_mem_data(bio, &text)) <= 0) {
        st = cof_crypto_fail(err, "write a private key");
        goto out;
    }
    if ((st = cof_secret_new(out, (size_t)len, err)) == COF_OK)
        memcpy(cof_secret_bytes(*out), text, (size_t)len);
out:
    BIO_free(bio);
    PKCS8_PRIV_KEY_INFO_free(p8);
    ERR_clear_error();
    return st;
}
