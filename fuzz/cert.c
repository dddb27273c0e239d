/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates, as they stand in a backup and as people have them in files. */

#include "crypto/cert.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "fuzz.h"

#define LATER UINT64_C(1798761600) /* 2027: certificates of the seeds are valid */

static void look(cof_cert *cert)
{
    char subject[COF_CERT_SUBJECT_MAX], small[9];
    cof_buf id = COF_BUF_INIT, pem = COF_BUF_INIT;
    cof_cert_reason reason = COF_CERT_FINE;

    fuzz_require(strlen(cof_cert_subject(cert, subject, sizeof(subject))) < sizeof(subject),
                 "a subject ends");
    fuzz_require(strlen(cof_cert_subject(cert, small, sizeof(small))) < sizeof(small),
                 "a subject that was cut ends");
    (void)!cof_cert_check_recipient(cert, 1, &reason, NULL);
    fuzz_require(cof_cert_check_recipient(cert, LATER, NULL, NULL) != COF_OK ||
                     reason == COF_CERT_FINE || reason == COF_CERT_NOT_YET_VALID,
                 "dates are looked at last");
    (void)!cof_cert_check_signer(cert, cof_cert_not_before(cert), &reason, NULL);
    (void)!cof_cert_key_id(cert, &id, NULL);
    (void)!cof_cert_to_pem(cert, &pem, NULL);
    (void)cof_cert_is_self_signed(cert);
    fuzz_require(cof_cert_ski(cert).len <= COF_CERT_SKI_MAX, "a key identifier is short");
    (void)cof_cert_same_key(cert, cert);
    cof_buf_free(&id);
    cof_buf_free(&pem);
}

static void look_at_all(cof_slice file, const cof_passphrase *ask)
{
    cof_cert_list list = COF_CERT_LIST_INIT;

    if (cof_cert_parse_all(&list, file, ask, "it", NULL) == COF_OK) {
        for (size_t i = 0; i < list.count; i++) {
            look(list.certs[i]);
            (void)cof_cert_same_key(list.certs[0], list.certs[i]);
            fuzz_require(cof_cert_list_has(&list, list.certs[i]), "what is in the list is found");
        }
    }
    cof_cert_list_wipe(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_slice file = {copy, size};
    cof_cert *cert = NULL;
    cof_passphrase ask;

    if (cof_cert_parse_der(&cert, file, "it", NULL) == COF_OK) {
        fuzz_require(cof_slice_equal(cof_cert_der(cert), file), "DER is kept as it is");
        look(cert);
    }
    cof_cert_free(cert);
    for (unsigned i = 0; fuzz_answer(&ask, i); i++)
        look_at_all(file, &ask);
    free(copy);
    return 0;
}
