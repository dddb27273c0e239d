# SPDX-License-Identifier: Apache-2.0
"""Frames, the Merkle tree, INDEX, VOLUME-END, tail and trailer (FORMAT.md 3)."""

from dataclasses import dataclass

from .binary import Cursor, sha256, u8, u16, u32, u64
from .errors import FORMAT, UNSUPPORTED, need

HEADER = 32
FRAME_MAGIC = b"\xc0\xfe"
DATA, CATALOG, LINEAGE, INDEX, VOLUME_END, TAIL = 1, 2, 3, 4, 5, 6
RECORDS = (DATA, CATALOG, LINEAGE)
STREAM_OF = {CATALOG: 0xFFFE, LINEAGE: 0xFFFF}
NONE, ZSTD, LZ4, GZIP = 0, 1, 2, 3
BLOCK_RECORDS = 4096
TAIL_MAGIC, TRAILER_MAGIC, TRAILER = b"COFTAIL\n", b"COFTRLR\n", 64
MAX_TAIL = 67108864


@dataclass
class Frame:
    """A frame header (FORMAT.md 3.1)."""

    kind: int
    stored: int
    codec: int = 0
    flags: int = 0
    stream: int = 0
    plain: int = 0
    number: int = 0
    offset: int = 0

    def emit(self):
        return (FRAME_MAGIC + u8(self.kind) + u8(self.codec) + u8(self.flags) + u8(0) + u16(self.stream)
                + u32(self.plain) + u32(self.stored) + u64(self.number) + u64(self.offset))

    @classmethod
    def parse(cls, raw):
        """Header bytes, checked by themselves (FR-1, FR-2)."""
        c = Cursor(raw, "FR-1")
        need(c.take(2) == FRAME_MAGIC, FORMAT, "FR-1", "frame magic")
        kind, codec, flags = c.number(1), c.number(1), c.number(1)
        c.zero(1, "FR-1")
        stream, plain, stored, number, offset = (c.number(n) for n in (2, 4, 4, 8, 8))
        frame = cls(kind, stored, codec, flags, stream, plain, number, offset)
        if kind >= 0x80:
            return frame
        need(1 <= kind <= TAIL, UNSUPPORTED, "FR-2", f"frame kind {kind}")
        need(flags & ~1 == 0, FORMAT, "FR-1", "frame flags")
        if kind in RECORDS:
            need(codec <= GZIP, UNSUPPORTED, "FR-2", f"codec {codec}")
            need(stream <= 0xFFFD if kind == DATA else stream == STREAM_OF[kind], FORMAT, "FR-1", "stream")
        else:
            need(not (codec or flags or stream or plain or number or offset), FORMAT, "FR-1",
                 "fields without meaning")
        return frame

    @property
    def padded(self):
        return bool(self.flags & 1)

    def check_lengths(self, record_size, sealed):
        """RC-2 (the length) and RC-3."""
        t = 16 if sealed else 0
        need(1 <= self.plain <= record_size and self.offset + self.plain < 1 << 63, FORMAT, "RC-2", "plain length")
        if self.padded:
            good = sealed and t + 4 <= self.stored <= record_size + 4 + t
        elif self.codec == NONE:
            good = self.stored == self.plain + t
        else:
            good = t < self.stored < self.plain + t
        need(good, FORMAT, "RC-3", f"stored length {self.stored}")
        need(self.kind != LINEAGE or not (self.codec or self.padded), FORMAT, "LI-3", "lineage, compressed or padded")


