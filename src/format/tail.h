/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_TAIL_H
#define COF_FORMAT_TAIL_H

/* The payload of TAIL, and the trailer behind each copy of it (FORMAT.md section 3.6). */

#include "base/buf.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "format/envelope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_TRAILER_SIZE 64

/* Where one INDEX frame stands and which records it covers. */
typedef struct cof_index_ref {
    uint32_t volume;
    uint32_t count;
    uint64_t offset; /* in the body of its volume: the INDEX frame */
    uint64_t first_record;
} cof_index_ref;

/* Start from COF_TAIL_INIT. */
typedef struct cof_tail {
    cof_index_ref *indexes; /* owned */
    size_t index_count;
    size_t index_cap;
    cof_slices manifests; /* borrowed CMS messages: the manifest, then earlier ones, newest first */
} cof_tail;

#define COF_TAIL_INIT                                                                              \
    {                                                                                              \
        NULL, 0, 0, COF_SLICES_INIT                                                                \
    }

/* Append one reference.  COF_NOMEM; the tail is then unchanged. */
cof_status cof_tail_add_index(cof_tail *tail, const cof_index_ref *ref,
                              cof_error *err) COF_MUST_USE;

/* Do two references say the same, and do two tails list the same INDEX frames (TL-5)? */
bool cof_index_ref_same(const cof_index_ref *a, const cof_index_ref *b);
bool cof_tail_same_indexes(const cof_tail *a, const cof_tail *b);

/* How many records the index frames cover. */
uint64_t cof_tail_records(const cof_tail *tail);

/*
 * Append the payload to out.  COF_USAGE if the list breaks TL-5 or there is no manifest, COF_LIMIT
 * above the bound of a tail, COF_NOMEM; out is then as it was.
 */
cof_status cof_tail_emit(cof_buf *out, const cof_tail *tail, cof_error *err) COF_MUST_USE;

/*
 * Read a payload whose SHA-256 has been compared with its trailer: TL-5, and every count against
 * the length before anything is allocated.  The caller wipes *out with cof_tail_wipe(); raw must
 * live as long.  COF_FORMAT, COF_LIMIT, COF_NOMEM; *out is then empty.
 */
cof_status cof_tail_parse(cof_tail *out, cof_slice raw, uint32_t epoch,
                          cof_error *err) COF_MUST_USE;

/* Free the lists and leave an empty tail. */
void cof_tail_wipe(cof_tail *tail);

typedef struct cof_trailer {
    uint64_t first;  /* body offset of the first TAIL frame */
    uint64_t second; /* of the second one */
    uint64_t len;    /* of the payload */
    uint8_t sha256[COF_SHA256_SIZE];
} cof_trailer;

/* The trailer of a payload whose first frame is to stand at `first`.  COF_LIMIT, COF_NOMEM. */
cof_status cof_trailer_make(cof_trailer *out, uint64_t first, cof_slice payload,
                            cof_error *err) COF_MUST_USE;

void cof_trailer_emit(uint8_t out[COF_TRAILER_SIZE], const cof_trailer *trailer);

/*
 * Read a trailer: magic, bounds, and TL-1 as far as it needs no file size.  COF_FORMAT, COF_LIMIT;
 * *out is then untouched.
 */
cof_status cof_trailer_parse(cof_trailer *out, const uint8_t raw[COF_TRAILER_SIZE],
                             cof_error *err) COF_MUST_USE;

/* TL-1: does the body of the last volume end where the trailer says?  COF_FORMAT. */
cof_status cof_trailer_check_body(const cof_trailer *trailer, uint64_t body_len,
                                  cof_error *err) COF_MUST_USE;

/* TL-2: is this the payload that the trailer means?  COF_FORMAT, COF_NOMEM. */
cof_status cof_trailer_check_payload(const cof_trailer *trailer, cof_slice payload,
                                     cof_error *err) COF_MUST_USE;

#endif
