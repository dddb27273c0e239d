/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading.  Every function here goes through cof_get_slice(), the only place that moves a cursor:
 * so there is one bound to check and one place to check it.
 */

#include "wire/wire.h"

#include <string.h>

void cof_get_init(cof_get *g, const void *data, size_t len)
{
    *g = (cof_get){.p = data, .left = len, .at = 0};
}

void cof_get_init_slice(cof_get *g, cof_slice bytes)
{
    cof_get_init(g, bytes.data, bytes.len);
}

cof_status cof_get_slice(cof_get *g, cof_slice *out, size_t len)
{
    if (len > g->left)
        return COF_FORMAT;
    *out = (cof_slice){g->p, len};
    if (len > 0) /* p may be NULL */
        g->p += len;
    g->left -= len;
    g->at += len;
    return COF_OK;
}

cof_status cof_get_u8(cof_get *g, uint8_t *out)
{
    cof_slice s;
    cof_status st = cof_get_slice(g, &s, 1);
    if (st == COF_OK)
        *out = s.data[0];
    return st;
}

cof_status cof_get_u16(cof_get *g, uint16_t *out)
{
    cof_slice s;
    cof_status st = cof_get_slice(g, &s, 2);
    if (st == COF_OK)
        *out = cof_be16_load(s.data);
    return st;
}

cof_status cof_get_u32(cof_get *g, uint32_t *out)
{
    cof_slice s;
    cof_status st = cof_get_slice(g, &s, 4);
    if (st == COF_OK)
        *out = cof_be32_load(s.data);
    return st;
}

cof_status cof_get_u64(cof_get *g, uint64_t *out)
{
    cof_slice s;
    cof_status st = cof_get_slice(g, &s, 8);
    if (st == COF_OK)
        *out = cof_be64_load(s.data);
    return st;
}

cof_status cof_get_bytes(cof_get *g, void *out, size_t len)
{
    cof_slice s;
    cof_status st = cof_get_slice(g, &s, len);
    if (st == COF_OK && len > 0)
        memcpy(out, s.data, len);
    return st;
}

cof_status cof_get_expect(cof_get *g, const void *bytes, size_t len)
{
    cof_get ahead = *g;
    cof_slice s;
    cof_status st = cof_get_slice(&ahead, &s, len);
    if (st != COF_OK)
        return st;
    if (!cof_slice_equal(s, (cof_slice){bytes, len}))
        return COF_FORMAT;
    *g = ahead;
    return COF_OK;
}

cof_status cof_get_skip_zeros(cof_get *g, size_t len)
{
    cof_get ahead = *g;
    cof_slice s;
    cof_status st = cof_get_slice(&ahead, &s, len);
    if (st != COF_OK)
        return st;
    for (size_t i = 0; i < len; i++)
        if (s.data[i] != 0)
            return COF_FORMAT;
    *g = ahead;
    return COF_OK;
}

cof_status cof_get_skip(cof_get *g, size_t len)
{
    cof_slice s;
    return cof_get_slice(g, &s, len);
}

cof_status cof_get_done(const cof_get *g)
{
    return g->left == 0 ? COF_OK : COF_FORMAT;
}

uint16_t cof_be16_load(const uint8_t in[2])
{
    return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t cof_be32_load(const uint8_t in[4])
{
    return (uint32_t)cof_be16_load(in) << 16 | cof_be16_load(in + 2);
}

uint64_t cof_be64_load(const uint8_t in[8])
{
    return (uint64_t)cof_be32_load(in) << 32 | cof_be32_load(in + 4);
}
