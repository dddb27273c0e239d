/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The shape of KEYS, checked to the byte before libcrypto's CMS sees it (rules KY-1 to KY-12).
 *
 * Invariant: what passes has exactly one recipient for each certificate, each in the one form that
 * the certificate calls for, around one 32-byte content under a full-length tag.  No key is used
 * here, and nothing is decrypted.
 */

#include <string.h>

#include "crypto/der.h"
#include "crypto/keys_map.h"
#include "crypto/ossl.h"

#define NONCE_SIZE     12
#define TAG_SIZE       16
#define WRAPPED_BY_AES 40   /* a 32-byte key under AES key wrap (RFC 3394) */
#define UNCOMPRESSED   0x04 /* first byte of a point in the form that is written here */

static const uint8_t oid_auth_enveloped_data[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D,
                                                  0x01, 0x09, 0x10, 0x01, 0x17};
static const uint8_t oid_data[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};
static const uint8_t oid_aes_256_gcm[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2E};
static const uint8_t oid_aes_256_wrap[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2D};
static const uint8_t oid_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t oid_oaep[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x07};
static const uint8_t oid_mgf1[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08};
static const uint8_t oid_ec_public_key[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
static const uint8_t oid_ecdh_sha256kdf[] = {0x2B, 0x81, 0x04, 0x01, 0x0B, 0x01};

/* One RecipientInfo, as far as it has to be understood. */
struct recipient {
    bool agrees;   /* key agreement, not key transport */
    bool by_ski;   /* named by key identifier */
    cof_slice id;  /* the key identifier, or the whole IssuerAndSerialNumber */
    cof_slice key; /* the encrypted key */
    cof_slice point;
};

static cof_status broken(cof_error *err, cof_status st, const char *rule, const char *what)
{
    return cof_fail_rule(err, st, rule, COF_NO_OFFSET, "the wrapped key %s", what);
}

/* RSAES-OAEP-params of RFC 4055, everything SHA-256, the label empty. */
static bool take_oaep(cof_slice *in)
{
    cof_slice alg, params, hash, mgf, mgf_alg;

    return cof_der_take(in, COF_DER_SEQUENCE, &alg) &&
           cof_der_take_oid(&alg, COF_DER_BYTES(oid_oaep)) &&
           cof_der_take(&alg, COF_DER_SEQUENCE, &params) && alg.len == 0 &&
           cof_der_take(&params, COF_DER_CONTEXT_0, &hash) &&
           cof_der_take_algorithm(&hash, COF_DER_BYTES(oid_sha256), false) && hash.len == 0 &&
           cof_der_take(&params, COF_DER_CONTEXT_1, &mgf) && params.len == 0 &&
           cof_der_take(&mgf, COF_DER_SEQUENCE, &mgf_alg) && mgf.len == 0 &&
           cof_der_take_oid(&mgf_alg, COF_DER_BYTES(oid_mgf1)) &&
           cof_der_take_algorithm(&mgf_alg, COF_DER_BYTES(oid_sha256), false) && mgf_alg.len == 0;
}

/* KeyTransRecipientInfo of RFC 5652, 6.2.1. */
static cof_status read_transport(struct recipient *out, cof_slice in, cof_error *err)
{
    out->agrees = false;
    out->by_ski = cof_der_take_small(&in, 2);
    if (!out->by_ski && !cof_der_take_small(&in, 0))
        return broken(err, COF_FORMAT, "KY-8", "has a recipient of an unknown version");
    if (out->by_ski ? !cof_der_take(&in, COF_DER_PRIMITIVE_0, &out->id)
                    : !cof_der_take_whole(&in, COF_DER_SEQUENCE, &out->id))
        return broken(err, COF_FORMAT, "KY-8", "has a recipient without a proper name");
    if (!take_oaep(&in))
        return broken(err, COF_UNSUPPORTED, "KY-9",
                      "is encrypted for an RSA key by another method than OAEP with SHA-256");
    if (!cof_der_take(&in, COF_DER_OCTETS, &out->key) || in.len != 0)
        return broken(err, COF_FORMAT, "KY-8", "has a malformed recipient");
    return COF_OK;
}

/* [0] { [1] { { ecPublicKey without parameters }, BIT STRING } }: the ephemeral key. */
static bool take_ephemeral(cof_slice *in, cof_slice *point)
{
    cof_slice originator, key, bits;

    if (!cof_der_take(in, COF_DER_CONTEXT_0, &originator) ||
        !cof_der_take(&originator, COF_DER_CONTEXT_1, &key) || originator.len != 0 ||
        !cof_der_take_algorithm(&key, COF_DER_BYTES(oid_ec_public_key), false) ||
        !cof_der_take(&key, COF_DER_BIT_STRING, &bits) || key.len != 0 || bits.len < 2 ||
        bits.data[0] != 0)
        return false;
    *point = (cof_slice){bits.data + 1, bits.len - 1};
    return true;
}

/* { ECDH with the SHA-256 KDF, { AES-256 key wrap } } */
static bool take_agreement(cof_slice *in)
{
    cof_slice alg;

    return cof_der_take(in, COF_DER_SEQUENCE, &alg) &&
           cof_der_take_oid(&alg, COF_DER_BYTES(oid_ecdh_sha256kdf)) &&
           cof_der_take_algorithm(&alg, COF_DER_BYTES(oid_aes_256_wrap), false) && alg.len == 0;
}

/* { name, encrypted key }: RecipientEncryptedKey. */
static bool take_encrypted_key(cof_slice *in, struct recipient *out)
{
    cof_slice one, name;

    if (!cof_der_take(in, COF_DER_SEQUENCE, &one))
        return false;
    out->by_ski = cof_der_at(one, COF_DER_CONTEXT_0);
    if (out->by_ski) {
        if (!cof_der_take(&one, COF_DER_CONTEXT_0, &name) ||
            !cof_der_take(&name, COF_DER_OCTETS, &out->id) || name.len != 0)
            return false;
    } else if (!cof_der_take_whole(&one, COF_DER_SEQUENCE, &out->id)) {
        return false;
    }
    return cof_der_take(&one, COF_DER_OCTETS, &out->key) && one.len == 0;
}

/* KeyAgreeRecipientInfo of RFC 5652, 6.2.2, and RFC 5753. */
static cof_status read_agreement(struct recipient *out, cof_slice in, cof_error *err)
{
    cof_slice keys;

    out->agrees = true;
    if (!cof_der_take_small(&in, 3) || !take_ephemeral(&in, &out->point))
        return broken(err, COF_UNSUPPORTED, "KY-10",
                      "has an EC recipient without an ephemeral key of the usual form");
    if (cof_der_at(in, COF_DER_CONTEXT_1))
        return broken(err, COF_UNSUPPORTED, "KY-10",
                      "has an EC recipient with additional keying material");
    if (!take_agreement(&in))
        return broken(err, COF_UNSUPPORTED, "KY-10",
                      "is encrypted for an EC key by another method than ECDH with SHA-256 and "
                      "AES-256");
    if (!cof_der_take(&in, COF_DER_SEQUENCE, &keys) || in.len != 0 ||
        !take_encrypted_key(&keys, out) || keys.len != 0)
        return broken(err, COF_UNSUPPORTED, "KY-10",
                      "has an EC recipient that does not hold exactly one encrypted key");
    return COF_OK;
}

static cof_status read_recipient(struct recipient *out, cof_slice *in, cof_error *err)
{
    cof_slice body;

    *out = (struct recipient){.agrees = false};
    if (cof_der_take(in, COF_DER_SEQUENCE, &body))
        return read_transport(out, body, err);
    if (cof_der_take(in, COF_DER_CONTEXT_1, &body))
        return read_agreement(out, body, err);
    return broken(err, COF_UNSUPPORTED, "KY-8",
                  "has a recipient that is neither an RSA nor an EC certificate");
}

static bool names(const struct recipient *r, const cof_cert *cert)
{
    cof_slice ski = cof_cert_ski(cert);

    if (r->by_ski != (ski.len > 0))
        return false;
    return cof_slice_equal(r->id, r->by_ski ? ski : cof_cert_id(cert));
}

/* KY-12, and the part of KY-10 that depends on the curve. */
static cof_status check_fit(const struct recipient *r, const cof_cert *cert, cof_error *err)
{
    const struct cof_pkey_info *info = cof_cert_key_info(cert);

    if (r->agrees ? info->kind != COF_PKEY_EC || info->field_len == 0 : info->kind != COF_PKEY_RSA)
        return broken(err, COF_FORMAT, "KY-12",
                      "has a recipient that does not fit its certificate's key");
    if (r->agrees && (r->point.data[0] != UNCOMPRESSED || r->point.len != 1 + 2 * info->field_len))
        return broken(
            err, COF_UNSUPPORTED, "KY-10",
            "has an EC recipient with an ephemeral key on another curve or in another form");
    if (r->key.len != (r->agrees ? WRAPPED_BY_AES : ((size_t)info->bits + 7) / 8))
        return broken(err, COF_FORMAT, "KY-12", "has a recipient with a key of the wrong length");
    return COF_OK;
}

/* Match one recipient with the one certificate that it names. */
static cof_status place(struct cof_keys_map *map, bool *taken, const struct recipient *r,
                        size_t index, cof_cert *const *certs, size_t n, cof_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!names(r, certs[i]))
            continue;
        if (taken[i])
            return broken(err, COF_FORMAT, "KY-11", "names one recipient twice");
        taken[i] = true;
        map->recipient_of[i] = index;
        return check_fit(r, certs[i], err);
    }
    return broken(err, COF_FORMAT, "KY-11",
                  "is encrypted for somebody whose certificate is not listed");
}

