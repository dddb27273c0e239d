/* SPDX-License-Identifier: Apache-2.0 */

/* Both copies of a superblock, and the preamble in it.  Input: 4096 bytes, or 8192. */

#include "format/superblock.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "fuzz.h"

#define HASHED (COF_SUPERBLOCK_SIZE - COF_SHA256_SIZE)

static void choose(const uint8_t *a, const uint8_t *b)
{
    uint8_t again[COF_SUPERBLOCK_SIZE], core[COF_SHA256_SIZE];
    cof_superblock_state state;
    cof_preamble preamble;
    cof_superblock sb;

    if (cof_superblock_choose(&sb, &state, a, b, NULL) != COF_OK)
        return;
    fuzz_require(cof_head_len(sb.slot_size) >= 2 * COF_SUPERBLOCK_SIZE, "a head holds two blocks");
    fuzz_require(cof_head_slot_offset(sb.slot_size, 1) <= cof_head_len(sb.slot_size),
                 "slots are in the head");
    fuzz_require(sb.envelope_len <= sb.slot_size, "an envelope fits its slot");
    if (cof_superblock_emit(again, &sb, NULL) == COF_OK)
        fuzz_require(memcmp(again, state.chosen == 0 ? a : b, sizeof(again)) == 0,
                     "what was read is written the same");
    if (cof_preamble_parse(&preamble, sb.preamble, NULL) == COF_OK)
        (void)!cof_preamble_core(core, sb.preamble, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[2 * COF_SUPERBLOCK_SIZE] = {0};
    uint8_t *b = raw + COF_SUPERBLOCK_SIZE;
    bool valid;

    memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
    if (size <= COF_SUPERBLOCK_SIZE)
        memcpy(b, raw, COF_SUPERBLOCK_SIZE);
    choose(raw, b);
    if (cof_superblock_valid_copy(&valid, raw, NULL) != COF_OK ||
        cof_sha256(raw + HASHED, raw, HASHED, NULL) != COF_OK ||
        cof_sha256(b + HASHED, b, HASHED, NULL) != COF_OK)
        return 0;
    choose(raw, b);
    choose(raw, NULL);
    choose(NULL, b);
    choose(NULL, NULL);
    return 0;
}
