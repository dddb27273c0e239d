# SPDX-License-Identifier: Apache-2.0
"""A volume on disk and its tail, and how the volumes of a backup are found (FORMAT.md 1, 3.6)."""

import os

from .binary import sha256
from .errors import FORMAT, Refused, need
from .frames import (HEADER, MAX_TAIL, RECORDS, TAIL, TRAILER, Frame, TailContent, parse_trailer)
from .head import BLOCK, MAGIC, ROLE_LATER, ROLE_WHOLE, Preamble, choose


class Volume:
    """One file: `superblock`, `preamble` (and `preamble_raw`), and bytes of its body."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            blocks = f.read(2 * BLOCK)
        self.size = os.path.getsize(path)
        need(len(blocks) == 2 * BLOCK, FORMAT, "SB-1", "shorter than two superblocks")
        self.superblock, self.copy, self.intact = choose(blocks[:BLOCK], blocks[BLOCK:])
        self.preamble_raw = self.superblock.preamble
        self.preamble = Preamble.parse(self.preamble_raw)
        self.core = sha256(self.preamble_raw)
        self.body_start = self.superblock.body_start
        self.body_size = self.size - self.body_start
        need(self.body_size >= 0, FORMAT, "GE-2", "file ends inside its head")
        if self.superblock.role not in (ROLE_WHOLE, ROLE_LATER):
            need(self.body_size == 0, FORMAT, "GE-3", "bytes after a head that stands alone")

    def read(self, offset, length):
        """`length` bytes of the file from `offset`; fewer where it ends."""
        with open(self.path, "rb") as f:
            f.seek(offset)
            return f.read(length)

    def slot(self, number):
        return self.read(2 * BLOCK + number * self.superblock.slot_size, self.superblock.slot_size)

    def body(self, offset, length):
        return self.read(self.body_start + offset, length)


def _candidates(first, elsewhere):
    """Files beside the first volume and in other places: paths of files, or of directories."""
    beside = os.path.dirname(os.path.abspath(first.path))
    for place in [*elsewhere, beside]:
        if os.path.isdir(place):
            yield from (os.path.join(place, name) for name in sorted(os.listdir(place)))
        else:
            yield place


def later_volumes(first, elsewhere=(), count=None):
    """{number: Volume} of volumes 2 … of the backup that `first` begins (VO-1, VO-2)."""
    found = {}
    for path in _candidates(first, elsewhere):
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as f:
            if f.read(8) != MAGIC and not (f.seek(BLOCK) and f.read(8) == MAGIC):
                continue
        try:
            volume = Volume(path)
        except Refused:
            continue
        number = volume.superblock.volume
        if volume.superblock.role != ROLE_LATER or volume.preamble_raw != first.preamble_raw:
            continue
        if count is not None and number > count:
            continue
        other = found.setdefault(number, volume)
        need(os.path.samefile(other.path, path), FORMAT, "VO-2", f"volume {number} is there twice")
    return found


def walk_to_tail(volume):
    """Body offset of the first TAIL frame, found by walking the frames from the start."""
    at = 0
    while True:
        raw = volume.body(at, HEADER)
        need(len(raw) == HEADER, FORMAT, "TL-4", "no tail: the file is incomplete")
        frame = Frame.parse(raw)
        if frame.kind == TAIL:
            return at
        if frame.kind in RECORDS:
            frame.check_lengths(volume.preamble.record_size, volume.preamble.sealed)
        at += HEADER + frame.stored


class Tail:
    """The usable tail of the last volume (TL-1 to TL-4): `content`, `first`, and `damage` found."""

    def __init__(self, volume, manifest=None):
        self.damage = []
        self.volume = volume
        trailer = parse_trailer(volume.body(max(0, volume.body_size - TRAILER), TRAILER))
        if trailer is None or not self._fits(trailer):
            self.damage.append(("TL-3", "the second trailer is damaged"))
            trailer = self._first_trailer(manifest)
        self.first, self.second, length, _ = trailer
        copies = [self._payload(at, length) for at in (self.first, self.second)]
        for name, copy in zip(("first", "second"), copies):
            if copy is None:
                self.damage.append(("TL-3", f"the {name} tail copy is damaged"))
        need(any(copies), FORMAT, "TL-2", "both tail copies are damaged")
        if all(copies) and copies[0] != copies[1]:
            self.damage.append(("TL-3", "the two tail copies differ"))
        self._usable = copies[1] or copies[0]

    def parse(self):
        """The payload's content; malformed, it makes the tail unusable (TL-2)."""
        self.content = TailContent.parse(self._usable, self.volume.preamble.epoch)

    def _fits(self, trailer):
        first, second, length, _ = trailer
        return second == first + HEADER + length + TRAILER \
            and self.volume.body_size == second + HEADER + length + TRAILER

    def _first_trailer(self, manifest):
        first = manifest["volumes"][-1]["bytes"] if manifest else walk_to_tail(self.volume)
        raw = self.volume.body(first, HEADER)
        need(len(raw) == HEADER, FORMAT, "TL-4", "no tail: the file is incomplete")
        frame = Frame.parse(raw)
        need(frame.kind == TAIL and frame.stored <= MAX_TAIL, FORMAT, "TL-4", "no TAIL frame where it belongs")
        trailer = parse_trailer(self.volume.body(first + HEADER + frame.stored, TRAILER))
        need(trailer is not None and trailer[0] == first and trailer[2] == frame.stored, FORMAT, "TL-1",
             "no usable trailer")
        end = trailer[1] + HEADER + frame.stored + TRAILER
        need(self.volume.body_size <= end, FORMAT, "GE-3", "bytes after the second trailer")
        need(self._fits(trailer), FORMAT, "TL-1", "tail and file do not fit each other")
        return trailer

    def _payload(self, at, length):
        raw = self.volume.body(at, HEADER + length + TRAILER)
        payload, trailer = raw[HEADER:HEADER + length], parse_trailer(raw[HEADER + length:])
        good = (raw[:HEADER] == Frame(TAIL, length).emit() and trailer is not None
                and trailer == (self.first, self.second, length, sha256(payload)))
        return payload if good else None
