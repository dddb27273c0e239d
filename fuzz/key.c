/* SPDX-License-Identifier: Apache-2.0 */

/* Private keys in files of every form, protected or not. */

#include "crypto/key.h"

#include <stdlib.h>

#include "ask.h"
#include "crypto/cert.h"
#include "fuzz.h"

static void read_key(cof_slice file, const cof_passphrase *ask)
{
    cof_cert_list certs = COF_CERT_LIST_INIT;
    uint8_t spki[32];
    cof_key *key = NULL;

    if (cof_key_parse(&key, &certs, file, ask, "it", NULL) == COF_OK) {
        (void)!cof_key_check_signs(key, "it", NULL);
        (void)!cof_key_check_opens(key, "it", NULL);
        (void)!cof_key_spki_sha256(key, spki, NULL);
        for (size_t i = 0; i < certs.count; i++)
            (void)cof_key_matches_cert(key, certs.certs[i]);
    }
    cof_key_free(key);
    cof_cert_list_wipe(&certs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_passphrase ask;

    for (unsigned i = 0; fuzz_answer(&ask, i); i++)
        read_key((cof_slice){copy, size}, &ask);
    free(copy);
    return 0;
}
