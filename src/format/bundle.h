/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_BUNDLE_H
#define COF_FORMAT_BUNDLE_H

/*
 * A bundle: the heads of many backups in one file, to be carried to where a key is and back
 * (FORMAT.md 10.2).  A header, the heads one behind the other, and a SHA-256 over all of it.
 */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COF_BUNDLE_HEADER_SIZE 64
#define COF_BUNDLE_DIGEST_SIZE 32
#define COF_BUNDLE_HEADS_MAX   UINT32_C(1048576)

typedef struct cof_bundle_header {
    uint32_t count;  /* of heads */
    uint64_t length; /* of the whole bundle, header and digest included */
} cof_bundle_header;

/* Does this begin as a bundle does?  Only the magic is looked at. */
bool cof_bundle_has_magic(const uint8_t raw[8]);

/*
 * Read a header: BU-1 and BU-2, as far as the length of the file, size, allows to tell.
 * COF_FORMAT, COF_UNSUPPORTED (another version), COF_LIMIT; *out is then untouched.
 */
cof_status cof_bundle_header_parse(cof_bundle_header *out,
                                   const uint8_t raw[COF_BUNDLE_HEADER_SIZE], uint64_t size,
                                   cof_error *err) COF_MUST_USE;

void cof_bundle_header_emit(uint8_t out[COF_BUNDLE_HEADER_SIZE], const cof_bundle_header *header);

#endif