static cof_status check_recipients(struct cof_keys_map *map, cof_slice in, cof_cert *const *certs,
                                   size_t n, cof_error *err)
{
    bool taken[COF_KEYS_RECIPIENTS_MAX] = {false};
    struct recipient r;
    cof_status st = COF_OK;

    for (size_t i = 0; i < n && st == COF_OK; i++) {
        if ((st = read_recipient(&r, &in, err)) == COF_OK)
            st = place(map, taken, &r, i, certs, n, err);
    }
    return st;
}

/* How many elements; the set has passed cof_der_strict. */
static size_t count(cof_slice set)
{
    cof_slice body;
    uint8_t tag;
    size_t n = 0;

    while (cof_der_next(&set, &tag, &body, NULL))
        n++;
    return n;
}

/* { id-data, { aes256-GCM, { nonce, 16 } }, [0] content }: KY-5 and half of KY-6. */
static cof_status check_content(cof_slice in, cof_error *err)
{
    cof_slice alg, params, nonce, content;

    if (!cof_der_take_oid(&in, COF_DER_BYTES(oid_data)) ||
        !cof_der_take(&in, COF_DER_SEQUENCE, &alg) ||
        !cof_der_take_oid(&alg, COF_DER_BYTES(oid_aes_256_gcm)) ||
        !cof_der_take(&alg, COF_DER_SEQUENCE, &params) || alg.len != 0 ||
        !cof_der_take(&params, COF_DER_OCTETS, &nonce) || nonce.len != NONCE_SIZE ||
        !cof_der_take_small(&params, TAG_SIZE) || params.len != 0)
        return broken(err, COF_UNSUPPORTED, "KY-5",
                      "is encrypted otherwise than by AES-256-GCM with a nonce of 12 and a tag of "
                      "16 bytes");
    if (!cof_der_take(&in, COF_DER_PRIMITIVE_0, &content) || in.len != 0 ||
        content.len != COF_KEYS_DEK_SIZE)
        return broken(err, COF_FORMAT, "KY-6", "is not 32 bytes long");
    return COF_OK;
}

