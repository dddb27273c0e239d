/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_CUSTODY_H
#define COF_FORMAT_CUSTODY_H

/*
 * The custody statement (FORMAT.md section 4.2): who may open the backup, by whose decision.
 *
 * This room reads and writes the JSON.  Whether it is signed, and by whom, is the engine's to ask;
 * until then every field is only a claim.
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

#define COF_CUSTODY_KEY_CAP 16

typedef struct cof_custody_recipient {
    uint8_t sha256[COF_SHA256_SIZE]; /* of the certificate */
    uint8_t spki[COF_SHA256_SIZE];
    char *subject;      /* owned, UTF-8, untrusted, at most 1024 bytes */
    uint64_t not_after; /* seconds since 1970 */
    char key[COF_CUSTODY_KEY_CAP];
} cof_custody_recipient;

/* Start from COF_CUSTODY_INIT.  scheme is always "any-of-n" (CU-2). */
typedef struct cof_custody {
    uint8_t backup[COF_UUID_LEN];
    uint64_t epoch; /* as wide as the JSON: CU-1 compares it */
    uint8_t core[COF_SHA256_SIZE];
    uint64_t generation;
    uint8_t keys[COF_SHA256_SIZE];
    uint8_t commitment[COF_SHA256_SIZE];
    uint8_t proof[COF_SHA256_SIZE];
    cof_custody_recipient *recipients; /* owned */
    size_t recipient_count;
    bool has_previous;
    uint8_t previous[COF_SHA256_SIZE];
    uint8_t by[COF_SHA256_SIZE];
    char *reason; /* owned, UTF-8, untrusted, at most 1024 bytes; NULL is written as "" */
    uint64_t time;
} cof_custody;

#define COF_CUSTODY_INIT                                                                           \
    {                                                                                              \
        .recipients = NULL                                                                         \
    }

/* Append a copy of *recipient, its subject included.  COF_NOMEM, COF_LIMIT (256). */
cof_status cof_custody_add_recipient(cof_custody *custody, const cof_custody_recipient *recipient,
                                     cof_error *err) COF_MUST_USE;

/* Replace the reason by a copy of this text.  COF_NOMEM; the old one is then still there. */
cof_status cof_custody_set_reason(cof_custody *custody, const char *reason,
                                  cof_error *err) COF_MUST_USE;

/*
 * Append the statement's JSON to out, members in the documented order, without white space.
 * COF_USAGE if it would not be read again (text too long or no UTF-8, no recipient, CU-4 ...),
 * COF_NOMEM; out is then as it was.
 */
cof_status cof_custody_emit(cof_buf *out, const cof_custody *custody, cof_error *err) COF_MUST_USE;

/*
 * Read a statement: the JSON type of ST-1, ST-3, ST-4, CU-2, CU-4.  The caller wipes *out.
 * COF_FORMAT, COF_UNSUPPORTED (CU-2), COF_LIMIT, COF_NOMEM; *out is then empty.
 */
cof_status cof_custody_parse(cof_custody *out, cof_slice json, cof_error *err) COF_MUST_USE;

/* Free what it owns and leave an empty statement. */
void cof_custody_wipe(cof_custody *custody);

/* What `previous` of the next statement holds: the SHA-256 of the JSON, byte for byte. */
cof_status cof_custody_json_sha256(uint8_t out[COF_SHA256_SIZE], cof_slice json,
                                   cof_error *err) COF_MUST_USE;

/* CU-1: does the newest statement belong to this preamble, core and KEYS item?  COF_AUTH. */
cof_status cof_custody_check_preamble(const cof_custody *custody, const cof_preamble *preamble,
                                      const uint8_t core[COF_SHA256_SIZE],
                                      const uint8_t keys_sha256[COF_SHA256_SIZE],
                                      cof_error *err) COF_MUST_USE;

/* A statement and the hash of the JSON that it was read from; both borrowed. */
typedef struct cof_custody_link {
    const cof_custody *statement;
    const uint8_t *json_sha256; /* 32 bytes */
} cof_custody_link;

/*
 * CU-7 and CU-8 over the HISTORY items, oldest first, with the newest statement (CUSTODY) as the
 * last of the n >= 1 links.  COF_FORMAT (CU-7), COF_AUTH (CU-8).
 */
cof_status cof_custody_check_chain(const cof_custody_link *links, size_t n,
                                   cof_error *err) COF_MUST_USE;

/*
 * The first generation from which on the chain is without a gap, generation 1 standing alone not
 * counted: 1 means that it is complete.  For links that cof_custody_check_chain() accepted.
 */
uint64_t cof_custody_chain_start(const cof_custody_link *links, size_t n);

#endif
