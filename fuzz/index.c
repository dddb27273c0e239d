/* SPDX-License-Identifier: Apache-2.0 */

/* The payload of an INDEX, and the frame headers in its entries. */

#include "format/index.h"

#include <stdlib.h>

#include "format/frame.h"
#include "format/merkle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    uint8_t root[COF_SHA256_SIZE];
    cof_buf again = COF_BUF_INIT;
    cof_index index;
    cof_frame frame;

    if (cof_index_parse(&index, (cof_slice){copy, size}, NULL) != COF_OK)
        goto out;
    fuzz_require(cof_index_range_valid(index.first_record, index.count), "a range is valid");
    for (uint32_t i = 0; i < index.count; i++)
        (void)!cof_frame_parse(&frame, cof_entry_header(index.entries + i * COF_ENTRY_SIZE), NULL);
    (void)!cof_merkle_block_root(root, index.entries, index.count, NULL);
    fuzz_require(cof_index_emit(&again, &index, NULL) == COF_OK &&
                     cof_slice_equal(cof_buf_slice(&again), (cof_slice){copy, size}),
                 "what was read is written the same");
out:
    cof_buf_free(&again);
    free(copy);
    return 0;
}
