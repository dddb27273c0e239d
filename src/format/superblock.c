/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The superblock and the choice between its two copies.
 *
 * A crash in the middle of a change leaves one old and one new copy, or one torn one; here, and
 * nowhere else, it is decided which of them counts.  A copy is used only if its hash is right, so
 * everything below about its fields is about what somebody wrote, not about what a disk lost.
 */

#include "format/superblock.h"

#include "format/envelope.h"
#include "format/internal.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <string.h>

#define VERSION      1
#define ROLE_JOURNAL 3
#define ROLE_AT      10
#define VOLUME_AT    20
#define SLOT_SIZE_AT 24
#define SEQUENCE_AT  32
#define POINTER_AT   80
#define PREAMBLE_AT  512
#define HASH_AT      (COF_SUPERBLOCK_SIZE - COF_SHA256_SIZE)
#define MAGIC_SIZE   8

static const uint8_t MAGIC[MAGIC_SIZE] = {0x89, 0x43, 0x4F, 0x46, 0x46, 0x45, 0x52, 0x0A};

uint64_t cof_head_len(uint64_t slot_size)
{
    return 2 * COF_SUPERBLOCK_SIZE + 2 * slot_size;
}

uint64_t cof_head_superblock_offset(int copy)
{
    return copy == 0 ? 0 : COF_SUPERBLOCK_SIZE;
}

uint64_t cof_head_slot_offset(uint64_t slot_size, int slot)
{
    return 2 * COF_SUPERBLOCK_SIZE + (slot == 0 ? 0 : slot_size);
}

static cof_status check_kinds(unsigned version, unsigned role, uint32_t incompat, cof_error *err)
{
    const char *unknown = NULL;

    if (version != VERSION)
        unknown = "another version of the format";
    else if (role == ROLE_JOURNAL)
        unknown = "a rekey journal";
    else if (role > COF_VOLUME_LATER)
        unknown = "a kind of volume";
    else if (incompat != 0)
        unknown = "a feature of the head";
    if (unknown == NULL)
        return COF_OK;
    return cof_fail_rule(err, COF_UNSUPPORTED, "SB-3", COF_NO_OFFSET,
                         "the superblock has %s that this version does not know", unknown);
}

static bool later_valid(const cof_superblock *sb)
{
    return sb->volume >= 2 && sb->volume <= COF_VOLUMES_MAX && sb->slot_size == 0 &&
           sb->envelope_len == 0 && sb->active_slot == 0 &&
           cof_format_all_zero(sb->envelope_sha256, sizeof(sb->envelope_sha256));
}

static bool first_valid(const cof_superblock *sb)
{
    return sb->volume == 1 && sb->active_slot <= 1 && sb->slot_size >= COF_SLOT_SIZE_MIN &&
           sb->slot_size <= COF_SLOT_SIZE_MAX && sb->slot_size % COF_BLOCK_SIZE == 0 &&
           sb->envelope_len >= COF_ENVELOPE_HEADER_SIZE && sb->envelope_len <= sb->slot_size;
}

/* SB-5, but for the zero ranges. */
static cof_status check_ranges(const cof_superblock *sb, cof_error *err)
{
    if (sb->role == COF_VOLUME_LATER ? later_valid(sb) : first_valid(sb))
        return COF_OK;
    return cof_fail_rule(err, COF_FORMAT, "SB-5", COF_NO_OFFSET,
                         "volume number, slot or envelope of the superblock are out of range");
}

