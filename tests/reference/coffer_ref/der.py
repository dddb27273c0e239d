# SPDX-License-Identifier: Apache-2.0
"""A small strict DER decoder and encoder: enough for CMS, and for breaking CMS.

The decoder refuses what is not DER at the level of tags and lengths: indefinite
or long lengths, long integers, constructed strings, unsorted SET OFs, odd
booleans, trailing bytes (FORMAT.md ST-1, KY-1).
"""

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
MAX_DEPTH = 32


class DerError(ValueError):
    pass


class Node:
    """One element: `tag` byte, `raw` encoding, `body` content, `kids` when constructed."""

    __slots__ = ("tag", "raw", "body", "kids")

    def __init__(self, tag, raw, body, kids):
        self.tag, self.raw, self.body, self.kids = tag, raw, body, kids

    def __getitem__(self, i):
        return self.kids[i]

    def __len__(self):
        return len(self.kids)


def _header(data, at):
    if at + 2 > len(data):
        raise DerError("element cut short")
    tag, length, at = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise DerError("tag of a form that CMS does not use")
    if length < 0x80:
        return tag, length, at
    n = length & 0x7F
    if n == 0 or n > 4 or at + n > len(data):
        raise DerError("indefinite or impossible length")
    length = int.from_bytes(data[at:at + n], "big")
    if length < 0x80 or length >> (8 * (n - 1)) == 0:
        raise DerError("length not minimal")
    return tag, length, at + n


def _check_primitive(tag, body):
    if tag == INTEGER or tag == 0x0A:
        if not body or (len(body) > 1 and body[0] in (0, 0xFF) and (body[0] ^ body[1]) < 0x80):
            raise DerError("integer not minimal")
    elif tag == 0x01 and body not in (b"\x00", b"\xff"):
        raise DerError("boolean neither 00 nor FF")
    elif tag == NULL and body:
        raise DerError("NULL with content")
    elif tag == BIT_STRING:
        if not body or body[0] > 7 or (body[0] and (len(body) == 1 or body[-1] & ((1 << body[0]) - 1))):
            raise DerError("bit string not minimal")
    elif tag == OID:
        oid_text(body)


def _parse(data, at, depth):
    if depth > MAX_DEPTH:
        raise DerError("nested too deeply")
    start = at
    tag, length, at = _header(data, at)
    end = at + length
    if end > len(data):
        raise DerError("element longer than what is left")
    body = data[at:end]
    kids = None
    if tag & 0x20:
        if tag < 0x80 and tag not in (SEQUENCE, SET):
            raise DerError("constructed string")
        kids = []
        while at < end:
            kid, at = _parse(data[:end], at, depth + 1)
            kids.append(kid)
        if tag == SET:
            check_sorted(kids)
    elif tag < 0x80:
        if tag in (0x10, 0x11):
            raise DerError("primitive SEQUENCE or SET")
        _check_primitive(tag, body)
    return Node(tag, data[start:end], body, kids), end


def check_sorted(kids):
    """SET OF: encodings in ascending order, as DER wants them."""
    raws = [k.raw for k in kids]
    if raws != sorted(raws):
        raise DerError("SET OF not sorted")


def parse(data):
    """The one element that `data` is; raises DerError."""
    node, end = _parse(bytes(data), 0, 0)
    if end != len(data):
        raise DerError("bytes after the element")
    return node


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + n.to_bytes(size, "big") + body


def seq(*parts):
    return tlv(SEQUENCE, *parts)


def set_of(*parts):
    return tlv(SET, *sorted(parts))


def octets(data):
    return tlv(OCTET_STRING, data)


def bits(data):
    return tlv(BIT_STRING, b"\x00", data)


def integer(n):
    return tlv(INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def context(n, *parts):
    """Constructed context tag: EXPLICIT, or IMPLICIT over a SEQUENCE or SET."""
    return tlv(0xA0 | n, *parts)


def context_primitive(n, data):
    return tlv(0x80 | n, data)


def null():
    return tlv(NULL)


def _base128(n):
    out = [n & 0x7F]
    while n > 0x7F:
        n >>= 7
        out.append(0x80 | n & 0x7F)
    return bytes(reversed(out))


def oid(text):
    arcs = [int(a) for a in text.split(".")]
    return tlv(OID, b"".join(map(_base128, [arcs[0] * 40 + arcs[1]] + arcs[2:])))


def oid_text(body):
    arcs, n, fresh = [], 0, True
    for byte in body:
        if fresh and byte == 0x80:
            raise DerError("object identifier not minimal")
        n, fresh = n << 7 | byte & 0x7F, byte < 0x80
        if fresh:
            arcs.append(n)
            n = 0
    if not arcs or not fresh:
        raise DerError("object identifier cut short")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first] + arcs[1:]))


def algorithm(text, *parameters):
    return seq(oid(text), *parameters)
