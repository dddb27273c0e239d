/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_ENGINE_SEGMENT_H
#define COF_ENGINE_SEGMENT_H

/* The cipher of the segment that a record belongs to; keys change every 65,536 records. */

#include "crypto/aead.h"
#include "format/schedule.h"

typedef struct cof_segment {
    const cof_schedule *schedule; /* borrowed; NULL: nothing is sealed */
    cof_cipher cipher;
    cof_aead_direction direction;
    cof_aead *aead;  /* owned; NULL before the first record */
    uint64_t number; /* of the segment whose key aead holds */
    uint8_t base[COF_AEAD_NONCE_SIZE];
} cof_segment;

/* Put the key of record n in place and give its nonce.  COF_NOMEM, COF_INTERNAL. */
cof_status cof_segment_for(cof_segment *segment, uint64_t record,
                           uint8_t nonce[COF_AEAD_NONCE_SIZE], cof_error *err) COF_MUST_USE;

void cof_segment_wipe(cof_segment *segment);

#endif
