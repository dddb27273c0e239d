/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A certificate, and what is read out of it once, when it is wrapped: hashes, identifiers, the
 * description of its key.  Immutable from then on, so that threads share it by counting.
 */

#include "crypto/cert.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "base/text.h"
#include "crypto/der.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"

struct cof_cert {
    atomic_uint refs;
    X509 *x509;     /* owned */
    EVP_PKEY *pkey; /* borrowed from x509; NULL if unreadable */
    struct cof_pkey_info key_info;
    uint8_t *der; /* owned by libcrypto's allocator */
    size_t der_len;
    cof_slice issuer; /* part of der */
    cof_slice serial; /* part of der */
    cof_slice spki;   /* part of der */
    cof_slice ski;    /* borrowed from x509 */
    cof_buf id;
    uint8_t sha256[COF_SHA256_SIZE];
    uint8_t spki_sha256[COF_SHA256_SIZE];
    uint8_t key_sha256[COF_SHA256_SIZE]; /* of the key however it is encoded: see identify */
    uint64_t not_before;
    uint64_t not_after;
};

static uint64_t seconds(const ASN1_TIME *t)
{
    struct tm tm;
    time_t s;

    memset(&tm, 0, sizeof(tm));
    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
        return 0;
    s = timegm(&tm);
    return s < 0 ? 0 : (uint64_t)s;
}

/* Find issuer, serial number and public key in the encoding: TBSCertificate of RFC 5280, 4.1. */
static bool find_parts(cof_cert *cert)
{
    cof_slice in = {cert->der, cert->der_len}, tbs, skipped;

    if (!cof_der_take(&in, COF_DER_SEQUENCE, &in) || !cof_der_take(&in, COF_DER_SEQUENCE, &tbs))
        return false;
    if (cof_der_at(tbs, COF_DER_CONTEXT_0) && !cof_der_take(&tbs, COF_DER_CONTEXT_0, &skipped))
        return false;
    return cof_der_take_whole(&tbs, COF_DER_INTEGER, &cert->serial) &&
           cof_der_take(&tbs, COF_DER_SEQUENCE, &skipped) && /* signature */
           cof_der_take_whole(&tbs, COF_DER_SEQUENCE, &cert->issuer) &&
           cof_der_take(&tbs, COF_DER_SEQUENCE, &skipped) && /* validity */
           cof_der_take(&tbs, COF_DER_SEQUENCE, &skipped) && /* subject */
           cof_der_take_whole(&tbs, COF_DER_SEQUENCE, &cert->spki);
}

static void find_ski(cof_cert *cert)
{
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert->x509);

    if (ski == NULL)
        return;
    cert->ski.data = ASN1_STRING_get0_data(ski);
    cert->ski.len = (size_t)ASN1_STRING_length(ski);
    if (cert->ski.len == 0 || cert->ski.len > COF_CERT_SKI_MAX)
        cert->ski = (cof_slice)COF_SLICE_INIT;
}

