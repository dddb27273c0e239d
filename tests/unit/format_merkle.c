/* SPDX-License-Identifier: Apache-2.0 */

/* Is the tree RFC 9162's, for any number of leaves, however it is put together? */

#include "format_test.h"

#include "format/merkle.h"
#include "wire/wire.h"

#include <stdlib.h>

#define LEAVES (2 * COF_MERKLE_BLOCK + 700)

static uint8_t (*leaves)[COF_SHA256_SIZE];
static uint8_t *entries;

static void make_entry(uint8_t out[COF_ENTRY_SIZE], size_t i)
{
    uint8_t header[COF_FRAME_SIZE], hash[COF_SHA256_SIZE];
    cof_frame f = {.kind = COF_FRAME_DATA, .plain_len = 1, .stored_len = 17, .record = i};

    cof_frame_emit(header, &f);
    fill(hash, sizeof(hash), (unsigned)i);
    cof_entry_make(out, header, hash);
    assert_memory_equal(cof_entry_header(out), header, sizeof(header));
    assert_memory_equal(cof_entry_payload_sha256(out), hash, sizeof(hash));
}

static int set_up(void **state)
{
    (void)state;
    leaves = calloc(LEAVES, sizeof(*leaves));
    entries = calloc(LEAVES, COF_ENTRY_SIZE);
    if (leaves == NULL || entries == NULL)
        return -1;
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t prefixed[1 + COF_ENTRY_SIZE] = {0};
        make_entry(entries + i * COF_ENTRY_SIZE, i);
        memcpy(prefixed + 1, entries + i * COF_ENTRY_SIZE, COF_ENTRY_SIZE);
        if (cof_sha256(leaves[i], prefixed, sizeof(prefixed), NULL) != COF_OK)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(leaves);
    free(entries);
    return 0;
}

/* The definition, word for word: MTH over leaves first ... first + n - 1. */
static void direct_root(uint8_t out[COF_SHA256_SIZE], size_t first, size_t n)
{
    uint8_t node[1 + 2 * COF_SHA256_SIZE] = {1};
    size_t k = 1;

    if (n == 0) {
        assert_ok(cof_sha256(out, "", 0, NULL));
        return;
    }
    if (n == 1) {
        memcpy(out, leaves[first], COF_SHA256_SIZE);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    direct_root(node + 1, first, k);
    direct_root(node + 1 + COF_SHA256_SIZE, first + k, n - k);
    assert_ok(cof_sha256(out, node, sizeof(node), NULL));
}

static void check_root(const cof_merkle *tree, size_t n)
{
    uint8_t got[COF_SHA256_SIZE], wanted[COF_SHA256_SIZE];

    assert_int_equal(tree->count, n);
    assert_ok(cof_merkle_root(got, tree, NULL));
    direct_root(wanted, 0, n);
    assert_memory_equal(got, wanted, sizeof(got));
}

static void leaf_by_leaf(void **state)
{
    (void)state;
    cof_merkle tree, before;

    cof_merkle_init(&tree);
    for (size_t n = 0; n < LEAVES; n++) {
        size_t off = n % COF_MERKLE_BLOCK;
        if (n <= 600 || off <= 3 || off >= COF_MERKLE_BLOCK - 3) {
            before = tree;
            check_root(&tree, n);
            assert_memory_equal(&before, &tree, sizeof(tree)); /* asking changes nothing */
        }
        if (n % 2 == 0)
            assert_ok(cof_merkle_add_entry(&tree, entries + n * COF_ENTRY_SIZE, NULL));
        else
            assert_ok(cof_merkle_add_leaf(&tree, leaves[n], NULL));
    }
    check_root(&tree, LEAVES);
}

static void known_roots(void **state)
{
    (void)state;
    static const uint8_t nothing[COF_SHA256_SIZE] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    uint8_t got[COF_SHA256_SIZE];
    cof_merkle tree;

    cof_merkle_init(&tree);
    assert_ok(cof_merkle_root(got, &tree, NULL));
    assert_memory_equal(got, nothing, sizeof(got));
    assert_ok(cof_merkle_block_root(got, NULL, 0, NULL));
    assert_memory_equal(got, nothing, sizeof(got));
    assert_ok(cof_merkle_combine(got, NULL, 0, NULL));
    assert_memory_equal(got, nothing, sizeof(got));
    assert_ok(cof_merkle_leaf(got, entries, NULL));
    assert_memory_equal(got, leaves[0], sizeof(got));
}

static void blocks_combine(void **state)
{
    (void)state;
    static const size_t counts[] = {1,    2,    4095, 4096, 4097, 4099,
                                    8191, 8192, 8193, 8194, 8200, LEAVES};
    uint8_t roots[3][COF_SHA256_SIZE], got[COF_SHA256_SIZE], wanted[COF_SHA256_SIZE];

    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        size_t n = 0;
        for (size_t at = 0; at < counts[c]; at += COF_MERKLE_BLOCK, n++) {
            size_t len = counts[c] - at < COF_MERKLE_BLOCK ? counts[c] - at : COF_MERKLE_BLOCK;
            assert_ok(cof_merkle_block_root(roots[n], entries + at * COF_ENTRY_SIZE, len, NULL));
        }
        direct_root(wanted, 0, counts[c]);
        assert_ok(cof_merkle_combine(got, (const uint8_t(*)[COF_SHA256_SIZE])roots, n, NULL));
        assert_memory_equal(got, wanted, sizeof(got));
    }
}

static void no_more_leaves_than_records(void **state)
{
    (void)state;
    cof_merkle tree;
    cof_error err;

    cof_merkle_init(&tree);
    tree.count = COF_RECORDS_MAX;
    assert_rule(cof_merkle_add_leaf(&tree, leaves[0], &err), err, COF_LIMIT, "GE-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaf_by_leaf),
        cmocka_unit_test(known_roots),
        cmocka_unit_test(blocks_combine),
        cmocka_unit_test(no_more_leaves_than_records),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
