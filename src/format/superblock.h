/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_SUPERBLOCK_H
#define COF_FORMAT_SUPERBLOCK_H

/* The superblock, twice at the start of every volume, and the places in a head (FORMAT.md 2, 2.1).
 */

#include "base/error.h"
#include "crypto/digest.h"
#include "format/preamble.h"

#include <stdbool.h>
#include <stdint.h>

#define COF_SUPERBLOCK_SIZE 4096

typedef enum cof_volume_role {
    COF_VOLUME_WHOLE = 0,      /* volume 1: head and body */
    COF_VOLUME_HEAD_ALONE = 1, /* a head alone, without a body */
    COF_VOLUME_LATER = 2       /* volume 2 and later: no slots */
} cof_volume_role;

typedef struct cof_superblock {
    cof_volume_role role;
    uint8_t active_slot; /* 0 or 1 */
    uint32_t incompat;
    uint32_t compat; /* unknown bits are kept */
    uint32_t volume; /* from 1 */
    uint64_t slot_size;
    uint64_t sequence;
    uint64_t envelope_len;
    uint8_t envelope_sha256[COF_SHA256_SIZE];
    uint8_t preamble[COF_PREAMBLE_SIZE]; /* raw; cof_preamble_parse() checks it */
} cof_superblock;

/* What the two copies on disk say about each other (SB-6: a reader reports all but "equal"). */
typedef struct cof_superblock_state {
    int chosen;         /* which copy was used: 0 is A, 1 is B */
    bool both_valid;    /* false: the other copy is damaged */
    bool copies_differ; /* any byte differs: true also when one is damaged */
} cof_superblock_state;

/*
 * Write one copy, with its SHA-256.  COF_USAGE if *sb breaks SB-3 or SB-5; out is then untouched.
 * COF_NOMEM.
 */
cof_status cof_superblock_emit(uint8_t out[COF_SUPERBLOCK_SIZE], const cof_superblock *sb,
                               cof_error *err) COF_MUST_USE;

/* Does this begin as a superblock does?  Only the magic is looked at. */
bool cof_superblock_has_magic(const uint8_t raw[8]);

/* The role that the first 11 bytes of a superblock claim, whatever the rest is worth. */
cof_volume_role cof_superblock_role(const uint8_t raw[11]);

/*
 * Are magic and SHA-256 of this copy right?  Says nothing about its fields.  COF_NOMEM; *out is
 * then untouched.
 */
cof_status cof_superblock_valid_copy(bool *out, const uint8_t raw[COF_SUPERBLOCK_SIZE],
                                     cof_error *err) COF_MUST_USE;

/*
 * Choose between the two copies and read the chosen one: SB-1 to SB-5.  A copy that could not be
 * read at all is given as NULL and counts as invalid.  The preamble is not looked into.
 *
 * COF_FORMAT, COF_UNSUPPORTED (SB-3), COF_NOMEM; *out and *state (may be NULL) are then untouched.
 */
cof_status cof_superblock_choose(cof_superblock *out, cof_superblock_state *state,
                                 const uint8_t *raw_a, const uint8_t *raw_b,
                                 cof_error *err) COF_MUST_USE;

/* The length of a head with slots of this size, which is where the body starts. */
uint64_t cof_head_len(uint64_t slot_size);

/* The offset in the file of superblock copy 0 or 1, and of envelope slot 0 or 1. */
uint64_t cof_head_superblock_offset(int copy);
uint64_t cof_head_slot_offset(uint64_t slot_size, int slot);

#endif
