/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_KEYS_H
#define COF_CRYPTO_KEYS_H

/*
 * KEYS: the DEK, wrapped for each recipient.  One CMS AuthEnvelopedData (RFC 5083), AES-256-GCM,
 * whose content is exactly the 32-byte DEK, with no attributes.  Its shape is fixed to the byte
 * wherever it can be, and is checked in full before libcrypto's CMS sees it, because that accepts
 * a good deal more (short tags, other content types around the same recipients, trailing bytes).
 *
 * The rules, in the order in which they are checked:
 *
 *  KY-1   at least one byte, at most 256 KiB                                      COF_LIMIT
 *  KY-2   one element of strict DER, sets sorted, no trailing bytes               COF_FORMAT
 *  KY-3   contentType is authEnvelopedData, version 0                             COF_FORMAT
 *  KY-4   no originatorInfo, no authenticated or other attributes                 COF_FORMAT
 *  KY-5   content: type id-data, AES-256-GCM, 12-byte nonce, icvLen 16            COF_UNSUPPORTED
 *  KY-6   encrypted content of 32 bytes, mac of 16 bytes                          COF_FORMAT
 *  KY-7   1..256 recipients, as many as certificates                              COF_FORMAT
 *  KY-8   each is a KeyTransRecipientInfo or a KeyAgreeRecipientInfo              COF_UNSUPPORTED
 *         (COF_FORMAT if it is a malformed one of these)
 *  KY-9   key transport: RSAES-OAEP with SHA-256 and MGF1-SHA-256, nothing else   COF_UNSUPPORTED
 *  KY-10  key agreement: ephemeral key of the originator on the certificate's     COF_UNSUPPORTED
 *         curve, uncompressed, no ukm, one encrypted key, ECDH with the X9.63
 *         KDF over SHA-256 and AES-256 key wrap; algorithms without parameters
 *  KY-11  identifiers: the subject key identifier where the certificate has one,  COF_FORMAT
 *         otherwise issuer and serial number; recipients and certificates name
 *         each other one to one; identifiers and keys are pairwise distinct
 *  KY-12  the kind of recipient fits the certificate's key, and the wrapped key   COF_FORMAT
 *         has the size that this gives (modulus, or 40 bytes)
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/cert.h"
#include "crypto/key.h"

#define COF_KEYS_SIZE_MAX       (256 * 1024)
#define COF_KEYS_RECIPIENTS_MAX 256
#define COF_KEYS_DEK_SIZE       32

/*
 * Wrap dek (32 bytes) for n certificates and append the message to out.  The caller has checked
 * the certificates (cof_cert_check_recipient); here only keys that cannot be used at all are
 * refused.  The result has passed cof_keys_check before it is given out.
 *
 * COF_USAGE: n is 0, or dek is not 32 bytes.  COF_LIMIT: more than 256, or the message would be
 * larger than KY-1 allows.  COF_CERT: a key that cannot be used, or two certificates with the same
 * key or the same identifier.  out is as it was on failure.
 */
COF_MUST_USE cof_status cof_keys_seal(cof_buf *out, const cof_secret *dek, cof_cert *const *certs,
                                      size_t n, cof_error *err);

/* Check KY-1 to KY-12 against the n certificates; the rule broken is in err->rule. */
COF_MUST_USE cof_status cof_keys_check(cof_slice keys, cof_cert *const *certs, size_t n,
                                       cof_error *err);

/*
 * Check as cof_keys_check, then unwrap the DEK with key, for the one certificate that holds its
 * public half: *which (may be NULL) becomes that certificate's index, *dek a new secret of 32
 * bytes that the caller frees.
 *
 * COF_NO_MATCH: no certificate holds the public half.  COF_AUTH: it does not open; one sentence,
 * whatever failed inside.
 */
COF_MUST_USE cof_status cof_keys_open(cof_secret **dek, cof_slice keys, cof_cert *const *certs,
                                      size_t n, size_t *which, const cof_key *key, cof_error *err);

#endif
