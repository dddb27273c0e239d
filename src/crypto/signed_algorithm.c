/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The algorithms of signatures, as an allow-list: what is not here is refused, whatever libcrypto
 * would accept.
 */

#include "crypto/der.h"
#include "crypto/signed_parts.h"

static const uint8_t oid_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t oid_sha384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
static const uint8_t oid_sha512[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};
static const uint8_t oid_rsa[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
static const uint8_t oid_mgf1[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08};
static const uint8_t oid_pss[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A};
static const uint8_t oid_rsa_sha256[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B};
static const uint8_t oid_rsa_sha384[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C};
static const uint8_t oid_rsa_sha512[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D};
static const uint8_t oid_ecdsa_sha256[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
static const uint8_t oid_ecdsa_sha384[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03};
static const uint8_t oid_ecdsa_sha512[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04};
static const uint8_t oid_dsa_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02};

static const struct row {
    cof_digest digest;
    size_t len;
    cof_slice oid;
    cof_slice with_rsa;
    cof_slice with_ecdsa;
    cof_slice with_dsa; /* empty: no such thing */
} rows[] = {
    {COF_DIGEST_SHA256,
     32,
     {oid_sha256, sizeof(oid_sha256)},
     {oid_rsa_sha256, sizeof(oid_rsa_sha256)},
     {oid_ecdsa_sha256, sizeof(oid_ecdsa_sha256)},
     {oid_dsa_sha256, sizeof(oid_dsa_sha256)}},
    {COF_DIGEST_SHA384,
     48,
     {oid_sha384, sizeof(oid_sha384)},
     {oid_rsa_sha384, sizeof(oid_rsa_sha384)},
     {oid_ecdsa_sha384, sizeof(oid_ecdsa_sha384)},
     COF_SLICE_INIT},
    {COF_DIGEST_SHA512,
     64,
     {oid_sha512, sizeof(oid_sha512)},
     {oid_rsa_sha512, sizeof(oid_rsa_sha512)},
     {oid_ecdsa_sha512, sizeof(oid_ecdsa_sha512)},
     COF_SLICE_INIT},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *find(cof_digest digest)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].digest == digest)
            return &rows[i];
    }
    return NULL;
}

size_t cof_signed_md_len(cof_digest digest)
{
    const struct row *row = find(digest);
    return row == NULL ? 0 : row->len;
}

const EVP_MD *cof_signed_md(cof_digest digest)
{
    switch (digest) {
    case COF_DIGEST_SHA256:
        return cof_crypto_get()->sha256;
    case COF_DIGEST_SHA384:
        return cof_crypto_get()->sha384;
    case COF_DIGEST_SHA512:
        return cof_crypto_get()->sha512;
    }
    return NULL;
}

bool cof_signed_take_digest(cof_slice *in, cof_digest *digest)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (cof_der_take_algorithm(in, rows[i].oid, true)) {
            *digest = rows[i].digest;
            return true;
        }
    }
    return false;
}

/* RSASSA-PSS-params of RFC 4055: { [0] digest, [1] { MGF1, digest }, [2] salt length }. */
static bool take_pss(cof_slice *in, const struct row *row)
{
    cof_slice rest = *in, alg, params, hash, mgf, mgf_alg, salt;

    if (!cof_der_take(&rest, COF_DER_SEQUENCE, &alg) ||
        !cof_der_take_oid(&alg, COF_DER_BYTES(oid_pss)) ||
        !cof_der_take(&alg, COF_DER_SEQUENCE, &params) || alg.len != 0 ||
        !cof_der_take(&params, COF_DER_CONTEXT_0, &hash) ||
        !cof_der_take_algorithm(&hash, row->oid, true) || hash.len != 0 ||
        !cof_der_take(&params, COF_DER_CONTEXT_1, &mgf) ||
        !cof_der_take(&mgf, COF_DER_SEQUENCE, &mgf_alg) || mgf.len != 0 ||
        !cof_der_take_oid(&mgf_alg, COF_DER_BYTES(oid_mgf1)) ||
        !cof_der_take_algorithm(&mgf_alg, row->oid, true) || mgf_alg.len != 0 ||
        !cof_der_take(&params, COF_DER_CONTEXT_2, &salt) || params.len != 0 ||
        !cof_der_take_small(&salt, (uint8_t)row->len) || salt.len != 0)
        return false;
    *in = rest;
    return true;
}

bool cof_signed_take_algorithm(cof_slice *in, cof_digest digest, enum cof_signature_kind *kind)
{
    const struct row *row = find(digest);
    cof_slice other;

    if (row == NULL)
        return false;
    if (cof_der_take_algorithm(in, COF_DER_BYTES(oid_rsa), true) ||
        cof_der_take_algorithm(in, row->with_rsa, true))
        *kind = COF_SIGNATURE_RSA;
    else if (take_pss(in, row))
        *kind = COF_SIGNATURE_RSA_PSS;
    else if (cof_der_take_algorithm(in, row->with_ecdsa, false))
        *kind = COF_SIGNATURE_ECDSA;
    else if (row->with_dsa.len > 0 && cof_der_take_algorithm(in, row->with_dsa, false))
        *kind = COF_SIGNATURE_DSA;
    else if (cof_der_take(in, COF_DER_SEQUENCE, &other))
        *kind = COF_SIGNATURE_OTHER;
    else
        return false;
    return true;
}

cof_status cof_signed_oid(cof_buf *out, const char *text, cof_error *err)
{
    ASN1_OBJECT *object = OBJ_txt2obj(text, 1);
    cof_status st;

    if (object == NULL || OBJ_length(object) == 0)
        st = cof_crypto_unless_starved(
            cof_fail(err, COF_USAGE, "a content type is not an object identifier"), err);
    else
        st = cof_buf_append(out, OBJ_get0_data(object), OBJ_length(object), err);
    ASN1_OBJECT_free(object);
    ERR_clear_error();
    return st;
}
