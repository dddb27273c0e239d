/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Private keys out of the files that people have.
 *
 * The outer form is recognised first and the passphrase asked at most once, then each step can
 * fail for one reason only; so a wrong passphrase, a missing key and an obsolete method each get
 * their own sentence.  Every copy of decrypted bytes is wiped.
 */

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "crypto/ossl.h"

/* What the readers below work on. */
struct reader {
    const cof_passphrase *ask; /* may be NULL */
    const char *what;
    cof_cert_list *certs; /* may be NULL */
    EVP_PKEY *pkey;       /* found so far; owned */
    cof_error *err;
};

/* One block of a PEM file; all owned, data wiped at the end. */
struct block {
    char *name;
    char *header;
    unsigned char *data;
    long len;
};

/*
 * Does the library's queue say that it does not (or no longer) know an algorithm, or that memory
 * ran out?  Empties it.
 */
static bool algorithm_unknown(bool *starved)
{
    unsigned long code;
    bool unknown = false;

    *starved = false;
    while ((code = ERR_get_error()) != 0) {
        int reason = ERR_GET_REASON(code);
        if (ERR_GET_LIB(code) == ERR_LIB_EVP &&
            (reason == EVP_R_UNKNOWN_PBE_ALGORITHM || reason == EVP_R_UNSUPPORTED_ALGORITHM ||
             reason == EVP_R_UNSUPPORTED_CIPHER || reason == EVP_R_UNKNOWN_CIPHER ||
             reason == EVP_R_UNSUPPORTED_PRF ||
             reason == EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION))
            unknown = true;
        if (reason == ERR_R_UNSUPPORTED)
            unknown = true;
        if (reason == ERR_R_MALLOC_FAILURE)
            *starved = true;
    }
    return unknown;
}

static cof_status fail_passphrase(const struct reader *r)
{
    return cof_crypto_unless_starved(
        cof_fail(r->err, COF_CERT, "the passphrase for %s is wrong", r->what), r->err);
}

static cof_status fail_decrypt(const struct reader *r)
{
    bool starved, unknown = algorithm_unknown(&starved);

    if (starved)
        return cof_fail(r->err, COF_NOMEM, "out of memory");
    if (unknown)
        return cof_fail(r->err, COF_CERT,
                        "the private key in %s is protected by a method that this OpenSSL does not "
                        "offer",
                        r->what);
    return fail_passphrase(r);
}

static cof_status fail_decode(const struct reader *r)
{
    return cof_crypto_unless_starved(
        cof_fail(r->err, COF_CERT, "the private key in %s is damaged or of an unknown kind",
                 r->what),
        r->err);
}

/* PKCS#8, encrypted. */
static cof_status read_encrypted(struct reader *r, const X509_SIG *sig)
{
    cof_secret *passphrase = NULL;
    PKCS8_PRIV_KEY_INFO *p8 = NULL;
    const X509_ALGOR *alg = NULL;
    uint64_t spent = 0;
    cof_status st;

    X509_SIG_get0(sig, &alg, NULL);
    if ((st = cof_key_cost(&spent, alg, r->what, r->err)) != COF_OK ||
        (st = cof_passphrase_ask(&passphrase, r->ask, r->what, r->err)) != COF_OK)
        return st;
    p8 = PKCS8_decrypt(sig, (const char *)cof_secret_bytes_const(passphrase),
                       (int)cof_secret_len(passphrase) - 1);
    if (p8 == NULL)
        st = fail_decrypt(r);
    else if ((r->pkey = EVP_PKCS82PKEY(p8)) == NULL)
        st = fail_decode(r);
    PKCS8_PRIV_KEY_INFO_free(p8);
    cof_secret_free(passphrase);
    return st;
}

/* Hands the passphrase (a NUL-terminated secret in ctx) to PEM_do_header. */
static int give_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    const cof_secret *passphrase = ctx;
    size_t len = cof_secret_len(passphrase) - 1;

    (void)rwflag;
    if (size < 0 || len > (size_t)size)
        return -1;
    memcpy(buf, cof_secret_bytes_const(passphrase), len);
    return (int)len;
}

/* Decrypt a traditional PEM block in place, if it is encrypted at all. */
static cof_status decrypt_block(struct reader *r, struct block *b, bool *was_encrypted)
{
    EVP_CIPHER_INFO cipher;
    cof_secret *passphrase = NULL;
    cof_status st;

    *was_encrypted = false;
    if (b->header == NULL || b->header[0] == '\0')
        return COF_OK;
    if (PEM_get_EVP_CIPHER_INFO(b->header, &cipher) != 1)
        return fail_decode(r);
    if (cipher.cipher == NULL)
        return COF_OK;
    *was_encrypted = true;
    if ((st = cof_passphrase_ask(&passphrase, r->ask, r->what, r->err)) != COF_OK)
        return st;
    if (PEM_do_header(&cipher, b->data, &b->len, give_passphrase, passphrase) != 1)
        st = fail_decrypt(r);
    cof_secret_free(passphrase);
    return st;
}

/* "RSA PRIVATE KEY" and its sisters. */
static cof_status read_traditional(struct reader *r, struct block *b, int type)
{
    const unsigned char *p;
    bool was_encrypted;
    cof_status st = decrypt_block(r, b, &was_encrypted);

    if (st != COF_OK)
        return st;
    p = b->data;
    r->pkey = d2i_PrivateKey(type, NULL, &p, b->len);
    if (r->pkey == NULL) /* a wrong passphrase can leave valid padding, but no valid key */
        return was_encrypted ? fail_passphrase(r) : fail_decode(r);
    return COF_OK;
}

