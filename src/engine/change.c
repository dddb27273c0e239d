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
#include "engine/change.h"

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

/* ---- the plan ---- */

static void plan_slot(cof_change *c, size_t step, int slot, const cof_buf *envelope)
{
    c->steps[step] =
        (cof_change_step){cof_head_slot_offset(c->slot_size, slot), NULL, cof_buf_slice(envelope)};
}

static void plan_superblock(cof_change *c, size_t step, int copy, const uint8_t *raw)
{
    c->steps[step] =
        (cof_change_step){cof_head_superblock_offset(copy), raw, {raw, COF_SUPERBLOCK_SIZE}};
}

/* Does this slot hold the envelope that is in use, and zeros behind it? */
static bool slot_is_right(const cof_head *h, int slot)
{
    const cof_slice used = h->locks.raw;
    const cof_buf *have = &h->slots[slot];

    if (!cof_slice_equal((cof_slice){have->data, used.len}, used))
        return false;
    for (size_t i = used.len; i < have->len; i++)
        if (have->data[i] != 0)
            return false;
    return true;
}

static bool superblock_is_right(const cof_head *h, int copy, const uint8_t *raw)
{
    return cof_slice_equal((cof_slice){h->raw[copy], COF_SUPERBLOCK_SIZE},
                           (cof_slice){raw, COF_SUPERBLOCK_SIZE});
}

/*
 * Steps 0 to 3.  The copies that are not in use go first.  What is right already is left alone: the
 * barrier that stands before all makes it durable.
 */
static cof_status plan_rest(cof_change *c, cof_superblock *sb, const cof_head *h, cof_error *err)
{
    int chosen = h->sb_state.chosen;
    cof_status st;

    if (h->at_rest)
        return COF_OK;
    if ((st = cof_buf_append(&c->present, h->locks.raw.data, h->locks.raw.len, err)) != COF_OK ||
        (st = settled_superblock(sb, h, err)) != COF_OK ||
        (st = cof_superblock_emit(c->present_raw, sb, err)) != COF_OK)
        return st;
    if (!slot_is_right(h, 1 - h->slot))
        plan_slot(c, 0, 1 - h->slot, &c->present);
    if (!slot_is_right(h, h->slot))
        plan_slot(c, 1, h->slot, &c->present);
    if (!superblock_is_right(h, 1 - chosen, c->present_raw))
        plan_superblock(c, 2, 1 - chosen, c->present_raw);
    if (!superblock_is_right(h, chosen, c->present_raw))
        plan_superblock(c, 3, chosen, c->present_raw);
    return COF_OK;
}

/* Steps 4 to 7: the inactive slot, the commit, the slot that was active, the other superblock. */
static cof_status plan_replacement(cof_change *c, cof_superblock *sb, cof_buf *envelope,
                                   cof_error *err)
{
    int inactive = 1 - sb->active_slot;
    cof_status st;

    if (envelope == NULL)
        return COF_OK;
    cof_buf_take(&c->future, envelope);
    sb->active_slot = (uint8_t)inactive;
    if ((st = next_sequence(sb, err)) != COF_OK ||
        (st = cof_head_describe(sb, cof_buf_slice(&c->future), err)) != COF_OK ||
        (st = cof_superblock_emit(c->future_raw, sb, err)) != COF_OK)
        return st;
    plan_slot(c, 4, inactive, &c->future);
    plan_superblock(c, 5, 0, c->future_raw);
    plan_slot(c, 6, 1 - inactive, &c->future);
    plan_superblock(c, 7, 1, c->future_raw);
    return COF_OK;
}

cof_status cof_change_plan(cof_change *out, const cof_head *head, cof_buf *envelope, cof_error *err)
{
    cof_superblock sb = head->sb;
    cof_status st;

    *out = (cof_change)COF_CHANGE_INIT;
    out->slot_size = head->sb.slot_size;
    if ((st = plan_rest(out, &sb, head, err)) != COF_OK)
        return st;
    return plan_replacement(out, &sb, envelope, err);
}

/* Forget the writes of what stands in the old head already. */
static void skip_right(cof_change *c, cof_slice old)
{
    for (size_t k = 0; k < 4 && old.len > 0; k++) {
        cof_change_step *s = &c->steps[k];
        size_t len = s->raw != NULL ? COF_SUPERBLOCK_SIZE : (size_t)c->slot_size;
        const uint8_t *there = old.data + s->at;
        bool right = memcmp(there, s->envelope.data, s->envelope.len) == 0;

        for (size_t i = s->envelope.len; right && i < len; i++)
            right = there[i] == 0;
        if (right)
            *s = (cof_change_step){.raw = NULL};
    }
}

