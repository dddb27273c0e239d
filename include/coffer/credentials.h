/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COFFER_CREDENTIALS_H
#define COFFER_CREDENTIALS_H

/*
 * Who may open a backup, who signs it, whom a reader trusts, and with what it is opened.
 *
 * All objects are owned by the caller, freed with their own _free (NULL is fine), and may be used
 * by several operations one after the other.  Files are PEM or DER; keys also PKCS#8, PKCS#12 and
 * traditional PEM, encrypted or not.
 */

#include <coffer/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COF_FINGERPRINT_TEXT_MAX 104  /* "SHA256:" and 32 pairs with colons, NUL */
#define COF_SUBJECT_TEXT_MAX     4104 /* a subject, made safe for a terminal, NUL */

/* What a person needs to recognise a certificate. */
typedef struct cof_cert_info {
    char subject[COF_SUBJECT_TEXT_MAX];         /* RFC 4514, safe for a terminal */
    char fingerprint[COF_FINGERPRINT_TEXT_MAX]; /* of the public key (SubjectPublicKeyInfo) */
    uint8_t spki_sha256[32];                    /* the same as bytes */
    uint8_t cert_sha256[32];                    /* of the whole certificate */
    uint64_t not_before, not_after;             /* seconds since 1970 */
    char key[24];                               /* "RSA-3072", "EC-P-256", "DSA-2048" */
} cof_cert_info;

/* ---- passphrases ---- */

/*
 * Where the passphrase of an encrypted key comes from; zero means "there is none".  The first that
 * is set is used: ask, file, fd (when use_fd), terminal.
 */
typedef struct cof_passphrase_source {
    /*
     * Fill buf (cap bytes of locked memory) with the passphrase of what and set *len; not
     * NUL-terminated.  Return COF_OK, or a class with err filled.
     */
    cof_status (*ask)(void *ctx, const char *what, char *buf, size_t cap, size_t *len,
                      cof_error *err);
    void *ctx;
    const char *file; /* first line of a file that nobody else may read (mode 0400 or 0600) */
    bool use_fd;
    int fd;        /* first line from this descriptor */
    bool terminal; /* ask on /dev/tty, echo off */
} cof_passphrase_source;

/* ---- recipients ---- */

typedef struct cof_certs cof_certs; /* an ordered list of certificates */

cof_status cof_certs_new(cof_certs **out, cof_error *err) COF_MUST_USE;
void cof_certs_free(cof_certs *certs);

/*
 * Append the certificates in a file, or in all *.pem, *.crt, *.cer and *.der files of a directory
 * in the order of their names.  The same certificate twice is kept once.
 * COF_IO; COF_CERT where a file holds none; COF_LIMIT over 256.  On failure the list is unchanged.
 */
cof_status cof_certs_add(cof_certs *certs, const char *path, cof_error *err) COF_MUST_USE;

size_t cof_certs_count(const cof_certs *certs);
void cof_certs_info(const cof_certs *certs, size_t i, cof_cert_info *out);

/* Write certificate i as a new PEM file (mode 0644); COF_USAGE if path exists. */
cof_status cof_certs_save(const cof_certs *certs, size_t i, const char *path,
                          cof_error *err) COF_MUST_USE;

/*
 * Whether certificate i would be accepted as a *new* recipient now: in date, strong enough, made
 * for it.  COF_CERT with the reason; *expired says whether the date is the only one (out, may be
 * NULL).
 */
cof_status cof_certs_check_recipient(const cof_certs *certs, size_t i, bool *expired,
                                     cof_error *err) COF_MUST_USE;

/* ---- the signing key ---- */

typedef struct cof_signer cof_signer; /* a private key with its certificate */

/*
 * Load a signing key.  cert_path may be NULL: then the certificate in the key's own file, else the
 * file NAME.crt beside NAME.key (any suffix).  COF_CERT: no key, no certificate, they do not
 * belong together, or not fit for signing; wrong passphrase.
 */
cof_status cof_signer_load(cof_signer **out, const char *key_path, const char *cert_path,
                           const cof_passphrase_source *passphrase, cof_error *err) COF_MUST_USE;
void cof_signer_free(cof_signer *signer);
void cof_signer_info(const cof_signer *signer, cof_cert_info *out);

/* ---- private keys that open ---- */

typedef struct cof_keyring cof_keyring;

cof_status cof_keyring_new(cof_keyring **out, cof_error *err) COF_MUST_USE;
void cof_keyring_free(cof_keyring *keyring);

/*
 * Add the private key in a file.  COF_IO; COF_CERT: no key in it, one of a kind that opens nothing
 * (Ed25519, DSA, ...), or a wrong passphrase.
 */
cof_status cof_keyring_add(cof_keyring *keyring, const char *path,
                           const cof_passphrase_source *passphrase, cof_error *err) COF_MUST_USE;

/* ---- trust ---- */

typedef enum cof_role {
    COF_ROLE_MAKER = 1,    /* may have made the content */
    COF_ROLE_CUSTODIAN = 2 /* may have decided who opens it */
} cof_role;

typedef struct cof_trust cof_trust; /* public keys that the person at the keyboard accepts */

cof_status cof_trust_new(cof_trust **out, cof_error *err) COF_MUST_USE;
void cof_trust_free(cof_trust *trust);

/*
 * Trust what text names, in the roles of the bit set roles (COF_ROLE_*): a SHA-256 fingerprint (64
 * hex digits, with or without colons and a leading "SHA256:") of a public key or of a certificate;
 * a certificate file; or a directory of them.  Trust is in the key: a renewed certificate of the
 * same key is trusted too, and dates do not matter.  COF_USAGE, COF_IO, COF_CERT, COF_LIMIT.
 */
cof_status cof_trust_add(cof_trust *trust, const char *text, unsigned roles,
                         cof_error *err) COF_MUST_USE;
size_t cof_trust_count(const cof_trust *trust);

/* ---- making keys ---- */

typedef enum cof_key_use { COF_KEY_OPENS, COF_KEY_SIGNS } cof_key_use;

typedef struct cof_keygen_options {
    const char *key_path, *cert_path; /* where; neither may exist */
    const char *type;                 /* "rsa-3072", "rsa-4096", "p256", "p384", "p521" */
    const char *common_name;          /* CN of the subject, UTF-8, 1 to 64 characters */
    unsigned days;                    /* validity, from now */
    cof_key_use use;
    const cof_passphrase_source *passphrase; /* NULL: the key is stored in the clear, mode 0600 */
} cof_keygen_options;

/*
 * Make a key pair and a self-signed certificate, and write both durably (key 0600 as PKCS#8 PEM,
 * certificate 0644).  On failure neither file is left.  info may be NULL.
 */
cof_status cof_keygen(const cof_keygen_options *options, cof_cert_info *info,
                      cof_error *err) COF_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