/* PKCS#8 or traditional, in DER, not encrypted; NULL, with the reason in the queue, if neither. */
static EVP_PKEY *decode_plain(const unsigned char *data, long len)
{
    const unsigned char *p = data;
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, len);

    if (pkey != NULL && p != data + len) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

static X509_SIG *decode_encrypted(const unsigned char *data, long len)
{
    const unsigned char *p = data;
    X509_SIG *sig = d2i_X509_SIG(NULL, &p, len);

    if (sig != NULL && p != data + len) {
        X509_SIG_free(sig);
        sig = NULL;
    }
    if (sig != NULL)
        ERR_clear_error(); /* of what it has been tried to read as before */
    return sig;
}

static cof_status read_block(struct reader *r, struct block *b)
{
    X509_SIG *sig = NULL;
    cof_status st = COF_OK;

    if (r->pkey != NULL)
        return COF_OK;
    if (strcmp(b->name, PEM_STRING_RSA) == 0)
        return read_traditional(r, b, EVP_PKEY_RSA);
    if (strcmp(b->name, PEM_STRING_DSA) == 0)
        return read_traditional(r, b, EVP_PKEY_DSA);
    if (strcmp(b->name, PEM_STRING_ECPRIVATEKEY) == 0)
        return read_traditional(r, b, EVP_PKEY_EC);
    if (strcmp(b->name, PEM_STRING_PKCS8INF) == 0) {
        r->pkey = decode_plain(b->data, b->len);
        return r->pkey == NULL ? fail_decode(r) : COF_OK;
    }
    if (strcmp(b->name, PEM_STRING_PKCS8) == 0) {
        sig = decode_encrypted(b->data, b->len);
        st = sig == NULL ? fail_decode(r) : read_encrypted(r, sig);
        X509_SIG_free(sig);
    }
    return st;
}

static void free_block(struct block *b)
{
    OPENSSL_free(b->name);
    OPENSSL_free(b->header);
    OPENSSL_clear_free(b->data, b->len > 0 ? (size_t)b->len : 0);
    *b = (struct block){NULL, NULL, NULL, 0};
}

/* Has the reader of PEM stopped for another reason than the end of the file? */
static bool pem_damaged(void)
{
    unsigned long code = ERR_peek_last_error();

    return code != 0 &&
           (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE);
}

static cof_status read_pem(struct reader *r, cof_slice file)
{
    struct block b = {NULL, NULL, NULL, 0};
    BIO *bio = cof_pem_bio(file);
    cof_status st = COF_OK;

    if (bio == NULL)
        return cof_crypto_fail(r->err, "read a file");
    while (st == COF_OK && PEM_read_bio(bio, &b.name, &b.header, &b.data, &b.len) == 1) {
        long whole = b.len; /* to be wiped, also when decryption has shortened it */

        st = read_block(r, &b);
        b.len = whole;
        free_block(&b);
        ERR_clear_error();
    }
    BIO_free(bio);
    if (pem_damaged() && st == COF_OK && r->pkey == NULL)
        st = fail_decode(r);
    ERR_clear_error();
    return st;
}

static cof_status read_der(struct reader *r, cof_slice file)
{
    const unsigned char *p = file.data;
    PKCS12 *container = NULL;
    X509_SIG *sig = NULL;
    cof_status st = COF_OK;

    if (file.len == 0)
        return COF_OK;
    if ((container = d2i_PKCS12(NULL, &p, (long)file.len)) != NULL)
        st = cof_pkcs12_open(&r->pkey, r->certs, container, r->ask, r->what, r->err);
    else if ((sig = decode_encrypted(file.data, (long)file.len)) != NULL)
        st = read_encrypted(r, sig);
    else
        r->pkey = decode_plain(file.data, (long)file.len);
    PKCS12_free(container);
    X509_SIG_free(sig);
    if (st == COF_OK && r->pkey == NULL)
        st = cof_crypto_unless_starved(st, r->err);
    ERR_clear_error();
    return st;
}

/* Certificates beside the key in a PEM file; that there are none is no failure. */
static cof_status read_pem_certs(cof_cert_list *certs, cof_slice file, const char *what,
                                 cof_error *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";

    if (memmem(file.data, file.len, begin, sizeof(begin) - 1) == NULL)
        return COF_OK;
    return cof_cert_parse_all(certs, file, NULL, what, err);
}

cof_status cof_key_parse(cof_key **out, cof_cert_list *certs, cof_slice file,
                         const cof_passphrase *ask, const char *what, cof_error *err)
{
    cof_cert_list found = COF_CERT_LIST_INIT;
    struct reader r = {ask, what, certs == NULL ? NULL : &found, NULL, err};
    cof_key *key = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if (file.len > COF_KEY_FILE_MAX)
        return cof_fail(err, COF_LIMIT, "%s is larger than %d KiB and so no key file", what,
                        COF_KEY_FILE_MAX / 1024);
    st = cof_pem_looks_like(file) ? read_pem(&r, file) : read_der(&r, file);
    if (st == COF_OK && r.pkey == NULL)
        st = cof_fail(err, COF_CERT, "%s holds no private key", what);
    if (st == COF_OK && r.certs != NULL && cof_pem_looks_like(file))
        st = read_pem_certs(&found, file, what, err);
    if (st != COF_OK || (st = cof_key_wrap(&key, r.pkey, err)) != COF_OK)
        goto out;
    r.pkey = NULL; /* transferred */
    if (certs != NULL && (st = cof_cert_list_append(certs, &found, err)) != COF_OK)
        goto out;
    *out = key;
    key = NULL; /* transferred */
out:
    EVP_PKEY_free(r.pkey);
    cof_key_free(key);
    cof_cert_list_wipe(&found);
    return st;
}
