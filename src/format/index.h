/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_INDEX_H
#define COF_FORMAT_INDEX_H

/* The payload of an INDEX frame (FORMAT.md section 3.4): a hint, never believed by itself. */

#include "base/buf.h"
#include "base/error.h"
#include "format/merkle.h"

#include <stdbool.h>
#include <stdint.h>

#define COF_INDEX_HEADER_SIZE 24
#define COF_INDEX_SIZE_MAX    (COF_INDEX_HEADER_SIZE + COF_INDEX_RECORDS * COF_ENTRY_SIZE)

typedef struct cof_index {
    uint32_t volume;
    uint32_t count;
    uint64_t first_offset; /* in the body: the frame of the first record */
    uint64_t first_record;
    const uint8_t *entries; /* borrowed: count * COF_ENTRY_SIZE bytes */
} cof_index;

/* Do `count` records from `first` on stay inside one aligned block (IX-2)? */
bool cof_index_range_valid(uint64_t first, uint64_t count);

/* Append the payload to out.  COF_USAGE (IX-2), COF_NOMEM; out is then as it was. */
cof_status cof_index_emit(cof_buf *out, const cof_index *index, cof_error *err) COF_MUST_USE;

/*
 * Read the header of a payload that is len bytes long: IX-2, the bounds of section 1, and the
 * length to the byte.  The entries stand behind it and are the caller's to read: out->entries is
 * NULL. COF_FORMAT, COF_LIMIT; *out is then untouched.
 */
cof_status cof_index_parse(cof_index *out, const uint8_t header[COF_INDEX_HEADER_SIZE],
                           uint64_t len, cof_error *err) COF_MUST_USE;

#endif
