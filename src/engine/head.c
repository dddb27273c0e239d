/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading a head.  There are two superblocks and two slots, so that one damaged block loses
 * nothing; the price is that every reader has to say which of them it believed.
 */

#include "engine/head.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "engine/lock.h"
#include "engine/note.h"
#include "engine/slot.h"
#include "format/limits.h"

uint64_t cof_head_length(const cof_head *head)
{
    return cof_head_len(head->sb.slot_size);
}

static cof_status not_a_backup(const cof_file *file, cof_error *err)
{
    return cof_fail_rule(err, COF_FORMAT, "SB-1", 0, "%s is not a coffer backup",
                         cof_file_label(file));
}

/*
 * Read len bytes.  A block that the disk does not give back is a damaged one like any other: zeros
 * stand for it, and the other copy says what was there.  *why is left as it is if all is well.
 */
static cof_status read_blocks(uint8_t *out, size_t len, size_t *got, const cof_file *file,
                              uint64_t at, cof_error *why, cof_error *err)
{
    size_t part;
    cof_status st = cof_file_pread_some(out, len, got, file, at, why);

    if (st != COF_IO)
        return st == COF_OK ? st : cof_fail(err, st, "%s", why->message);
    *got = 0;
    for (size_t done = 0; done < len; done += COF_BLOCK_SIZE) {
        st = cof_file_pread_some(out + done, COF_BLOCK_SIZE, &part, file, at + done, why);
        if (st != COF_OK)
            memset(out + done, 0, COF_BLOCK_SIZE);
        *got += st == COF_OK ? part : COF_BLOCK_SIZE;
    }
    return COF_OK;
}

static cof_status read_superblocks(cof_head *h, const cof_file *file, cof_error *why,
                                   cof_error *err)
{
    size_t got = 0;
    cof_status st = read_blocks((uint8_t *)h->raw, sizeof(h->raw), &got, file, 0, why, err);

    if (st != COF_OK)
        return st;
    if (got < sizeof(h->raw[0]) ||
        (!cof_superblock_has_magic(h->raw[0]) && !cof_superblock_has_magic(h->raw[1])))
        return not_a_backup(file, err);
    if (got < sizeof(h->raw))
        return cof_fail_rule(err, COF_FORMAT, "GE-2", got, "%s is cut off: it ends inside its head",
                             cof_file_label(file));
    if ((st = cof_superblock_choose(&h->sb, &h->sb_state, h->raw[0], h->raw[1], err)) != COF_OK ||
        (st = cof_preamble_parse(&h->preamble, h->sb.preamble, err)) != COF_OK)
        return st;
    if (h->sb.role == COF_VOLUME_LATER)
        return cof_fail_rule(err, COF_UNSUPPORTED, "SB-3", 10,
                             "%s is volume %" PRIu32 " of a backup; name its first volume",
                             cof_file_label(file), h->sb.volume);
    return cof_preamble_core(h->core, h->sb.preamble, err);
}

static cof_status read_slots(cof_head *h, const cof_file *file, cof_error *why, cof_error *err)
{
    size_t got = 0;
    cof_status st = COF_OK;

    for (int i = 0; st == COF_OK && i < 2; i++) {
        cof_buf *slot = &h->slots[i];
        uint64_t at = cof_head_slot_offset(h->sb.slot_size, i);

        if ((st = cof_buf_append_zeros(slot, h->sb.slot_size, err)) == COF_OK)
            st = read_blocks(slot->data, slot->len, &got, file, at, why, err);
        if (st == COF_OK && got < slot->len)
            st = cof_fail_rule(err, COF_FORMAT, "GE-2", at + got,
                               "%s is cut off: it ends inside its head", cof_file_label(file));
    }
    return st;
}

