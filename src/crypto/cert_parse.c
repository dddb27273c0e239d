/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates out of files that people have, and out of backups, which are strict. */

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "crypto/ossl.h"

/* One DER certificate that fills the slice; NULL if it is none.  The caller empties the queue. */
static X509 *decode(cof_slice der)
{
    const unsigned char *p = der.data;
    X509 *x509 = NULL;

    if (der.len > 0 && der.len <= COF_CERT_FILE_MAX)
        x509 = d2i_X509(NULL, &p, (long)der.len);
    if (x509 != NULL && p != der.data + der.len) {
        X509_free(x509);
        x509 = NULL;
    }
    return x509;
}

/* Wrap x509, which is used up whatever happens. */
static cof_status wrap(cof_cert **out, X509 *x509, const char *what, cof_error *err)
{
    cof_status st = cof_cert_wrap(out, x509, what, err);
    if (st != COF_OK)
        X509_free(x509);
    return st;
}

cof_status cof_cert_parse_der(cof_cert **out, cof_slice der, const char *what, cof_error *err)
{
    cof_cert *cert = NULL;
    X509 *x509 = NULL;
    cof_status st;

    *out = NULL;
    if ((st = cof_crypto_init(err)) != COF_OK)
        return st;
    if (der.len > COF_CERT_SIZE_MAX)
        return cof_fail(err, COF_LIMIT, "%s is larger than %d KiB", what, COF_CERT_SIZE_MAX / 1024);
    if ((x509 = decode(der)) == NULL)
        return cof_crypto_unless_starved(cof_fail(err, COF_CERT, "%s is not a certificate", what),
                                         err);
    if ((st = wrap(&cert, x509, what, err)) != COF_OK)
        goto out;
    if (!cof_slice_equal(cof_cert_der(cert), der)) {
        st = cof_fail(err, COF_CERT, "%s is not encoded in DER", what);
        goto out;
    }
    *out = cert;
    cert = NULL; /* transferred */
out:
    cof_cert_free(cert);
    return st;
}

/* The next certificate of a PEM text; COF_OK with NULL at the end. */
static cof_status next_pem(cof_cert **out, BIO *bio, const char *what, cof_error *err)
{
    X509 *x509 = PEM_read_bio_X509(bio, NULL, cof_pem_no_passphrase, NULL);
    unsigned long code = ERR_peek_last_error();
    bool end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;

    *out = NULL;
    if (x509 != NULL)
        return wrap(out, x509, what, err);
    return cof_crypto_unless_starved(
        end ? COF_OK : cof_fail(err, COF_CERT, "a certificate in %s is damaged", what), err);
}

static cof_status check_file(cof_slice file, const char *what, cof_error *err)
{
    cof_status st = cof_crypto_init(err);
    if (st == COF_OK && file.len > COF_CERT_FILE_MAX)
        st = cof_fail(err, COF_LIMIT, "%s is larger than %d KiB and so no file of certificates",
                      what, COF_CERT_FILE_MAX / 1024);
    return st;
}

static cof_status none(const char *what, cof_error *err)
{
    return cof_fail(err, COF_CERT, "%s holds no certificate", what);
}

static cof_status all_pem(cof_cert_list *list, cof_slice file, const char *what, cof_error *err)
{
    BIO *bio = cof_pem_bio(file);
    cof_status st;

    if (bio == NULL)
        return cof_crypto_fail(err, "read a file");
    for (;;) {
        cof_cert *cert = NULL;

        if ((st = next_pem(&cert, bio, what, err)) != COF_OK || cert == NULL)
            break;
        st = cof_cert_list_add(list, cert, err);
        cof_cert_free(cert);
        if (st != COF_OK)
            break;
    }
    BIO_free(bio);
    return st;
}

static cof_status all_der(cof_cert_list *list, cof_slice file, const cof_passphrase *ask,
                          const char *what, cof_error *err)
{
    const unsigned char *p = file.data;
    PKCS12 *container = NULL;
    X509 *x509 = decode(file);
    cof_cert *cert = NULL;
    cof_status st = COF_OK;

    if (x509 != NULL) {
        if ((st = wrap(&cert, x509, what, err)) == COF_OK)
            st = cof_cert_list_add(list, cert, err);
    } else if (file.len > 0 && (container = d2i_PKCS12(NULL, &p, (long)file.len)) != NULL) {
        st = cof_pkcs12_open(NULL, list, container, ask, what, err);
    }
    cof_cert_free(cert);
    PKCS12_free(container);
    return cof_crypto_unless_starved(st, err);
}

cof_status cof_cert_parse_all(cof_cert_list *list, cof_slice file, const cof_passphrase *ask,
                              const char *what, cof_error *err)
{
    cof_cert_list found = COF_CERT_LIST_INIT;
    cof_status st;

    if ((st = check_file(file, what, err)) != COF_OK)
        return st;
    st = cof_pem_looks_like(file) ? all_pem(&found, file, what, err)
                                  : all_der(&found, file, ask, what, err);
    if (st == COF_OK && found.count == 0)
        st = none(what, err);
    if (st == COF_OK)
        st = cof_cert_list_append(list, &found, err);
    cof_cert_list_wipe(&found);
    return st;
}