cof_status cof_change_rebuild(cof_change *out, const cof_superblock *like, cof_slice envelope,
                              int last, cof_slice old, cof_error *err)
{
    cof_superblock sb = *like;
    cof_status st;

    *out = (cof_change)COF_CHANGE_INIT;
    out->slot_size = sb.slot_size;
    sb.role = COF_VOLUME_WHOLE;
    sb.active_slot = 0; /* both hold the same: whoever goes on from here plans the same bytes */
    if ((st = next_sequence(&sb, err)) != COF_OK ||
        (st = cof_head_describe(&sb, envelope, err)) != COF_OK ||
        (st = cof_buf_append(&out->present, envelope.data, envelope.len, err)) != COF_OK ||
        (st = cof_superblock_emit(out->present_raw, &sb, err)) != COF_OK)
        return st;
    plan_slot(out, 0, 1 - last, &out->present);
    plan_slot(out, 1, last, &out->present);
    plan_superblock(out, 2, 0, out->present_raw);
    plan_superblock(out, 3, 1, out->present_raw);
    skip_right(out, old);
    return COF_OK;
}

bool cof_change_has(const cof_change *change, size_t step)
{
    return change->steps[step].envelope.len > 0;
}

bool cof_change_settles(const cof_change *change)
{
    return cof_change_has(change, 0) || cof_change_has(change, 1) || cof_change_has(change, 2) ||
           cof_change_has(change, 3);
}

size_t cof_change_size(const cof_change *change)
{
    return sizeof(*change) + change->present.len + change->future.len;
}

void cof_change_wipe(cof_change *change)
{
    cof_buf_free(&change->present);
    cof_buf_free(&change->future);
    *change = (cof_change)COF_CHANGE_INIT;
}

static cof_status append_image(cof_buf *out, const uint8_t *raw, cof_slice envelope,
                               uint64_t slot_size, cof_error *err)
{
    cof_status st = COF_OK;

    for (int i = 0; st == COF_OK && i < 2; i++)
        st = cof_buf_append(out, raw, COF_SUPERBLOCK_SIZE, err);
    for (int i = 0; st == COF_OK && i < 2; i++)
        if ((st = cof_buf_append(out, envelope.data, envelope.len, err)) == COF_OK)
            st = cof_buf_append_zeros(out, slot_size - envelope.len, err);
    return st;
}

cof_status cof_change_image(cof_buf *out, const cof_change *change, cof_error *err)
{
    return append_image(out, change->future_raw, cof_buf_slice(&change->future), change->slot_size,
                        err);
}

cof_status cof_change_rebuilt(cof_buf *out, const cof_change *change, cof_error *err)
{
    return append_image(out, change->present_raw, cof_buf_slice(&change->present),
                        change->slot_size, err);
}

/* ---- doing it ---- */

/* A slot is written whole, so that nothing of an earlier envelope survives behind a shorter one. */
static cof_status write_slot(cof_file *file, uint64_t at, uint64_t slot_size, cof_slice envelope,
                             cof_error *err)
{
    cof_buf whole = COF_BUF_INIT;
    cof_status st;

    if ((st = cof_buf_append(&whole, envelope.data, envelope.len, err)) == COF_OK &&
        (st = cof_buf_append_zeros(&whole, slot_size - envelope.len, err)) == COF_OK)
        st = cof_file_write_at(file, at, whole.data, whole.len, err);
    cof_buf_free(&whole);
    return st;
}

cof_status cof_change_write(const cof_change *change, size_t step, cof_file *file, cof_error *err)
{
    const cof_change_step *s = &change->steps[step];

    if (s->raw != NULL)
        return cof_file_write_at(file, s->at, s->raw, COF_SUPERBLOCK_SIZE, err);
    return s->envelope.len == 0 ? COF_OK
                                : write_slot(file, s->at, change->slot_size, s->envelope, err);
}

cof_status cof_change_unknown(const cof_file *file, cof_error *err)
{
    return cof_fail(err, COF_IO,
                    "%s could not be made durable: whether the old or the new recipients hold is "
                    "unknown; check the disk, then run the same command again",
                    cof_file_label(file));
}

static cof_status sync_head(cof_file *file, cof_error *err)
{
    cof_status st = cof_file_sync(file, err);

    return st == COF_OK ? COF_OK : cof_change_unknown(file, err);
}

cof_status cof_change_run(const cof_change *change, cof_file *file, cof_error *err)
{
    /* What was read may be in the page cache only, left by a process that was killed. */
    cof_status st = sync_head(file, err);

    for (size_t k = 0; st == COF_OK && k < COF_CHANGE_STEPS; k++)
        if (cof_change_has(change, k) && (st = cof_change_write(change, k, file, err)) == COF_OK)
            st = sync_head(file, err);
    return st;
}
