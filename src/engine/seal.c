/* SPDX-License-Identifier: Apache-2.0 */

/* Plaintext to frame: compress, seal with the header as additional data, hash. */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "crypto/digest.h"
#include "engine/record.h"
#include "engine/segment.h"
#include "engine/stats.h"

#define PIECE ((size_t)128 << 10)

struct cof_sealer {
    const cof_preamble *preamble;
    cof_codec codec;
    cof_compressor *compressor;
    cof_segment segment;
    cof_sha256_ctx *sha;
    cof_stats stats;
    uint8_t *again; /* the largest payload; NULL until something is sealed again */
};

size_t cof_sealer_room(const cof_preamble *preamble)
{
    return cof_frame_stored_max(preamble); /* a tag more than a record, and a little for padding */
}

cof_status cof_sealer_new(cof_sealer **out, const cof_preamble *preamble,
                          const cof_schedule *schedule, cof_codec codec, int level, cof_error *err)
{
    cof_sealer *s = calloc(1, sizeof(*s));
    cof_status st;

    *out = NULL;
    if (s == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    s->preamble = preamble;
    s->codec = codec;
    s->segment =
        (cof_segment){.schedule = schedule, .cipher = preamble->cipher, .direction = COF_AEAD_SEAL};
    if ((st = cof_compressor_new(&s->compressor, codec, level, err)) != COF_OK ||
        (st = cof_sha256_new(&s->sha, err)) != COF_OK)
        goto out;
    *out = s;
    s = NULL; /* transferred */
out:
    cof_sealer_free(s);
    return st;
}

void cof_sealer_free(cof_sealer *s)
{
    if (s == NULL)
        return;
    cof_compressor_free(s->compressor);
    cof_segment_wipe(&s->segment);
    cof_sha256_free(s->sha);
    free(s->again);
    free(s);
}

/* RC-3: what does not shrink is stored as it is.  *content is in packed or is plain itself. */
static cof_status compress(cof_sealer *s, cof_frame *frame, uint8_t **content, uint8_t *plain,
                           uint8_t *packed, cof_error *err)
{
    size_t len = 0;
    cof_status st = COF_OK;

    if (s->codec != COF_CODEC_NONE && frame->plain_len > 1)
        st = cof_compress(packed, frame->plain_len - 1, &len, s->compressor, plain,
                          frame->plain_len, err);
    frame->codec = len != 0 ? (uint8_t)s->codec : (uint8_t)COF_CODEC_NONE;
    frame->stored_len =
        (len != 0 ? (uint32_t)len : frame->plain_len) + cof_preamble_tag_len(s->preamble);
    *content = len != 0 ? packed : plain;
    return st;
}

/* Sealed and hashed piece by piece, so that the hash finds each still in the processor's cache. */
static cof_status encrypt_and_hash(cof_sealer *s, const cof_sealed *out, uint64_t record,
                                   cof_slice content, uint8_t *to, cof_error *err)
{
    uint8_t nonce[COF_AEAD_NONCE_SIZE];
    cof_aead *aead;
    cof_status st;

    if ((st = cof_segment_for(&s->segment, record, nonce, err)) != COF_OK ||
        (st = cof_aead_seal_begin(aead = s->segment.aead, nonce, out->header, COF_FRAME_SIZE,
                                  err)) != COF_OK)
        return st;
    for (size_t at = 0, n; at < content.len; at += n) {
        n = cof_min_size(content.len - at, PIECE);
        if ((st = cof_aead_seal_next(aead, content.data + at, n, to + at, err)) != COF_OK ||
            (st = cof_sha256_update(s->sha, to + at, n, err)) != COF_OK)
            return st;
    }
    if ((st = cof_aead_seal_end(aead, to + content.len, err)) != COF_OK)
        return st;
    return cof_sha256_update(s->sha, to + content.len, COF_AEAD_TAG_SIZE, err);
}

/* The content becomes the payload: ciphertext at `to`, or itself where nothing is sealed. */
static cof_status finish(cof_sealer *s, cof_sealed *out, const cof_frame *frame, cof_slice content,
                         uint8_t *to, cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    bool sealed = s->segment.schedule != NULL;
    cof_status st = cof_sha256_init(s->sha, err);

    cof_frame_emit(out->header, frame);
    out->payload = sealed ? (cof_slice){to, frame->stored_len} : content;
    if (st == COF_OK)
        st = sealed ? encrypt_and_hash(s, out, frame->record, content, to, err)
                    : cof_sha256_update(s->sha, content.data, content.len, err);
    if (st != COF_OK || (st = cof_sha256_final(s->sha, sha256, err)) != COF_OK)
        return st;
    cof_entry_make(out->entry, out->header, sha256);
    return COF_OK;
}

cof_status cof_sealer_run(cof_sealer *s, cof_sealed *out, const cof_frame *where, uint8_t *plain,
                          size_t len, uint8_t *packed, cof_error *err)
{
    uint64_t since = cof_stats_now();
    cof_frame frame = *where;
    uint8_t *content;
    cof_status st;

    if (len == 0 || len > s->preamble->record_size)
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", len);
    frame.flags = 0;
    frame.plain_len = (uint32_t)len;
    if ((st = compress(s, &frame, &content, plain, packed, err)) != COF_OK)
        return st;
    if (s->codec != COF_CODEC_NONE)
        since = cof_stats_add(&s->stats, COF_STAGE_COMPRESS, since, len);
    st = finish(s, out, &frame,
                (cof_slice){content, frame.stored_len - cof_preamble_tag_len(s->preamble)}, content,
                err);
    (void)cof_stats_add(&s->stats, COF_STAGE_SEAL, since, frame.stored_len);
    return st;
}

const cof_stats *cof_sealer_stats(const cof_sealer *s)
{
    return &s->stats;
}

static cof_status check_again(const cof_sealer *s, const cof_frame *frame, size_t len,
                              cof_error *err)
{
    if (len + cof_preamble_tag_len(s->preamble) == frame->stored_len &&
        frame->stored_len <= cof_sealer_room(s->preamble))
        return COF_OK;
    return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", len);
}

cof_status cof_sealer_again(cof_sealer *s, cof_sealed *out, const cof_frame *frame,
                            cof_slice content, cof_error *err)
{
    cof_status st = check_again(s, frame, content.len, err);

    if (st != COF_OK)
        return st;
    if (s->again == NULL && (s->again = malloc(cof_sealer_room(s->preamble))) == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    return finish(s, out, frame, content, s->again, err);
}

cof_status cof_sealer_again_in_place(cof_sealer *s, cof_sealed *out, const cof_frame *frame,
                                     uint8_t *content, size_t len, cof_error *err)
{
    uint64_t since = cof_stats_now();
    cof_status st = check_again(s, frame, len, err);

    if (st == COF_OK)
        st = finish(s, out, frame, (cof_slice){content, len}, content, err);
    (void)cof_stats_add(&s->stats, COF_STAGE_SEAL, since, frame->stored_len);
    return st;
}
