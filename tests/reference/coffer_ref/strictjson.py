# SPDX-License-Identifier: Apache-2.0
"""JSON as statements may use it: strict, bounded, without surprises (FORMAT.md 4.1, ST-3)."""

import json
import re

from .errors import FORMAT, LIMIT, Refused, need

MAX_DEPTH = 8
MAX_INTEGER = (1 << 53) - 1
_INTEGER = re.compile(r"0|[1-9][0-9]*")


def _object(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs), FORMAT, "ST-3", "a member is there twice")
    return members


def _integer(text):
    need(_INTEGER.fullmatch(text) and int(text) <= MAX_INTEGER, FORMAT, "ST-3", f"integer {text[:30]}")
    return int(text)


def _no_float(text):
    raise Refused(FORMAT, "ST-3", f"number {text[:30]} is no integer")


def _depth(text):
    deepest = depth = 0
    inside = escaped = False
    for ch in text:
        if inside:
            inside = escaped or ch != '"'
            escaped = ch == "\\" and not escaped
        elif ch == '"':
            inside = True
        elif ch in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif ch in "]}":
            depth -= 1
    return deepest


def _plain_text(value):
    """Every string is Unicode text without U+0000 and without lone surrogates."""
    if isinstance(value, str):
        need("\0" not in value, FORMAT, "ST-3", "U+0000 in a string")
        need(value.encode("utf-8", "replace").decode() == value, FORMAT, "ST-3", "lone surrogate")
    elif isinstance(value, list):
        for item in value:
            _plain_text(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _plain_text(key)
            _plain_text(item)


def parse(raw):
    """The object that `raw` is."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(FORMAT, "ST-3", "not UTF-8") from None
    need(_depth(text) <= MAX_DEPTH, LIMIT, "ST-3", "JSON nested too deeply")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer,
                           parse_float=_no_float, parse_constant=_no_float)
    except ValueError as e:
        raise Refused(FORMAT, "ST-3", f"not JSON: {e}") from None
    need(isinstance(value, dict), FORMAT, "ST-3", "not an object")
    _plain_text(value)
    return value


def emit(value):
    """Compact UTF-8, members in the order in which they stand."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
