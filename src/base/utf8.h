/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_UTF8_H
#define COF_BASE_UTF8_H

/* Decoding UTF-8, one code point at a time. */

#include <stddef.h>
#include <stdint.h>

/*
 * The code point at the start of `in`.  Returns how many bytes it takes, 1 to 4, or 0 when the
 * bytes there (len of them, which may be 0) are not valid UTF-8; *out is then untouched.
 */
size_t cof_utf8_next(uint32_t *out, const char *in, size_t len);

#endif
