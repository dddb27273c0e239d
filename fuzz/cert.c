/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates, as they stand in a backup and as people have them in files. */

#include "crypto/cert.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static cof_status give(void *ctx, const char *what, cof_secret **out, cof_error *err)
{
    cof_status st = cof_secret_new(out, 6, err);

    (void)ctx;
    (void)what;
    if (st == COF_OK)
        memcpy(cof_secret_bytes(*out), "secret", 6);
    return st;
}

static void look(cof_cert *cert)
{
    char subject[COF_CERT_SUBJECT_MAX], small[9];
    cof_buf id = COF_BUF_INIT, pem = COF_BUF_INIT;

    fuzz_require(strlen(cof_cert_subject(cert, subject, sizeof(subject))) < sizeof(subject),
                 "a subject ends");
    fuzz_require(strlen(cof_cert_subject(cert, small, sizeof(small))) < sizeof(small),
                 "a subject that was cut ends");
    (void)!cof_cert_check_recipient(cert, 1, NULL, NULL);
    (void)!cof_cert_check_signer(cert, cof_cert_not_before(cert), NULL, NULL);
    (void)!cof_cert_key_id(cert, &id, NULL);
    (void)!cof_cert_to_pem(cert, &pem, NULL);
    (void)cof_cert_is_self_signed(cert);
    fuzz_require(cof_cert_ski(cert).len <= COF_CERT_SKI_MAX, "a key identifier is short");
    (void)cof_cert_same_key(cert, cert);
    cof_buf_free(&id);
    cof_buf_free(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const cof_passphrase ask = {give, NULL};
    uint8_t *copy = fuzz_copy(data, size);
    cof_slice file = {copy, size};
    cof_cert_list list = COF_CERT_LIST_INIT;
    cof_cert *cert = NULL;

    if (cof_cert_parse_der(&cert, file, "it", NULL) == COF_OK) {
        fuzz_require(cof_slice_equal(cof_cert_der(cert), file), "DER is kept as it is");
        look(cert);
    }
    cof_cert_free(cert);
    if (cof_cert_parse(&cert, file, "it", NULL) == COF_OK)
        look(cert);
    cof_cert_free(cert);
    if (cof_cert_parse_all(&list, file, &ask, "it", NULL) == COF_OK)
        for (size_t i = 0; i < list.count; i++)
            look(list.certs[i]);
    cof_cert_list_wipe(&list);
    free(copy);
    return 0;
}
