/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_BASE_BUF_H
#define COF_BASE_BUF_H

/*
 * Bytes: borrowed (cof_slice) and owned, growing (cof_buf).  Neither is for secrets: a buffer
 * that grows leaves its old bytes behind.  Secrets live in a cof_secret (secret.h).
 */

#include <coffer/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: whoever made the slice says how long data lives.  data may be NULL if len is 0.
 */
typedef struct cof_slice {
    const uint8_t *data;
    size_t len;
} cof_slice;

#define COF_SLICE_INIT                                                                             \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* Same length and same bytes.  Not constant in time: for public data only. */
bool cof_slice_equal(cof_slice a, cof_slice b);

/*
 * Owned bytes.  data (cap bytes, the first len of them in use) belongs to the buffer and moves
 * whenever it grows.  Callers may read all fields and may lower len; only the functions below
 * change the others.
 */
typedef struct cof_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
} cof_buf;

#define COF_BUF_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/*
 * Make room for `extra` more bytes after len, so that appending them cannot fail.
 * COF_NOMEM (the buffer is then unchanged).
 */
cof_status cof_buf_reserve(cof_buf *buf, size_t extra, cof_error *err) COF_MUST_USE;

/*
 * Append a copy of `len` bytes; data may be NULL if len is 0, and must not point into the buffer.
 * COF_NOMEM (the buffer is then unchanged).
 */
cof_status cof_buf_append(cof_buf *buf, const void *data, size_t len, cof_error *err) COF_MUST_USE;

/* Append `len` zero bytes.  COF_NOMEM (the buffer is then unchanged). */
cof_status cof_buf_append_zeros(cof_buf *buf, size_t len, cof_error *err) COF_MUST_USE;

/* Borrow what is in the buffer, until it next changes. */
cof_slice cof_buf_slice(const cof_buf *buf);

/* Move the contents of `from` into `out`, which is freed first; `from` is empty afterwards. */
void cof_buf_take(cof_buf *out, cof_buf *from);

/* Free the bytes and leave an empty, usable buffer.  NULL is fine. */
void cof_buf_free(cof_buf *buf);

#endif
