/* SPDX-License-Identifier: Apache-2.0 */

/* In doubt, nothing is planned: the head is the last copy of the keys. */

#include "engine/remains.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "engine/keep.h"
#include "engine/slot.h"
#include "format/limits.h"

static uint64_t slot_size(const cof_remains *r)
{
    return (r->bytes.len - cof_head_len(0)) / 2;
}

static cof_slice slot_bytes(const cof_remains *r, int slot)
{
    uint64_t size = slot_size(r);

    return (cof_slice){r->bytes.data + cof_head_slot_offset(size, slot), (size_t)size};
}

/* ---- reading ---- */

static cof_status read_bytes(cof_remains *r, const cof_file *file, uint64_t start, cof_error *err)
{
    cof_status st = cof_buf_append_zeros(&r->bytes, (size_t)start, err);

    for (uint64_t at = 0; st == COF_OK && at < start; at += COF_BLOCK_SIZE) {
        uint8_t *block = r->bytes.data + at;
        size_t got;

        st = cof_file_pread_some(block, COF_BLOCK_SIZE, &got, file, at, err);
        if (st != COF_IO)
            continue;
        memset(block, 0, COF_BLOCK_SIZE);
        r->unreadable = true;
        st = COF_OK;
    }
    return st;
}

/* ---- superblocks ---- */

/* Does one of the slots hold the very bytes that this superblock names? */
static cof_status names_slot(bool *out, const cof_remains *r, const cof_superblock *sb,
                             cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    cof_status st = COF_OK;

    *out = false;
    for (int i = 0; st == COF_OK && i < 2 && sb->envelope_len <= slot_size(r); i++) {
        st = cof_sha256(sha256, slot_bytes(r, i).data, (size_t)sb->envelope_len, err);
        *out |= st == COF_OK && memcmp(sha256, sb->envelope_sha256, sizeof(sha256)) == 0;
    }
    return st;
}

static cof_status check_superblock(cof_remains *r, int copy, const cof_head *given, cof_error *err)
{
    const uint8_t *raw = r->bytes.data + cof_head_superblock_offset(copy);
    cof_superblock sb;
    bool named;
    cof_status st = cof_superblock_choose(&sb, NULL, raw, NULL, err);

    if (st == COF_FORMAT)
        return COF_OK; /* nothing to go by */
    if (st != COF_OK)
        return st;
    if (memcmp(sb.preamble, given->sb.preamble, sizeof(sb.preamble)) != 0)
        return cof_fail_rule(err, COF_AUTH, "HA-2", COF_NO_OFFSET,
                             "a superblock is left, and is of another backup than the head that is "
                             "to take its place");
    if (sb.sequence > r->highest)
        r->highest = sb.sequence;
    if ((st = names_slot(&named, r, &sb, err)) != COF_OK || !named || r->slot >= 0)
        return st;
    return cof_fail_rule(err, COF_FORMAT, "CH-6", COF_NO_OFFSET,
                         "the envelope that a superblock names is there, as it was written, though "
                         "this version cannot use it: it is not written over");
}

/* ---- slots ---- */

/*
 * The envelope is damaged somewhere.  But is the list of recipients in it whole, by somebody
 * trusted, and not known from the given head?
 */
static cof_status check_damaged(cof_slice slot, const cof_head *given, const cof_trust *trust,
                                cof_error *err)
{
    cof_locks locks = COF_LOCKS_INIT;
    const cof_link *x, *y = cof_locks_newest(&given->locks);
    uint64_t len;
    cof_status st;

    if (cof_envelope_peek_len(&len, slot.data, slot.len, NULL) != COF_OK)
        return COF_OK;
    st = cof_locks_load(&locks, (cof_slice){slot.data, len}, &given->preamble, given->core, trust,
                        err);
    if (st == COF_FORMAT || st == COF_AUTH) /* as it was when it was found to be damaged */
        return COF_OK;
    if (st != COF_OK)
        return st;
    x = cof_locks_newest(&locks);
    if (x != NULL && y != NULL && x->judgement.standing != COF_STANDING_BAD &&
        x->custody.generation >= y->custody.generation &&
        memcmp(x->json_sha256, y->json_sha256, sizeof(x->json_sha256)) != 0)
        st = cof_fail_rule(err, COF_AUTH, "CH-6", COF_NO_OFFSET,
                           "an envelope is left whose manifest is damaged, and whose list of "
                           "recipients is of generation %" PRIu64
                           " and another than in the head given here: it is not written over",
                           x->custody.generation);
    cof_locks_wipe(&locks);
    return st;
}

