#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Takes a backup of one volume apart by the byte tables of docs/FORMAT.md, believing nothing.

Usage: parts.py FILE WHAT

  keys, custody     the first such item of the envelope that the superblock names
  manifest          the signed manifest at the end of the file
  body              everything behind the head
  payloads          what all records hold, one behind the other
  lengths           a line for each record: plain length, stored length
  root              the root of the tree over the records as they are, in hex
"""

import hashlib
import sys

ITEMS = {"keys": 1, "custody": 2}
RECORDS = (1, 2, 3)
TAIL = 6


def number(data, at, size):
    return int.from_bytes(data[at:at + size], "big")


def item(data, kind):
    slot_size = number(data, 24, 8)
    at = 8192 + data[11] * slot_size
    end, at = at + number(data, 40, 8), at + 16
    while at < end:
        length = number(data, at + 4, 4)
        if number(data, at, 2) == kind:
            return data[at + 8:at + 8 + length]
        at += 8 + length
    sys.exit("no such item")


def body(data):
    return data[8192 + 2 * number(data, 24, 8):]


def frames(content):
    """(header, payload) of each frame up to the first TAIL."""
    at = 0
    while True:
        header = content[at:at + 32]
        assert header[:2] == b"\xc0\xfe"
        payload = content[at + 32:at + 32 + number(header, 12, 4)]
        yield header, payload
        if header[2] == TAIL:
            return
        at += 32 + len(payload)


def records(data):
    return [(h, p) for h, p in frames(body(data)) if h[2] in RECORDS]


def manifest(data):
    *_, (_, tail) = frames(body(data))
    assert tail[:8] == b"COFTAIL\n"
    at = 16 + 24 * number(tail, 8, 4)
    return tail[at + 4:at + 4 + number(tail, at, 4)]


def tree(leaves):
    """RFC 9162, section 2.1.1"""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def root(data):
    return tree([hashlib.sha256(b"\0" + h + hashlib.sha256(p).digest()).digest() for h, p in records(data)])


def main():
    path, what = sys.argv[1:]
    with open(path, "rb") as file:
        data = file.read()
    if what == "root":
        print(root(data).hex())
    elif what == "lengths":
        for header, payload in records(data):
            print(number(header, 8, 4), len(payload))
    else:
        out = (item(data, ITEMS[what]) if what in ITEMS else manifest(data) if what == "manifest"
               else body(data) if what == "body" else b"".join(p for _, p in records(data)))
        sys.stdout.buffer.write(out)


main()
