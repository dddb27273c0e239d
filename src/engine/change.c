/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Changing a head (FORMAT.md, section 8, CH-2).
 *
 * The order of writes and fsyncs is the whole safety of a rotation, so it stands here once, and
 * nothing else writes to a head that is in use.  The invariant: whenever power fails, one valid
 * superblock points to one whole envelope, or a whole envelope of the highest generation is found
 * by the fallback.
 */

#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "engine/head.h"

/* A failed fsync may have thrown the bytes away; trying again would prove nothing. */
static cof_status sync_head(cof_file *file, cof_error *err)
{
    cof_status st = cof_file_sync(file, err);

    if (st == COF_OK)
        return COF_OK;
    return cof_fail(err, COF_IO,
                    "%s could not be made durable: whether the old or the new recipients hold is "
                    "unknown; check the disk, then run the same command again",
                    cof_file_label(file));
}

/* A slot is written whole, so that nothing of an earlier envelope survives behind a shorter one. */
static cof_status write_slot(cof_file *file, uint64_t slot_size, int slot, cof_slice envelope,
                             cof_error *err)
{
    cof_buf whole = COF_BUF_INIT;
    cof_status st;

    if ((st = cof_buf_append(&whole, envelope.data, envelope.len, err)) == COF_OK &&
        (st = cof_buf_append_zeros(&whole, slot_size - envelope.len, err)) == COF_OK)
        st = cof_file_write_at(file, cof_head_slot_offset(slot_size, slot), whole.data, whole.len,
                               err);
    cof_buf_free(&whole);
    return st;
}

static cof_status write_superblock(cof_file *file, int copy, const uint8_t *raw, cof_error *err)
{
    return cof_file_write_at(file, cof_head_superblock_offset(copy), raw, COF_SUPERBLOCK_SIZE, err);
}

cof_status cof_head_describe(cof_superblock *sb, cof_slice envelope, cof_error *err)
{
    if (envelope.len > sb->slot_size)
        return cof_fail_rule(err, COF_LIMIT, "EN-1", COF_NO_OFFSET,
                             "the envelope needs %zu bytes and the head has room for %zu",
                             envelope.len, (size_t)sb->slot_size);
    sb->envelope_len = envelope.len;
    return cof_sha256(sb->envelope_sha256, envelope.data, envelope.len, err);
}

cof_status cof_head_emit(cof_buf *out, const cof_superblock *sb, cof_slice envelope, cof_error *err)
{
    uint8_t raw[COF_SUPERBLOCK_SIZE];
    cof_status st;

    if ((st = cof_superblock_emit(raw, sb, err)) != COF_OK ||
        (st = cof_buf_append(out, raw, sizeof(raw), err)) != COF_OK ||
        (st = cof_buf_append(out, raw, sizeof(raw), err)) != COF_OK)
        return st;
    for (int i = 0; i < 2; i++)
        if ((st = cof_buf_append(out, envelope.data, envelope.len, err)) != COF_OK ||
            (st = cof_buf_append_zeros(out, sb->slot_size - envelope.len, err)) != COF_OK)
            return st;
    return COF_OK;
}

/* Put a superblock into both copies, `first` before the other, each with its own barrier. */
static cof_status commit(cof_file *file, const uint8_t *raw, int first, cof_error *err)
{
    cof_status st;

    if ((st = write_superblock(file, first, raw, err)) != COF_OK ||
        (st = sync_head(file, err)) != COF_OK ||
        (st = write_superblock(file, 1 - first, raw, err)) != COF_OK)
        return st;
    return sync_head(file, err);
}

/* Only a forged head gets there: no number of changes does. */
static cof_status next_sequence(cof_superblock *sb, cof_error *err)
{
    if (sb->sequence == UINT64_MAX)
        return cof_fail_rule(err, COF_FORMAT, "CH-4", 32,
                             "the head counts as many changes as can be counted; it was forged");
    sb->sequence++;
    return COF_OK;
}

/* The superblock that describes the envelope in use; a new one only after a fallback. */
static cof_status settled_superblock(cof_superblock *out, const cof_head *h, cof_error *err)
{
    cof_superblock sb = h->sb;
    cof_status st = cof_head_describe(&sb, h->locks.raw, err);

    if (st != COF_OK)
        return st;
    if (memcmp(sb.envelope_sha256, h->sb.envelope_sha256, sizeof(sb.envelope_sha256)) != 0) {
        if ((st = next_sequence(&sb, err)) != COF_OK)
            return st;
        sb.active_slot = (uint8_t)h->slot;
    }
    *out = sb;
    return COF_OK;
}

cof_status cof_head_settle(cof_head *h, cof_file *file, bool *did, cof_error *err)
{
    uint8_t raw[COF_SUPERBLOCK_SIZE];
    cof_superblock sb;
    cof_status st;

    if (did != NULL)
        *did = false;
    /* What was read may be in the page cache only, left by a process that was killed. */
    if ((st = sync_head(file, err)) != COF_OK || h->at_rest)
        return st;
    if ((st = settled_superblock(&sb, h, err)) != COF_OK ||
        (st = cof_superblock_emit(raw, &sb, err)) != COF_OK ||
        (st = write_slot(file, sb.slot_size, 1 - h->slot, h->locks.raw, err)) != COF_OK ||
        (st = sync_head(file, err)) != COF_OK ||
        (st = write_slot(file, sb.slot_size, h->slot, h->locks.raw, err)) != COF_OK ||
        (st = sync_head(file, err)) != COF_OK ||
        (st = commit(file, raw, 1 - h->sb_state.chosen, err)) != COF_OK)
        return st;
    h->sb = sb;
    h->sb_state = (cof_superblock_state){0, true, false};
    h->at_rest = true;
    if (did != NULL)
        *did = true;
    return COF_OK;
}

cof_status cof_head_replace(const cof_head *h, cof_file *file, cof_slice envelope, cof_error *err)
{
    int inactive = 1 - h->sb.active_slot;
    uint8_t raw[COF_SUPERBLOCK_SIZE];
    cof_superblock sb = h->sb;
    cof_status st;

    sb.active_slot = (uint8_t)inactive;
    if ((st = next_sequence(&sb, err)) != COF_OK ||
        (st = cof_head_describe(&sb, envelope, err)) != COF_OK ||
        (st = cof_superblock_emit(raw, &sb, err)) != COF_OK ||
        (st = write_slot(file, sb.slot_size, inactive, envelope, err)) != COF_OK ||
        (st = sync_head(file, err)) != COF_OK ||
        (st = write_superblock(file, 0, raw, err)) != COF_OK ||
        (st = sync_head(file, err)) != COF_OK /* the commit */ ||
        (st = write_slot(file, sb.slot_size, 1 - inactive, envelope, err)) != COF_OK ||
        (st = sync_head(file, err)) != COF_OK ||
        (st = write_superblock(file, 1, raw, err)) != COF_OK)
        return st;
    return sync_head(file, err);
}
