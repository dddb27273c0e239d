# SPDX-License-Identifier: Apache-2.0
"""The catalog of a tree backup, and the pax archive that it lists (FORMAT.md 3.7, 3.8)."""

import io
import tarfile
from dataclasses import dataclass

from .binary import Cursor
from .errors import AUTH, FORMAT, need

UNKNOWN, FILE, DIRECTORY, SYMLINK, HARDLINK, CHARACTER, BLOCK, FIFO, STREAM = 0, 1, 2, 3, 4, 5, 6, 7, 9
PAX_TYPE = {tarfile.REGTYPE: FILE, tarfile.AREGTYPE: FILE, tarfile.DIRTYPE: DIRECTORY, tarfile.SYMTYPE: SYMLINK,
            tarfile.LNKTYPE: HARDLINK, tarfile.CHRTYPE: CHARACTER, tarfile.BLKTYPE: BLOCK, tarfile.FIFOTYPE: FIFO}
END = bytes(1024)


@dataclass
class Entry:
    type: int
    state: int
    stream: int
    size: int
    length: int
    path: bytes
    target: bytes
    position: int = 0

    def check(self):
        """CA-1 for one entry by itself."""
        stored, link = self.length != 0, self.type in (SYMLINK, HARDLINK)
        need(self.type in (*range(UNKNOWN, FIFO + 1), STREAM) and self.state <= 3, FORMAT, "CA-1", "type or state")
        need(self.type == STREAM or self.length % 512 == 0, FORMAT, "CA-1", "length is no multiple of 512")
        need(b"\0" not in self.target and bool(self.target) == (link and stored), FORMAT, "CA-1", "link target")
        need(self.type != HARDLINK or not stored or order(self.target) < order(self.path), FORMAT, "CA-1",
             "a hard link to a later path")
        sized = self.type in (FILE, CHARACTER, BLOCK, STREAM)
        need(self.size == 0 or (sized and (self.type in (CHARACTER, BLOCK) or self.size < 1 << 63)), FORMAT, "CA-1", "size")
        if self.type == STREAM:
            need(self.stream in range(1, 0xFFFE) and self.state <= 1 and self.length == self.size
                 and len(self.path) <= 1024, FORMAT, "CA-1", "named stream")
            return
        need(self.stream == 0, FORMAT, "CA-1", "stream of what is no named stream")
        need(stored or self.state >= 2, FORMAT, "CA-1", "length 0 without a reason")
        need(not stored or (self.state != 3 and self.type != UNKNOWN), FORMAT, "CA-1", "stored, though it was gone")
        need(self.type != UNKNOWN or self.state >= 2, FORMAT, "CA-1", "type unknown without a reason")


def order(path):
    """The key of the catalog's order: `/` below all other bytes, `.` alone before all."""
    return b"" if path == b"." else bytes(0 if b == 0x2F else b for b in path)


def check_path(path):
    parts = path.split(b"/")
    need(path == b"." or not {b"", b".", b".."} & set(parts), FORMAT, "CA-1", f"path {path!r}")
    need(b"\0" not in path, FORMAT, "CA-1", "zero byte in a path")


def common(a, b):
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


def parse_entry(c, before):
    """The next level 0 entry of cursor `c`; `before` is the path before it in the record, or None."""
    kind, state, stream, mode = (c.number(n) for n in (1, 1, 2, 2))
    c.take(8)
    size = c.number(8)
    c.take(8)
    need(c.number(4) < 1000000000 and mode < 1 << 12, FORMAT, "CA-1", "nanoseconds or mode")
    length, shared, rest, target = (c.number(n) for n in (8, 2, 2, 2))
    need(shared <= len(before or b""), FORMAT, "CA-1", "shares more than the path before it has")
    path = (before or b"")[:shared] + c.take(rest)
    need(len(path) <= 65535 and shared == (common(before, path) if before else 0), FORMAT, "CA-1", "shared bytes")
    check_path(path)
    entry = Entry(kind, state, stream, size, length, path, c.take(target))
    entry.check()
    return entry


