/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A strict reader of DER.
 *
 * libcrypto's decoder takes BER and keeps parts that it does not understand as they came, so that
 * encoding again does not reveal all that was odd.  Here there is one encoding for one meaning, or
 * the message is refused before anything else looks at it.
 */

#include "crypto/der.h"

#include <string.h>

/* Length octets at p (n bytes left): the number of them, with the length; 0 if malformed. */
static size_t read_length(const uint8_t *p, size_t n, size_t *len)
{
    size_t count, value = 0;

    if (n == 0)
        return 0;
    if (p[0] < 0x80) {
        *len = p[0];
        return 1;
    }
    count = p[0] & 0x7F;
    if (count == 0 || count > 4 || count >= n || p[1] == 0)
        return 0;
    for (size_t i = 1; i <= count; i++)
        value = value << 8 | p[i];
    if (value < 0x80)
        return 0;
    *len = value;
    return 1 + count;
}

bool cof_der_next(cof_slice *in, uint8_t *tag, cof_slice *body, cof_slice *whole)
{
    const uint8_t *start;
    size_t head, len = 0;

    if (in->len < 2 || (in->data[0] & 0x1F) == 0x1F)
        return false;
    head = read_length(in->data + 1, in->len - 1, &len);
    if (head == 0 || len > in->len - 1 - head)
        return false;
    start = in->data;
    *tag = start[0];
    in->data += 1 + head + len;
    in->len -= 1 + head + len;
    if (whole != NULL)
        *whole = (cof_slice){start, 1 + head + len};
    *body = (cof_slice){start + 1 + head, len}; /* last: body may be in itself */
    return true;
}

bool cof_der_at(cof_slice in, uint8_t tag)
{
    return in.len > 0 && in.data[0] == tag;
}

bool cof_der_take(cof_slice *in, uint8_t tag, cof_slice *body)
{
    uint8_t found;
    return cof_der_at(*in, tag) && cof_der_next(in, &found, body, NULL);
}

bool cof_der_take_whole(cof_slice *in, uint8_t tag, cof_slice *whole)
{
    uint8_t found;
    cof_slice body;
    return cof_der_at(*in, tag) && cof_der_next(in, &found, &body, whole);
}

bool cof_der_take_small(cof_slice *in, uint8_t value)
{
    cof_slice rest = *in, body;

    if (!cof_der_take(&rest, COF_DER_INTEGER, &body) || body.len != 1 || body.data[0] != value)
        return false;
    *in = rest;
    return true;
}

bool cof_der_take_oid(cof_slice *in, cof_slice oid)
{
    cof_slice rest = *in, body;

    if (!cof_der_take(&rest, COF_DER_OID, &body) || !cof_slice_equal(body, oid))
        return false;
    *in = rest;
    return true;
}

bool cof_der_take_algorithm(cof_slice *in, cof_slice oid, bool null_allowed)
{
    cof_slice rest = *in, body, empty;

    if (!cof_der_take(&rest, COF_DER_SEQUENCE, &body) || !cof_der_take_oid(&body, oid))
        return false;
    if (null_allowed && body.len > 0 &&
        (!cof_der_take(&body, COF_DER_NULL, &empty) || empty.len != 0))
        return false;
    if (body.len != 0)
        return false;
    *in = rest;
    return true;
}

/* The order of two encodings in a SET OF (X.690, 11.6): as octets, none is a prefix of another. */
static bool in_order(cof_slice a, cof_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = memcmp(a.data, b.data, n); /* public bytes */
    return c < 0 || (c == 0 && a.len <= b.len);
}

bool cof_der_sorted(cof_slice body)
{
    cof_slice previous = COF_SLICE_INIT, whole, inner;
    uint8_t tag;

    while (body.len > 0) {
        if (!cof_der_next(&body, &tag, &inner, &whole))
            return false;
        if (previous.len > 0 && !in_order(previous, whole))
            return false;
        previous = whole;
    }
    return true;
}

/* Two's complement in the fewest bytes. */
static bool integer_ok(cof_slice b)
{
    if (b.len == 0)
        return false;
    if (b.len == 1)
        return true;
    return !(b.data[0] == 0x00 && b.data[1] < 0x80) && !(b.data[0] == 0xFF && b.data[1] >= 0x80);
}

/* Unused bits counted rightly, and zero. */
static bool bit_string_ok(cof_slice b)
{
    if (b.len == 0 || b.data[0] > 7 || (b.len == 1 && b.data[0] != 0))
        return false;
    return (b.data[b.len - 1] & ((1u << b.data[0]) - 1)) == 0 || b.len == 1;
}

/* Sub-identifiers complete and without leading zeros. */
static bool oid_ok(cof_slice b)
{
    bool begins = true;

    if (b.len == 0)
        return false;
    for (size_t i = 0; i < b.len; i++) {
        if (begins && b.data[i] == 0x80)
            return false;
        begins = b.data[i] < 0x80;
    }
    return begins;
}

static bool primitive_ok(uint8_t tag, cof_slice b)
{
    switch (tag) {
    case 0x00: /* end of contents: only in indefinite lengths */
        return false;
    case 0x01: /* BOOLEAN */
        return b.len == 1 && (b.data[0] == 0x00 || b.data[0] == 0xFF);
    case COF_DER_INTEGER:
    case 0x0A: /* ENUMERATED */
        return integer_ok(b);
    case COF_DER_BIT_STRING:
        return bit_string_ok(b);
    case COF_DER_NULL:
        return b.len == 0;
    case COF_DER_OID:
        return oid_ok(b);
    case COF_DER_SEQUENCE & 0x1F: /* a SEQUENCE or SET is never primitive */
    case COF_DER_SET & 0x1F:
        return false;
    default:
        return true;
    }
}

/* All elements of a body; depth is how deep they are. */
static bool elements_ok(cof_slice body, unsigned depth)
{
    if (depth > COF_DER_DEPTH_MAX)
        return false;
    while (body.len > 0) {
        cof_slice inner;
        uint8_t tag;

        if (!cof_der_next(&body, &tag, &inner, NULL))
            return false;
        if ((tag & 0x20) == 0) {
            if (!primitive_ok(tag, inner))
                return false;
            continue;
        }
        if ((tag & 0xC0) == 0 && tag != COF_DER_SEQUENCE && tag != COF_DER_SET)
            return false;
        if ((tag == COF_DER_SET && !cof_der_sorted(inner)) || !elements_ok(inner, depth + 1))
            return false;
    }
    return true;
}

bool cof_der_strict(cof_slice in)
{
    cof_slice rest = in, body;
    uint8_t tag;

    return cof_der_next(&rest, &tag, &body, NULL) && rest.len == 0 && elements_ok(in, 0);
}
