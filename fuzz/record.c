/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a record's sealed content to its plaintext: padding, then each codec.  Input: codec and
 * flags, four bytes of plain length, content.
 */

#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "format/pad.h"
#include "fuzz.h"
#include "wire/wire.h"

#define RECORD ((size_t)1 << 20)

/* How much of the content is data; all of it where it is not padded as it must be. */
static size_t unpad(const uint8_t *content, size_t len)
{
    size_t data = len, pad;

    if (cof_pad_parse(&data, content, len, RECORD, NULL) != COF_OK)
        return len;
    pad = len - data - COF_PAD_TRAILER_SIZE;
    fuzz_require(data <= len - COF_PAD_TRAILER_SIZE && cof_be32_load(content + data + pad) == pad,
                 "data, pad bytes and their number are all that is there");
    return data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cof_decompressor *decompressor;
    uint8_t *copy, *plain;
    size_t len, content;

    if (size < 6 || (decompressor == NULL && cof_decompressor_new(&decompressor, NULL) != COF_OK))
        return 0;
    copy = fuzz_copy(data + 6, size - 6);
    content = size - 6;
    len = ((size_t)data[2] << 24 | (size_t)data[3] << 16 | (size_t)data[4] << 8 | data[5]) % RECORD;
    plain = malloc(len + 1);
    if ((data[1] & 1) != 0)
        content = unpad(copy, content);
    if (plain != NULL)
        (void)!cof_decompress(plain, len, decompressor, (cof_codec)data[0], copy, content, NULL);
    free(plain);
    free(copy);
    return 0;
}