static cof_status weigh(cof_locks *out, const cof_remains *r, int slot, const cof_head *given,
                        const cof_trust *trust, cof_error *err)
{
    cof_error why = COF_ERROR_INIT;
    cof_slice bytes = slot_bytes(r, slot);
    cof_status st = cof_slot_weigh(out, bytes, &given->preamble, given->core, trust, &why);

    if (st == COF_OK || st == COF_NOMEM)
        return st == COF_OK ? st : cof_fail(err, st, "out of memory");
    if (st == COF_FORMAT)
        return check_damaged(bytes, given, trust, err);
    return cof_fail_rule(err, st, "CH-6", COF_NO_OFFSET,
                         "the envelope in slot %c is not written over, since it may be newer than "
                         "the head given here: %.300s",
                         'A' + slot, why.message);
}

static cof_status choose_slot(cof_remains *r, const cof_head *given, const cof_trust *trust,
                              cof_error *err)
{
    cof_locks a = COF_LOCKS_INIT, b = COF_LOCKS_INIT;
    bool take_b = false;
    cof_status st;

    if ((st = weigh(&a, r, 0, given, trust, err)) == COF_OK &&
        (st = weigh(&b, r, 1, given, trust, err)) == COF_OK) {
        take_b = a.raw.len == 0;
        if (a.raw.len > 0 && b.raw.len > 0)
            st = cof_slot_prefer_second(&take_b, &a, &b, err);
    }
    if (st == COF_OK && a.raw.len + b.raw.len > 0) {
        r->slot = take_b ? 1 : 0;
        r->locks = take_b ? b : a;
        *(take_b ? &b : &a) = (cof_locks)COF_LOCKS_INIT; /* transferred */
    }
    cof_locks_wipe(&a);
    cof_locks_wipe(&b);
    return st;
}

/* ---- all of it ---- */

cof_status cof_remains_load(cof_remains *out, const cof_file *file, uint64_t start,
                            const cof_head *given, const cof_trust *trust, cof_error *err)
{
    cof_status st;

    *out = (cof_remains)COF_REMAINS_INIT;
    if (start < cof_head_len(COF_SLOT_SIZE_MIN) || start > cof_head_len(COF_SLOT_SIZE_MAX) ||
        start % COF_BLOCK_SIZE != 0 || (start - cof_head_len(0)) / 2 % COF_BLOCK_SIZE != 0)
        return cof_fail_rule(err, COF_FORMAT, "SB-5", start,
                             "the body does not begin where a head could end");
    if ((st = read_bytes(out, file, start, err)) != COF_OK ||
        (st = choose_slot(out, given, trust, err)) != COF_OK)
        return st;
    for (int i = 0; st == COF_OK && i < 2; i++)
        st = check_superblock(out, i, given, err);
    return st;
}

cof_status cof_remains_plan(cof_change *out, const cof_remains *r, const cof_head *given,
                            cof_error *err)
{
    const cof_slice unknown = COF_SLICE_INIT;
    cof_superblock like = given->sb;

    like.slot_size = slot_size(r);
    if (r->highest > like.sequence)
        like.sequence = r->highest;
    return cof_change_rebuild(out, &like, r->slot >= 0 ? r->locks.raw : given->locks.raw,
                              r->slot >= 0 ? r->slot : 0,
                              r->unreadable ? unknown : cof_buf_slice(&r->bytes), err);
}

/* Is each byte of the head either as it was when it was kept, or as it is to be? */
static cof_status is_between(bool *out, cof_slice head, const char *kept, const cof_change *plan,
                             cof_error *err)
{
    cof_buf before = COF_BUF_INIT, after = COF_BUF_INIT;
    cof_status st = cof_file_read_whole(&before, kept, head.len, err);

    *out = false;
    if (st == COF_OK && (st = cof_change_rebuilt(&after, plan, err)) == COF_OK &&
        before.len == head.len && after.len == head.len) {
        *out = true;
        for (size_t i = 0; i < head.len; i++)
            *out &= head.data[i] == before.data[i] || head.data[i] == after.data[i];
    }
    cof_buf_free(&before);
    cof_buf_free(&after);
    return st;
}

cof_status cof_remains_keep(const cof_remains *r, const cof_change *plan, const char *path,
                            cof_error *err)
{
    char name[PATH_MAX], kept[PATH_MAX], label[COF_TEXT_NAME_CAP];
    bool between;
    cof_status st;

    if ((size_t)snprintf(name, sizeof(name), "%s.lost.head", path) >= sizeof(name))
        return cof_fail(err, COF_LIMIT, "the name of the backup is too long to keep its lost head");
    st = cof_keep_head(kept, sizeof(kept), cof_buf_slice(&r->bytes), path, name, 0, err);
    if (st != COF_USAGE)
        return st;
    if (!r->unreadable &&
        is_between(&between, cof_buf_slice(&r->bytes), name, plan, NULL) == COF_OK && between)
        return cof_keep_durably(name, err);
    return cof_fail(err, COF_USAGE,
                    "%s exists and is something else than what is left of this head: move it away",
                    cof_text_safe_str(label, sizeof(label), name));
}

void cof_remains_wipe(cof_remains *remains)
{
    cof_locks_wipe(&remains->locks);
    cof_buf_free(&remains->bytes);
    *remains = (cof_remains)COF_REMAINS_INIT;
}
