/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writing.  Every function here goes through room(), the only place that moves a cursor; it gives
 * all the bytes that are asked for or none.
 */

#include "wire/wire.h"

#include <string.h>

void cof_put_init(cof_put *w, void *out, size_t cap)
{
    *w = (cof_put){.p = out, .left = cap, .buf = NULL, .at = 0};
}

void cof_put_init_buf(cof_put *w, cof_buf *out)
{
    *w = (cof_put){.p = NULL, .left = 0, .buf = out, .at = 0};
}

/* The place for the next `len` bytes (not 0), counted as put.  The caller fills it. */
static cof_status room(cof_put *w, uint8_t **out, size_t len)
{
    if (w->buf != NULL) {
        cof_status st = cof_buf_reserve(w->buf, len, NULL);
        if (st != COF_OK)
            return st;
        *out = w->buf->data + w->buf->len;
        w->buf->len += len;
    } else {
        if (len > w->left)
            return COF_LIMIT;
        *out = w->p;
        w->p += len;
        w->left -= len;
    }
    w->at += len;
    return COF_OK;
}

cof_status cof_put_bytes(cof_put *w, const void *data, size_t len)
{
    uint8_t *to;
    if (len == 0)
        return COF_OK;
    cof_status st = room(w, &to, len);
    if (st == COF_OK)
        memcpy(to, data, len);
    return st;
}

cof_status cof_put_slice(cof_put *w, cof_slice bytes)
{
    return cof_put_bytes(w, bytes.data, bytes.len);
}

cof_status cof_put_zeros(cof_put *w, size_t len)
{
    uint8_t *to;
    if (len == 0)
        return COF_OK;
    cof_status st = room(w, &to, len);
    if (st == COF_OK)
        memset(to, 0, len);
    return st;
}

cof_status cof_put_zeros_until(cof_put *w, size_t end)
{
    if (w->at > end)
        return COF_LIMIT;
    return cof_put_zeros(w, end - w->at);
}

cof_status cof_put_u8(cof_put *w, uint8_t v)
{
    return cof_put_bytes(w, &v, 1);
}

cof_status cof_put_u16(cof_put *w, uint16_t v)
{
    uint8_t bytes[2];
    cof_be16_store(bytes, v);
    return cof_put_bytes(w, bytes, sizeof bytes);
}

cof_status cof_put_u32(cof_put *w, uint32_t v)
{
    uint8_t bytes[4];
    cof_be32_store(bytes, v);
    return cof_put_bytes(w, bytes, sizeof bytes);
}

cof_status cof_put_u64(cof_put *w, uint64_t v)
{
    uint8_t bytes[8];
    cof_be64_store(bytes, v);
    return cof_put_bytes(w, bytes, sizeof bytes);
}

void cof_be16_store(uint8_t out[2], uint16_t v)
{
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
}

void cof_be32_store(uint8_t out[4], uint32_t v)
{
    cof_be16_store(out, (uint16_t)(v >> 16));
    cof_be16_store(out + 2, (uint16_t)v);
}

void cof_be64_store(uint8_t out[8], uint64_t v)
{
    cof_be32_store(out, (uint32_t)(v >> 32));
    cof_be32_store(out + 4, (uint32_t)v);
}