class Catalog:
    """`records`: (number, plaintext) of all CATALOG records in order. Gives `entries` and `end`."""

    def __init__(self, records):
        self.entries, self.end, self.open = [], 0, []
        for at, (number, plain) in enumerate(records):
            c = Cursor(plain, "CA-1")
            level = c.number(1)
            c.zero(3, "CA-1")
            count, position = c.number(4), c.number(8)
            top = at == len(records) - 1
            need(level <= 15 and count >= (2 if top and level else 1), FORMAT, "CA-1", "level or count")
            if level == 0:
                first = self._entries(c, count, position)
            else:
                first = self._items(c, count, position, level)
            c.end("CA-1")
            while len(self.open) <= level:
                self.open.append([])
            self.open[level].append((number, position, first))
        left = [len(below) for below in self.open]
        need(not records or (left[-1] == 1 and not any(left[:-1])), FORMAT, "CA-3", "the top does not lead to all records")

    def _entries(self, c, count, position):
        need(position == self.end, FORMAT, "CA-1", "position of a record")
        before, first = None, None
        for _ in range(count):
            entry = parse_entry(c, before)
            entry.position = self.end
            if self.entries:
                need(order(self.entries[-1].path) < order(entry.path), FORMAT, "CA-1", "paths not in order")
            self.end += entry.length if entry.type != STREAM else 0
            self.entries.append(entry)
            first, before = first or entry.path, entry.path
        return first

    def _items(self, c, count, position, level):
        """CA-3: one item for each record of the level below that is not named yet."""
        need(level <= len(self.open), FORMAT, "CA-3", "a level without the one below")
        items = []
        for _ in range(count):
            number, place = c.number(8), c.number(8)
            items.append((number, place, c.take(c.number(2))))
        need(items == self.open[level - 1], FORMAT, "CA-3", "items are not the records of the level below")
        need(position == items[0][1], FORMAT, "CA-1", "position of a record")
        self.open[level - 1] = []
        return items[0][2]

    def check(self, read):
        """CA-2 and 3.7: the archive against the catalog; `read(offset, length)` gives bytes of stream 0."""
        earlier = {}
        for entry in self.entries:
            need(entry.type != STREAM, FORMAT, "RC-10", "a named stream in a tree")
            if not entry.length:
                continue
            check_member(entry, read(entry.position, entry.length))
            if entry.type == HARDLINK:
                need(earlier.get(entry.target, DIRECTORY) not in (DIRECTORY, HARDLINK), FORMAT, "section 3.8",
                     "a hard link to what is not in the archive")
            earlier[entry.path] = entry.type
        need(read(self.end, 1025) == END, AUTH, "section 3.7", "the archive does not end where the catalog does")


    def check_streams(self, lengths):
        """RC-10 and CA-2: every named stream once; `lengths`: number to bytes of those that have any."""
        seen = set()
        for entry in self.entries:
            need(entry.type == STREAM and entry.stream not in seen, FORMAT, "RC-10", f"{entry.path!r} names no stream of its own")
            need(entry.length == lengths.get(entry.stream, 0), AUTH, "CA-2", f"length of {entry.path!r}")
            seen.add(entry.stream)
        need(not set(lengths) - seen, FORMAT, "RC-10", "a stream without a name")


def check_member(entry, raw):
    need(len(raw) == entry.length, AUTH, "CA-2", "an entry beyond the end of the archive")
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:", encoding="utf-8", errors="surrogateescape") as tar:
            member, end = tar.next(), tar.offset
    except tarfile.TarError:
        member = None
    need(member is not None and end == entry.length, AUTH, "CA-2", f"{entry.path!r} is not what stands at its place")
    name = member.name.encode("utf-8", "surrogateescape").rstrip(b"/")
    need(name == entry.path and PAX_TYPE.get(member.type) == entry.type, AUTH, "CA-2", f"{name!r} differs from its entry")
    if entry.type in (SYMLINK, HARDLINK):
        need(member.linkname.encode("utf-8", "surrogateescape") == entry.target, AUTH, "CA-2", "link target")
    if entry.state == 0:
        device = entry.type in (CHARACTER, BLOCK)
        size = (member.devmajor << 32) + member.devminor if device else member.size if entry.type == FILE else 0
        need(size == entry.size, AUTH, "CA-2", f"size of {entry.path!r}")
