/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_OSSL_H
#define COF_CRYPTO_OSSL_H

/* Private to the crypto room: what its files know of OpenSSL and of one another. */

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/cert.h"
#include "crypto/crypto.h"
#include "crypto/key.h"

/* Everything that is fetched once; valid after cof_crypto_init has succeeded, never freed. */
struct cof_crypto_set {
    EVP_MD *sha256;
    EVP_MD *sha384;
    EVP_MD *sha512;
    EVP_CIPHER *aes_128_gcm;
    EVP_CIPHER *aes_192_gcm;
    EVP_CIPHER *aes_256_gcm;
    EVP_CIPHER *chacha20_poly1305;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
};

const struct cof_crypto_set *cof_crypto_get(void);

/* Before anything of the library is used: see crypto/memory.c.  Cannot fail. */
void cof_crypto_memory_init(void);

/*
 * "the cryptographic library failed to <doing>", with the library's own reason appended, after
 * which its queue is empty: COF_NOMEM if it ran out of memory, otherwise COF_INTERNAL.
 */
cof_status cof_crypto_fail(cof_error *err, const char *doing);

/* Does the library's queue say that it ran out of memory?  Empties it. */
bool cof_crypto_starved(void);

/* st, whose sentence is in err; if the library ran out of memory, that in its place. */
cof_status cof_crypto_unless_starved(cof_status st, cof_error *err) COF_MUST_USE;

/* For the library's parameters that are declared without const but only read. */
static inline void *cof_crypto_unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

/* ---- keys, public and private ---- */

enum cof_pkey_kind {
    COF_PKEY_OTHER, /* unreadable, or of no use here */
    COF_PKEY_RSA,
    COF_PKEY_RSA_PSS,
    COF_PKEY_EC,
    COF_PKEY_DSA
};

struct cof_pkey_info {
    enum cof_pkey_kind kind;
    int bits;         /* of the modulus, the field, or DSA's p */
    int q_bits;       /* DSA only */
    size_t field_len; /* bytes of a coordinate on P-256, P-384, P-521; 0 for every other curve */
    char text[COF_CERT_KEY_TEXT];
};

/*
 * Describe a key; pkey may be NULL (an unreadable one).  Leaves in the library's queue what it
 * could not find out.
 */
void cof_pkey_describe(struct cof_pkey_info *out, EVP_PKEY *pkey);

/*
 * What is the same for a public key and its private half, however they are encoded and whatever
 * they may be used for (an RSA key stays the same one where it is allowed PSS only): made once,
 * where a failure can be told.  A comparison by the library says "different" when memory runs out,
 * which would make two people of one who has two certificates.  *found is false for a kind of key
 * that is of no use here.
 */
cof_status cof_pkey_identify(uint8_t out[32], bool *found, const EVP_PKEY *pkey,
                             const struct cof_pkey_info *info, cof_error *err) COF_MUST_USE;

/*
 * Why a key can never wrap or never sign, dates and keyUsage apart: a reason and a clause that
 * goes on from "the certificate of x ..." (static storage), or COF_CERT_FINE and NULL.
 */
cof_cert_reason cof_pkey_refuse_wrap(const struct cof_pkey_info *info, const char **why);
cof_cert_reason cof_pkey_refuse_sign(const struct cof_pkey_info *info, const char **why);

/* *out owns pkey; on failure the caller still does. */
cof_status cof_key_wrap(cof_key **out, EVP_PKEY *pkey, cof_error *err) COF_MUST_USE;
EVP_PKEY *cof_key_pkey(const cof_key *key); /* borrowed */

/*
 * Before a passphrase is tried: COF_CERT if the derivation that alg (of an encrypted PKCS#8)
 * describes, with what was *spent on the same file before, costs more than anybody can mean.
 */
cof_status cof_key_cost(uint64_t *spent, const X509_ALGOR *alg, const char *what,
                        cof_error *err) COF_MUST_USE;

/* The same for a container: what is seen from outside, and what only a passphrase lets us see. */
cof_status cof_pkcs12_cost(uint64_t *spent, const PKCS12 *container, const char *what,
                           cof_error *err) COF_MUST_USE;
cof_status cof_pkcs12_cost_inside(uint64_t *spent, const PKCS12 *container, const char *passphrase,
                                  int len, const char *what, cof_error *err) COF_MUST_USE;

/* ---- certificates ---- */

/* *out owns x509; on failure the caller still does.  COF_CERT if it cannot be used at all. */
cof_status cof_cert_wrap(cof_cert **out, X509 *x509, const char *what, cof_error *err) COF_MUST_USE;

X509 *cof_cert_x509(const cof_cert *cert);                           /* borrowed */
EVP_PKEY *cof_cert_pkey(const cof_cert *cert);                       /* borrowed; may be NULL */
const struct cof_pkey_info *cof_cert_key_info(const cof_cert *cert); /* borrowed */
const uint8_t *cof_cert_key_sha256(const cof_cert *cert); /* what cof_cert_same_key compares */
cof_slice cof_cert_id(const cof_cert *cert);     /* what cof_cert_key_id appends; borrowed */
cof_slice cof_cert_issuer(const cof_cert *cert); /* the issuer's Name, as encoded; borrowed */

/* Room for, and the text of, a certificate's subject that is safe inside a message. */
#define COF_CERT_DISPLAY_MAX 200
const char *cof_cert_display(const cof_cert *cert, char out[COF_CERT_DISPLAY_MAX]);

/* ---- files ---- */

/* Is this PEM (or rather text that claims so)? */
bool cof_pem_looks_like(cof_slice file);

/* A read-only BIO over bytes that outlive it; NULL without memory. */
BIO *cof_pem_bio(cof_slice file);

/* For PEM readers that must never ask anybody: always refuses. */
int cof_pem_no_passphrase(char *buf, int size, int rwflag, void *ctx);

/* The passphrase for `what`, checked, in a new secret with a NUL appended. */
cof_status cof_passphrase_ask(cof_secret **out, const cof_passphrase *ask, const char *what,
                              cof_error *err) COF_MUST_USE;

/*
 * Open a PKCS#12 container.  pkey (NULL: the key is not wanted) gets its first key or NULL, certs
 * (may be NULL) its certificates, that of the key first.
 */
cof_status cof_pkcs12_open(EVP_PKEY **pkey, cof_cert_list *certs, PKCS12 *container,
                           const cof_passphrase *ask, const char *what,
                           cof_error *err) COF_MUST_USE;

#endif