class Order:
    """What must follow from the records before: numbers, streams, kinds (RC-1, RC-2, RC-4, RC-10)."""

    def __init__(self, preamble):
        self.preamble = preamble
        self.next = 0
        self.ends = {}
        self.counts = {DATA: 0, CATALOG: 0, LINEAGE: 0}
        self.plain_bytes = 0
        self.stream = 0

    def accept(self, frame):
        need(frame.number == self.next, FORMAT, "RC-1", f"record {frame.number} where {self.next} belongs")
        frame.check_lengths(self.preamble.record_size, self.preamble.sealed)
        if frame.kind == DATA and frame.stream != self.stream:
            need(self.preamble.content == 1 and frame.stream > self.stream and (self.stream or not self.plain_bytes),
                 FORMAT, "RC-10", f"stream {frame.stream} behind stream {self.stream}")
            self.stream = frame.stream
        need(frame.offset == self.ends.get(frame.stream, 0), FORMAT, "RC-2", "stream offset")
        need(frame.kind == LINEAGE or not self.counts[LINEAGE], FORMAT, "RC-4", "a record after LINEAGE")
        self.ends[frame.stream] = frame.offset + frame.plain
        self.counts[frame.kind] += 1
        self.plain_bytes += frame.plain if frame.kind == DATA else 0
        self.next += 1

    def finish(self):
        need((self.counts[LINEAGE] == 0) == (self.preamble.epoch == 0), FORMAT, "RC-4", "LINEAGE and epoch")
        if self.preamble.content == 1 and self.plain_bytes:
            need(bool(self.counts[CATALOG]) == bool(self.stream), FORMAT, "RC-10", "named streams and a catalog go together")


def leaf(entry):
    return sha256(b"\0" + entry)


def root(leaves):
    """RFC 9162 2.1.1 over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def emit_index(volume, first_offset, first_record, entries):
    """An INDEX frame, header and payload."""
    payload = u32(volume) + u32(len(entries)) + u64(first_offset) + u64(first_record) + b"".join(entries)
    return Frame(INDEX, len(payload)).emit() + payload


def emit_volume_end(volume, next_record):
    payload = u32(volume) + u32(0) + u64(next_record)
    return Frame(VOLUME_END, len(payload)).emit() + payload


@dataclass
class TailContent:
    """A TAIL payload: `indexes` of (volume, count, body offset, first record), `manifests` as CMS."""

    indexes: list
    manifests: list

    def emit(self):
        return (TAIL_MAGIC + u32(len(self.indexes)) + u32(len(self.manifests))
                + b"".join(u32(v) + u32(c) + u64(o) + u64(f) for v, c, o, f in self.indexes)
                + b"".join(u32(len(m)) + m for m in self.manifests))

    @classmethod
    def parse(cls, raw, epoch):
        c = Cursor(raw, "section 3.6")
        need(c.take(8) == TAIL_MAGIC, FORMAT, "section 3.6", "tail magic")
        n, m = c.number(4), c.number(4)
        need(m == 1 + epoch, FORMAT, "section 3.6", f"{m} manifests in epoch {epoch}")
        need(24 * n <= c.left(), FORMAT, "GE-2", "list of INDEX frames")
        indexes = [tuple(c.number(s) for s in (4, 4, 8, 8)) for _ in range(n)]
        manifests = [c.take(c.number(4)) for _ in range(m)]
        c.end()
        expected, volume = 0, 1
        for v, count, _, first in indexes:
            need(first == expected and 1 <= count <= BLOCK_RECORDS and v >= volume, FORMAT, "TL-5",
                 "list of INDEX frames has a gap or disorder")
            expected, volume = first + count, v
        return cls(indexes, manifests)


def emit_tail(payload, first):
    """Both tails and trailers, when the first TAIL frame stands at body offset `first`."""
    header = Frame(TAIL, len(payload)).emit()
    second = first + HEADER + len(payload) + TRAILER
    trailer = TRAILER_MAGIC + u64(first) + u64(second) + u64(len(payload)) + sha256(payload)
    return (header + payload + trailer) * 2


def parse_trailer(raw):
    """(first, second, length, hash), or None where these 64 bytes are no usable trailer."""
    if len(raw) != TRAILER or raw[:8] != TRAILER_MAGIC:
        return None
    c = Cursor(raw[8:], "TL-1")
    first, second, length = c.number(8), c.number(8), c.number(8)
    if length > MAX_TAIL:
        return None
    return first, second, length, c.take(32)