/* The identifier of messages: see cof_cert_key_id. */
static cof_status build_id(cof_cert *cert, cof_error *err)
{
    uint8_t head[2] = {COF_DER_PRIMITIVE_0, (uint8_t)cert->ski.len};
    size_t n = cert->issuer.len + cert->serial.len;
    uint8_t seq[5] = {COF_DER_SEQUENCE, 0x83, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    size_t used;
    cof_status st;

    if (cert->ski.len > 0) {
        if ((st = cof_buf_append(&cert->id, head, sizeof(head), err)) != COF_OK)
            return st;
        return cof_buf_append(&cert->id, cert->ski.data, cert->ski.len, err);
    }
    if (n < 0x80) {
        seq[1] = (uint8_t)n;
        used = 2;
    } else if (n < 0x100) {
        seq[1] = 0x81;
        seq[2] = (uint8_t)n;
        used = 3;
    } else if (n < 0x10000) {
        seq[1] = 0x82;
        seq[2] = (uint8_t)(n >> 8);
        seq[3] = (uint8_t)n;
        used = 4;
    } else {
        used = 5;
    }
    if ((st = cof_buf_append(&cert->id, seq, used, err)) != COF_OK ||
        (st = cof_buf_append(&cert->id, cert->issuer.data, cert->issuer.len, err)) != COF_OK)
        return st;
    return cof_buf_append(&cert->id, cert->serial.data, cert->serial.len, err);
}

/* What cof_cert_same_key compares. */
static cof_status identify(cof_cert *cert, cof_error *err)
{
    bool found;
    cof_status st = cof_pkey_identify(cert->key_sha256, &found, cert->pkey, &cert->key_info, err);

    if (st == COF_OK && !found)
        memcpy(cert->key_sha256, cert->spki_sha256, sizeof(cert->key_sha256));
    return st;
}

static cof_status read_out(cof_cert *cert, const char *what, cof_error *err)
{
    int len = i2d_X509(cert->x509, &cert->der);
    cof_status st;

    if (len <= 0)
        return cof_crypto_unless_starved(
            cof_fail(err, COF_CERT, "the certificate in %s is damaged", what), err);
    cert->der_len = (size_t)len;
    if (cert->der_len > COF_CERT_SIZE_MAX)
        return cof_fail(err, COF_LIMIT, "the certificate in %s is larger than %d KiB", what,
                        COF_CERT_SIZE_MAX / 1024);
    if (!find_parts(cert))
        return cof_fail(err, COF_CERT, "the certificate in %s is not encoded in DER", what);

    cert->pkey = X509_get0_pubkey(cert->x509);
    cof_pkey_describe(&cert->key_info, cert->pkey);
    find_ski(cert);
    cert->not_before = seconds(X509_get0_notBefore(cert->x509));
    cert->not_after = seconds(X509_get0_notAfter(cert->x509));
    if ((st = cof_crypto_unless_starved(COF_OK, err)) != COF_OK ||
        (st = build_id(cert, err)) != COF_OK ||
        (st = cof_sha256(cert->sha256, cert->der, cert->der_len, err)) != COF_OK ||
        (st = cof_sha256(cert->spki_sha256, cert->spki.data, cert->spki.len, err)) != COF_OK)
        return st;
    return identify(cert, err);
}

cof_status cof_cert_wrap(cof_cert **out, X509 *x509, const char *what, cof_error *err)
{
    cof_cert *cert = NULL;
    cof_status st;

    *out = NULL;
    if ((cert = calloc(1, sizeof(*cert))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    atomic_init(&cert->refs, 1);
    cert->x509 = x509;
    if ((st = read_out(cert, what, err)) != COF_OK) {
        cert->x509 = NULL; /* still the caller's */
        goto out;
    }
    *out = cert;
    cert = NULL; /* transferred */
out:
    cof_cert_free(cert);
    ERR_clear_error();
    return st;
}

cof_cert *cof_cert_ref(cof_cert *cert)
{
    atomic_fetch_add(&cert->refs, 1);
    return cert;
}

void cof_cert_free(cof_cert *cert)
{
    if (cert == NULL || atomic_fetch_sub(&cert->refs, 1) != 1)
        return;
    X509_free(cert->x509);
    OPENSSL_free(cert->der);
    cof_buf_free(&cert->id);
    free(cert);
}

X509 *cof_cert_x509(const cof_cert *cert)
{
    return cert->x509;
}

EVP_PKEY *cof_cert_pkey(const cof_cert *cert)
{
    return cert->pkey;
}

const struct cof_pkey_info *cof_cert_key_info(const cof_cert *cert)
{
    return &cert->key_info;
}

cof_slice cof_cert_id(const cof_cert *cert)
{
    return cof_buf_slice(&cert->id);
}

cof_slice cof_cert_issuer(const cof_cert *cert)
{
    return cert->issuer;
}

cof_slice cof_cert_der(const cof_cert *cert)
{
    return (cof_slice){cert->der, cert->der_len};
}

const uint8_t *cof_cert_sha256(const cof_cert *cert)
{
    return cert->sha256;
}

const uint8_t *cof_cert_spki_sha256(const cof_cert *cert)
{
    return cert->spki_sha256;
}

uint64_t cof_cert_not_before(const cof_cert *cert)
{
    return cert->not_before;
}

uint64_t cof_cert_not_after(const cof_cert *cert)
{
    return cert->not_after;
}

const char *cof_cert_key_text(const cof_cert *cert)
{
    return cert->key_info.text;
}

cof_slice cof_cert_ski(const cof_cert *cert)
{
    return cert->ski;
}

cof_status cof_cert_key_id(const cof_cert *cert, cof_buf *out, cof_error *err)
{
    return cof_buf_append(out, cert->id.data, cert->id.len, err);
}

bool cof_cert_is_self_signed(const cof_cert *cert)
{
    bool good = cert->pkey != NULL && X509_verify(cert->x509, cert->pkey) == 1;

    ERR_clear_error();
    return good;
}

const uint8_t *cof_cert_key_sha256(const cof_cert *cert)
{
    return cert->key_sha256;
}

bool cof_cert_same_key(const cof_cert *a, const cof_cert *b)
{
    return cof_equal_consttime(a->key_sha256, b->key_sha256, COF_SHA256_SIZE);
}

/* Copy the largest prefix of text that fits and does not cut a UTF-8 sequence. */
static void copy_prefix(char *out, size_t size, const char *text, size_t len)
{
    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((uint8_t)text[len] & 0xC0) == 0x80)
            len--;
    }
    memcpy(out, text, len);
    out[len] = '\0';
}

const char *cof_cert_subject(const cof_cert *cert, char *out, size_t size)
{
    BIO *bio = NULL;
    char *text = NULL;
    long len;

    if (size == 0)
        return out;
    out[0] = '\0';
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL &&
        X509_NAME_print_ex(bio, X509_get_subject_name(cert->x509), 0,
                           XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0 &&
        (len = BIO_get_mem_data(bio, &text)) > 0)
        copy_prefix(out, size, text, (size_t)len);
    BIO_free(bio);
    ERR_clear_error();
    return out;
}

const char *cof_cert_display(const cof_cert *cert, char out[COF_CERT_DISPLAY_MAX])
{
    char subject[COF_CERT_SUBJECT_MAX];

    (void)cof_cert_subject(cert, subject, sizeof(subject));
    if (subject[0] == '\0')
        copy_prefix(out, COF_CERT_DISPLAY_MAX, "(no name)", strlen("(no name)"));
    else
        (void)cof_text_safe_str(out, COF_CERT_DISPLAY_MAX, subject);
    return out;
}

cof_status cof_cert_to_pem(const cof_cert *cert, cof_buf *out, cof_error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    cof_status st;

    if (bio == NULL || PEM_write_bio_X509(bio, cert->x509) != 1 ||
        (len = BIO_get_mem_data(bio, &text)) <= 0)
        st = cof_crypto_fail(err, "write a certificate");
    else
        st = cof_buf_append(out, text, (size_t)len, err);
    BIO_free(bio);
    return st;
}