/* Does this slot hold the very bytes that the superblock names? */
static bool holds_meant(cof_slice *out, const cof_head *h, int slot)
{
    cof_slice raw = {h->slots[slot].data, h->sb.envelope_len};
    uint8_t sha256[COF_SHA256_SIZE];

    *out = raw;
    return cof_sha256(sha256, raw.data, raw.len, NULL) == COF_OK &&
           memcmp(sha256, h->sb.envelope_sha256, sizeof(sha256)) == 0;
}

/* ---- a moment at which nobody changes it ---- */

static cof_status read_once(cof_head *h, const cof_file *file, cof_error *why, cof_error *err)
{
    cof_status st;

    *why = (cof_error)COF_ERROR_INIT;
    cof_buf_free(&h->slots[0]);
    cof_buf_free(&h->slots[1]);
    if ((st = read_superblocks(h, file, why, err)) != COF_OK)
        return st;
    return read_slots(h, file, why, err);
}

/* Read while nobody changed it, and all that there is twice is there twice. */
static bool is_quiet(const cof_head *h)
{
    cof_slice meant;

    return memcmp(h->raw[0], h->raw[1], sizeof(h->raw[0])) == 0 &&
           cof_slice_equal(cof_buf_slice(&h->slots[0]), cof_buf_slice(&h->slots[1])) &&
           holds_meant(&meant, h, h->sb.active_slot);
}

