/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Signed statements taken apart (rules SD-1 to SD-12).
 *
 * Invariant: one parse serves both the checks and the verification, so that what was checked and
 * what is verified cannot differ.  Nothing is believed here; the only cryptography is the digest of
 * the content.
 */

#include <stdlib.h>
#include <string.h>

#include "crypto/der.h"
#include "crypto/signed_parts.h"

#define VERSION          3
#define VERSION_BY_NAME  1 /* of a signer named by issuer and serial number */
#define VERSION_BY_SKI   3
#define DIGESTS_POSSIBLE 3

static const uint8_t oid_signed_data[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02};
static const uint8_t oid_content_type[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03};
static const uint8_t oid_message_digest[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04};
static const uint8_t oid_signing_time[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x05};
static const uint8_t oid_time_stamp[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D,
                                         0x01, 0x09, 0x10, 0x02, 0x0E};

static cof_status broken(cof_error *err, cof_status st, const char *rule, const char *what)
{
    return cof_fail_rule(err, st, rule, COF_NO_OFFSET, "a signed statement %s", what);
}

/* Attribute of RFC 5652, 5.3, with exactly one value: its type, and what is left of its set. */
static bool take_attribute(cof_slice *in, cof_slice *type, cof_slice *value)
{
    cof_slice attribute, set, rest, body;
    uint8_t tag;

    if (!cof_der_take(in, COF_DER_SEQUENCE, &attribute) ||
        !cof_der_take(&attribute, COF_DER_OID, type) ||
        !cof_der_take(&attribute, COF_DER_SET, &set) || attribute.len != 0)
        return false;
    rest = set;
    if (!cof_der_next(&rest, &tag, &body, NULL) || rest.len != 0)
        return false;
    *value = set;
    return true;
}

/* What one signer's signed attributes have shown so far. */
struct seen {
    bool content_type;
    bool message_digest;
    bool signing_time;
};

static cof_status read_signed_attribute(struct cof_signed_signer *out, struct seen *seen,
                                        cof_slice type, cof_slice value, cof_slice expected_oid,
                                        cof_error *err)
{
    cof_slice body;

    if (cof_slice_equal(type, COF_DER_BYTES(oid_content_type))) {
        if (seen->content_type || !cof_der_take_oid(&value, expected_oid))
            return broken(err, COF_FORMAT, "SD-9", "was signed as something of another type");
        seen->content_type = true;
    } else if (cof_slice_equal(type, COF_DER_BYTES(oid_message_digest))) {
        if (seen->message_digest || !cof_der_take(&value, COF_DER_OCTETS, &out->message_digest) ||
            out->message_digest.len != cof_signed_md_len(out->digest))
            return broken(err, COF_FORMAT, "SD-9", "has a signed digest of the wrong form");
        seen->message_digest = true;
    } else if (cof_slice_equal(type, COF_DER_BYTES(oid_signing_time))) {
        if (seen->signing_time || (!cof_der_take(&value, COF_DER_UTC_TIME, &body) &&
                                   !cof_der_take(&value, COF_DER_GEN_TIME, &body)))
            return broken(err, COF_FORMAT, "SD-9", "has a signing time of the wrong form");
        seen->signing_time = true;
    } else {
        return broken(err, COF_FORMAT, "SD-9", "has a signed attribute that does not belong there");
    }
    return COF_OK;
}

static cof_status read_signed_attributes(struct cof_signed_signer *out, cof_slice *in,
                                         cof_slice expected_oid, cof_error *err)
{
    struct seen seen = {false, false, false};
    cof_slice whole = COF_SLICE_INIT, body, type, value;
    cof_slice at = *in;
    cof_status st;

    if (!cof_der_take_whole(in, COF_DER_CONTEXT_0, &whole) ||
        !cof_der_take(&at, COF_DER_CONTEXT_0, &body))
        return broken(err, COF_FORMAT, "SD-9", "has a signer without signed attributes");
    if (!cof_der_sorted(body))
        return broken(err, COF_FORMAT, "SD-2", "is damaged or not strictly encoded");
    out->attributes = whole;
    while (body.len > 0) {
        if (!take_attribute(&body, &type, &value))
            return broken(err, COF_FORMAT, "SD-9", "has a malformed signed attribute");
        if ((st = read_signed_attribute(out, &seen, type, value, expected_oid, err)) != COF_OK)
            return st;
    }
    if (!seen.content_type || !seen.message_digest)
        return broken(err, COF_FORMAT, "SD-9", "lacks its signed content type or digest");
    return COF_OK;
}

