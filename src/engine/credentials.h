/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_CREDENTIALS_H
#define COF_ENGINE_CREDENTIALS_H

/* The insides of the objects of <coffer/credentials.h>, for the engine. */

#include <coffer/credentials.h>

#include "crypto/cert.h"
#include "crypto/key.h"

struct cof_certs {
    cof_cert_list list;
};

struct cof_signer {
    cof_key *key;
    cof_cert *cert;
};

struct cof_keyring {
    cof_key **keys; /* owned, count of them */
    size_t count;
};

/* One trusted key: by certificate, or by a hash of the key or of a certificate. */
typedef struct cof_trust_item {
    cof_cert *cert; /* owned; or NULL, and */
    uint8_t sha256[32];
    unsigned roles;
} cof_trust_item;

struct cof_trust {
    cof_trust_item *items;
    size_t count;
};

/* Parse a fingerprint as people write it: 64 hex digits, colons and "SHA256:" optional. */
bool cof_fingerprint_parse(uint8_t out[32], const char *text);

/* "SHA256:5F:0C:..." */
void cof_fingerprint_format(char out[COF_FINGERPRINT_TEXT_MAX], const uint8_t sha256[32]);

/* What a person needs to recognise a certificate. */
void cof_cert_describe(cof_cert_info *out, const cof_cert *cert);

/* All of a list; the caller frees *out.  COF_NOMEM. */
cof_status cof_cert_list_describe(cof_cert_info **out, size_t *count, const cof_cert_list *list,
                                  cof_error *err) COF_MUST_USE;

/* Does trust name the key of cert in this role?  trust may be NULL. */
bool cof_trust_has(const cof_trust *trust, const cof_cert *cert, cof_role role);

/* Does trust name this very certificate, not only its key?  trust may be NULL. */
bool cof_trust_names(const cof_trust *trust, const cof_cert *cert);

/* Append all certificates of one file.  COF_IO, COF_CERT, COF_LIMIT; out is then unchanged. */
cof_status cof_certs_read(cof_cert_list *out, const char *path, cof_error *err) COF_MUST_USE;

#endif
