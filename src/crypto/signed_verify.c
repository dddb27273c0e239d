/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who signed a statement.
 *
 * Not CMS_verify: that trusts certificates in the message, stops at the first signer that it does
 * not know, and takes any digest.  Here a signature is checked over the DER of the signed
 * attributes (RFC 5652, 5.4), which the parser has read, with a key that the caller brought; each
 * try has a context of its own.  The attributes' digest has been compared with the content by the
 * parser (SD-12).
 */

#include <openssl/rsa.h>

#include "crypto/der.h"
#include "crypto/signed_parts.h"

static bool kind_fits(enum cof_signature_kind signature, enum cof_pkey_kind key)
{
    switch (signature) {
    case COF_SIGNATURE_RSA:
        return key == COF_PKEY_RSA;
    case COF_SIGNATURE_RSA_PSS:
        return key == COF_PKEY_RSA || key == COF_PKEY_RSA_PSS;
    case COF_SIGNATURE_ECDSA:
        return key == COF_PKEY_EC;
    case COF_SIGNATURE_DSA:
        return key == COF_PKEY_DSA;
    case COF_SIGNATURE_OTHER:
        break;
    }
    return false;
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct cof_signed_signer *signer)
{
    if (signer->kind == COF_SIGNATURE_RSA)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    if (signer->kind != COF_SIGNATURE_RSA_PSS)
        return true;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, cof_signed_md(signer->digest)) == 1;
}

/* Is this signature over these bytes by this key?  That memory runs out says nothing about it. */
static cof_status check_signature(bool *good, const struct cof_signed_signer *signer,
                                  cof_slice bytes, EVP_PKEY *pkey, cof_error *err)
{
    EVP_PKEY_CTX *ctx = NULL; /* borrowed from md */
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    *good = md != NULL &&
            EVP_DigestVerifyInit(md, &ctx, cof_signed_md(signer->digest), NULL, pkey) == 1 &&
            set_padding(ctx, signer) &&
            EVP_DigestVerify(md, signer->signature.data, signer->signature.len, bytes.data,
                             bytes.len) == 1;
    EVP_MD_CTX_free(md);
    return *good ? COF_OK : cof_crypto_unless_starved(COF_OK, err);
}

static bool usable(const cof_cert *cert, const struct cof_signed_signer *signer)
{
    const struct cof_pkey_info *info = cof_cert_key_info(cert);
    const char *why;

    return cof_cert_pkey(cert) != NULL && kind_fits(signer->kind, info->kind) &&
           cof_pkey_refuse_sign(info, &why) == COF_CERT_FINE;
}

/* Try one signer with every candidate.  What is signed has the tag of a SET in place of [0]. */
static cof_status try_signer(const struct cof_signed_signer *signer, cof_cert *const *candidates,
                             size_t n, bool *valid_by, cof_error *err)
{
    cof_buf bytes = COF_BUF_INIT;
    cof_status st = cof_buf_append(&bytes, signer->attributes.data, signer->attributes.len, err);

    if (st != COF_OK)
        return st;
    bytes.data[0] = COF_DER_SET;
    for (size_t i = 0; st == COF_OK && i < n; i++) {
        if (!valid_by[i] && usable(candidates[i], signer))
            st = check_signature(&valid_by[i], signer, cof_buf_slice(&bytes),
                                 cof_cert_pkey(candidates[i]), err);
    }
    cof_buf_free(&bytes);
    return st;
}

static size_t count_distinct(cof_cert *const *candidates, size_t n, const bool *valid_by)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        bool seen = false;

        for (size_t j = 0; j < i && valid_by[i] && !seen; j++)
            seen = valid_by[j] && cof_cert_same_key(candidates[i], candidates[j]);
        if (valid_by[i] && !seen)
            count++;
    }
    return count;
}

/* Nobody's signature counts; perhaps because this version does not know how it was made. */
static cof_status nobody(const cof_signed *s, cof_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->signers[i].kind == COF_SIGNATURE_OTHER)
            return cof_fail_rule(err, COF_UNSUPPORTED, "SD-10", COF_NO_OFFSET,
                                 "a signed statement was signed with an algorithm that is not "
                                 "accepted");
    }
    return cof_fail(err, COF_AUTH,
                    "a signed statement is not signed by any of the keys that are accepted");
}

cof_status cof_signed_verify(const cof_signed *s, cof_cert *const *candidates, size_t n,
                             bool *valid_by, size_t *distinct_keys_valid, cof_error *err)
{
    cof_status st = COF_OK;
    size_t distinct;

    if (distinct_keys_valid != NULL)
        *distinct_keys_valid = 0;
    for (size_t i = 0; i < n; i++)
        valid_by[i] = false;
    for (size_t i = 0; i < s->count && st == COF_OK; i++)
        st = try_signer(&s->signers[i], candidates, n, valid_by, err);
    if (st != COF_OK) {
        for (size_t i = 0; i < n; i++)
            valid_by[i] = false;
        return st;
    }
    distinct = count_distinct(candidates, n, valid_by);
    if (distinct_keys_valid != NULL)
        *distinct_keys_valid = distinct;
    return distinct == 0 ? nobody(s, err) : COF_OK;
}
