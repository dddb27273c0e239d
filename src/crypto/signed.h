/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_SIGNED_H
#define COF_CRYPTO_SIGNED_H

/*
 * Signed statements: bytes inside an attached CMS SignedData (RFC 5652) of a content type of their
 * own, without certificates.  Who signed is decided by trying the keys that the caller gives, and
 * by nothing that the message says.
 *
 * The rules, in the order in which they are checked:
 *
 *  SD-1   at least one byte, at most 1 MiB                                        COF_LIMIT
 *  SD-2   one element of strict DER, sets sorted, no trailing bytes               COF_FORMAT
 *  SD-3   contentType is signedData, version 3                                    COF_FORMAT
 *  SD-4   eContentType is the type expected, and content is present               COF_FORMAT
 *  SD-5   no certificates, no revocation lists                                    COF_FORMAT
 *  SD-6   as many signers as allowed, at least one                                COF_FORMAT
 *  SD-7   digests are SHA-256, SHA-384 or SHA-512; digestAlgorithms lists those   COF_UNSUPPORTED
 *         of the signers, each once, and no other
 *         (COF_FORMAT if the signers used different ones)
 *  SD-8   a signer is named by key identifier (version 3) or by issuer and        COF_FORMAT
 *         serial number (version 1)
 *  SD-9   signed attributes: contentType and messageDigest once each, perhaps     COF_FORMAT
 *         signingTime once, no other; one value each, contentType equal to
 *         eContentType, messageDigest of the digest's length
 *  SD-10  signature algorithm: RSA PKCS#1 v1.5, RSA-PSS (same digest for MGF1,    COF_UNSUPPORTED
 *         salt as long as it), ECDSA, DSA (SHA-256), with the signer's digest;
 *         any other is parsed but never counts
 *  SD-11  unsigned attributes: at most one, an RFC 3161 time-stamp token          COF_UNSUPPORTED
 *  SD-12  messageDigest is the digest of the content                              COF_AUTH
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/cert.h"
#include "crypto/key.h"

#define COF_SIGNED_SIZE_MAX    (1024 * 1024)
#define COF_SIGNED_SIGNERS_MAX 16

/* The digest that a signer signs with. */
typedef enum cof_digest {
    COF_DIGEST_SHA256 = 1,
    COF_DIGEST_SHA384 = 2,
    COF_DIGEST_SHA512 = 3
} cof_digest;

/*
 * Sign content as a statement of type oid (dotted numbers) with key, whose certificate is cert,
 * and append the message to out.  The caller has checked the certificate (cof_cert_check_signer);
 * its dates are not looked at here.  The result has been parsed and verified before it is given
 * out.
 *
 * COF_CERT: key and cert do not belong together, or the key is too weak or of a kind that cannot
 * sign.  COF_UNSUPPORTED: DSA with another digest than SHA-256.  COF_LIMIT: larger than SD-1
 * allows.  COF_USAGE: oid is no object identifier.  out is as it was on failure.
 */
COF_MUST_USE cof_status cof_signed_make(cof_buf *out, const char *oid, cof_slice content,
                                        const cof_key *key, const cof_cert *cert, cof_digest digest,
                                        cof_error *err);

/*
 * Whether cof_signed_make would sign with these, so that it can be said before there is anything to
 * sign.  COF_CERT as there; COF_UNSUPPORTED: DSA with another digest than SHA-256, or an RSA-PSS
 * key that is bound to another digest or salt.  cof_crypto_init has succeeded before.
 */
COF_MUST_USE cof_status cof_signed_can_make(const cof_key *key, const cof_cert *cert,
                                            cof_digest digest, cof_error *err);

/*
 * Append to out the same message with one signature more, by key, over the same bytes and with the
 * digest of the signatures that are there; these, and all else, stay as they are.  Of whose they
 * are the caller has convinced himself.  The result has been parsed and verified.
 *
 * Classes of cof_signed_make and cof_signed_parse; COF_USAGE: this key has signed already;
 * COF_LIMIT (SD-6): there are max_signers of them.  out is as it was on failure.
 */
COF_MUST_USE cof_status cof_signed_add(cof_buf *out, cof_slice message, const char *oid,
                                       size_t max_signers, const cof_key *key, const cof_cert *cert,
                                       cof_error *err);

/* A parsed message; opaque, immutable. */
typedef struct cof_signed cof_signed;

/*
 * Parse a message of type expected_oid with 1..max_signers signers and check all rules but SD-10
 * (the rule broken is in err->rule).  Nothing in it is believed yet: cof_signed_verify.
 * *out holds its own copy of the bytes; the caller frees it.  max_signers is at most
 * COF_SIGNED_SIGNERS_MAX.
 */
COF_MUST_USE cof_status cof_signed_parse(cof_signed **out, cof_slice message,
                                         const char *expected_oid, size_t max_signers,
                                         cof_error *err);

void cof_signed_free(cof_signed *s);

/* The statement's bytes; borrowed, lives as long as s. */
cof_slice cof_signed_content(const cof_signed *s);

size_t cof_signed_signer_count(const cof_signed *s);

/*
 * How signer i names himself, in the form of cof_cert_key_id: a hint for looking up certificates,
 * never a proof.  Borrowed; empty if there is no signer i.
 */
cof_slice cof_signed_signer_id(const cof_signed *s, size_t i);

/*
 * Try every signature with the key of every candidate; what the message says about its signers
 * is not asked.  valid_by[i] (n flags) becomes true if the key of candidate i made a good
 * signature; *distinct_keys_valid (may be NULL) the number of different keys among those.  Keys
 * that are too weak or of another kind (cof_cert_check_signer, without dates and keyUsage) never
 * count.
 *
 * COF_OK means that at least one candidate signed; COF_AUTH that none did (flags all false), also
 * for n = 0; COF_UNSUPPORTED in its place if a signature is of a kind that SD-10 does not know.
 * Callers that need more than one look at *distinct_keys_valid.
 */
COF_MUST_USE cof_status cof_signed_verify(const cof_signed *s, cof_cert *const *candidates,
                                          size_t n, bool *valid_by, size_t *distinct_keys_valid,
                                          cof_error *err);

#endif
