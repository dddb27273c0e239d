/* SPDX-License-Identifier: Apache-2.0 */

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */

#include "base/utf8.h"

#include "base/text.h"

static size_t sequence_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

size_t cof_utf8_next(uint32_t *out, const char *in, size_t len)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (len == 0)
        return 0;
    uint8_t lead = (uint8_t)in[0];
    size_t n = sequence_length(lead);
    if (n == 0 || n > len)
        return 0;

    uint32_t point = n == 1 ? lead : lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        uint8_t byte = (uint8_t)in[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (byte & 0x3Fu);
    }
    if (point < lowest[n] || (point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF)
        return 0;
    *out = point;
    return n;
}

bool cof_utf8_valid(const char *in, size_t len)
{
    uint32_t point;
    size_t n;
    for (size_t at = 0; at < len; at += n)
        if ((n = cof_utf8_next(&point, in + at, len - at)) == 0)
            return false;
    return true;
}