cof_status cof_superblock_emit(uint8_t out[COF_SUPERBLOCK_SIZE], const cof_superblock *sb,
                               cof_error *err)
{
    uint8_t raw[COF_SUPERBLOCK_SIZE];
    cof_put w;
    cof_status st;

    if ((st = check_kinds(VERSION, sb->role, sb->incompat, err)) != COF_OK ||
        (st = check_ranges(sb, err)) != COF_OK)
        return cof_format_as_usage(st, err);
    cof_put_init(&w, raw, sizeof(raw));
    if (cof_put_bytes(&w, MAGIC, sizeof(MAGIC)) != COF_OK || cof_put_u16(&w, VERSION) != COF_OK ||
        cof_put_u8(&w, (uint8_t)sb->role) != COF_OK || cof_put_u8(&w, sb->active_slot) != COF_OK ||
        cof_put_u32(&w, sb->incompat) != COF_OK || cof_put_u32(&w, sb->compat) != COF_OK ||
        cof_put_u32(&w, sb->volume) != COF_OK || cof_put_u64(&w, sb->slot_size) != COF_OK ||
        cof_put_u64(&w, sb->sequence) != COF_OK || cof_put_u64(&w, sb->envelope_len) != COF_OK ||
        cof_put_bytes(&w, sb->envelope_sha256, COF_SHA256_SIZE) != COF_OK ||
        cof_put_zeros_until(&w, PREAMBLE_AT) != COF_OK ||
        cof_put_bytes(&w, sb->preamble, COF_PREAMBLE_SIZE) != COF_OK ||
        cof_put_zeros_until(&w, sizeof(raw)) != COF_OK)
        return cof_fail(err, COF_INTERNAL, "the superblock does not fit its own size");
    if ((st = cof_sha256(raw + HASH_AT, raw, HASH_AT, err)) != COF_OK)
        return st;
    memcpy(out, raw, sizeof(raw));
    return COF_OK;
}

bool cof_superblock_has_magic(const uint8_t raw[MAGIC_SIZE])
{
    return cof_equal_consttime(raw, MAGIC, sizeof(MAGIC));
}

cof_status cof_superblock_valid_copy(bool *out, const uint8_t raw[COF_SUPERBLOCK_SIZE],
                                     cof_error *err)
{
    uint8_t hash[COF_SHA256_SIZE];
    cof_status st;

    if ((st = cof_sha256(hash, raw, HASH_AT, err)) != COF_OK)
        return st;
    *out = cof_superblock_has_magic(raw) && cof_equal_consttime(raw + HASH_AT, hash, sizeof(hash));
    return COF_OK;
}

/* Read a valid copy: SB-3 before all else, since a later version may have other fields. */
static cof_status parse_copy(cof_superblock *out, const uint8_t raw[COF_SUPERBLOCK_SIZE],
                             cof_error *err)
{
    cof_superblock sb;
    uint16_t version;
    uint8_t role;
    cof_get g;
    cof_status st;

    cof_get_init(&g, raw, HASH_AT);
    if (cof_get_skip(&g, MAGIC_SIZE) != COF_OK || cof_get_u16(&g, &version) != COF_OK ||
        cof_get_u8(&g, &role) != COF_OK || cof_get_u8(&g, &sb.active_slot) != COF_OK ||
        cof_get_u32(&g, &sb.incompat) != COF_OK || cof_get_u32(&g, &sb.compat) != COF_OK ||
        cof_get_u32(&g, &sb.volume) != COF_OK || cof_get_u64(&g, &sb.slot_size) != COF_OK ||
        cof_get_u64(&g, &sb.sequence) != COF_OK || cof_get_u64(&g, &sb.envelope_len) != COF_OK ||
        cof_get_bytes(&g, sb.envelope_sha256, COF_SHA256_SIZE) != COF_OK)
        return cof_fail(err, COF_INTERNAL, "the superblock does not fit its own size");
    if ((st = check_kinds(version, role, sb.incompat, err)) != COF_OK)
        return st;
    sb.role = (cof_volume_role)role;
    if ((st = cof_get_skip_zeros(&g, PREAMBLE_AT - POINTER_AT)) != COF_OK ||
        (st = cof_get_bytes(&g, sb.preamble, COF_PREAMBLE_SIZE)) != COF_OK ||
        (st = cof_get_skip_zeros(&g, g.left)) != COF_OK)
        return cof_fail_rule(err, st, "SB-5", COF_NO_OFFSET,
                             "reserved bytes of the superblock are not zero");
    if ((st = check_ranges(&sb, err)) != COF_OK)
        return st;
    *out = sb;
    return COF_OK;
}

