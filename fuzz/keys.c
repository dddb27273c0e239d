/* SPDX-License-Identifier: Apache-2.0 */

/*
 * KEYS against the certificates of the recipients.  Input: an envelope that holds both, and behind
 * it the private key of one of them, or nothing.
 */

#include "crypto/keys.h"

#include <stdlib.h>

#include "format/envelope.h"
#include "format/limits.h"
#include "fuzz.h"

/* What opens can be opened again when it is wrapped for the same people. */
static void open_it(cof_slice keys, const cof_cert_list *certs, cof_slice file)
{
    cof_secret *dek = NULL, *again = NULL;
    cof_key *key = NULL;
    cof_buf sealed = COF_BUF_INIT;

    if (cof_key_parse(&key, NULL, file, NULL, "it", NULL) == COF_OK &&
        cof_keys_open(&dek, keys, certs->certs, certs->count, NULL, key, NULL) == COF_OK &&
        cof_keys_seal(&sealed, dek, certs->certs, certs->count, NULL) == COF_OK)
        fuzz_require(cof_keys_open(&again, cof_buf_slice(&sealed), certs->certs, certs->count, NULL,
                                   key, NULL) == COF_OK &&
                         cof_equal_consttime(cof_secret_bytes_const(dek),
                                             cof_secret_bytes_const(again), COF_KEYS_DEK_SIZE),
                     "what was opened can be wrapped and opened again");
    cof_secret_free(dek);
    cof_secret_free(again);
    cof_key_free(key);
    cof_buf_free(&sealed);
}

static void check(const cof_envelope *envelope, cof_slice file)
{
    cof_cert_list certs = COF_CERT_LIST_INIT;

    for (size_t i = 0; i < envelope->recipients.count; i++) {
        cof_cert *cert = NULL;

        if (cof_cert_parse_der(&cert, envelope->recipients.items[i], "it", NULL) == COF_OK)
            (void)!cof_cert_list_add(&certs, cert, NULL);
        cof_cert_free(cert);
    }
    /* Without memory, the key derivation in libcrypto (3.0) writes behind a null pointer. */
    if (cof_keys_check(envelope->keys, certs.certs, certs.count, NULL) == COF_OK && !fuzz_starved)
        open_it(envelope->keys, &certs, file);
    cof_cert_list_wipe(&certs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_slice raw = {copy, size}, file = COF_SLICE_INIT;
    cof_envelope envelope = COF_ENVELOPE_INIT;
    uint64_t len;

    if (size >= COF_ENVELOPE_HEADER_SIZE &&
        cof_envelope_peek_len(&len, copy, COF_SLOT_SIZE_MAX, NULL) == COF_OK && len < size) {
        raw.len = (size_t)len;
        file = (cof_slice){copy + len, size - raw.len};
    }
    if (cof_envelope_parse(&envelope, raw, COF_PROTECTION_SEALED, NULL) == COF_OK)
        check(&envelope, file);
    cof_envelope_wipe(&envelope);
    free(copy);
    return 0;
}
