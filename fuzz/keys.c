/* SPDX-License-Identifier: Apache-2.0 */

/* KEYS against the certificates of the recipients.  Input: an envelope that holds both. */

#include "crypto/keys.h"

#include <stdlib.h>

#include "format/envelope.h"
#include "format/preamble.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_envelope envelope = COF_ENVELOPE_INIT;
    cof_cert_list certs = COF_CERT_LIST_INIT;

    if (cof_envelope_parse(&envelope, (cof_slice){copy, size}, COF_PROTECTION_SEALED, NULL) ==
        COF_OK) {
        for (size_t i = 0; i < envelope.recipients.count; i++) {
            cof_cert *cert = NULL;

            if (cof_cert_parse_der(&cert, envelope.recipients.items[i], "it", NULL) == COF_OK)
                (void)!cof_cert_list_add(&certs, cert, NULL);
            cof_cert_free(cert);
        }
        (void)!cof_keys_check(envelope.keys, certs.certs, certs.count, NULL);
    }
    cof_cert_list_wipe(&certs);
    cof_envelope_wipe(&envelope);
    free(copy);
    return 0;
}
