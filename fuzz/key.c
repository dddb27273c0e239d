/* SPDX-License-Identifier: Apache-2.0 */

/* Private keys in files of every form, protected or not. */

#include "crypto/key.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const cof_passphrase ask = {give, NULL};
    uint8_t *copy = fuzz_copy(data, size);
    cof_cert_list certs = COF_CERT_LIST_INIT;
    uint8_t spki[32];
    cof_key *key = NULL;

    if (cof_key_parse(&key, &certs, (cof_slice){copy, size}, &ask, "it", NULL) == COF_OK) {
        (void)!cof_key_check_signs(key, "it", NULL);
        (void)!cof_key_check_opens(key, "it", NULL);
        (void)!cof_key_spki_sha256(key, spki, NULL);
        for (size_t i = 0; i < certs.count; i++)
            (void)cof_key_matches_cert(key, certs.certs[i]);
    }
    cof_key_free(key);
    cof_cert_list_wipe(&certs);
    free(copy);
    return 0;
}
