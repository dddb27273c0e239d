/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The plaintexts of LINEAGE records.  Input: a byte, of which two bits are the epoch - 1, two bytes
 * of how many records epoch 0 had, then records: two bytes of length, and so many.
 */

#include "format/lineage.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire/wire.h"

#define RECORD        4096
#define HASHES_HEADER 8 /* the number of the first record */

typedef struct seen {
    uint32_t epochs;
    uint64_t records;
    uint64_t hashes;
    size_t manifests;
    size_t first_manifest; /* its length */
    cof_buf read;          /* all records */
    cof_buf written;       /* all items, as a writer would have put them */
} seen;

static cof_status write_hashes(seen *s, const cof_lineage_item *item, cof_error *err)
{
    size_t count = item->value.len / COF_SHA256_SIZE, len = 0;
    uint8_t *value = malloc(COF_LINEAGE_HASHES_MAX);
    cof_status st = value == NULL ? COF_NOMEM : COF_OK;

    for (size_t i = 0; st == COF_OK && i < count; i++)
        memcpy(cof_lineage_hash_place(value, i), item->value.data + i * COF_SHA256_SIZE,
               COF_SHA256_SIZE);
    if (st == COF_OK) {
        len = cof_lineage_emit_hashes(value, item->first_record, count);
        fuzz_require(
            s->written.len + (len - item->value.len) ==
                cof_lineage_block_at(item->first_record / COF_LINEAGE_BLOCK, s->first_manifest),
            "hashes are where they are looked for");
        st = cof_buf_append(&s->written, value, len, err);
    }
    free(value);
    return st;
}

static cof_status write_again(seen *s, const cof_lineage_item *item, cof_error *err)
{
    bool hashes = item->type == COF_LINEAGE_HASHES;
    size_t len = item->value.len + (hashes ? HASHES_HEADER : 0);
    uint8_t header[COF_LINEAGE_ITEM_HEADER];
    cof_status st;

    cof_lineage_emit_header(header, item->type, (uint32_t)len);
    if ((st = cof_buf_append(&s->written, header, sizeof(header), err)) != COF_OK)
        return st;
    return hashes ? write_hashes(s, item, err)
                  : cof_buf_append(&s->written, item->value.data, item->value.len, err);
}

static cof_status take(void *ctx, const cof_lineage_item *item, cof_error *err)
{
    seen *s = ctx;

    fuzz_require(item->epoch < s->epochs && item->value.len > 0,
                 "an item of an epoch that there was");
    if (item->type == COF_LINEAGE_HASHES) {
        fuzz_require(item->first_record == s->hashes, "hashes are in their order");
        s->hashes += item->value.len / 32;
        fuzz_require(s->hashes <= s->records, "no more hashes than records");
    } else {
        fuzz_require(item->first_record >= s->records, "an addition is behind the records");
    }
    if (item->type == COF_LINEAGE_MANIFEST && s->manifests++ == 0)
        s->first_manifest = item->value.len;
    return write_again(s, item, err);
}

static cof_status read_records(cof_lineage *l, seen *s, const uint8_t *data, size_t size)
{
    cof_status st = COF_OK;

    while (st == COF_OK && size >= 2) {
        size_t len = (size_t)cof_be16_load(data) % RECORD + 1;
        uint8_t *copy;

        if (len > size - 2)
            break;
        copy = fuzz_copy(data + 2, len);
        if ((st = cof_buf_append(&s->read, copy, len, NULL)) == COF_OK)
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
        read_records(&lineage, &s, data + 3, size - 3) == COF_OK)
        fuzz_require(s.hashes == s.records && s.manifests == s.epochs &&
                         cof_slice_equal(cof_buf_slice(&s.read), cof_buf_slice(&s.written)),
                     "a whole lineage, which is written the same");
    cof_lineage_wipe(&lineage);
    cof_buf_free(&s.read);
    cof_buf_free(&s.written);
    return 0;
}
