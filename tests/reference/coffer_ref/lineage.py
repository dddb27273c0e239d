# SPDX-License-Identifier: Apache-2.0
"""Lineage: is a rekeyed backup still what its first maker signed (FORMAT.md 3.9)?"""

from dataclasses import replace

from .binary import Cursor, sha256, u16, u32, u64
from .errors import AUTH, FORMAT, Refused, need
from .frames import HEADER, LINEAGE, leaf, root
from .head import Preamble
from .reader import valid_signers
from .schedule import Schedule
from .statements import Manifest

DEK, PREAMBLE, MANIFEST, HASHES = 1, 2, 3, 4
BLOCK = 4096
CARRIED = ("backup", "content", "complete", "data_records", "catalog_records", "plain_bytes", "started", "finished")


def item(kind, value):
    return u16(kind) + u16(0) + u32(len(value)) + value


def hash_items(hashes):
    """Items 4, each with an aligned block of the payloads' hashes."""
    return [item(HASHES, u64(first) + b"".join(hashes[first:first + BLOCK])) for first in range(0, len(hashes), BLOCK)]


def expected(epoch, records):
    """The row of (addition, type, length) that a lineage must have; length None: a manifest's."""
    for addition in range(epoch):
        if addition == 0:
            yield 0, DEK, 32
        yield addition, PREAMBLE, 512
        yield addition, MANIFEST, None
        if addition == 0:
            for first in range(0, records, BLOCK):
                yield 0, HASHES, 8 + 32 * min(BLOCK, records - first)


class Items:
    """LI-2 and LI-3 over the plaintexts of LINEAGE records, [(number, plain)]."""

    def __init__(self, plains, epoch, records, size):
        self.dek, self.preambles, self.manifests, self.hashes, self.begins = b"", [], [], [], []
        rest, stream = iter(plains), None
        for addition, kind, length in expected(epoch, records):
            if addition == len(self.begins):
                self._end(stream)
                first = next(rest, None)
                need(first is not None, FORMAT, "LI-2", f"addition {addition} is missing")
                self.begins.append(first[0])
                stream = _Stream(first[1], rest, size)
            self._take(stream, kind, length)
        self._end(stream)
        need(next(rest, None) is None, FORMAT, "LI-2", "records behind the end of the lineage")

    @staticmethod
    def _end(stream):
        need(stream is None or not stream.left(), FORMAT, "LI-3", "an addition does not end with its record")

    def _take(self, stream, kind, length):
        c = Cursor(stream.take(8), "LI-2")
        got, zero, size = c.number(2), c.number(2), c.number(4)
        need(got == kind and zero == 0, FORMAT, "LI-2", f"item {got} where {kind} belongs")
        need(size == length if length else 1 <= size <= 1 << 20, FORMAT, "LI-2", "length of an item")
        value = stream.take(size)
        if kind == DEK:
            self.dek = value
        elif kind == PREAMBLE:
            self.preambles.append(value)
        elif kind == MANIFEST:
            self.manifests.append(value)
        else:
            need(int.from_bytes(value[:8], "big") == len(self.hashes), FORMAT, "LI-2", "first record of hashes")
            self.hashes += [value[i:i + 32] for i in range(8, size, 32)]


class _Stream:
    """Bytes of an addition; the next record is taken only when they are used up, and the last was full."""

    def __init__(self, plain, rest, size):
        self.plain, self.rest, self.size, self.at, self.last = plain, rest, size, 0, len(plain)

    def left(self):
        return len(self.plain) - self.at

    def take(self, count):
        while self.left() < count:
            need(self.last == self.size, FORMAT, "LI-3", "a record of the lineage is too short")
            record = next(self.rest, None)
            need(record is not None, FORMAT, "LI-2", "the lineage ends early")
            self.last = len(record[1])
            self.plain, self.at = self.plain[self.at:] + record[1], 0
        self.at += count
        return self.plain[self.at - count:self.at]


def prove(backup, walk):
    """LI-1; raises where anything of it does not hold."""
    from .verify import sealed_content  # it needs this module in its turn
    present = backup.manifest
    count = present["records"] - present["lineage_records"]
    old, new = walk.places[:count], walk.places[count:]
    need(all(p[2].kind != LINEAGE for p in old) and all(p[2].kind == LINEAGE for p in new), AUTH, "LI-1",
         "lineage_records is not the number of LINEAGE records")
    items = Items([(p[2].number, sealed_content(backup, p)) for p in new], backup.preamble.epoch, count,
                  backup.preamble.record_size)
    preambles = _preambles(backup, items)
    manifests = _manifests(backup, items, preambles)
    schedule = _first(backup, items, preambles[0], manifests[0])
    headers = [p[0].body(p[1], HEADER) for p in old]
    leaves = [leaf(h + s) for h, s in zip(headers, items.hashes)]
    need(root(leaves).hex() == manifests[0]["root"], AUTH, "LI-1", "hashes that are not under the first root")
    for place, header, wanted in zip(old, headers, items.hashes):
        again = schedule.seal(place[2].number, header, sealed_content(backup, place))
        need(sha256(again) == wanted, AUTH, "LI-1", f"record {place[2].number} is not the first maker's")


def _preambles(backup, items):
    found = []
    for epoch, raw in enumerate(items.preambles):
        try:
            preamble = Preamble.parse(raw)
        except Refused:
            raise Refused(AUTH, "LI-1", "an earlier preamble is none") from None
        same = replace(preamble, salt=backup.preamble.salt, cipher=backup.preamble.cipher, epoch=backup.preamble.epoch)
        need(preamble.epoch == epoch and same == backup.preamble, AUTH, "LI-1", "an earlier preamble differs")
        found.append(preamble)
    return found


def _manifests(backup, items, preambles):
    try:
        found = [Manifest(raw) for raw in items.manifests]
    except Refused:
        raise Refused(AUTH, "LI-1", "an earlier manifest is none") from None
    previous = None
    for epoch, (manifest, raw, begins) in enumerate(zip(found, items.preambles, items.begins)):
        need(manifest["epoch"] == epoch and manifest["core"] == sha256(raw).hex(), AUTH, "LI-1", "an earlier manifest")
        need(manifest["previous"] == previous, AUTH, "LI-1", "previous does not link")
        need(manifest["records"] == begins, AUTH, "LI-1", "records were added or left out")
        previous = manifest.sha256.hex()
    need(backup.manifest["previous"] == previous, AUTH, "LI-1", "previous does not link")
    for manifest in found:
        for name in CARRIED:
            need(manifest[name] == backup.manifest[name], AUTH, "LI-1", f"{name} was changed")
    return found


def _first(backup, items, preamble, manifest):
    """The first maker's signature and key; returns his Schedule."""
    maker = backup.preamble.maker.hex()
    need(manifest["by"] == maker and maker in valid_signers(manifest, backup.trust.makers(backup.envelope)), AUTH,
         "LI-1", "the first manifest is not signed by the maker")
    schedule = Schedule(sha256(items.preambles[0]), items.dek, preamble.cipher)
    need(manifest["commitment"] == schedule.commitment.hex(), AUTH, "LI-1", "the first data key is another")
    return schedule
