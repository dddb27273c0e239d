/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_CERT_H
#define COF_CRYPTO_CERT_H

/*
 * X.509 certificates: what identifies a recipient or a signer.
 *
 * A certificate is a name tag on a public key, nothing more: coffer never builds a chain and never
 * believes an issuer.  Looking at a certificate is lenient, using it for a *new* wrap or signature
 * is strict (the check functions).
 *
 * Argument `what` is a display name for messages (a file name, "recipient 3"), already safe for a
 * terminal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "crypto/passphrase.h"

#define COF_CERT_SIZE_MAX    (64 * 1024)   /* bytes of DER of one certificate */
#define COF_CERT_FILE_MAX    (1024 * 1024) /* bytes of a file of certificates or keys */
#define COF_CERT_LIST_MAX    256           /* certificates of one file */
#define COF_CERT_SKI_MAX     64            /* a longer key identifier is taken for absent */
#define COF_CERT_SUBJECT_MAX 1024          /* room that always suffices for cof_cert_subject */
#define COF_CERT_KEY_TEXT    24            /* room that always suffices for cof_cert_key_text */

/* Opaque, immutable, reference-counted, may be shared between threads. */
typedef struct cof_cert cof_cert;

/* ---- parsing ---- */

/*
 * Exactly one certificate in strict DER, as backups store them: no trailing bytes, and encoding it
 * again gives the same bytes.  COF_CERT otherwise; COF_LIMIT above COF_CERT_SIZE_MAX.
 */
COF_MUST_USE cof_status cof_cert_parse_der(cof_cert **out, cof_slice der, const char *what,
                                           cof_error *err);

/* A list that owns references; start from COF_CERT_LIST_INIT. */
typedef struct cof_cert_list {
    cof_cert **certs; /* owned; count elements, each owned */
    size_t count;
} cof_cert_list;

#define COF_CERT_LIST_INIT                                                                         \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* Append another reference to cert.  COF_LIMIT beyond COF_CERT_LIST_MAX. */
COF_MUST_USE cof_status cof_cert_list_add(cof_cert_list *list, cof_cert *cert, cof_error *err);

/* Append references to all of more, or on failure none. */
COF_MUST_USE cof_status cof_cert_list_append(cof_cert_list *list, const cof_cert_list *more,
                                             cof_error *err);

/* Is this very certificate (not only its key) in the list? */
bool cof_cert_list_has(const cof_cert_list *list, const cof_cert *cert);

/* Drop all references; the list is empty again. */
void cof_cert_list_wipe(cof_cert_list *list);

/*
 * All certificates of a file, appended to list in the file's order: PEM (anything else in it, such
 * as a private key, is skipped and never decrypted), one DER certificate, or a PKCS#12 container,
 * for which alone the passphrase may be asked (ask may be NULL: then a container that needs one is
 * COF_CERT).  COF_CERT if there is none ("x holds no certificate") or one is damaged; list is then
 * as it was.
 */
COF_MUST_USE cof_status cof_cert_parse_all(cof_cert_list *list, cof_slice file,
                                           const cof_passphrase *ask, const char *what,
                                           cof_error *err);

/* Another reference to the same certificate; the caller frees it.  cert must not be NULL. */
cof_cert *cof_cert_ref(cof_cert *cert);

/* Drop a reference. */
void cof_cert_free(cof_cert *cert);

/* ---- looking ---- */

/* The certificate's DER; borrowed, lives as long as cert. */
cof_slice cof_cert_der(const cof_cert *cert);

/* SHA-256 of the DER, and of the SubjectPublicKeyInfo as encoded in it.  Borrowed, 32 bytes. */
const uint8_t *cof_cert_sha256(const cof_cert *cert);
const uint8_t *cof_cert_spki_sha256(const cof_cert *cert);

/*
 * The subject as RFC 2253 writes it ("CN=ops,O=Lab"), UTF-8 without control characters, cut at a
 * character's border if it does not fit into size bytes with the NUL.  Borrowed text comes from
 * whoever made the certificate.  Returns out.
 */
const char *cof_cert_subject(const cof_cert *cert, char *out, size_t size);

/* Seconds since 1970; earlier times are 0. */
uint64_t cof_cert_not_before(const cof_cert *cert);
uint64_t cof_cert_not_after(const cof_cert *cert);

