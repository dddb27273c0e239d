/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_MERKLE_H
#define COF_FORMAT_MERKLE_H

/*
 * Entries and the tree over them (FORMAT.md section 3.3; RFC 9162 section 2.1.1).
 *
 * The tree is built from left to right and keeps one node for each bit of the count, so its size
 * does not depend on the number of records.  An aligned block of 4096 records has a root of its
 * own, and can be added as a whole.
 *
 * All functions that hash return COF_NOMEM or COF_INTERNAL when the crypto room fails; outputs are
 * then untouched.
 */

#include "base/error.h"
#include "crypto/digest.h"
#include "format/frame.h"

#include <stddef.h>
#include <stdint.h>

#define COF_ENTRY_SIZE   64
#define COF_MERKLE_BLOCK 4096 /* leaves of a block; the same as COF_INDEX_RECORDS */

/* entry = the frame header as stored ‖ SHA-256 of the payload as stored. */
void cof_entry_make(uint8_t out[COF_ENTRY_SIZE], const uint8_t header[COF_FRAME_SIZE],
                    const uint8_t payload_sha256[COF_SHA256_SIZE]);

/* The two halves of an entry, borrowed. */
const uint8_t *cof_entry_header(const uint8_t entry[COF_ENTRY_SIZE]);
const uint8_t *cof_entry_payload_sha256(const uint8_t entry[COF_ENTRY_SIZE]);

/* leaf = SHA-256(0x00 ‖ entry). */
cof_status cof_merkle_leaf(uint8_t out[COF_SHA256_SIZE], const uint8_t entry[COF_ENTRY_SIZE],
                           cof_error *err) COF_MUST_USE;

/* node = SHA-256(0x01 ‖ left ‖ right).  out may be left or right. */
cof_status cof_merkle_node(uint8_t out[COF_SHA256_SIZE], const uint8_t left[COF_SHA256_SIZE],
                           const uint8_t right[COF_SHA256_SIZE], cof_error *err) COF_MUST_USE;

/* A tree in the making.  Plain data: may be copied, needs no wiping. */
typedef struct cof_merkle {
    uint64_t count;                     /* leaves so far */
    uint8_t nodes[64][COF_SHA256_SIZE]; /* [i]: root of 2^i leaves, if bit i of count is set */
} cof_merkle;

void cof_merkle_init(cof_merkle *tree);

/* Add the entry of the next record.  After a failure the tree is as it was. */
cof_status cof_merkle_add_entry(cof_merkle *tree, const uint8_t entry[COF_ENTRY_SIZE],
                                cof_error *err) COF_MUST_USE;

/* Add a leaf (the hash, not the entry). */
cof_status cof_merkle_add_leaf(cof_merkle *tree, const uint8_t leaf[COF_SHA256_SIZE],
                               cof_error *err) COF_MUST_USE;

/* The root over all leaves so far (none: SHA-256 of nothing).  The tree goes on unchanged. */
cof_status cof_merkle_root(uint8_t out[COF_SHA256_SIZE], const cof_merkle *tree,
                           cof_error *err) COF_MUST_USE;

/*
 * The root over n entries that lie one after the other: of one block (n = 4096) or of the last,
 * shorter one.
 */
cof_status cof_merkle_block_root(uint8_t out[COF_SHA256_SIZE], const uint8_t *entries, size_t n,
                                 cof_error *err) COF_MUST_USE;

/*
 * The root of a tree from its block roots: n roots, of which all but the last are of whole blocks.
 * (A last block that is not whole hangs in the tree as one node, so its root suffices.)  n = 0 is
 * the empty tree.  This is how a reader proves blocks that it does not keep.
 */
cof_status cof_merkle_combine(uint8_t out[COF_SHA256_SIZE], const uint8_t (*roots)[COF_SHA256_SIZE],
                              size_t n, cof_error *err) COF_MUST_USE;

#endif
