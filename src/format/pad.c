/* SPDX-License-Identifier: Apache-2.0 */
/* Padding of sealed content.  It hides the exact length of compressed data, nothing else. */

#include "format/pad.h"

#include "format/internal.h"
#include "wire/wire.h"

cof_status cof_pad_parse(size_t *data_len, const uint8_t *content, size_t len, uint32_t record_size,
                         cof_error *err)
{
    if (len < COF_PAD_TRAILER_SIZE || len - COF_PAD_TRAILER_SIZE > record_size)
        return cof_fail_rule(err, COF_FORMAT, "RC-6", COF_NO_OFFSET,
                             "padded content of impossible length");
    size_t padded = len - COF_PAD_TRAILER_SIZE;
    uint32_t pad = cof_be32_load(content + padded);
    if (pad > padded)
        return cof_fail_rule(err, COF_FORMAT, "RC-6", COF_NO_OFFSET,
                             "the padding is longer than the record");
    if (!cof_format_all_zero(content + padded - pad, pad))
        return cof_fail_rule(err, COF_FORMAT, "RC-6", COF_NO_OFFSET, "pad bytes are not zero");
    *data_len = padded - pad;
    return COF_OK;
}
