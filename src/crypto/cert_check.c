/* SPDX-License-Identifier: Apache-2.0 */

/*
 * May a certificate be used for something new?  The library checks none of this by itself.
 *
 * The order matters to callers: whatever is wrong with the key or the extensions comes first, so
 * that "expired" means "fine in every other way".
 */

#include <openssl/x509v3.h>

#include "base/text.h"
#include "crypto/der.h"
#include "crypto/ossl.h"

/* What differs between wrapping for a key and signing with it. */
struct use {
    const char *purpose; /* for messages */
    cof_cert_reason (*refuse)(const struct cof_pkey_info *info, const char **why);
    uint32_t (*usage)(const struct cof_pkey_info *info); /* one of these bits is needed */
    const char *usage_names;
};

static cof_status refuse(cof_cert_reason *out, cof_cert_reason reason, const cof_cert *cert,
                         const char *why, cof_error *err)
{
    char name[COF_CERT_DISPLAY_MAX];

    if (out != NULL)
        *out = reason;
    return cof_fail(err, COF_CERT, "the certificate of %s %s", cof_cert_display(cert, name), why);
}

static cof_status check_extensions(const cof_cert *cert, cof_cert_reason *reason, cof_error *err)
{
    X509 *x509 = cof_cert_x509(cert);
    uint32_t flags = X509_get_extension_flags(x509);

    ERR_clear_error();
    if ((flags & (EXFLAG_INVALID | EXFLAG_NO_FINGERPRINT)) != 0)
        return refuse(reason, COF_CERT_CONTRADICTORY, cert, "has malformed extensions", err);
    if (cof_cert_not_before(cert) > cof_cert_not_after(cert))
        return refuse(reason, COF_CERT_CONTRADICTORY, cert, "ends before it begins", err);
    if (cof_cert_ski(cert).len == 0 && !cof_der_strict(cof_cert_issuer(cert)))
        return refuse(reason, COF_CERT_CONTRADICTORY, cert,
                      "has neither a key identifier nor an issuer name in DER to be known by", err);
    return COF_OK;
}

static cof_status check_usage(const cof_cert *cert, const struct use *use, cof_cert_reason *reason,
                              cof_error *err)
{
    uint32_t usage = X509_get_key_usage(cof_cert_x509(cert));
    uint32_t one_way = KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
    char name[COF_CERT_DISPLAY_MAX];

    if (usage == UINT32_MAX) /* no such extension */
        return COF_OK;
    if ((usage & use->usage(cof_cert_key_info(cert))) == 0) {
        if (reason != NULL)
            *reason = COF_CERT_KEY_USAGE;
        return cof_fail(err, COF_CERT,
                        "the certificate of %s is not meant for %s: its keyUsage lacks %s",
                        cof_cert_display(cert, name), use->purpose, use->usage_names);
    }
    if ((usage & KU_KEY_AGREEMENT) != 0 && (usage & one_way) != 0)
        return refuse(reason, COF_CERT_CONTRADICTORY, cert,
                      "restricts its key to one direction (encipherOnly or decipherOnly)", err);
    return COF_OK;
}

static cof_status check_dates(const cof_cert *cert, uint64_t now, cof_cert_reason *reason,
                              cof_error *err)
{
    bool expired = now > cof_cert_not_after(cert);
    uint64_t limit = expired ? cof_cert_not_after(cert) : cof_cert_not_before(cert);
    char name[COF_CERT_DISPLAY_MAX], when[COF_TIME_CAP];

    if (!expired && now >= cof_cert_not_before(cert))
        return COF_OK;
    if (reason != NULL)
        *reason = expired ? COF_CERT_EXPIRED : COF_CERT_NOT_YET_VALID;
    (void)cof_time_format(when, limit);
    return cof_fail(err, COF_CERT, "the certificate of %s %s %s", cof_cert_display(cert, name),
                    expired ? "expired on" : "is not valid before", when);
}

static cof_status check(const cof_cert *cert, const struct use *use, uint64_t now,
                        cof_cert_reason *reason, cof_error *err)
{
    const char *why = NULL;
    cof_cert_reason r = use->refuse(cof_cert_key_info(cert), &why);
    cof_status st;

    if (reason != NULL)
        *reason = COF_CERT_FINE;
    if (r != COF_CERT_FINE)
        return refuse(reason, r, cert, why, err);
    if ((st = check_extensions(cert, reason, err)) != COF_OK ||
        (st = check_usage(cert, use, reason, err)) != COF_OK)
        return st;
    return check_dates(cert, now, reason, err);
}

static uint32_t wrap_usage(const struct cof_pkey_info *info)
{
    return info->kind == COF_PKEY_RSA ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
}

static uint32_t sign_usage(const struct cof_pkey_info *info)
{
    (void)info;
    return KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
}

cof_status cof_cert_check_recipient(const cof_cert *cert, uint64_t now, cof_cert_reason *reason,
                                    cof_error *err)
{
    static const struct use use = {"receiving keys", cof_pkey_refuse_wrap, wrap_usage,
                                   "keyEncipherment (RSA) or keyAgreement (EC)"};
    return check(cert, &use, now, reason, err);
}

cof_status cof_cert_check_signer(const cof_cert *cert, uint64_t now, cof_cert_reason *reason,
                                 cof_error *err)
{
    static const struct use use = {"signing", cof_pkey_refuse_sign, sign_usage,
                                   "digitalSignature and nonRepudiation"};
    return check(cert, &use, now, reason, err);
}
