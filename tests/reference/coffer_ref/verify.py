# SPDX-License-Identifier: Apache-2.0
"""Verification of the whole, and the plaintext of what was verified (FORMAT.md 3 and 7)."""

from . import codec
from .binary import all_zero, sha256
from . import lineage as lineages
from .catalog import Catalog
from .errors import AUTH, FORMAT, need
from .frames import (BLOCK_RECORDS, CATALOG, DATA, HEADER, INDEX, LINEAGE, RECORDS, TAIL, VOLUME_END, Frame,
                     Order, emit_index, emit_volume_end, leaf, root)
from .head import ROLE_WHOLE

CLOSING = len(emit_volume_end(1, 0))


class Walk:
    """Every frame of every volume, once, in order. Afterwards `places` names each record."""

    def __init__(self, backup):
        self.backup = backup
        self.order = Order(backup.preamble)
        self.leaves, self.places, self.indexes = [], [], []
        parts = backup.manifest["volumes"]
        for i, part in enumerate(parts):
            need(i + 1 in backup.volumes, FORMAT, "VO-1", f"volume {i + 1} is missing")
            volume = backup.volumes[i + 1]
            need(i == len(parts) - 1 or part["bytes"] >= CLOSING, FORMAT, "MF-5", "no room for VOLUME-END")
            need(part["first_record"] == self.order.next, AUTH, "MF-6", "first_record")
            self._volume(volume, part["bytes"], i == len(parts) - 1)
        self.order.finish()
        self._compare()

    def _volume(self, volume, limit, last):
        self.volume, self.limit, self.last = volume, limit, last
        self.pending, self.pending_offset = [], 0
        self.after_index = self.closed = ended = False
        need(limit <= volume.body_size, FORMAT, "MF-5", "the body is shorter than the manifest says")
        at = 0
        while at < limit:
            expected = self._expected_index()
            if expected and self._index_is_due(at, expected):
                at = self._index(at, expected)
                continue
            if not last and at == limit - CLOSING:
                at = self._volume_end(at)
                ended = True
                continue
            raw = volume.body(at, HEADER)
            need(len(raw) == HEADER and at + HEADER <= limit, FORMAT, "FR-4", "frame header crosses the end")
            frame = Frame.parse(raw)
            end = at + HEADER + frame.stored
            need(end <= limit - (0 if last else CLOSING), FORMAT, "FR-4", "frame crosses the end")
            if frame.kind == INDEX:
                need(expected and end == at + len(expected), FORMAT, "IX-1", "INDEX where none belongs")
                at = self._index(at, expected)
                self.closed = True
                continue
            if frame.kind in RECORDS:
                self._record(at, raw, frame)
            else:
                need(frame.kind != VOLUME_END, FORMAT, "VE-1", "VOLUME-END where none belongs")
                need(frame.kind != TAIL, FORMAT, "FR-4", "TAIL inside the body")
                need(self.after_index, FORMAT, "FR-3", "ancillary frame not after an INDEX")
            at = end
        need(not self.pending, FORMAT, "IX-1", "no INDEX at the end of the volume")
        need(last or ended, FORMAT, "VE-1", "no VOLUME-END")
        need(last or volume.body_size == limit, FORMAT, "GE-3", "bytes after VOLUME-END")

    def _record(self, at, raw, frame):
        need(not self.closed, FORMAT, "IX-1", "a record after the closing INDEX")
        self.order.accept(frame)
        payload = self.volume.body(at + HEADER, frame.stored)
        entry = raw + sha256(payload)
        if not self.pending:
            self.pending_offset = at
        self.pending.append(entry)
        self.leaves.append(leaf(entry))
        self.places.append((self.volume, at, frame))
        self.after_index = False

    def _volume_end(self, at):
        """VE-1: its bytes follow from what is before it; a difference is reported, no more."""
        need(not self.pending, FORMAT, "IX-1", "no INDEX at the end of the volume")
        number = self.volume.superblock.volume
        if self.volume.body(at, CLOSING) != emit_volume_end(number, self.order.next):
            self.backup.warn("VE-1", f"the VOLUME-END of volume {number} is damaged")
        return at + CLOSING

    def _expected_index(self):
        if not self.pending:
            return None
        return emit_index(self.volume.superblock.volume, self.pending_offset,
                          self.order.next - len(self.pending), self.pending)

    def _index_is_due(self, at, expected):
        """IX-1: certain at a multiple of 4096, and when just an INDEX is left (unless a record fits there)."""
        full = self.order.next % BLOCK_RECORDS == 0
        rest = self.limit - at - (0 if self.last else CLOSING)
        raw = self.volume.body(at, HEADER)
        kind = raw[2] if raw[:2] == b"\xc0\xfe" else None
        if full:
            need(kind not in RECORDS + (VOLUME_END, TAIL), FORMAT, "IX-1", "an INDEX is missing")
        return full or (rest == len(expected) and kind not in RECORDS)

    def _index(self, at, expected):
        """IX-3: its bytes follow from the records; a difference is reported, no more."""
        if self.volume.body(at, len(expected)) != expected:
            self.backup.warn("IX-3", f"an INDEX of volume {self.volume.superblock.volume} is damaged")
        first = self.order.next - len(self.pending)
        self.indexes.append((self.volume.superblock.volume, len(self.pending), at, first))
        self.pending, self.after_index = [], True
        return at + len(expected)

    def _compare(self):
        manifest, counts = self.backup.manifest, self.order.counts
        need(root(self.leaves).hex() == manifest["root"], AUTH, "MF-6", "the root is not the signed one")
        need((manifest["data_records"], manifest["catalog_records"], manifest["lineage_records"],
              manifest["plain_bytes"]) == (counts[DATA], counts[CATALOG], counts[LINEAGE], self.order.plain_bytes),
             AUTH, "MF-6", "counts")
        if self.backup.tail and self.backup.tail.content.indexes != self.indexes:
            self.backup.warn("IX-3", "the tail lists other INDEX frames than there are")


