/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Raw access to the head of a volume.  A slot is always written as one piece with its padding, so
 * that no byte of an earlier envelope can survive behind a shorter one.
 */

#include "store/head.h"

#include "base/error.h"

uint64_t cof_head_len(uint64_t slot_size)
{
    return 2 * COF_HEAD_BLOCK + 2 * slot_size;
}

cof_status cof_head_read_superblocks(uint8_t out[2][COF_HEAD_BLOCK], const cof_file *file,
                                     cof_error *err)
{
    return cof_file_read_full(out, 2 * (size_t)COF_HEAD_BLOCK, file, 0, err);
}

static uint64_t slot_offset(uint64_t slot_size, int slot)
{
    return 2 * COF_HEAD_BLOCK + (slot == 0 ? 0 : slot_size);
}

cof_status cof_head_read_slot(cof_buf *out, const cof_file *file, uint64_t slot_size, int slot,
                              cof_error *err)
{
    cof_status st = cof_buf_reserve(out, slot_size, err);

    if (st != COF_OK)
        return st;
    st = cof_file_read_full(out->data + out->len, slot_size, file, slot_offset(slot_size, slot),
                            err);
    if (st == COF_OK)
        out->len += slot_size;
    return st;
}

cof_status cof_head_write_slot(cof_file *file, uint64_t slot_size, int slot, cof_slice envelope,
                               cof_error *err)
{
    cof_buf whole = COF_BUF_INIT;
    cof_status st;

    if (envelope.len > slot_size)
        return cof_fail(err, COF_LIMIT, "an envelope of %zu bytes does not fit into the head",
                        envelope.len);
    if ((st = cof_buf_append(&whole, envelope.data, envelope.len, err)) == COF_OK &&
        (st = cof_buf_append_zeros(&whole, slot_size - envelope.len, err)) == COF_OK)
        st = cof_file_write_at(file, slot_offset(slot_size, slot), whole.data, whole.len, err);
    cof_buf_free(&whole);
    return st;
}

cof_status cof_head_write_superblock(cof_file *file, int copy, const uint8_t raw[COF_HEAD_BLOCK],
                                     cof_error *err)
{
    return cof_file_write_at(file, copy == 0 ? 0 : COF_HEAD_BLOCK, raw, COF_HEAD_BLOCK, err);
}