/* The only guest is one time-stamp token. */
static cof_status read_unsigned_attributes(cof_slice *in, cof_error *err)
{
    cof_slice body, type, value, token;

    if (!cof_der_at(*in, COF_DER_CONTEXT_1))
        return COF_OK;
    if (!cof_der_take(in, COF_DER_CONTEXT_1, &body) || !take_attribute(&body, &type, &value) ||
        body.len != 0 || !cof_slice_equal(type, COF_DER_BYTES(oid_time_stamp)) ||
        !cof_der_take(&value, COF_DER_SEQUENCE, &token))
        return broken(err, COF_UNSUPPORTED, "SD-11",
                      "has an unsigned attribute other than one time stamp");
    return COF_OK;
}

static bool take_signer_name(struct cof_signed_signer *out, cof_slice *in)
{
    if (cof_der_take_small(in, VERSION_BY_SKI))
        return cof_der_take_whole(in, COF_DER_PRIMITIVE_0, &out->id);
    return cof_der_take_small(in, VERSION_BY_NAME) &&
           cof_der_take_whole(in, COF_DER_SEQUENCE, &out->id);
}

/* SignerInfo of RFC 5652, 5.3. */
static cof_status read_signer(struct cof_signed_signer *out, cof_slice in, cof_slice expected_oid,
                              cof_error *err)
{
    cof_status st;

    if (!take_signer_name(out, &in))
        return broken(err, COF_FORMAT, "SD-8", "has a signer without a proper name");
    if (!cof_signed_take_digest(&in, &out->digest))
        return broken(err, COF_UNSUPPORTED, "SD-7",
                      "was signed with another digest than SHA-256, SHA-384 or SHA-512");
    if ((st = read_signed_attributes(out, &in, expected_oid, err)) != COF_OK)
        return st;
    if (!cof_signed_take_algorithm(&in, out->digest, &out->kind))
        return broken(err, COF_FORMAT, "SD-8", "has a malformed signer");
    if (!cof_der_take(&in, COF_DER_OCTETS, &out->signature) || out->signature.len == 0)
        return broken(err, COF_FORMAT, "SD-8", "has a signer without a signature");
    if ((st = read_unsigned_attributes(&in, err)) != COF_OK)
        return st;
    if (in.len != 0)
        return broken(err, COF_FORMAT, "SD-8", "has a malformed signer");
    return COF_OK;
}

static cof_status read_signers(struct cof_signed *s, cof_slice set, cof_slice expected_oid,
                               size_t max_signers, cof_error *err)
{
    cof_slice body;
    cof_status st;

    while (set.len > 0) {
        if (s->count >= max_signers)
            return broken(err, COF_FORMAT, "SD-6", "has more signers than are allowed");
        if (!cof_der_take(&set, COF_DER_SEQUENCE, &body))
            return broken(err, COF_FORMAT, "SD-8", "has a malformed signer");
        if ((st = read_signer(&s->signers[s->count], body, expected_oid, err)) != COF_OK)
            return st;
        s->count++;
    }
    if (s->count == 0)
        return broken(err, COF_FORMAT, "SD-6", "has no signer");
    return COF_OK;
}

/* digestAlgorithms is the set of the signers' digests, which is one for all. */
static cof_status check_digests(const struct cof_signed *s, cof_slice set, cof_error *err)
{
    bool listed[DIGESTS_POSSIBLE + 1] = {false}, used[DIGESTS_POSSIBLE + 1] = {false};
    cof_digest digest;

    while (set.len > 0) {
        if (!cof_signed_take_digest(&set, &digest) || listed[digest])
            return broken(err, COF_UNSUPPORTED, "SD-7",
                          "lists a digest twice, or one that is not accepted");
        listed[digest] = true;
    }
    for (size_t i = 0; i < s->count; i++)
        used[s->signers[i].digest] = true;
    for (size_t i = 1; i < s->count; i++) {
        if (s->signers[i].digest != s->signers[0].digest)
            return broken(err, COF_FORMAT, "SD-7", "has signers that used different digests");
    }
    for (size_t i = 0; i <= DIGESTS_POSSIBLE; i++) {
        if (listed[i] != used[i])
            return broken(err, COF_UNSUPPORTED, "SD-7",
                          "lists other digests than those of its signers");
    }
    return COF_OK;
}

