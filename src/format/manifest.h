/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_MANIFEST_H
#define COF_FORMAT_MANIFEST_H

/*
 * The manifest (FORMAT.md section 4.3): what the content is.  As with custody, only the JSON is
 * this room's; until its signature was verified every field is a claim.
 */

#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "format/limits.h"
#include "format/preamble.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_TOOL_MAX 64

typedef struct cof_manifest_volume {
    uint64_t bytes; /* of the body, in the last volume up to the first TAIL frame */
    uint64_t first_record;
} cof_manifest_volume;

/* Start from COF_MANIFEST_INIT. */
typedef struct cof_manifest {
    uint8_t backup[COF_UUID_LEN];
    uint64_t epoch; /* as wide as the JSON: MF-1 compares it */
    uint8_t core[COF_SHA256_SIZE];
    bool has_commitment; /* false exactly when signed-only */
    uint8_t commitment[COF_SHA256_SIZE];
    uint8_t root[COF_SHA256_SIZE];
    uint64_t records;
    uint64_t data_records;
    uint64_t catalog_records;
    uint64_t lineage_records;
    uint64_t plain_bytes;
    cof_content content;
    bool complete;
    cof_manifest_volume *volumes; /* owned; [0] is volume 1 */
    size_t volume_count;
    size_t volume_cap;
    uint64_t started;
    uint64_t finished;
    bool has_previous;
    uint8_t previous[COF_SHA256_SIZE];
    uint8_t by[COF_SHA256_SIZE];
    char tool[COF_TOOL_MAX + 1]; /* UTF-8, untrusted */
} cof_manifest;

#define COF_MANIFEST_INIT                                                                          \
    {                                                                                              \
        .volumes = NULL                                                                            \
    }

/* Append a volume.  COF_NOMEM, COF_LIMIT (65,535). */
cof_status cof_manifest_add_volume(cof_manifest *manifest, const cof_manifest_volume *volume,
                                   cof_error *err) COF_MUST_USE;

/*
 * Append the manifest's JSON to out, members in the documented order, without white space.
 * COF_USAGE if it would not be read again (MF-3 ...), COF_LIMIT, COF_NOMEM; out is then as it was.
 */
cof_status cof_manifest_emit(cof_buf *out, const cof_manifest *manifest,
                             cof_error *err) COF_MUST_USE;

/*
 * Read a manifest: the JSON type of ST-1, ST-3, ST-4, MF-3.  The caller wipes *out.  COF_FORMAT,
 * COF_LIMIT, COF_NOMEM; *out is then empty.
 */
cof_status cof_manifest_parse(cof_manifest *out, cof_slice json, cof_error *err) COF_MUST_USE;

/* Free what it owns and leave an empty manifest. */
void cof_manifest_wipe(cof_manifest *manifest);

/*
 * MF-1, and the first sentence of MF-2 (in epoch 0 `by` is the preamble's maker).  commitment is
 * that of the CUSTODY statement; NULL exactly when the backup is signed-only (COF_INTERNAL
 * otherwise).  COF_AUTH.
 */
cof_status cof_manifest_check(const cof_manifest *manifest, const cof_preamble *preamble,
                              const uint8_t core[COF_SHA256_SIZE], const uint8_t *commitment,
                              cof_error *err) COF_MUST_USE;

#endif
