/* SPDX-License-Identifier: Apache-2.0 */

/* The payload of a TAIL with the trailer behind it.  Input: both, or a trailer alone. */

#include "format/tail.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void read_trailer(const uint8_t raw[COF_TRAILER_SIZE], cof_slice payload)
{
    uint8_t again[COF_TRAILER_SIZE];
    cof_trailer trailer;

    if (cof_trailer_parse(&trailer, raw, NULL) != COF_OK)
        return;
    cof_trailer_emit(again, &trailer);
    fuzz_require(memcmp(raw, again, sizeof(again)) == 0, "what was read is written the same");
    (void)!cof_trailer_check_body(&trailer, payload.len, NULL);
    (void)!cof_trailer_check_payload(&trailer, payload, NULL);
}

static void read_payload(cof_slice payload, uint32_t epoch)
{
    cof_tail tail = COF_TAIL_INIT;
    cof_buf again = COF_BUF_INIT;

    if (cof_tail_parse(&tail, payload, epoch, NULL) == COF_OK) {
        (void)cof_tail_records(&tail);
        fuzz_require(cof_tail_emit(&again, &tail, NULL) == COF_OK &&
                         cof_slice_equal(cof_buf_slice(&again), payload),
                     "what was read is written the same");
    }
    cof_tail_wipe(&tail);
    cof_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    uint8_t made[COF_TRAILER_SIZE];
    cof_slice payload = {copy, size < COF_TRAILER_SIZE ? size : size - COF_TRAILER_SIZE};
    cof_trailer trailer;

    if (size >= COF_TRAILER_SIZE)
        read_trailer(copy + payload.len, payload);
    if (cof_trailer_make(&trailer, size, payload, NULL) == COF_OK) {
        cof_trailer_emit(made, &trailer);
        read_trailer(made, payload);
    }
    read_payload(payload, 0);
    read_payload(payload, 1);
    free(copy);
    return 0;
}
