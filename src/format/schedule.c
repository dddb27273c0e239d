/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key schedule.  Everything that is derived from the DEK is derived here, and each derivation
 * has an info string of its own, so no two of them can ever give the same bytes.
 */

#include "format/schedule.h"

#include "crypto/kdf.h"
#include "format/custody.h"
#include "format/limits.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#define INFO_COMMITMENT "coffer v1 commitment"
#define INFO_CUSTODY    "coffer v1 custody"
#define INFO_RECORD     "coffer v1 record"
#define INFO_NONCE      "coffer v1 nonce"

struct cof_schedule {
    uint8_t core[COF_SHA256_SIZE];
    cof_cipher cipher;
    cof_secret *prk;
};

static cof_slice info_of(const char *text)
{
    return (cof_slice){(const uint8_t *)text, strlen(text)};
}

/* text ‖ u64 segment, in a buffer that is large enough for all info strings above. */
typedef struct segment_info {
    uint8_t bytes[32];
    size_t len;
} segment_info;

static cof_slice info_of_segment(segment_info *info, const char *text, uint64_t segment)
{
    info->len = strlen(text);
    memcpy(info->bytes, text, info->len);
    cof_be64_store(info->bytes + info->len, segment);
    info->len += 8;
    return (cof_slice){info->bytes, info->len};
}

cof_status cof_schedule_new(cof_schedule **out, const uint8_t core[COF_SHA256_SIZE],
                            const cof_secret *dek, cof_cipher cipher, cof_error *err)
{
    cof_schedule *s = NULL;
    cof_status st;

    *out = NULL;
    if (cof_secret_len(dek) != COF_DEK_SIZE || cipher == COF_CIPHER_NONE)
        return cof_fail(err, COF_USAGE, "no key schedule without a key of 32 bytes and a cipher");
    if (cof_cipher_key_len(cipher) == 0)
        return cof_fail_rule(err, COF_UNSUPPORTED, "PR-1", COF_NO_OFFSET, "an unknown cipher");
    if ((s = calloc(1, sizeof(*s))) == NULL)
        return cof_fail(err, COF_NOMEM, "no memory for the key schedule");
    memcpy(s->core, core, sizeof(s->core));
    s->cipher = cipher;
    if ((st = cof_hkdf_extract(&s->prk, core, dek, err)) != COF_OK)
        goto out;
    *out = s;
    s = NULL; /* transferred */
out:
    cof_schedule_free(s);
    return st;
}

void cof_schedule_free(cof_schedule *schedule)
{
    if (schedule == NULL)
        return;
    cof_secret_free(schedule->prk);
    free(schedule);
}

cof_status cof_schedule_commitment(uint8_t out[COF_SHA256_SIZE], const cof_schedule *schedule,
                                   cof_error *err)
{
    return cof_hkdf_expand_public(out, COF_SHA256_SIZE, schedule->prk, info_of(INFO_COMMITMENT),
                                  err);
}

cof_status cof_schedule_check_commitment(const cof_schedule *schedule,
                                         const uint8_t commitment[COF_SHA256_SIZE], cof_error *err)
{
    uint8_t mine[COF_SHA256_SIZE];
    cof_status st;

    if ((st = cof_schedule_commitment(mine, schedule, err)) != COF_OK)
        return st;
    if (!cof_equal_consttime(mine, commitment, sizeof(mine)))
        return cof_fail_rule(err, COF_AUTH, "KS-1", COF_NO_OFFSET, COF_KS1_MESSAGE);
    return COF_OK;
}

uint64_t cof_schedule_segment(uint64_t record)
{
    return record >> 16;
}

cof_status cof_schedule_record_key(cof_secret **out, const cof_schedule *schedule, uint64_t segment,
                                   cof_error *err)
{
    segment_info info;

    return cof_hkdf_expand(out, schedule->prk, info_of_segment(&info, INFO_RECORD, segment),
                           cof_cipher_key_len(schedule->cipher), err);
}

cof_status cof_schedule_nonce_base(uint8_t out[COF_AEAD_NONCE_SIZE], const cof_schedule *schedule,
                                   uint64_t segment, cof_error *err)
{
    segment_info info;

    return cof_hkdf_expand_public(out, COF_AEAD_NONCE_SIZE, schedule->prk,
                                  info_of_segment(&info, INFO_NONCE, segment), err);
}

void cof_nonce(uint8_t out[COF_AEAD_NONCE_SIZE], const uint8_t base[COF_AEAD_NONCE_SIZE],
               uint64_t record)
{
    uint8_t number[COF_AEAD_NONCE_SIZE] = {0};

    cof_be64_store(number + 4, record);
    for (size_t i = 0; i < COF_AEAD_NONCE_SIZE; i++)
        out[i] = base[i] ^ number[i];
}

/* ---- proof of possession -------------------------------------------------------------------- */

static cof_status put_proof_input(cof_buf *out, const cof_schedule *schedule,
                                  const cof_proof_input *in)
{
    static const uint8_t none[COF_SHA256_SIZE];
    cof_put w;
    cof_status st;

    cof_put_init_buf(&w, out);
    if ((st = cof_put_bytes(&w, schedule->core, COF_SHA256_SIZE)) != COF_OK ||
        (st = cof_put_u64(&w, in->generation)) != COF_OK ||
        (st = cof_put_bytes(&w, in->keys_sha256, COF_SHA256_SIZE)) != COF_OK ||
        (st = cof_put_bytes(&w, in->previous != NULL ? in->previous : none, COF_SHA256_SIZE)) !=
            COF_OK ||
        (st = cof_put_u32(&w, (uint32_t)in->recipient_count)) != COF_OK)
        return st;
    return cof_put_bytes(&w, in->recipients, in->recipient_count * COF_SHA256_SIZE);
}

cof_status cof_schedule_proof(uint8_t out[COF_SHA256_SIZE], const cof_schedule *schedule,
                              const cof_proof_input *in, cof_error *err)
{
    cof_secret *key = NULL;
    cof_buf data = COF_BUF_INIT;
    cof_status st;

    if (in->recipient_count > COF_RECIPIENTS_MAX)
        return cof_fail_rule(err, COF_LIMIT, "GE-2", COF_NO_OFFSET, "too many recipients");
    if ((st = put_proof_input(&data, schedule, in)) != COF_OK) {
        st = cof_fail(err, st, "no memory for the proof of possession");
        goto out;
    }
    if ((st = cof_hkdf_expand(&key, schedule->prk, info_of(INFO_CUSTODY), COF_SHA256_SIZE, err)) !=
        COF_OK)
        goto out;
    st = cof_hmac_sha256(out, key, cof_buf_slice(&data), err);
out:
    cof_secret_free(key);
    cof_buf_free(&data);
    return st;
}

cof_status cof_schedule_proof_of(uint8_t out[COF_SHA256_SIZE], const cof_schedule *schedule,
                                 const cof_custody *custody, cof_error *err)
{
    uint8_t hashes[COF_RECIPIENTS_MAX][COF_SHA256_SIZE];
    cof_proof_input in = {
        .generation = custody->generation,
        .keys_sha256 = custody->keys,
        .previous = custody->has_previous ? custody->previous : NULL,
        .recipients = hashes,
        .recipient_count = custody->recipient_count,
    };

    for (size_t i = 0; i < custody->recipient_count && i < COF_RECIPIENTS_MAX; i++)
        memcpy(hashes[i], custody->recipients[i].sha256, COF_SHA256_SIZE);
    return cof_schedule_proof(out, schedule, &in, err);
}
