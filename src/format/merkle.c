/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree.  RFC 9162 splits n leaves at the largest power of two below n; built from the
 * left this means: equal neighbours merge at once, and the root folds what is left from the right.
 * So nodes[] mirrors the bits of the count, like carries of a binary counter.
 */

#include "format/merkle.h"

#include <string.h>

void cof_entry_make(uint8_t out[COF_ENTRY_SIZE], const uint8_t header[COF_FRAME_SIZE],
                    const uint8_t payload_sha256[COF_SHA256_SIZE])
{
    memcpy(out, header, COF_FRAME_SIZE);
    memcpy(out + COF_FRAME_SIZE, payload_sha256, COF_SHA256_SIZE);
}

const uint8_t *cof_entry_header(const uint8_t entry[COF_ENTRY_SIZE])
{
    return entry;
}

const uint8_t *cof_entry_payload_sha256(const uint8_t entry[COF_ENTRY_SIZE])
{
    return entry + COF_FRAME_SIZE;
}

/* RFC 9162's prefixes keep a leaf from being taken for a node. */
static cof_status hash_prefixed(uint8_t out[COF_SHA256_SIZE], uint8_t prefix, const uint8_t *left,
                                const uint8_t *right, cof_error *err)
{
    uint8_t text[1 + 2 * COF_SHA256_SIZE];

    text[0] = prefix;
    memcpy(text + 1, left, COF_SHA256_SIZE);
    memcpy(text + 1 + COF_SHA256_SIZE, right, COF_SHA256_SIZE);
    return cof_sha256(out, text, sizeof(text), err);
}

cof_status cof_merkle_leaf(uint8_t out[COF_SHA256_SIZE], const uint8_t entry[COF_ENTRY_SIZE],
                           cof_error *err)
{
    return hash_prefixed(out, 0x00, cof_entry_header(entry), cof_entry_payload_sha256(entry), err);
}

cof_status cof_merkle_node(uint8_t out[COF_SHA256_SIZE], const uint8_t left[COF_SHA256_SIZE],
                           const uint8_t right[COF_SHA256_SIZE], cof_error *err)
{
    return hash_prefixed(out, 0x01, left, right, err);
}

void cof_merkle_init(cof_merkle *tree)
{
    memset(tree, 0, sizeof(*tree));
}

cof_status cof_merkle_add_leaf(cof_merkle *tree, const uint8_t leaf[COF_SHA256_SIZE],
                               cof_error *err)
{
    uint8_t node[COF_SHA256_SIZE];
    unsigned at = 0;
    cof_status st;

    if (tree->count >= COF_RECORDS_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET, "too many records");
    memcpy(node, leaf, sizeof(node));
    for (; (tree->count >> at & 1) != 0; at++) {
        if ((st = cof_merkle_node(node, tree->nodes[at], node, err)) != COF_OK)
            return st;
    }
    memcpy(tree->nodes[at], node, sizeof(node));
    tree->count++;
    return COF_OK;
}

cof_status cof_merkle_add_entry(cof_merkle *tree, const uint8_t entry[COF_ENTRY_SIZE],
                                cof_error *err)
{
    uint8_t leaf[COF_SHA256_SIZE];
    cof_status st;

    if ((st = cof_merkle_leaf(leaf, entry, err)) != COF_OK)
        return st;
    return cof_merkle_add_leaf(tree, leaf, err);
}

cof_status cof_merkle_root(uint8_t out[COF_SHA256_SIZE], const cof_merkle *tree, cof_error *err)
{
    uint8_t root[COF_SHA256_SIZE];
    bool started = false;
    cof_status st;

    if (tree->count == 0)
        return cof_sha256(out, NULL, 0, err);
    for (unsigned level = 0; level < 64; level++) {
        if ((tree->count >> level & 1) == 0)
            continue;
        if (!started)
            memcpy(root, tree->nodes[level], sizeof(root));
        else if ((st = cof_merkle_node(root, tree->nodes[level], root, err)) != COF_OK)
            return st;
        started = true;
    }
    memcpy(out, root, sizeof(root));
    return COF_OK;
}

cof_status cof_merkle_block_root(uint8_t out[COF_SHA256_SIZE], const uint8_t *entries, size_t n,
                                 cof_error *err)
{
    cof_merkle tree;
    cof_status st;

    cof_merkle_init(&tree);
    for (size_t i = 0; i < n; i++) {
        if ((st = cof_merkle_add_entry(&tree, entries + i * COF_ENTRY_SIZE, err)) != COF_OK)
            return st;
    }
    return cof_merkle_root(out, &tree, err);
}

cof_status cof_merkle_combine(uint8_t out[COF_SHA256_SIZE], const uint8_t (*roots)[COF_SHA256_SIZE],
                              size_t n, cof_error *err)
{
    cof_merkle tree;
    cof_status st;

    /* The split of 4096 * n leaves is 4096 times the split of n: block roots stand for leaves. */
    cof_merkle_init(&tree);
    for (size_t i = 0; i < n; i++) {
        if ((st = cof_merkle_add_leaf(&tree, roots[i], err)) != COF_OK)
            return st;
    }
    return cof_merkle_root(out, &tree, err);
}