def check_slots(backup):
    """EN-7: both slots, padding included."""
    block = backup.first.superblock
    slots = [backup.first.slot(n) for n in (0, 1)]
    if slots[0] != slots[1]:
        backup.warn("EN-7", "the two envelope slots differ")
    elif not all_zero(slots[0][block.envelope_length:]):
        backup.warn("EN-7", "envelope slots are not filled with zeros")


def verify(backup):
    """The whole backup against its signed root; returns the Walk."""
    need(backup.body.superblock.role == ROLE_WHOLE, FORMAT, "section 7", "a head alone has no content")
    check_slots(backup)
    walk = Walk(backup)
    if backup.needs_lineage:
        need(backup.schedule, AUTH, "LI-4", "without a private key the first maker cannot be proven")
        lineages.prove(backup, walk)
    return walk


def sealed_content(backup, place):
    """The sealed content of one verified record."""
    volume, at, frame = place
    raw = volume.body(at, HEADER + frame.stored)
    header, content = raw[:HEADER], raw[HEADER:]
    return backup.schedule.open(frame.number, header, content) if backup.sealed else content


def plaintext(backup, place):
    """The plaintext of one verified record."""
    frame, content = place[2], sealed_content(backup, place)
    if frame.padded:
        p = int.from_bytes(content[-4:], "big")
        need(len(content) >= 4 and p <= len(content) - 4 and len(content) - 4 <= backup.preamble.record_size,
             FORMAT, "RC-6", "pad length")
        need(all_zero(content[len(content) - 4 - p:-4]), FORMAT, "RC-6", "padding is not zero")
        content = content[:len(content) - 4 - p]
    return codec.decompress(frame.codec, content, frame.plain)


def restore(backup, walk, out):
    """The content into the seekable binary file `out`: stream 0, or all named streams in the order of their names.

    Catalog and lineage are checked besides.
    """
    catalog, lineage, named = [], [], {}
    for place in walk.places:
        data, frame = plaintext(backup, place), place[2]
        if frame.kind == CATALOG:
            catalog.append((frame.number, data))
        elif frame.kind == LINEAGE:
            lineage.append(frame.number)
        elif frame.stream == 0:
            out.write(data)
        else:
            named.setdefault(frame.stream, []).append(data)
    if backup.preamble.content == 1 and not catalog:
        return
    need(catalog and catalog[-1][0] == backup.manifest["records"] - len(lineage) - 1, FORMAT, "section 3.8",
         "the top of the catalog is not the last record")

    def read(offset, length):
        out.seek(offset)
        return out.read(length)

    if backup.preamble.content == 2:
        Catalog(catalog).check(read)
        return
    parsed = Catalog(catalog)
    parsed.check_streams({number: sum(map(len, parts)) for number, parts in named.items()})
    for entry in parsed.entries:
        out.writelines(named.get(entry.stream, []))
