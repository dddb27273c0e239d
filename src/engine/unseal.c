/* SPDX-License-Identifier: Apache-2.0 */

/* Frame to plaintext: open, take off the padding, decompress. */

#include <stdlib.h>

#include "base/error.h"
#include "engine/record.h"
#include "engine/segment.h"
#include "format/pad.h"

struct cof_unsealer {
    const cof_preamble *preamble;
    cof_segment segment;
    cof_decompressor *decompressor;
};

cof_status cof_unsealer_new(cof_unsealer **out, const cof_preamble *preamble,
                            const cof_schedule *schedule, cof_error *err)
{
    cof_unsealer *u = calloc(1, sizeof(*u));
    cof_status st;

    *out = NULL;
    if (u == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    u->preamble = preamble;
    u->segment =
        (cof_segment){.schedule = schedule, .cipher = preamble->cipher, .direction = COF_AEAD_OPEN};
    if ((st = cof_decompressor_new(&u->decompressor, err)) == COF_OK) {
        *out = u;
        u = NULL; /* transferred */
    }
    cof_unsealer_free(u);
    return st;
}

void cof_unsealer_free(cof_unsealer *u)
{
    if (u == NULL)
        return;
    cof_segment_wipe(&u->segment);
    cof_decompressor_free(u->decompressor);
    free(u);
}

/* RC-7.  *content becomes the sealed content, decrypted in place. */
cof_status cof_unsealer_decrypt(cof_unsealer *u, cof_slice *content, const cof_frame *frame,
                                const uint8_t header[COF_FRAME_SIZE], uint8_t *payload,
                                cof_error *err)
{
    uint8_t nonce[COF_AEAD_NONCE_SIZE];
    cof_status st;

    *content = (cof_slice){payload, frame->stored_len};
    if (u->segment.schedule == NULL)
        return COF_OK;
    if ((st = cof_segment_for(&u->segment, frame->record, nonce, err)) != COF_OK)
        return st;
    st = cof_aead_open(u->segment.aead, nonce, header, COF_FRAME_SIZE, payload, frame->stored_len,
                       payload, err);
    if (st == COF_AUTH)
        return cof_fail_rule(err, COF_AUTH, "RC-7", COF_NO_OFFSET,
                             "record %llu does not decrypt: it was not sealed with this backup's "
                             "key",
                             (unsigned long long)frame->record);
    content->len -= COF_AEAD_TAG_SIZE;
    return st;
}

cof_status cof_unsealer_unpack(cof_unsealer *u, cof_slice *plain, const cof_frame *frame,
                               cof_slice content, uint8_t *room, cof_error *err)
{
    cof_status st = COF_OK;

    if ((frame->flags & COF_FRAME_PADDED) != 0)
        st = cof_pad_parse(&content.len, content.data, content.len, u->preamble->record_size, err);
    if (st != COF_OK)
        return st;
    if (frame->codec == COF_CODEC_NONE) {
        if (content.len != frame->plain_len)
            return cof_fail_rule(err, COF_FORMAT, "RC-5", COF_NO_OFFSET,
                                 "record %llu does not have the length that it states",
                                 (unsigned long long)frame->record);
        *plain = content;
        return COF_OK;
    }
    *plain = (cof_slice){room, frame->plain_len};
    st = cof_decompress(room, frame->plain_len, u->decompressor, (cof_codec)frame->codec,
                        content.data, content.len, err);
    if (st == COF_FORMAT)
        return cof_fail_rule(err, COF_FORMAT, "RC-5", COF_NO_OFFSET,
                             "record %llu does not decompress to the length that it states",
                             (unsigned long long)frame->record);
    return st;
}