/* The newer of two copies, by SB-1 and SB-2: 0 or 1 into *chosen. */
static cof_status choose(int *chosen, const uint8_t *const raw[2], const bool valid[2], bool differ,
                         cof_error *err)
{
    if (!valid[0] && !valid[1])
        return cof_fail_rule(err, COF_FORMAT, "SB-1", COF_NO_OFFSET,
                             "no intact superblock: not a backup, or damaged");
    if (!valid[0] || !valid[1]) {
        *chosen = valid[0] ? 0 : 1;
        return COF_OK;
    }
    uint64_t a = cof_be64_load(raw[0] + SEQUENCE_AT);
    uint64_t b = cof_be64_load(raw[1] + SEQUENCE_AT);
    if (a == b && differ)
        return cof_fail_rule(err, COF_FORMAT, "SB-2", COF_NO_OFFSET,
                             "two different superblocks with the same sequence %" PRIu64, a);
    *chosen = b > a ? 1 : 0;
    return COF_OK;
}

/* SB-4, and the zero ranges (SB-5) of the older copy: its other fields may be anything. */
static cof_status check_older(const cof_superblock *used, const uint8_t *older, cof_error *err)
{
    cof_slice mine = {used->preamble, COF_PREAMBLE_SIZE};
    cof_slice other = {older + PREAMBLE_AT, COF_PREAMBLE_SIZE};

    if (older[ROLE_AT] != used->role || cof_be32_load(older + VOLUME_AT) != used->volume ||
        cof_be64_load(older + SLOT_SIZE_AT) != used->slot_size || !cof_slice_equal(mine, other))
        return cof_fail_rule(err, COF_FORMAT, "SB-4", COF_NO_OFFSET,
                             "the two superblocks belong to different backups or volumes");
    size_t after = PREAMBLE_AT + COF_PREAMBLE_SIZE;
    if (!cof_format_all_zero(older + POINTER_AT, PREAMBLE_AT - POINTER_AT) ||
        !cof_format_all_zero(older + after, HASH_AT - after))
        return cof_fail_rule(err, COF_FORMAT, "SB-5", COF_NO_OFFSET,
                             "reserved bytes of the older superblock are not zero");
    return COF_OK;
}

cof_volume_role cof_superblock_role(const uint8_t raw[11])
{
    return (cof_volume_role)raw[ROLE_AT];
}

cof_status cof_superblock_choose(cof_superblock *out, cof_superblock_state *state,
                                 const uint8_t *raw_a, const uint8_t *raw_b, cof_error *err)
{
    const uint8_t *const raw[2] = {raw_a, raw_b};
    cof_superblock sb;
    bool valid[2] = {false, false};
    int chosen = 0;
    cof_status st;

    for (int i = 0; i < 2; i++) {
        if (raw[i] != NULL && (st = cof_superblock_valid_copy(&valid[i], raw[i], err)) != COF_OK)
            return st;
    }
    bool differ = raw_a == NULL || raw_b == NULL ||
                  !cof_slice_equal((cof_slice){raw_a, COF_SUPERBLOCK_SIZE},
                                   (cof_slice){raw_b, COF_SUPERBLOCK_SIZE});
    if ((st = choose(&chosen, raw, valid, differ, err)) != COF_OK ||
        (st = parse_copy(&sb, raw[chosen], err)) != COF_OK)
        return st;
    if (valid[0] && valid[1] && differ && (st = check_older(&sb, raw[1 - chosen], err)) != COF_OK)
        return st;
    *out = sb;
    if (state != NULL)
        *state = (cof_superblock_state){chosen, valid[0] && valid[1], differ};
    return COF_OK;
}
