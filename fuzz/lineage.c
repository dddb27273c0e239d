/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The plaintexts of LINEAGE records.  Input: a byte, of which two bits are the epoch - 1, two bytes
 * of how many records epoch 0 had, then records: two bytes of length, and so many.
 */

#include "format/lineage.h"
#include "wire/wire.h"

#include <stdlib.h>

#include "fuzz.h"

#define RECORD 4096

typedef struct seen {
    uint32_t epochs;
    uint64_t records;
    uint64_t hashes;
    size_t manifests;
} seen;

static cof_status take(void *ctx, const cof_lineage_item *item, cof_error *err)
{
    seen *s = ctx;
    volatile uint8_t sum = 0; /* every byte is read */

    (void)err;
    for (size_t i = 0; i < item->value.len; i++)
        sum = (uint8_t)(sum ^ item->value.data[i]);
    fuzz_require(item->epoch < s->epochs && item->value.len > 0,
                 "an item of an epoch that there was");
    if (item->type == COF_LINEAGE_HASHES) {
        fuzz_require(item->first_record == s->hashes, "hashes are in their order");
        s->hashes += item->value.len / 32;
        fuzz_require(s->hashes <= s->records, "no more hashes than records");
    } else {
        fuzz_require(item->first_record >= s->records, "an addition is behind the records");
    }
    s->manifests += item->type == COF_LINEAGE_MANIFEST;
    return COF_OK;
}

static cof_status read_records(cof_lineage *l, const uint8_t *data, size_t size)
{
    cof_status st = COF_OK;

    while (st == COF_OK && size >= 2) {
        size_t len = (size_t)cof_be16_load(data) % RECORD + 1;
        uint8_t *copy;

        if (len > size - 2)
            break;
        copy = fuzz_copy(data + 2, len);
        st = cof_lineage_record(l, (cof_slice){copy, len}, NULL);
        free(copy);
        data += 2 + len;
        size -= 2 + len;
    }
    return st == COF_OK ? cof_lineage_finish(l, NULL) : st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cof_preamble preamble = {.record_size = RECORD};
    cof_lineage lineage;
    seen s = {0};

    if (size < 3)
        return 0;
    preamble.epoch = s.epochs = (data[0] & 3) + 1U;
    s.records = cof_be16_load(data + 1);
    if (cof_lineage_init(&lineage, &preamble, s.records, take, &s, NULL) == COF_OK &&
        read_records(&lineage, data + 3, size - 3) == COF_OK)
        fuzz_require(s.hashes == s.records && s.manifests == s.epochs, "a whole lineage");
    cof_lineage_wipe(&lineage);
    return 0;
}
