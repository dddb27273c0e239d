/* SPDX-License-Identifier: Apache-2.0 */

/* The JSON of a custody statement, and the chain of it with itself. */

#include "format/custody.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void chain(const cof_custody *custody, cof_slice json)
{
    uint8_t hash[COF_SHA256_SIZE];
    cof_custody_link links[2] = {{custody, hash}, {custody, hash}};
    cof_preamble preamble = {.epoch = 0};

    if (cof_custody_json_sha256(hash, json, NULL) != COF_OK)
        return;
    (void)!cof_custody_check_preamble(custody, &preamble, hash, hash, NULL);
    if (cof_custody_check_chain(links, 1, NULL) == COF_OK)
        (void)cof_custody_chain_start(links, 1);
    if (cof_custody_check_chain(links, 2, NULL) == COF_OK)
        (void)cof_custody_chain_start(links, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_custody custody = COF_CUSTODY_INIT, second = COF_CUSTODY_INIT;
    cof_buf once = COF_BUF_INIT, twice = COF_BUF_INIT;
    cof_slice json = {copy, size};

    if (cof_custody_parse(&custody, json, NULL) == COF_OK) {
        chain(&custody, json);
        fuzz_require(cof_custody_emit(&once, &custody, NULL) == COF_OK &&
                         cof_custody_parse(&second, cof_buf_slice(&once), NULL) == COF_OK &&
                         cof_custody_emit(&twice, &second, NULL) == COF_OK &&
                         cof_slice_equal(cof_buf_slice(&once), cof_buf_slice(&twice)),
                     "what was read can be written and read again");
    }
    cof_custody_wipe(&custody);
    cof_custody_wipe(&second);
    cof_buf_free(&once);
    cof_buf_free(&twice);
    free(copy);
    return 0;
}
