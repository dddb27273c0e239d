# SPDX-License-Identifier: Apache-2.0
"""A bundle: the heads alone of many backups in one file (FORMAT.md 10.2)."""

from .binary import Cursor, all_zero, sha256, u16, u32, u64
from .errors import FORMAT, LIMIT, UNSUPPORTED, need
from .head import BLOCK, ROLE_HEAD, Preamble, choose

MAGIC = bytes.fromhex("89434f46424e440a")
HEADER, DIGEST = 64, 32
MAX_HEADS = 1048576


def is_bundle(path):
    with open(path, "rb") as f:
        return f.read(8) == MAGIC


def core_of(head):
    return sha256(head[512:1024])


def emit(heads, count=None, length=None, version=1):
    """The bundle of these heads as they are; sorting them is the caller's."""
    raw = b"".join(heads)
    size = HEADER + len(raw) + DIGEST
    header = (MAGIC + u16(version) + u16(0) + u32(len(heads) if count is None else count)
              + u64(size if length is None else length)).ljust(HEADER, b"\0")
    return header + raw + sha256(header + raw)


def parse(raw):
    """The heads, each as bytes; BU-1 to BU-5 for the whole before any is given out."""
    need(len(raw) >= HEADER + DIGEST, FORMAT, "BU-2", "too short")
    c = Cursor(raw[:HEADER], "section 10.2")
    need(c.take(8) == MAGIC, FORMAT, "BU-1", "magic")
    need(c.number(2) == 1, UNSUPPORTED, "BU-1", "version")
    c.zero(2, "BU-1")
    count, length = c.number(4), c.number(8)
    c.zero(40, "BU-1")
    need(count >= 1 and length == len(raw), FORMAT, "BU-2", "number or length")
    need(count <= MAX_HEADS, LIMIT, "BU-2", "number of heads")
    heads, rest = [], raw[HEADER:-DIGEST]
    for _ in range(count):
        need(len(rest) >= 2 * BLOCK, FORMAT, "BU-2", "a head reaches beyond the end")
        block = choose(rest[:BLOCK], rest[BLOCK:2 * BLOCK])[0]
        need(block.role == ROLE_HEAD, UNSUPPORTED, "SB-3", "no head alone")
        Preamble.parse(block.preamble)
        size = 2 * BLOCK + 2 * block.slot_size
        need(len(rest) >= size, FORMAT, "BU-2", "a head reaches beyond the end")
        heads.append(rest[:size])
        _at_rest(heads[-1], block)
        rest = rest[size:]
    need(not rest, FORMAT, "BU-2", "more than the heads counted")
    need(sha256(raw[:-DIGEST]) == raw[-DIGEST:], FORMAT, "BU-3", "SHA-256")
    cores = [core_of(h) for h in heads]
    need(all(a < b for a, b in zip(cores, cores[1:])), FORMAT, "BU-5", "order of the heads")
    return heads


def _at_rest(head, block):
    a, b = head[2 * BLOCK:2 * BLOCK + block.slot_size], head[2 * BLOCK + block.slot_size:]
    good = (head[:BLOCK] == head[BLOCK:2 * BLOCK] and a == b and all_zero(a[block.envelope_length:])
            and sha256(a[:block.envelope_length]) == block.envelope_sha256)
    need(good, FORMAT, "BU-4", "a head that is not at rest")