/* { type, [0] { content } }: EncapsulatedContentInfo. */
static cof_status read_content(struct cof_signed *s, cof_slice in, cof_slice expected_oid,
                               cof_error *err)
{
    cof_slice explicit;

    if (!cof_der_take_oid(&in, expected_oid))
        return broken(err, COF_FORMAT, "SD-4", "is of another type than the one expected here");
    if (!cof_der_take(&in, COF_DER_CONTEXT_0, &explicit) || in.len != 0 ||
        !cof_der_take(&explicit, COF_DER_OCTETS, &s->content) || explicit.len != 0)
        return broken(err, COF_FORMAT, "SD-4", "has no content inside");
    return COF_OK;
}

/* SignedData of RFC 5652, 5.1, from the outside in. */
static cof_status read_all(struct cof_signed *s, cof_slice expected_oid, size_t max_signers,
                           cof_error *err)
{
    cof_slice in = cof_buf_slice(&s->bytes), outer, explicit, body, digests, content, signers;
    cof_status st;

    if (!cof_der_take(&in, COF_DER_SEQUENCE, &outer) ||
        !cof_der_take_oid(&outer, COF_DER_BYTES(oid_signed_data)) ||
        !cof_der_take(&outer, COF_DER_CONTEXT_0, &explicit) || outer.len != 0 ||
        !cof_der_take(&explicit, COF_DER_SEQUENCE, &body) || explicit.len != 0 ||
        !cof_der_take_small(&body, VERSION) || !cof_der_take(&body, COF_DER_SET, &digests) ||
        !cof_der_take(&body, COF_DER_SEQUENCE, &content))
        return broken(err, COF_FORMAT, "SD-3", "is not in a signed envelope (CMS SignedData)");
    if ((st = read_content(s, content, expected_oid, err)) != COF_OK)
        return st;
    if (cof_der_at(body, COF_DER_CONTEXT_0) || cof_der_at(body, COF_DER_CONTEXT_1))
        return broken(err, COF_FORMAT, "SD-5",
                      "carries certificates or revocation lists, which do not belong there");
    if (!cof_der_take(&body, COF_DER_SET, &signers) || body.len != 0)
        return broken(err, COF_FORMAT, "SD-3", "has parts that do not belong there");
    if ((st = read_signers(s, signers, expected_oid, max_signers, err)) != COF_OK)
        return st;
    return check_digests(s, digests, err);
}

/* SD-12: each signed digest is that of the content. */
static cof_status check_content(const struct cof_signed *s, cof_error *err)
{
    uint8_t md[COF_DIGEST_SIZE_MAX];
    unsigned len = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct cof_signed_signer *signer = &s->signers[i];

        if (EVP_Digest(s->content.data, s->content.len, md, &len, cof_signed_md(signer->digest),
                       NULL) != 1)
            return cof_crypto_fail(err, "hash");
        if (!cof_slice_equal(signer->message_digest, (cof_slice){md, len}))
            return broken(err, COF_AUTH, "SD-12", "was changed after it was signed");
    }
    return COF_OK;
}

cof_status cof_signed_parse(cof_signed **out, cof_slice message, const char *expected_oid,
                            size_t max_signers, cof_error *err)
{
    cof_buf oid = COF_BUF_INIT;
    cof_signed *s = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if (max_signers == 0 || max_signers > COF_SIGNED_SIGNERS_MAX)
        return cof_fail(err, COF_USAGE, "a statement has 1 to %d signers", COF_SIGNED_SIGNERS_MAX);
    if (message.len == 0 || message.len > COF_SIGNED_SIZE_MAX)
        return cof_fail_rule(err, COF_LIMIT, "SD-1", COF_NO_OFFSET,
                             "a signed statement takes %zu bytes, which is not between 1 and %d",
                             message.len, COF_SIGNED_SIZE_MAX);
    if (!cof_der_strict(message))
        return broken(err, COF_FORMAT, "SD-2", "is damaged or not strictly encoded");
    if ((st = cof_signed_oid(&oid, expected_oid, err)) != COF_OK)
        goto out;
    if ((s = calloc(1, sizeof(*s))) == NULL) {
        st = cof_fail(err, COF_NOMEM, "out of memory");
        goto out;
    }
    if ((st = cof_buf_append(&s->bytes, message.data, message.len, err)) != COF_OK ||
        (st = read_all(s, cof_buf_slice(&oid), max_signers, err)) != COF_OK ||
        (st = check_content(s, err)) != COF_OK)
        goto out;
    *out = s;
    s = NULL; /* transferred */
out:
    cof_signed_free(s);
    cof_buf_free(&oid);
    ERR_clear_error();
    return st;
}
