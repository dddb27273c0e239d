# SPDX-License-Identifier: Apache-2.0
"""Tree backups made by hand: a pax archive and its catalog (FORMAT.md 3.7, 3.8), for who wants to cheat."""

import io
import os
import tarfile
from dataclasses import dataclass

from .binary import u8, u16, u32, u64
from .catalog import END, PAX_TYPE, common, order
from .frames import CATALOG, DATA, Frame

TYPES = {v: k for k, v in PAX_TYPE.items() if k != tarfile.AREGTYPE}


@dataclass
class Facts:
    """An entry of the catalog, without its path and position."""
    type: int
    size: int
    length: int
    target: bytes
    state: int = 0


def member(path, kind, data=b"", target=""):
    """(archive bytes, facts) of one thing."""
    info = tarfile.TarInfo(path + "/" * (kind == 2))
    info.type, info.size, info.linkname, info.mode = TYPES[kind], len(data), target, 0o644
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8",
                      errors="surrogateescape") as tar:
        tar.addfile(info, io.BytesIO(data))
        raw = out.getvalue()[:tar.offset]
    return raw, Facts(kind, len(data), len(raw), os.fsencode(target))


def emit_entry(path, before, facts):
    shared = common(before, path) if before else 0
    return (u8(facts.type) + u8(facts.state) + u16(0) + u16(0o644) + u32(0) * 2 + u64(facts.size) + u64(0) + u32(0)
            + u64(facts.length) + u16(shared) + u16(len(path) - shared) + u16(len(facts.target)) + path[shared:]
            + facts.target)


def emit_record(level, group):
    if level == 0:
        paths = [None] + [g[0] for g in group]
        body = b"".join(emit_entry(g[0], p, g[2]) for g, p in zip(group, paths))
    else:
        body = b"".join(u64(number) + u64(position) + u16(len(path)) + path for path, position, number in group)
    return u8(level) + bytes(3) + u32(len(group)) + u64(group[0][1]) + body


def archive_of(things, lost=()):
    """(archive without its end, entries); `lost`: (path, state) of what is not in it, a thing all the same."""
    archive, entries = b"", []
    for path in sorted([*things, *dict(lost)], key=lambda p: order(os.fsencode(p))):
        raw, facts = member(path, *things[path]) if path in things else (b"", Facts(0, 0, 0, b"", dict(lost)[path]))
        entries.append((os.fsencode(path), len(archive), facts))
        archive += raw
    return archive, entries


def add(draft, things, per_record=3, alter=None, mangle=None, end=END, lost=(), touch=None):
    """Fill `draft` (content 2) with `things`: path to (kind, data, target); returns the archive.

    To cheat: `alter(level, group)` gives other entries (path, position, facts) or items (path, position,
    number) for a record; `mangle(i, plain)` other bytes, or None for no such record, for the i-th
    CATALOG record; `touch(archive)` another archive under the same catalog.
    """
    archive, entries = archive_of(things, lost)
    archive = (touch(archive) if touch else archive) + end
    size = draft.preamble.record_size
    for at in range(0, len(archive), size):
        draft.add(archive[at:at + size])
    Catalog(draft, per_record, alter, mangle).write(entries)
    return archive


class Catalog:
    """Records are written when they are full, each followed by those above that it fills."""

    def __init__(self, draft, per_record, alter, mangle):
        self.draft, self.per_record, self.alter, self.mangle = draft, per_record, alter, mangle
        self.pending, self.written, self.count = [[]], [0], 0

    def write(self, entries):
        for entry in entries:
            self._put(0, entry)
        level = 0
        while level < len(self.pending) and (level == 0 or self.written[level] or len(self.pending[level]) > 1):
            if self.pending[level]:
                self._flush(level)
            level += 1

    def _put(self, level, what):
        if level == len(self.pending):
            self.pending.append([])
            self.written.append(0)
        self.pending[level].append(what)
        if len(self.pending[level]) == self.per_record:
            self._flush(level)

    def _flush(self, level):
        group, self.pending[level] = self.pending[level], []
        group = (self.alter and self.alter(level, group)) or group
        plain = emit_record(level, group)
        plain = self.mangle(self.count, plain) if self.mangle else plain
        self.count += 1
        if plain is not None:
            self.written[level] += 1
            add_catalog(self.draft, plain)
            self._put(level + 1, (group[0][0], group[0][1], len(self.draft.records) - 1))


def add_catalog(draft, plain):
    """One more CATALOG record."""
    offset = sum(f.plain for f, _ in draft.records if f.kind == CATALOG)
    tag = 16 if draft.preamble.sealed else 0
    frame = Frame(CATALOG, len(plain) + tag, 0, 0, 0xFFFE, len(plain), len(draft.records), offset)
    draft.add(None, frame=frame, content=plain)


def add_data(draft, plain):
    """One more DATA record of stream 0, behind CATALOG records."""
    offset = sum(f.plain for f, _ in draft.records if f.kind == DATA)
    tag = 16 if draft.preamble.sealed else 0
    draft.add(None, frame=Frame(DATA, len(plain) + tag, 0, 0, 0, len(plain), len(draft.records), offset), content=plain)
