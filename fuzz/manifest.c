/* SPDX-License-Identifier: Apache-2.0 */

/* The JSON of a manifest. */

#include "format/manifest.h"

#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_manifest manifest = COF_MANIFEST_INIT, second = COF_MANIFEST_INIT;
    cof_buf once = COF_BUF_INIT, twice = COF_BUF_INIT;
    uint8_t zero[COF_SHA256_SIZE] = {0};
    cof_preamble preamble = {.epoch = 0, .protection = COF_PROTECTION_SEALED};

    if (cof_manifest_parse(&manifest, (cof_slice){copy, size}, NULL) == COF_OK) {
        (void)!cof_manifest_check(&manifest, &preamble, zero, zero, NULL);
        fuzz_require(cof_manifest_emit(&once, &manifest, NULL) == COF_OK &&
                         cof_manifest_parse(&second, cof_buf_slice(&once), NULL) == COF_OK &&
                         cof_manifest_emit(&twice, &second, NULL) == COF_OK &&
                         cof_slice_equal(cof_buf_slice(&once), cof_buf_slice(&twice)),
                     "what was read can be written and read again");
    }
    cof_manifest_wipe(&manifest);
    cof_manifest_wipe(&second);
    cof_buf_free(&once);
    cof_buf_free(&twice);
    free(copy);
    return 0;
}
