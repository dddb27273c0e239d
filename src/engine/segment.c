/* SPDX-License-Identifier: Apache-2.0 */

/* Segment keys, derived when they are first needed. */

#include "engine/segment.h"

#include <string.h>

#include "base/secret.h"

void cof_segment_wipe(cof_segment *s)
{
    cof_aead_free(s->aead);
    s->aead = NULL;
}

static cof_status change_key(cof_segment *s, uint64_t number, cof_error *err)
{
    uint8_t base[sizeof(s->base)];
    cof_secret *key = NULL;
    cof_status st = cof_schedule_nonce_base(base, s->schedule, number, err);

    if (st == COF_OK)
        st = cof_schedule_record_key(&key, s->schedule, number, err);
    if (st == COF_OK)
        st = s->aead == NULL ? cof_aead_new(&s->aead, s->cipher, key, s->direction, err)
                             : cof_aead_rekey(s->aead, key, err);
    if (st == COF_OK) {
        s->number = number;
        memcpy(s->base, base, sizeof(s->base));
    } else {
        cof_segment_wipe(s); /* a key that may be the new one never meets the old base */
    }
    cof_wipe(base, sizeof(base));
    cof_secret_free(key);
    return st;
}

cof_status cof_segment_for(cof_segment *s, uint64_t record, uint8_t nonce[COF_AEAD_NONCE_SIZE],
                           cof_error *err)
{
    uint64_t number = cof_schedule_segment(record);
    cof_status st = COF_OK;

    if (s->aead == NULL || s->number != number)
        st = change_key(s, number, err);
    if (st == COF_OK)
        cof_nonce(nonce, s->base, record);
    return st;
}
