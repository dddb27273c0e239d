/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_LINEAGE_H
#define COF_FORMAT_LINEAGE_H

/*
 * What the LINEAGE records of a rekeyed backup hold (FORMAT.md section 3.9), read and written
 * record by record.
 *
 * The whole row of items follows from the epoch and the number of records of epoch 0, so a reader
 * knows before each item its type and, but for manifests, its length.  It keeps one item at most:
 * a manifest (1 MiB) or a block of hashes (128 KiB).  Nothing that it hands out is believed yet.
 */

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "format/preamble.h"

#include <stddef.h>
#include <stdint.h>

#define COF_LINEAGE_ITEM_HEADER 8
#define COF_LINEAGE_BLOCK       4096 /* hashes in one item, but in the last */

typedef enum cof_lineage_type {
    COF_LINEAGE_DEK = 1,
    COF_LINEAGE_PREAMBLE = 2,
    COF_LINEAGE_MANIFEST = 3,
    COF_LINEAGE_HASHES = 4
} cof_lineage_type;

/* One item, whole; value is borrowed during the call. */
typedef struct cof_lineage_item {
    cof_lineage_type type;
    uint32_t epoch;        /* that it tells about */
    uint64_t first_record; /* DEK, PREAMBLE, MANIFEST: the record that its addition begins with;
                              HASHES: the record whose payload has the first hash */
    cof_slice value;       /* of HASHES without that number: only the hashes */
} cof_lineage_item;

typedef cof_status cof_lineage_hook(void *ctx, const cof_lineage_item *item, cof_error *err);

/* A reader in the making; wiped by cof_lineage_wipe(). */
typedef struct cof_lineage {
    uint32_t epochs;      /* how many additions there must be: the backup's epoch */
    uint64_t records;     /* of epoch 0 */
    uint32_t record_size; /* R */
    cof_lineage_hook *hook;
    void *ctx;

    uint32_t epoch; /* the addition that is being read */
    cof_lineage_type next;
    uint64_t hashed; /* hashes of epoch 0 so far */
    uint64_t next_record;
    uint64_t began;    /* the record that this addition began with */
    bool at_border;    /* an addition is complete, and no other one begun */
    cof_secret *dek;   /* header and value of the item that is being read, if it is the DEK ... */
    uint8_t *item;     /* ... or any other; owned */
    size_t have, want; /* bytes of it that are there, and that it has in all */
} cof_lineage;

/*
 * Expect the lineage of a backup of this preamble, whose records of epoch 0 are `records`: so many
 * precede the first LINEAGE record.  COF_NOMEM; COF_INTERNAL in epoch 0.  The caller wipes *out.
 */
cof_status cof_lineage_init(cof_lineage *out, const cof_preamble *preamble, uint64_t records,
                            cof_lineage_hook *hook, void *ctx, cof_error *err) COF_MUST_USE;

/*
 * The plaintext of the next LINEAGE record: LI-2, LI-3.  Calls the hook with each item that it
 * completes.  COF_FORMAT, or what the hook returned; the reader is of no use then.
 */
cof_status cof_lineage_record(cof_lineage *lineage, cof_slice plain, cof_error *err) COF_MUST_USE;

/* LI-2: is nothing missing?  COF_FORMAT. */
cof_status cof_lineage_finish(const cof_lineage *lineage, cof_error *err) COF_MUST_USE;

void cof_lineage_wipe(cof_lineage *lineage);

/* Write the header of an item with a value of len bytes. */
void cof_lineage_emit_header(uint8_t out[COF_LINEAGE_ITEM_HEADER], cof_lineage_type type,
                             uint32_t len);

#define COF_LINEAGE_HASHES_MAX (8 + (size_t)COF_LINEAGE_BLOCK * COF_SHA256_SIZE)

/*
 * The value of an item of hashes: where the i-th of them goes, and then, when all are in their
 * places, the number before them.  The second returns the length of the value.
 */
uint8_t *cof_lineage_hash_place(uint8_t *value, size_t i);
size_t cof_lineage_emit_hashes(uint8_t *value, uint64_t first_record, size_t count);

/* How many hashes the item of block b holds, of a backup with so many records in epoch 0. */
size_t cof_lineage_block_count(uint64_t records, uint64_t block);

/* Where in the lineage's stream the hashes of block b begin, behind a first manifest of this
 * length.
 */
uint64_t cof_lineage_block_at(uint64_t block, size_t manifest_len);

#endif
