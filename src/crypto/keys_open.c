/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Unwrapping the DEK: exactly the one recipient that belongs to the key, and only in a message that
 * has passed every check.  From the private-key operation on there is one failure and one sentence
 * (but for want of memory), so that nobody learns from it what went wrong inside.
 */

#include <string.h>

#include "crypto/keys_map.h"
#include "crypto/ossl.h"

static cof_status find_cert(size_t *which, cof_cert *const *certs, size_t n, const cof_key *key,
                            cof_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (cof_key_matches_cert(key, certs[i])) {
            *which = i;
            return COF_OK;
        }
    }
    return cof_fail(err, COF_NO_MATCH,
                    "the private key belongs to none of the certificates that this can be opened "
                    "with");
}

/* NULL unless libcrypto reads the message as we did: all of it, and back to the same bytes. */
static CMS_ContentInfo *parse(cof_slice keys)
{
    const unsigned char *p = keys.data;
    unsigned char *again = NULL;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)keys.len);
    int len = cms == NULL ? -1 : i2d_CMS_ContentInfo(cms, &again);

    if (len < 0 || p != keys.data + keys.len ||
        !cof_slice_equal(keys, (cof_slice){again, (size_t)len})) {
        CMS_ContentInfo_free(cms);
        cms = NULL;
    }
    OPENSSL_free(again);
    return cms;
}

static bool unwrap_transport(CMS_ContentInfo *cms, CMS_RecipientInfo *recipient, X509 *x509,
                             EVP_PKEY *pkey)
{
    if (CMS_RecipientInfo_ktri_cert_cmp(recipient, x509) != 0 || EVP_PKEY_up_ref(pkey) != 1)
        return false;
    if (CMS_RecipientInfo_set0_pkey(recipient, pkey) != 1) {
        EVP_PKEY_free(pkey);
        return false;
    }
    return CMS_RecipientInfo_decrypt(cms, recipient) == 1;
}

static bool unwrap_agreement(CMS_ContentInfo *cms, CMS_RecipientInfo *recipient, X509 *x509,
                             EVP_PKEY *pkey)
{
    STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(recipient);
    CMS_RecipientEncryptedKey *only;

    if (sk_CMS_RecipientEncryptedKey_num(keys) != 1)
        return false;
    only = sk_CMS_RecipientEncryptedKey_value(keys, 0);
    return CMS_RecipientEncryptedKey_cert_cmp(only, x509) == 0 &&
           CMS_RecipientInfo_kari_set0_pkey(recipient, pkey) == 1 &&
           CMS_RecipientInfo_kari_decrypt(cms, recipient, only) == 1;
}

static bool unwrap(CMS_ContentInfo *cms, size_t index, const cof_cert *cert, const cof_key *key)
{
    STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
    CMS_RecipientInfo *recipient = sk_CMS_RecipientInfo_value(all, (int)index);

    if (recipient == NULL)
        return false;
    switch (CMS_RecipientInfo_type(recipient)) {
    case CMS_RECIPINFO_TRANS:
        return unwrap_transport(cms, recipient, cof_cert_x509(cert), cof_key_pkey(key));
    case CMS_RECIPINFO_AGREE:
        return unwrap_agreement(cms, recipient, cof_cert_x509(cert), cof_key_pkey(key));
    default:
        return false;
    }
}

/* Not CMS_decrypt: that copies the content through the stack and leaves it there. */
static bool decrypt(CMS_ContentInfo *cms, uint8_t *dek)
{
    BIO *chain = CMS_dataInit(cms, NULL);
    uint8_t beyond[1];
    bool ok = chain != NULL && BIO_read(chain, dek, COF_KEYS_DEK_SIZE) == COF_KEYS_DEK_SIZE &&
              BIO_read(chain, beyond, sizeof(beyond)) <= 0 && BIO_get_cipher_status(chain) == 1;

    cof_wipe(beyond, sizeof(beyond));
    BIO_free_all(chain);
    return ok;
}

cof_status cof_keys_open(cof_secret **dek, cof_slice keys, cof_cert *const *certs, size_t n,
                         size_t *which, const cof_key *key, cof_error *err)
{
    struct cof_keys_map map;
    cof_secret *secret = NULL;
    CMS_ContentInfo *cms = NULL;
    size_t found = 0;
    cof_status st;

    *dek = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK ||
        (st = cof_keys_check_map(&map, keys, certs, n, err)) != COF_OK ||
        (st = find_cert(&found, certs, n, key, err)) != COF_OK ||
        (st = cof_secret_new(&secret, COF_KEYS_DEK_SIZE, err)) != COF_OK)
        goto out;
    if ((cms = parse(keys)) == NULL || !unwrap(cms, map.recipient_of[found], certs[found], key) ||
        !decrypt(cms, cof_secret_bytes(secret))) {
        st = cof_crypto_unless_starved(
            cof_fail(err, COF_AUTH,
                     "the wrapped key does not open: it was changed after it was made"),
            err);
        goto out;
    }
    if (which != NULL)
        *which = found;
    *dek = secret;
    secret = NULL; /* transferred */
out:
    CMS_ContentInfo_free(cms);
    cof_secret_free(secret);
    ERR_clear_error();
    return st;
}
