/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_TEXT_H
#define COF_BASE_TEXT_H

/*
 * Text: made safe for a terminal, checked, and turned into numbers and back.
 *
 * All parsers here are strict: one spelling for each value, no white space, nothing left over,
 * output untouched when they return false.
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that cof_text_safe() needs at most for `len` bytes, with the final NUL. */
#define COF_TEXT_SAFE_CAP(len) (4 * (size_t)(len) + 1)

/* Room for a path or name inside a message: leaves the rest of cof_error.message to the sentence.
 */
#define COF_TEXT_NAME_CAP 320

/*
 * Make text that came from outside (a file name, a label, a certificate's subject) safe for a
 * terminal and for a log.  Visible characters are copied.  The rest is escaped so that the
 * original can be told from the result:
 *
 *     \\         a backslash
 *     \xNN       a control character below 0x20, 0x7F, or a byte that is not valid UTF-8
 *     \u{NNNN}   a valid code point that is invisible or moves others: C1 controls, bidirectional
 *                controls, line and paragraph separators, zero-width characters, soft hyphen,
 *                fillers, variation selectors, tags
 *
 * (hexadecimal digits in upper case, four at least in the last form).  Writes at most cap bytes
 * with the final NUL, which is always there (cap must not be 0).  What does not fit is cut between
 * two characters, and "..." marks the cut where cap is at least 4.
 *
 * Returns out, so that it can stand among the arguments of cof_fail().
 */
char *cof_text_safe(char *out, size_t cap, const char *in, size_t len);

/* The same for a NUL-terminated string. */
char *cof_text_safe_str(char *out, size_t cap, const char *in);

/* Is this valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF?  NUL is valid. */
bool cof_utf8_valid(const char *in, size_t len);

/* Room for `len` bytes in hexadecimal, with the final NUL. */
#define COF_HEX_CAP(len) (2 * (size_t)(len) + 1)

typedef enum cof_hex_case {
    COF_HEX_LOWER, /* only 0-9 a-f, the form in signed statements */
    COF_HEX_ANY    /* upper case as well, for what a person typed */
} cof_hex_case;

/* Lower-case hexadecimal, NUL-terminated, into a buffer of at least COF_HEX_CAP(len) bytes. */
void cof_hex_encode(char *out, const uint8_t *in, size_t len);

/* Exactly 2 * out_len digits into out_len bytes; false for anything else. */
bool cof_hex_decode(uint8_t *out, size_t out_len, const char *in, size_t len,
                    cof_hex_case digits) COF_MUST_USE;

/* Times are seconds since 1970-01-01T00:00:00Z without leap seconds. */
#define COF_TIME_MAX         UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define COF_TIME_CAP         21                     /* "2026-11-24T10:15:02Z" and NUL */
#define COF_TIME_COMPACT_CAP 17                     /* "20261124T101502Z" and NUL */

/*
 * "2026-11-24T10:15:02Z" in the proleptic Gregorian calendar.  False above COF_TIME_MAX; out is
 * then the empty string.
 */
bool cof_time_format(char out[COF_TIME_CAP], uint64_t seconds);

/* "20261124T101502Z", the form in file names.  As above. */
bool cof_time_format_compact(char out[COF_TIME_COMPACT_CAP], uint64_t seconds);

/*
 * Exactly the form of cof_time_format(), from year 1970 on, days that exist, second 60 refused.
 */
bool cof_time_parse(uint64_t *out, const char *in, size_t len) COF_MUST_USE;

/* "512 B", "1.9 GiB", "16.0 EiB": one decimal, rounded to nearest, for people only. */
#define COF_SIZE_CAP 16
void cof_size_format(char out[COF_SIZE_CAP], uint64_t bytes);

/* A copy of bytes that need not end with a NUL, which gets one; NULL: out of memory. */
char *cof_text_dup(const void *bytes, size_t len);

#endif
