# SPDX-License-Identifier: Apache-2.0
"""A structure with one of its parts left out, doubled, emptied or replaced, and all the lengths around
it right: what changing single bytes seldom makes."""

import json

from coffer_ref import der

HUGE = der.integer((1 << 62) + 1)


def _inside(node):
    """The elements in a node, also of an OCTET STRING that holds some; None: it has none."""
    if node.kids is not None:
        return node.kids
    if node.tag == der.OCTET_STRING and len(node.body) > 2:
        try:
            return [der.parse(node.body)]
        except der.DerError:
            return None
    return None


def _replacements(node):
    """What may stand in the place of this element."""
    yield b""
    yield node.raw * 2
    yield der.tlv(node.tag)
    yield der.tlv(der.SET if node.tag == der.SEQUENCE else der.NULL)
    if node.tag == der.INTEGER:
        yield HUGE
    if node.tag == der.OID:
        yield der.oid("1.2.3.4")


def _edited(node):
    yield from _replacements(node)
    kids = _inside(node) or []
    for i, kid in enumerate(kids):
        before, after = (b"".join(k.raw for k in part) for part in (kids[:i], kids[i + 1:]))
        for other in _edited(kid):
            yield der.tlv(node.tag, before, other, after)


def of_der(data):
    """Of everything but the outermost element."""
    return list(dict.fromkeys(_edited(der.parse(data))))


def _json_edited(value):
    if isinstance(value, dict):
        for name in value:
            yield {n: v for n, v in value.items() if n != name}
            for other in _json_edited(value[name]):
                yield {n: other if n == name else v for n, v in value.items()}
        yield {**value, "unknown": 1}
        yield {**value, "x": []}
        yield {**value, "x": {"a": -1}}
    elif isinstance(value, list):
        for i, item in enumerate(value):
            for other in _json_edited(item):
                yield value[:i] + [other] + value[i + 1:]
        yield []
        yield value * 2
    if not isinstance(value, dict):
        yield from (None, True, 0, -1, 1 << 53, 1.5, "", "x" * 1500, "\u00e9", [], [0], {})


def of_json(data):
    """Of a statement."""
    return [json.dumps(other, separators=(",", ":"), ensure_ascii=False).encode()
            for other in (*_json_edited(json.loads(data)), [])]
