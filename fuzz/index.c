/* SPDX-License-Identifier: Apache-2.0 */

/* The payload of an INDEX, and the frame headers in its entries. */

#include "format/index.h"

#include <stdlib.h>
#include <string.h>

#include "format/frame.h"
#include "format/merkle.h"
#include "fuzz.h"

/* What entries are for: headers, and a root. */
static void roots(const cof_index *index)
{
    uint8_t root[COF_SHA256_SIZE], leaf[1][COF_SHA256_SIZE], whole[COF_SHA256_SIZE];
    cof_frame frame;

    for (uint32_t i = 0; i < index->count; i++)
        (void)!cof_frame_parse(&frame, cof_entry_header(index->entries + i * COF_ENTRY_SIZE), NULL);
    if (cof_merkle_block_root(root, index->entries, index->count, NULL) == COF_OK &&
        cof_merkle_leaf(leaf[0], index->entries, NULL) == COF_OK &&
        cof_merkle_combine(whole, (const uint8_t(*)[COF_SHA256_SIZE])leaf, 1, NULL) == COF_OK)
        fuzz_require((memcmp(root, whole, sizeof(root)) == 0) == (index->count == 1),
                     "only a tree of one record is its leaf");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    cof_buf again = COF_BUF_INIT;
    cof_index index;

    if (size < COF_INDEX_HEADER_SIZE || cof_index_parse(&index, copy, size, NULL) != COF_OK)
        goto out;
    fuzz_require(cof_index_range_valid(index.first_record, index.count), "a range is valid");
    index.entries = copy + COF_INDEX_HEADER_SIZE;
    roots(&index);
    fuzz_require(cof_index_emit(&again, &index, NULL) == COF_OK &&
                     cof_slice_equal(cof_buf_slice(&again), (cof_slice){copy, size}),
                 "what was read is written the same");
out:
    cof_buf_free(&again);
    free(copy);
    return 0;
}
