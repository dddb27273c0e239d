/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_PREAMBLE_H
#define COF_FORMAT_PREAMBLE_H

/* The preamble (FORMAT.md section 2.2): what never changes within an epoch. */

#include "base/error.h"
#include "base/uuid.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "format/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_PREAMBLE_SIZE 512
#define COF_LABEL_MAX     64

/* The values of the fields; a parsed preamble holds no others.  Ciphers are in crypto/aead.h. */
#define COF_TREE_HASH_SHA256  1
#define COF_KEY_SCHEDULE_NONE 0
#define COF_KEY_SCHEDULE_V1   1

typedef enum cof_content { COF_CONTENT_STREAM = 1, COF_CONTENT_TREE = 2 } cof_content;

typedef enum cof_protection {
    COF_PROTECTION_SEALED = 1,
    COF_PROTECTION_SIGNED_ONLY = 2
} cof_protection;

typedef struct cof_preamble {
    uint8_t uuid[COF_UUID_LEN];
    uint32_t epoch;
    uint32_t record_size;
    uint64_t created; /* seconds since 1970 */
    cof_cipher cipher;
    uint8_t tree_hash;
    uint8_t key_schedule;
    cof_content content;
    cof_protection protection;
    uint32_t body_incompat;
    uint8_t salt[32];
    uint8_t maker[COF_SHA256_SIZE];
    char label[COF_LABEL_MAX + 1]; /* NUL-terminated, or "" */
} cof_preamble;

/*
 * Write *p as it stands in a superblock.  COF_USAGE if it breaks one of PR-1 to PR-4, which is
 * named; out is then untouched.
 */
cof_status cof_preamble_emit(uint8_t out[COF_PREAMBLE_SIZE], const cof_preamble *p,
                             cof_error *err) COF_MUST_USE;

/* Read a preamble and check PR-1 to PR-5.  COF_FORMAT, COF_UNSUPPORTED; *out is then untouched. */
cof_status cof_preamble_parse(cof_preamble *out, const uint8_t raw[COF_PREAMBLE_SIZE],
                              cof_error *err) COF_MUST_USE;

/* core = SHA-256 of all 512 bytes: what ties volumes and statements together.  COF_NOMEM. */
cof_status cof_preamble_core(uint8_t out[COF_SHA256_SIZE], const uint8_t raw[COF_PREAMBLE_SIZE],
                             cof_error *err) COF_MUST_USE;

/* May this be a label (PR-4)?  len bytes without NUL; empty is fine. */
bool cof_label_valid(const char *label, size_t len);

/* The length of the tag at the end of each payload: 16 when sealed, 0 when signed-only. */
uint32_t cof_preamble_tag_len(const cof_preamble *p);

#endif
