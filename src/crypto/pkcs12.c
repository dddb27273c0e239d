/* SPDX-License-Identifier: Apache-2.0 */

/*
 * PKCS#12 containers.
 *
 * The passphrase is proven against the container's MAC before anything is decrypted, so that a
 * wrong one, an obsolete cipher and damage are told apart.  Containers with an empty passphrase
 * open without asking.
 */

#include <openssl/pkcs12.h>
#include <string.h>

#include "crypto/ossl.h"

/* The passphrase that opens it: NULL text for the empty one, else *asked owns what text shows. */
static cof_status find_passphrase(cof_secret **asked, const char **text, PKCS12 *container,
                                  const cof_passphrase *ask, const char *what, cof_error *err)
{
    size_t len;
    cof_status st;

    *text = NULL;
    if (PKCS12_mac_present(container) &&
        (PKCS12_verify_mac(container, NULL, 0) || PKCS12_verify_mac(container, "", 0)))
        return COF_OK;
    if ((st = cof_passphrase_ask(asked, ask, what, err)) != COF_OK)
        return st;
    *text = (const char *)cof_secret_bytes_const(*asked);
    len = cof_secret_len(*asked) - 1;
    if (PKCS12_mac_present(container) && !PKCS12_verify_mac(container, *text, (int)len))
        return cof_fail(err, COF_CERT, "the passphrase for %s is wrong", what);
    return COF_OK;
}

static cof_status add_cert(cof_cert_list *list, X509 *x509, const char *what, cof_error *err)
{
    cof_cert *cert = NULL;
    X509 *own = NULL;
    cof_status st;

    if (!X509_up_ref(x509))
        return cof_crypto_fail(err, "hold a certificate");
    own = x509;
    if ((st = cof_cert_wrap(&cert, own, what, err)) == COF_OK) {
        own = NULL; /* transferred */
        st = cof_cert_list_add(list, cert, err);
    }
    cof_cert_free(cert);
    X509_free(own);
    return st;
}

/* PKCS12_parse, once it is known what that costs. */
static cof_status parse(EVP_PKEY **key, X509 **first, STACK_OF(X509) * *others, bool *good,
                        PKCS12 *container, const char *text, uint64_t *spent, const char *what,
                        cof_error *err)
{
    int len = text == NULL ? 0 : (int)strlen(text);
    cof_status st = cof_pkcs12_cost_inside(spent, container, text, len, what, err);

    *good = st == COF_OK && PKCS12_parse(container, text, key, first, others) == 1;
    return st;
}

cof_status cof_pkcs12_open(EVP_PKEY **pkey, cof_cert_list *certs, PKCS12 *container,
                           const cof_passphrase *ask, const char *what, cof_error *err)
{
    cof_secret *asked = NULL;
    const char *text = NULL;
    EVP_PKEY *key = NULL;
    X509 *first = NULL;
    STACK_OF(X509) *others = NULL;
    uint64_t spent = 0;
    bool good = false;
    cof_status st;

    if (pkey != NULL)
        *pkey = NULL;
    if ((st = cof_pkcs12_cost(&spent, container, what, err)) != COF_OK)
        return st;
    /* Without a MAC only trying tells whether the empty passphrase will do. */
    if (!PKCS12_mac_present(container) &&
        (st = parse(&key, &first, &others, &good, container, NULL, &spent, what, err)) != COF_OK)
        goto out;
    if (!good &&
        ((st = find_passphrase(&asked, &text, container, ask, what, err)) != COF_OK ||
         (st = parse(&key, &first, &others, &good, container, text, &spent, what, err)) != COF_OK))
        goto out;
    if (!good) {
        st = cof_fail(err, COF_CERT,
                      "%s is damaged, or protected by an obsolete method that OpenSSL has given "
                      "up: convert it with \"openssl pkcs12 -legacy\"",
                      what);
        goto out;
    }
    if (certs != NULL && first != NULL)
        st = add_cert(certs, first, what, err);
    for (int i = 0; st == COF_OK && certs != NULL && i < sk_X509_num(others); i++)
        st = add_cert(certs, sk_X509_value(others, i), what, err);
    if (st == COF_OK && pkey != NULL) {
        *pkey = key;
        key = NULL; /* transferred */
    }
out:
    EVP_PKEY_free(key);
    X509_free(first);
    sk_X509_pop_free(others, X509_free);
    cof_secret_free(asked);
    ERR_clear_error();
    return st;
}
