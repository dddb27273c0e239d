/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing items of a lineage.  The reader is a state of four numbers: whose addition it
 * is in, which type comes next, how many hashes there were, and how much of an item is there.
 */

#include "format/lineage.h"

#include "base/num.h"
#include "format/limits.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HASHES_HEADER ((size_t)8) /* the number of the first record */
#define ITEM_MAX      (COF_LINEAGE_ITEM_HEADER + (size_t)COF_STATEMENT_MAX)
#define DEK_SIZE      ((size_t)32)

size_t cof_lineage_block_count(uint64_t records, uint64_t block)
{
    uint64_t left = records - block * COF_LINEAGE_BLOCK;

    return left < COF_LINEAGE_BLOCK ? (size_t)left : COF_LINEAGE_BLOCK;
}

uint64_t cof_lineage_block_at(uint64_t block, size_t manifest_len)
{
    const uint64_t before = 3 * COF_LINEAGE_ITEM_HEADER + 32 + COF_PREAMBLE_SIZE;
    const uint64_t whole =
        COF_LINEAGE_ITEM_HEADER + HASHES_HEADER + (uint64_t)COF_LINEAGE_BLOCK * COF_SHA256_SIZE;

    return before + manifest_len + block * whole + COF_LINEAGE_ITEM_HEADER + HASHES_HEADER;
}

void cof_lineage_emit_header(uint8_t out[COF_LINEAGE_ITEM_HEADER], cof_lineage_type type,
                             uint32_t len)
{
    cof_be16_store(out, (uint16_t)type);
    cof_be16_store(out + 2, 0);
    cof_be32_store(out + 4, len);
}

uint8_t *cof_lineage_hash_place(uint8_t *value, size_t i)
{
    return value + HASHES_HEADER + i * COF_SHA256_SIZE;
}

size_t cof_lineage_emit_hashes(uint8_t *value, uint64_t first_record, size_t count)
{
    cof_be64_store(value, first_record);
    return HASHES_HEADER + count * COF_SHA256_SIZE;
}

cof_status cof_lineage_init(cof_lineage *out, const cof_preamble *preamble, uint64_t records,
                            cof_lineage_hook *hook, void *ctx, cof_error *err)
{
    *out = (cof_lineage){.epochs = preamble->epoch,
                         .records = records,
                         .record_size = preamble->record_size,
                         .hook = hook,
                         .ctx = ctx,
                         .next = COF_LINEAGE_DEK,
                         .next_record = records,
                         .began = records,
                         .at_border = true,
                         .want = COF_LINEAGE_ITEM_HEADER};
    if (preamble->epoch == 0)
        return cof_fail(err, COF_INTERNAL, "lineage of a backup that was never rekeyed");
    if ((out->item = malloc(ITEM_MAX)) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return cof_secret_new(&out->dek, COF_LINEAGE_ITEM_HEADER + DEK_SIZE, err);
}

void cof_lineage_wipe(cof_lineage *lineage)
{
    cof_secret_free(lineage->dek);
    free(lineage->item);
    lineage->dek = NULL;
    lineage->item = NULL;
}

static uint8_t *item_bytes(cof_lineage *l)
{
    return l->next == COF_LINEAGE_DEK ? cof_secret_bytes(l->dek) : l->item;
}

/* ---- what must come ---------------------------------------------------------------------------
 */

static bool is_complete(const cof_lineage *l)
{
    return l->epoch == l->epochs;
}

static bool length_fits(const cof_lineage *l, uint32_t len)
{
    switch (l->next) {
    case COF_LINEAGE_DEK:
        return len == DEK_SIZE;
    case COF_LINEAGE_PREAMBLE:
        return len == COF_PREAMBLE_SIZE;
    case COF_LINEAGE_MANIFEST:
        return len >= 1 && len <= COF_STATEMENT_MAX;
    case COF_LINEAGE_HASHES:
        return len == HASHES_HEADER +
                          COF_SHA256_SIZE *
                              cof_lineage_block_count(l->records, l->hashed / COF_LINEAGE_BLOCK);
    }
    return false;
}

static cof_status wrong(const cof_lineage *l, const char *what, cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "LI-2", COF_NO_OFFSET,
                         "the lineage of epoch %" PRIu32 " is not well-formed: %s", l->epoch, what);
}

