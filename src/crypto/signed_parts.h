/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_CRYPTO_SIGNED_PARTS_H
#define COF_CRYPTO_SIGNED_PARTS_H

/* Private to the crypto room: a SignedData taken apart.  All slices lie in its own copy. */

#include "base/buf.h"
#include "crypto/ossl.h"
#include "crypto/signed.h"

#define COF_DIGEST_SIZE_MAX 64

enum cof_signature_kind {
    COF_SIGNATURE_RSA,     /* PKCS#1 v1.5 */
    COF_SIGNATURE_RSA_PSS, /* MGF1 with the same digest, salt as long as it */
    COF_SIGNATURE_ECDSA,
    COF_SIGNATURE_DSA,
    COF_SIGNATURE_OTHER /* not in SD-10: never counts */
};

struct cof_signed_signer {
    cof_slice id; /* in the form of cof_cert_key_id */
    cof_digest digest;
    enum cof_signature_kind kind;
    cof_slice attributes; /* the signed attributes, with tag [0] and length */
    cof_slice message_digest;
    cof_slice signature;
};

struct cof_signed {
    cof_buf bytes;
    cof_slice content;
    size_t count;
    struct cof_signed_signer signers[COF_SIGNED_SIGNERS_MAX];
};

/* The fetched digest, and its length; NULL and 0 for an unknown value. */
const EVP_MD *cof_signed_md(cof_digest digest);
size_t cof_signed_md_len(cof_digest digest);

/* The body of the encoding of an object identifier in dotted numbers; COF_USAGE if it is none. */
cof_status cof_signed_oid(cof_buf *out, const char *text, cof_error *err) COF_MUST_USE;

/* Take the AlgorithmIdentifier of an allowed digest (SD-7). */
bool cof_signed_take_digest(cof_slice *in, cof_digest *digest);

/*
 * Take the AlgorithmIdentifier of a signature; one that may not stand beside this digest (SD-10)
 * is COF_SIGNATURE_OTHER.  False if it is no AlgorithmIdentifier.
 */
bool cof_signed_take_algorithm(cof_slice *in, cof_digest digest, enum cof_signature_kind *kind);

#endif
