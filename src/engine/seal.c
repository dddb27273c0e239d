/* SPDX-License-Identifier: Apache-2.0 */

/* Plaintext to frame: compress, seal with the header as additional data, hash. */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "engine/record.h"
#include "engine/segment.h"

struct cof_sealer {
    const cof_preamble *preamble;
    cof_codec codec;
    cof_compressor *compressor;
    cof_segment segment;
    cof_sha256_ctx *sha;
    uint8_t *out; /* the largest payload */
};

cof_status cof_sealer_new(cof_sealer **out, const cof_preamble *preamble,
                          const cof_schedule *schedule, cof_codec codec, int level, cof_error *err)
{
    cof_sealer *s = calloc(1, sizeof(*s));
    cof_status st = COF_OK;

    *out = NULL;
    if (s == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    s->preamble = preamble;
    s->codec = codec;
    s->segment =
        (cof_segment){.schedule = schedule, .cipher = preamble->cipher, .direction = COF_AEAD_SEAL};
    s->out = malloc(cof_frame_stored_max(preamble));
    if (s->out == NULL)
        st = cof_fail(err, COF_NOMEM, "out of memory");
    if (st != COF_OK || (st = cof_compressor_new(&s->compressor, codec, level, err)) != COF_OK ||
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
    free(s->out);
    free(s);
}

/* RC-3: what does not shrink is stored as it is.  *content is in s->out or is plain itself. */
static cof_status compress(cof_sealer *s, cof_frame *frame, cof_slice *content,
                           const uint8_t *plain, size_t len, cof_error *err)
{
    size_t packed = 0;
    cof_status st = COF_OK;

    if (s->codec != COF_CODEC_NONE && len > 1)
        st = cof_compress(s->out, len - 1, &packed, s->compressor, plain, len, err);
    frame->codec = packed != 0 ? (uint8_t)s->codec : (uint8_t)COF_CODEC_NONE;
    *content = packed != 0 ? (cof_slice){s->out, packed} : (cof_slice){plain, len};
    return st;
}

static cof_status encrypt(cof_sealer *s, cof_sealed *out, const cof_frame *frame, cof_slice content,
                          cof_error *err)
{
    uint8_t nonce[COF_AEAD_NONCE_SIZE];
    cof_status st;

    out->payload = content;
    if (s->segment.schedule == NULL)
        return COF_OK;
    out->payload = (cof_slice){s->out, frame->stored_len};
    if ((st = cof_segment_for(&s->segment, frame->record, nonce, err)) != COF_OK)
        return st;
    return cof_aead_seal(s->segment.aead, nonce, out->header, sizeof(out->header), content.data,
                         content.len, s->out, err);
}

cof_status cof_sealer_run(cof_sealer *s, cof_sealed *out, const cof_frame *where,
                          const uint8_t *plain, size_t len, cof_error *err)
{
    cof_frame frame = *where;
    cof_slice content;
    cof_status st;

    if (len == 0 || len > s->preamble->record_size)
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", len);
    if ((st = compress(s, &frame, &content, plain, len, err)) != COF_OK)
        return st;
    frame.flags = 0;
    frame.plain_len = (uint32_t)len;
    frame.stored_len = (uint32_t)content.len + cof_preamble_tag_len(s->preamble);
    return cof_sealer_again(s, out, &frame, content, err);
}

cof_status cof_sealer_again(cof_sealer *s, cof_sealed *out, const cof_frame *frame,
                            cof_slice content, cof_error *err)
{
    uint8_t sha256[COF_SHA256_SIZE];
    cof_status st;

    if (content.len + cof_preamble_tag_len(s->preamble) != frame->stored_len ||
        frame->stored_len > cof_frame_stored_max(s->preamble))
        return cof_fail(err, COF_INTERNAL, "a record of %zu bytes", content.len);
    cof_frame_emit(out->header, frame);
    if ((st = encrypt(s, out, frame, content, err)) != COF_OK ||
        (st = cof_sha256_init(s->sha, err)) != COF_OK ||
        (st = cof_sha256_update(s->sha, out->payload.data, out->payload.len, err)) != COF_OK ||
        (st = cof_sha256_final(s->sha, sha256, err)) != COF_OK)
        return st;
    cof_entry_make(out->entry, out->header, sha256);
    return COF_OK;
}
