/* SPDX-License-Identifier: Apache-2.0 */

/* A preamble alone, without a hash around it. */

#include "format/preamble.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[COF_PREAMBLE_SIZE] = {0}, again[COF_PREAMBLE_SIZE];
    cof_preamble preamble;

    memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
    if (cof_preamble_parse(&preamble, raw, NULL) != COF_OK)
        return 0;
    fuzz_require(cof_preamble_tag_len(&preamble) <= 16, "a tag is short");
    fuzz_require(cof_preamble_emit(again, &preamble, NULL) == COF_OK &&
                     memcmp(raw, again, sizeof(raw)) == 0,
                 "what was read is written the same");
    return 0;
}