/* From the outside to the recipients: KY-3 to KY-6. */
static cof_status check_frame(cof_slice *recipients, cof_slice in, cof_error *err)
{
    cof_slice outer, explicit, body, content, mac;
    cof_status st;

    if (!cof_der_take(&in, COF_DER_SEQUENCE, &outer) ||
        !cof_der_take_oid(&outer, COF_DER_BYTES(oid_auth_enveloped_data)) ||
        !cof_der_take(&outer, COF_DER_CONTEXT_0, &explicit) || outer.len != 0 ||
        !cof_der_take(&explicit, COF_DER_SEQUENCE, &body) || explicit.len != 0 ||
        !cof_der_take_small(&body, 0))
        return broken(err, COF_FORMAT, "KY-3",
                      "is not in an authenticated envelope (CMS AuthEnvelopedData)");
    if (!cof_der_take(&body, COF_DER_SET, recipients) ||
        !cof_der_take(&body, COF_DER_SEQUENCE, &content))
        return broken(err, COF_FORMAT, "KY-4", "has parts that do not belong there");
    if ((st = check_content(content, err)) != COF_OK)
        return st;
    if (!cof_der_take(&body, COF_DER_OCTETS, &mac) || body.len != 0)
        return broken(err, COF_FORMAT, "KY-4", "has attributes, which do not belong there");
    if (mac.len != TAG_SIZE)
        return broken(err, COF_FORMAT, "KY-6", "has a tag that is not 16 bytes long");
    return COF_OK;
}

