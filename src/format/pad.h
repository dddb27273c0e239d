/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_PAD_H
#define COF_FORMAT_PAD_H

/* Sealed content with padding (FORMAT.md section 3.2): data, p zero bytes, u32 p. */

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define COF_PAD_TRAILER_SIZE 4

/*
 * Turn the first data_len bytes of content (cap bytes of room) into padded content, in place, with
 * `pad` zero bytes.  *out_len is data_len + pad + 4.  COF_USAGE if data_len + pad is more than
 * record_size (RC-6), COF_INTERNAL if cap is too small; content and *out_len are then untouched.
 */
cof_status cof_pad_emit(uint8_t *content, size_t cap, size_t *out_len, size_t data_len,
                        uint32_t pad, uint32_t record_size, cof_error *err) COF_MUST_USE;

/*
 * RC-6: how many of the `len` bytes of padded content are data.  COF_FORMAT if a pad byte is not
 * zero, or the pad is out of range; *data_len is then untouched.
 */
cof_status cof_pad_parse(size_t *data_len, const uint8_t *content, size_t len, uint32_t record_size,
                         cof_error *err) COF_MUST_USE;

#endif
