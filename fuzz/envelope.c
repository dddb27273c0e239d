/* SPDX-License-Identifier: Apache-2.0 */

/* The items of an envelope, under both protections. */

#include "format/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "format/limits.h"
#include "fuzz.h"

static void parse(cof_slice raw, cof_protection protection)
{
    cof_envelope envelope = COF_ENVELOPE_INIT, second = COF_ENVELOPE_INIT;
    cof_buf once = COF_BUF_INIT, twice = COF_BUF_INIT;

    if (cof_envelope_parse(&envelope, raw, protection, NULL) == COF_OK) {
        fuzz_require(cof_envelope_emit(&once, &envelope, protection, NULL) == COF_OK &&
                         cof_envelope_parse(&second, cof_buf_slice(&once), protection, NULL) ==
                             COF_OK &&
                         cof_envelope_emit(&twice, &second, protection, NULL) == COF_OK &&
                         cof_slice_equal(cof_buf_slice(&once), cof_buf_slice(&twice)),
                     "what was read can be written and read again");
        fuzz_require(once.len <= raw.len, "unknown items are left out, nothing is added");
        fuzz_require(cof_envelope_slot_size(once.len) >= once.len, "an envelope fits its slot");
    }
    cof_envelope_wipe(&envelope);
    cof_envelope_wipe(&second);
    cof_buf_free(&once);
    cof_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_slice raw = {copy, size};
    uint64_t len;

    if (size >= COF_ENVELOPE_HEADER_SIZE &&
        cof_envelope_peek_len(&len, copy, COF_SLOT_SIZE_MIN, NULL) == COF_OK && len < size)
        raw.len = (size_t)len;
    parse(raw, COF_PROTECTION_SEALED);
    parse(raw, COF_PROTECTION_SIGNED_ONLY);
    free(copy);
    return 0;
}