static cof_status same_twice(const cof_cert *cert, const char *what, cof_error *err)
{
    char name[COF_CERT_DISPLAY_MAX];
    return cof_fail_rule(err, COF_CERT, "KY-11", COF_NO_OFFSET,
                         "two recipients have the same %s: %s is one of them", what,
                         cof_cert_display(cert, name));
}

cof_status cof_keys_check_distinct(cof_cert *const *certs, size_t n, cof_error *err)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (cof_slice_equal(cof_cert_id(certs[i]), cof_cert_id(certs[j])))
                return same_twice(certs[i], "identifier", err);
            if (cof_cert_same_key(certs[i], certs[j]))
                return same_twice(certs[i], "key", err);
        }
    }
    return COF_OK;
}

cof_status cof_keys_check_map(struct cof_keys_map *map, cof_slice keys, cof_cert *const *certs,
                              size_t n, cof_error *err)
{
    cof_slice recipients;
    cof_status st;

    if (keys.len == 0 || keys.len > COF_KEYS_SIZE_MAX)
        return cof_fail_rule(err, COF_LIMIT, "KY-1", COF_NO_OFFSET,
                             "the wrapped key takes %zu bytes, which is not between 1 and %d",
                             keys.len, COF_KEYS_SIZE_MAX);
    if (!cof_der_strict(keys))
        return broken(err, COF_FORMAT, "KY-2", "is damaged or not strictly encoded");
    if ((st = check_frame(&recipients, keys, err)) != COF_OK)
        return st;
    if (n == 0 || n > COF_KEYS_RECIPIENTS_MAX || count(recipients) != n)
        return cof_fail_rule(err, COF_FORMAT, "KY-7", COF_NO_OFFSET,
                             "the wrapped key has %zu recipients, but %zu certificates are listed",
                             count(recipients), n);
    if ((st = check_recipients(map, recipients, certs, n, err)) != COF_OK)
        return st;
    if (cof_keys_check_distinct(certs, n, err) != COF_OK) {
        if (err != NULL)
            err->status = COF_FORMAT;
        return COF_FORMAT;
    }
    return COF_OK;
}

cof_status cof_keys_check(cof_slice keys, cof_cert *const *certs, size_t n, cof_error *err)
{
    struct cof_keys_map map;
    return cof_keys_check_map(&map, keys, certs, n, err);
}
