/* SPDX-License-Identifier: Apache-2.0 */

/* Signed statements and the certificates to check them with.  Input: an envelope, or a message. */

#include "crypto/signed.h"

#include <stdlib.h>

#include "format/envelope.h"
#include "format/limits.h"
#include "fuzz.h"

static cof_key *key;
static cof_cert *signer; /* of that key */

static void begin(void)
{
    fuzz_require(cof_key_generate(&key, "p256", NULL) == COF_OK &&
                     cof_cert_self_sign(&signer, key, "one more", 1, COF_CERT_FOR_SIGNER, NULL) ==
                         COF_OK,
                 "the target can be set up");
}

/* What is well-formed, one more can sign. */
static void add_signature(const cof_signed *s, cof_slice cms, const char *type)
{
    cof_buf more = COF_BUF_INIT, twice = COF_BUF_INIT;
    cof_status st = cof_signed_add(&more, cms, type, COF_CUSTODY_SIGNERS_MAX, key, signer, NULL);
    bool full = cof_signed_signer_count(s) == COF_CUSTODY_SIGNERS_MAX;

    fuzz_require(st == (full ? COF_LIMIT : COF_OK), "one more can sign");
    if (st == COF_OK)
        fuzz_require(cof_signed_add(&twice, cof_buf_slice(&more), type, COF_CUSTODY_SIGNERS_MAX,
                                    key, signer, NULL) == COF_USAGE,
                     "nobody signs twice");
    cof_buf_free(&more);
    cof_buf_free(&twice);
}

/* `alone`: only then is it signed once more, which takes long. */
static void message(cof_slice cms, const cof_cert_list *candidates, bool alone)
{
    static const char *const types[] = {COF_OID_CUSTODY, COF_OID_MANIFEST};
    bool valid[COF_SIGNERS_MAX];
    size_t distinct;

    for (size_t i = 0; i < 2; i++) {
        cof_signed *s = NULL;

        if (cof_signed_parse(&s, cms, types[i], COF_CUSTODY_SIGNERS_MAX, NULL) == COF_OK) {
            size_t n = cof_signed_signer_count(s);

            fuzz_require(n >= 1 && n <= COF_CUSTODY_SIGNERS_MAX, "signers are counted");
            fuzz_require(cof_signed_signer_id(s, n).len == 0, "there is no signer after the last");
            fuzz_require(cof_signed_content(s).len < cms.len, "content is inside");
            (void)!cof_signed_verify(s, candidates->certs, candidates->count, valid, &distinct,
                                     NULL);
            if (alone)
                add_signature(s, cms, types[i]);
        }
        cof_signed_free(s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_slice raw = {copy, size};
    cof_envelope envelope = COF_ENVELOPE_INIT;
    cof_cert_list certs = COF_CERT_LIST_INIT;

    if (signer == NULL)
        begin();
    if (cof_envelope_parse(&envelope, raw, COF_PROTECTION_SEALED, NULL) != COF_OK &&
        cof_envelope_parse(&envelope, raw, COF_PROTECTION_SIGNED_ONLY, NULL) != COF_OK) {
        message(raw, &certs, true);
        goto out;
    }
    for (size_t i = 0; i < envelope.signers.count; i++) {
        cof_cert *cert = NULL;

        if (cof_cert_parse_der(&cert, envelope.signers.items[i], "it", NULL) == COF_OK)
            (void)!cof_cert_list_add(&certs, cert, NULL);
        cof_cert_free(cert);
    }
    message(envelope.custody, &certs, false);
    message(envelope.manifest, &certs, false);
    for (size_t i = 0; i < envelope.history.count; i++)
        message(envelope.history.items[i], &certs, false);
out:
    cof_cert_list_wipe(&certs);
    cof_envelope_wipe(&envelope);
    free(copy);
    return 0;
}
