/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_PAD_H
#define COF_FORMAT_PAD_H

/* Sealed content with padding (FORMAT.md section 3.2): data, p zero bytes, u32 p. */

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define COF_PAD_TRAILER_SIZE 4

/*
 * RC-6: how many of the `len` bytes of padded content are data.  COF_FORMAT if a pad byte is not
 * zero, or the pad is out of range; *data_len is then untouched.
 */
cof_status cof_pad_parse(size_t *data_len, const uint8_t *content, size_t len, uint32_t record_size,
                         cof_error *err) COF_MUST_USE;

#endif
