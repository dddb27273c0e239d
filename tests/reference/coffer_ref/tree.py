# SPDX-License-Identifier: Apache-2.0
"""A small tree backup made by hand, to try the catalog reader (FORMAT.md 3.7, 3.8)."""

import io
import os
import tarfile

from .binary import u8, u16, u32, u64
from .catalog import END, PAX_TYPE, common, order
from .frames import CATALOG, Frame

TYPES = {v: k for k, v in PAX_TYPE.items() if k != tarfile.AREGTYPE}


def member(path, kind, data=b"", target=""):
    """(archive bytes, entry without its path) of one thing."""
    info = tarfile.TarInfo(path + "/" * (kind == 2))
    info.type, info.size, info.linkname, info.mode = TYPES[kind], len(data), target, 0o644
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8",
                      errors="surrogateescape") as tar:
        tar.addfile(info, io.BytesIO(data))
        raw = out.getvalue()[:tar.offset]
    return raw, (kind, len(data), len(raw), target.encode())


def emit_entry(path, before, kind, size, length, target):
    shared = common(before, path) if before else 0
    return (u8(kind) + u8(0) + u16(0) + u16(0o644) + u32(0) * 2 + u64(size) + u64(0) + u32(0) + u64(length)
            + u16(shared) + u16(len(path) - shared) + u16(len(target)) + path[shared:] + target)


def add(draft, things, per_record=3, alter=None):
    """Fill `draft` (content 2) with `things`: path to (kind, data, target). `alter(level, items)` may cheat."""
    archive, entries = b"", []
    for path in sorted(things, key=lambda p: order(os.fsencode(p))):
        raw, facts = member(path, *things[path])
        entries.append((os.fsencode(path), len(archive), facts))
        archive += raw
    archive += END
    size = draft.preamble.record_size
    for at in range(0, len(archive), size):
        draft.add(archive[at:at + size])
    level, catalog_offset = 0, 0
    while True:
        named = []
        for at in range(0, len(entries), per_record):
            group = entries[at:at + per_record]
            if alter:
                group = alter(level, group) or group
            if level == 0:
                paths = [None] + [g[0] for g in group]
                body = b"".join(emit_entry(g[0], p, *g[2]) for g, p in zip(group, paths))
            else:
                body = b"".join(u64(number) + u64(position) + u16(len(path)) + path for path, position, number in group)
            plain = u8(level) + bytes(3) + u32(len(group)) + u64(group[0][1]) + body
            named.append((group[0][0], group[0][1], len(draft.records)))
            frame = Frame(CATALOG, len(plain) + 16, 0, 0, 0xFFFE, len(plain), len(draft.records), catalog_offset)
            draft.add(None, frame=frame, content=plain)
            catalog_offset += len(plain)
        if len(named) == 1:
            return archive
        entries, level = named, level + 1