static cof_status check_header(cof_lineage *l, cof_error *err)
{
    const uint8_t *raw = item_bytes(l);
    uint32_t len = cof_be32_load(raw + 4);

    if (cof_be16_load(raw) != l->next)
        return wrong(l, "another item is due", err);
    if (cof_be16_load(raw + 2) != 0)
        return wrong(l, "bytes that must be zero are not", err);
    if (!length_fits(l, len))
        return wrong(l, "an item has an impossible length", err);
    l->want = COF_LINEAGE_ITEM_HEADER + len;
    return COF_OK;
}

/* Which item comes behind the one that is complete. */
static void advance(cof_lineage *l)
{
    bool hashes_left = l->epoch == 0 && l->hashed < l->records;

    if (l->next == COF_LINEAGE_DEK)
        l->next = COF_LINEAGE_PREAMBLE;
    else if (l->next == COF_LINEAGE_PREAMBLE)
        l->next = COF_LINEAGE_MANIFEST;
    else if (hashes_left)
        l->next = COF_LINEAGE_HASHES;
    else {
        l->epoch++;
        l->next = COF_LINEAGE_PREAMBLE;
        l->at_border = true;
    }
}

static cof_status take_item(cof_lineage *l, cof_error *err)
{
    const uint8_t *value = item_bytes(l) + COF_LINEAGE_ITEM_HEADER;
    cof_lineage_item item = {
        l->next, l->epoch, l->began, {value, l->want - COF_LINEAGE_ITEM_HEADER}};
    cof_status st;

    if (l->next == COF_LINEAGE_HASHES) {
        item.first_record = cof_be64_load(value);
        item.value.data += HASHES_HEADER;
        item.value.len -= HASHES_HEADER;
        if (item.first_record != l->hashed)
            return wrong(l, "hashes are not in their order", err);
        l->hashed += item.value.len / COF_SHA256_SIZE;
    }
    if ((st = l->hook(l->ctx, &item, err)) != COF_OK)
        return st;
    l->have = 0;
    l->want = COF_LINEAGE_ITEM_HEADER;
    advance(l);
    return COF_OK;
}

/* ---- records ----------------------------------------------------------------------------------
 */

/* Take bytes into the item, at most what it still wants. */
static void take_bytes(cof_lineage *l, cof_slice *from)
{
    size_t n = cof_min_size(l->want - l->have, from->len);

    memcpy(item_bytes(l) + l->have, from->data, n);
    l->have += n;
    from->data += n;
    from->len -= n;
}

static cof_status bad_border(const cof_lineage *l, cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "LI-3", COF_NO_OFFSET,
                         "record %" PRIu64 " of the lineage does not end where it must",
                         l->next_record);
}

cof_status cof_lineage_record(cof_lineage *l, cof_slice plain, cof_error *err)
{
    size_t len = plain.len;
    cof_status st = COF_OK;

    if (is_complete(l))
        return wrong(l, "more follows its end", err);
    if (len == 0 || len > l->record_size)
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", len);
    if (l->at_border) {
        l->began = l->next_record;
        l->at_border = false;
    }
    while (st == COF_OK && plain.len > 0 && !l->at_border) {
        take_bytes(l, &plain);
        if (l->have == COF_LINEAGE_ITEM_HEADER && l->want == COF_LINEAGE_ITEM_HEADER)
            st = check_header(l, err);
        else if (l->have == l->want)
            st = take_item(l, err);
    }
    if (st == COF_OK && (plain.len > 0 || (!l->at_border && len != l->record_size)))
        st = bad_border(l, err);
    l->next_record++;
    return st;
}

cof_status cof_lineage_finish(const cof_lineage *l, cof_error *err)
{
    return is_complete(l) ? COF_OK : wrong(l, "its end is missing", err);
}