/*
 * The kind of key: "RSA-3072", "RSA-PSS-3072", "EC-P-256", "EC-P-384", "EC-P-521", "DSA-2048",
 * "Ed25519", "X25519", ...; "EC-<name>" for other curves and "unknown" for what the library cannot
 * read.  Borrowed, lives as long as cert.
 */
const char *cof_cert_key_text(const cof_cert *cert);

/* The subject key identifier, 1..64 bytes; empty if there is none of that size.  Borrowed. */
cof_slice cof_cert_ski(const cof_cert *cert);

/*
 * How messages name this certificate, as DER, appended to out: [0] IMPLICIT OCTET STRING with the
 * subject key identifier where there is one, otherwise IssuerAndSerialNumber.
 */
COF_MUST_USE cof_status cof_cert_key_id(const cof_cert *cert, cof_buf *out, cof_error *err);

/*
 * Is it signed with the very key that it holds?  Then who has that key has chosen its subject; in
 * any other certificate somebody else may have put a name to the key.
 */
bool cof_cert_is_self_signed(const cof_cert *cert);

/*
 * Whether both hold the same public key, however it is encoded and whatever it may be used for.
 * Nothing can fail here that would make two keys of one.
 */
bool cof_cert_same_key(const cof_cert *a, const cof_cert *b);

/* ---- use for something new ---- */

/* Why a certificate is refused; dates are looked at last, so an EXPIRED one is fine otherwise. */
typedef enum cof_cert_reason {
    COF_CERT_FINE = 0,
    COF_CERT_EXPIRED,       /* its last day is over */
    COF_CERT_NOT_YET_VALID, /* its first day has not come */
    COF_CERT_KEY_TYPE,      /* a kind of key or curve that cannot be used so */
    COF_CERT_WEAK,          /* too short a key */
    COF_CERT_KEY_USAGE,     /* its keyUsage does not allow it */
    COF_CERT_CONTRADICTORY  /* malformed extensions, or it ends before it begins */
} cof_cert_reason;

/*
 * May the DEK be wrapped for this certificate, at time now (seconds since 1970)?
 *
 * Yes for RSA keys of 2048 to 16384 bits and EC keys on P-256, P-384, P-521, if keyUsage is absent
 * or has keyEncipherment (RSA) or keyAgreement (EC), and within its dates.  A key's encipherOnly
 * or decipherOnly bit is refused as contradictory for EC.  COF_CERT with one sentence otherwise;
 * *reason (may be NULL) says why.
 */
COF_MUST_USE cof_status cof_cert_check_recipient(const cof_cert *cert, uint64_t now,
                                                 cof_cert_reason *reason, cof_error *err);

/*
 * May its key sign something new, at time now?  Yes for RSA and RSA-PSS of 2048 to 16384 bits,
 * ECDSA on P-256, P-384, P-521, and DSA of at least 2048/256 bits with its own parameters, if
 * keyUsage is absent or has digitalSignature or nonRepudiation, and within its dates.
 */
COF_MUST_USE cof_status cof_cert_check_signer(const cof_cert *cert, uint64_t now,
                                              cof_cert_reason *reason, cof_error *err);

/* ---- making ---- */

typedef enum cof_cert_purpose {
    COF_CERT_FOR_RECIPIENT, /* keyUsage keyEncipherment (RSA) or keyAgreement (EC) */
    COF_CERT_FOR_SIGNER     /* keyUsage digitalSignature */
} cof_cert_purpose;

/*
 * A self-signed certificate for key: subject and issuer CN = common_name (UTF-8, 1..64 bytes),
 * valid from now (less five minutes) for days (1..36500), random 16-byte serial number, subject
 * key identifier, basicConstraints CA:FALSE, SHA-256.  COF_USAGE for arguments out of range,
 * COF_UNSUPPORTED for a key that cannot sign for itself or does not suit the purpose.
 */
COF_MUST_USE cof_status cof_cert_self_sign(cof_cert **out, const cof_key *key,
                                           const char *common_name, unsigned days,
                                           cof_cert_purpose purpose, cof_error *err);

/* The certificate in PEM, appended to out. */
COF_MUST_USE cof_status cof_cert_to_pem(const cof_cert *cert, cof_buf *out, cof_error *err);

#endif
