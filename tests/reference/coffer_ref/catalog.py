# SPDX-License-Identifier: Apache-2.0
"""The catalog of a tree backup, and the pax archive that it describes (FORMAT.md 3.8)."""

import io
import tarfile
from dataclasses import dataclass

from .binary import Cursor
from .errors import AUTH, FORMAT, need

FILE, DIRECTORY, SYMLINK, HARDLINK, CHARACTER, BLOCK, FIFO, STREAM = 1, 2, 3, 4, 5, 6, 7, 9
PAX_TYPE = {tarfile.REGTYPE: FILE, tarfile.AREGTYPE: FILE, tarfile.DIRTYPE: DIRECTORY, tarfile.SYMTYPE: SYMLINK,
            tarfile.LNKTYPE: HARDLINK, tarfile.CHRTYPE: CHARACTER, tarfile.BLKTYPE: BLOCK, tarfile.FIFOTYPE: FIFO}


@dataclass
class Entry:
    type: int
    state: int
    stream: int
    size: int
    offset: int
    length: int
    path: bytes
    target: bytes


def order(path):
    """The key of component-wise byte order."""
    return path.split(b"/")


def parse_entry(raw, before):
    """One level 0 entry; `before` is the path before it in the record, None for the first."""
    c = Cursor(raw, "CA-1")
    kind, state, stream = c.number(1), c.number(1), c.number(2)
    need(kind in (*range(FILE, FIFO + 1), STREAM) and state <= 3, FORMAT, "CA-1", "type or state")
    c.take(12)
    size = c.number(8)
    c.take(8)
    need(c.number(4) < 1000000000, FORMAT, "CA-1", "nanoseconds")
    offset, length, shared, rest, target = (c.number(n) for n in (8, 8, 2, 2, 2))
    need(shared <= len(before or b""), FORMAT, "CA-1", "shares more than the path before it has")
    path = (before or b"")[:shared] + c.take(rest)
    entry = Entry(kind, state, stream, size, offset, length, path, c.take(target))
    c.end("CA-1")
    return entry


class Catalog:
    """`records`: (number, plaintext) of the CATALOG records in order. Gives `entries`."""

    def __init__(self, records):
        self.entries, levels = [], []
        for number, plain in records:
            c = Cursor(plain, "CA-1")
            level = c.number(1)
            c.zero(3, "CA-1")
            count = c.number(4)
            need(count, FORMAT, "CA-1", "an empty catalog record")
            first = self._entries(c, count) if level == 0 else self._links(c, count, levels, level)
            c.end("CA-1")
            while len(levels) <= level:
                levels.append([])
            need(level == len(levels) - 1, FORMAT, "CA-1", "a lower level after a higher one")
            levels[level].append((number, first))
        need(not levels or len(levels[-1]) == 1, FORMAT, "CA-1", "the last record is not the only one of its level")
        need(not any(self.unlinked), FORMAT, "CA-1", "a catalog record that nothing names")

    unlinked = ()

    def _entries(self, c, count):
        before = None
        for _ in range(count):
            entry = parse_entry(c.take(c.number(4)), before)
            if self.entries:
                need(order(self.entries[-1].path) < order(entry.path), FORMAT, "CA-1", "paths not in order")
            self.entries.append(entry)
            first = entry.path if before is None else first
            before = entry.path
        return first

    def _links(self, c, count, levels, level):
        need(1 <= level <= len(levels), FORMAT, "CA-1", "level without the one below")
        if level == len(levels):
            self.unlinked = list(levels[level - 1])
        links = []
        for _ in range(count):
            number = c.number(8)
            links.append((number, c.take(c.number(2))))
        need(self.unlinked[:count] == links, FORMAT, "CA-1", "names other records than those of the level below")
        self.unlinked = self.unlinked[count:]
        return links[0][1]

    def check(self, read):
        """CA-2: each pax header against its entry; `read(offset, length)` gives bytes of stream 0."""
        for entry in self.entries:
            if entry.type == STREAM or entry.stream != 0 or not entry.length:
                continue
            raw = read(entry.offset, entry.length)
            need(len(raw) == entry.length, FORMAT, "CA-1", "an entry beyond the end of its stream")
            try:
                with tarfile.open(fileobj=io.BytesIO(raw), mode="r:", encoding="utf-8",
                        errors="surrogateescape") as tar:
                    member = tar.next()
            except tarfile.TarError:
                member = None
            need(member is not None, AUTH, "CA-2", "no pax header where the entry says")
            name = member.name.encode("utf-8", "surrogateescape").rstrip(b"/")
            same = name == entry.path.rstrip(b"/") and PAX_TYPE.get(member.type) == entry.type
            need(same and (entry.type != FILE or member.size == entry.size), AUTH, "CA-2",
                 f"pax header and entry differ: {name!r}, {entry.path!r}")


def lineage_items(plain):
    """The items of the joined LINEAGE plaintexts as (type, value) (FORMAT.md 3.9)."""
    c, items = Cursor(plain, "section 3.9"), []
    while c.left():
        kind = c.number(2)
        c.zero(2)
        need(1 <= kind <= 4, FORMAT, "section 3.9", f"lineage item of type {kind}")
        items.append((kind, c.take(c.number(4))))
    return items