/* What was read, whole. */
static cof_status fingerprint(uint8_t out[COF_SHA256_SIZE], const cof_head *h, cof_error *err)
{
    const cof_slice parts[] = {{(const uint8_t *)h->raw, sizeof(h->raw)},
                               cof_buf_slice(&h->slots[0]),
                               cof_buf_slice(&h->slots[1])};
    cof_sha256_ctx *sha = NULL;
    cof_status st = cof_sha256_new(&sha, err);

    if (st == COF_OK)
        st = cof_sha256_init(sha, err);
    for (size_t i = 0; st == COF_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
        st = cof_sha256_update(sha, parts[i].data, parts[i].len, err);
    if (st == COF_OK)
        st = cof_sha256_final(sha, out, err);
    cof_sha256_free(sha);
    return st;
}

/*
 * Read superblocks and slots as they were at one moment.  A reader holds no lock.  What is twice
 * the same, and what the superblock means, is one moment's.  Where it is not, somebody is changing
 * it now, was interrupted, or a block is damaged: while somebody holds the lock of writers, wait;
 * else what two readings in a row agree in is how it is.
 */
static cof_status read_settled(cof_head *h, const cof_file *file, cof_error *why, cof_error *err)
{
    uint64_t deadline = cof_lock_deadline();
    uint8_t before[COF_SHA256_SIZE], now[COF_SHA256_SIZE];
    bool known = false;

    for (;;) {
        cof_status st = read_once(h, file, why, err), hashed;
        cof_lock_kind other;
        bool told = cof_lock_obstacle(&other, file, COF_LOCK_SHARED, NULL) == COF_OK;

        h->busy = false;
        if (st == COF_OK && is_quiet(h))
            return COF_OK;
        h->busy = other == COF_LOCK_EXCLUSIVE;
        if (cof_clock_monotonic_ns() >= deadline)
            return st;
        if (h->busy) {
            known = false;
            cof_lock_nap();
            continue;
        }
        if ((hashed = fingerprint(now, h, err)) != COF_OK)
            return hashed;
        if (known && memcmp(now, before, sizeof(now)) == 0)
            return st;
        memcpy(before, now, sizeof(now));
        known = true;
        if (!told)
            cof_lock_nap(); /* without locks, time has to show it */
    }
}

/* ---- the envelope ---- */

static cof_status weigh(cof_locks *out, const cof_head *h, int slot, const cof_trust *trust,
                        cof_error *err)
{
    return cof_slot_weigh(out, cof_buf_slice(&h->slots[slot]), &h->preamble, h->core, trust, err);
}

static bool is_refusal(const cof_error *why)
{
    return why->status == COF_AUTH || why->status == COF_UNSUPPORTED;
}

/*
 * EN-5: neither slot can be believed.  Damage is said only where both are damaged: the other one
 * may be whole, and of somebody who is not trusted here, or of a newer version.
 */
static cof_status neither(const cof_head *h, const cof_error *a, const cof_error *b, cof_error *err)
{
    const cof_error *worse = is_refusal(a) ? a : b;

    if (!is_refusal(worse))
        return cof_fail_rule(err, COF_FORMAT, "EN-5",
                             cof_head_slot_offset(h->sb.slot_size, h->sb.active_slot),
                             "the envelope is damaged, and so is its copy");
    return cof_fail_rule(err, worse->status, "EN-5", COF_NO_OFFSET,
                         "neither copy of the envelope is the one that the superblock names, and "
                         "one that is there is not used: %.300s",
                         worse->message);
}

/* Has it failed here, which says nothing about what was read? */
static bool is_failure(const cof_error *why)
{
    return why->status == COF_NOMEM || why->status == COF_INTERNAL;
}

static cof_status pass_on(const cof_error *why, cof_error *err)
{
    if (err != NULL)
        *err = *why;
    return why->status;
}

/* EN-5: the envelope that the superblock names is gone; take the best that the slots hold. */
static cof_status fall_back(cof_head *h, const cof_trust *trust, cof_error *err)
{
    int first = h->sb.active_slot, second = 1 - first;
    cof_locks a = COF_LOCKS_INIT, b = COF_LOCKS_INIT;
    cof_error why_a = COF_ERROR_INIT, why_b = COF_ERROR_INIT;
    bool ok_a = weigh(&a, h, first, trust, &why_a) == COF_OK;
    bool ok_b = weigh(&b, h, second, trust, &why_b) == COF_OK;
    bool take_b = !ok_a;
    cof_status st = COF_OK;

    if (is_failure(&why_a) || is_failure(&why_b))
        st = pass_on(is_failure(&why_a) ? &why_a : &why_b, err);
    else if (!ok_a && !ok_b)
        st = neither(h, &why_a, &why_b, err);
    else if (ok_a && ok_b)
        st = cof_slot_prefer_second(&take_b, &a, &b, err);
    if (st == COF_OK) {
        h->slot = take_b ? second : first;
        h->locks = take_b ? b : a;
        *(take_b ? &b : &a) = (cof_locks)COF_LOCKS_INIT; /* transferred */
    }
    cof_locks_wipe(&a);
    cof_locks_wipe(&b);
    return st;
}

static cof_status load_envelope(cof_head *h, const cof_trust *trust, cof_error *err)
{
    cof_slice raw;

    h->slot = h->sb.active_slot;
    if (!holds_meant(&raw, h, h->slot)) {
        h->fell_back = true;
        h->slot = 1 - h->slot;
        if (!holds_meant(&raw, h, h->slot))
            return fall_back(h, trust, err);
    }
    return cof_locks_load(&h->locks, raw, &h->preamble, h->core, trust, err);
}

static bool all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* EN-7: at rest both superblocks are the same, and both slots hold the envelope and zeros. */
static bool is_at_rest(const cof_head *h)
{
    const cof_buf *used = &h->slots[h->slot];
    size_t len = h->locks.raw.len;

    return !h->fell_back && !h->unreadable && h->sb_state.both_valid &&
           !h->sb_state.copies_differ &&
           memcmp(h->slots[0].data, h->slots[1].data, used->len) == 0 &&
           all_zero(used->data + len, used->len - len);
}

/* HA-1: it says what it is the head of, and nothing stands behind it. */
static cof_status check_alone(const cof_head *h, const cof_file *file, cof_error *err)
{
    uint64_t size, len = cof_head_length(h);
    cof_status st;

    if (h->sb.role != COF_VOLUME_HEAD_ALONE)
        return COF_OK;
    if ((st = cof_file_size(&size, file, err)) != COF_OK)
        return st;
    if (size != len)
        return cof_fail_rule(err, COF_FORMAT, "GE-3", len,
                             "%s is damaged: there are bytes behind a head that stands alone",
                             cof_file_label(file));
    if (h->locks.envelope.manifest.len == 0)
        return cof_fail_rule(err, COF_FORMAT, "HA-1", COF_NO_OFFSET,
                             "%s stands alone and holds no manifest: it says nothing about its "
                             "backup",
                             cof_file_label(file));
    return COF_OK;
}

cof_status cof_head_find_body(uint64_t *out, uint8_t core[32], const cof_file *file, cof_error *err)
{
    cof_error why = COF_ERROR_INIT;
    cof_head *h = calloc(1, sizeof(*h));
    cof_status st = h != NULL ? COF_OK : cof_fail(err, COF_NOMEM, "out of memory");

    if (st == COF_OK && (st = read_superblocks(h, file, &why, err)) == COF_OK) {
        *out = cof_head_length(h);
        memcpy(core, h->core, sizeof(h->core));
        if (h->sb.role != COF_VOLUME_WHOLE)
            st = cof_fail_rule(err, COF_FORMAT, "HA-2", 10,
                               "%s is a head alone: the file with the body is needed as well",
                               cof_file_label(file));
    }
    free(h);
    return st;
}

cof_status cof_head_load(cof_head *out, const cof_file *file, const cof_trust *trust,
                         cof_error *err)
{
    cof_error why = COF_ERROR_INIT;
    cof_status st;

    memset(out, 0, sizeof(*out));
    if ((st = read_settled(out, file, &why, err)) != COF_OK ||
        (st = load_envelope(out, trust, err)) != COF_OK ||
        (st = check_alone(out, file, err)) != COF_OK) {
        cof_head_wipe(out);
        if (why.status != COF_IO)
            return st;
        if (err != NULL)
            *err = why; /* what could not be read was needed */
        return COF_IO;
    }
    out->unreadable = why.status == COF_IO;
    out->at_rest = is_at_rest(out);
    return COF_OK;
}

void cof_head_wipe(cof_head *head)
{
    cof_locks_wipe(&head->locks);
    cof_buf_free(&head->slots[0]);
    cof_buf_free(&head->slots[1]);
}

bool cof_head_pending(const cof_head *head)
{
    return head->sb_state.both_valid && head->sb_state.copies_differ;
}

/* Found by its hash it is the very copy; else it may be what was before a change, or after it. */
static void note_fallback(const cof_head *h, const cof_report *report)
{
    const cof_link *newest = cof_locks_newest(&h->locks);
    cof_slice raw;

    if (holds_meant(&raw, h, h->slot) || newest == NULL)
        cof_note(report, "the envelope that the superblock names is damaged; its copy was used");
    else
        cof_note(report,
                 "the envelope that the superblock names is damaged, and so is its copy; another "
                 "one that is left was used, of generation %" PRIu64
                 ": the recipients may have been changed since then",
                 newest->custody.generation);
}

size_t cof_head_report(const cof_head *h, const cof_report *report)
{
    size_t found = 0;

    if (h->at_rest)
        return 0;
    if (!h->sb_state.both_valid) {
        cof_note(report, "superblock copy %c is damaged; the other one was used",
                 h->sb_state.chosen == 0 ? 'B' : 'A');
        found++;
    }
    if (h->busy) {
        cof_note(report, "another process has been changing the recipients for ten seconds and is "
                         "not done; the backup was read as it is now");
        found++;
    } else if (cof_head_pending(h)) {
        cof_note(report,
                 "a change of the recipients was interrupted; the next rotate completes it");
        found++;
    }
    if (h->unreadable) {
        cof_note(report, "the disk does not give back a part of the head; its copy was used");
        found++;
    }
    if (h->fell_back) {
        note_fallback(h, report);
        found++;
    } else if (found == 0) {
        cof_note(report, "the two copies of the envelope differ: one is damaged, or a change was "
                         "interrupted; the next rotate renews it");
        found++;
    }
    return found;
}
