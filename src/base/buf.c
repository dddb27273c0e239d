/* SPDX-License-Identifier: Apache-2.0 */

/* Growing buffers.  A failed call leaves the buffer as it was. */

#include "base/buf.h"

#include "base/error.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST_CAP 64

bool cof_slice_equal(cof_slice a, cof_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

cof_status cof_buf_reserve(cof_buf *buf, size_t extra, cof_error *err)
{
    size_t need;
    if (!cof_add_size(buf->len, extra, &need))
        return cof_fail(err, COF_NOMEM, "out of memory");
    if (need <= buf->cap)
        return COF_OK;

    size_t cap = cof_max_size(need, SMALLEST_CAP);
    if (buf->cap <= SIZE_MAX / 2)
        cap = cof_max_size(cap, 2 * buf->cap);
    uint8_t *data = realloc(buf->data, cap);
    if (data == NULL)
        return cof_fail(err, COF_NOMEM, "out of memory");
    buf->data = data;
    buf->cap = cap;
    return COF_OK;
}

cof_status cof_buf_append(cof_buf *buf, const void *data, size_t len, cof_error *err)
{
    if (len == 0)
        return COF_OK;
    cof_status st = cof_buf_reserve(buf, len, err);
    if (st != COF_OK)
        return st;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return COF_OK;
}

cof_status cof_buf_append_zeros(cof_buf *buf, size_t len, cof_error *err)
{
    if (len == 0)
        return COF_OK;
    cof_status st = cof_buf_reserve(buf, len, err);
    if (st != COF_OK)
        return st;
    memset(buf->data + buf->len, 0, len);
    buf->len += len;
    return COF_OK;
}

cof_slice cof_buf_slice(const cof_buf *buf)
{
    return (cof_slice){buf->data, buf->len};
}

void cof_buf_take(cof_buf *out, cof_buf *from)
{
    if (out == from)
        return;
    cof_buf_free(out);
    *out = *from;
    *from = (cof_buf)COF_BUF_INIT; /* transferred */
}

void cof_buf_free(cof_buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (cof_buf)COF_BUF_INIT;
}
