# SPDX-License-Identifier: Apache-2.0
"""Superblocks, preamble and envelope: the replaceable head (FORMAT.md 2)."""

import re
from dataclasses import dataclass, field, replace

from .binary import Cursor, all_zero, sha256, u8, u16, u32, u64, uuid_text
from .errors import FORMAT, LIMIT, UNSUPPORTED, Refused, need

MAGIC = bytes.fromhex("89434f464645520a")
BLOCK = 4096
ENVELOPE_MAGIC = b"COFENV1\n"
KEYS, CUSTODY, HISTORY, RECIPIENT, SIGNER, MANIFEST = 1, 2, 3, 4, 5, 6
CRITICAL = 0x8000
MAX_CREATED = 253402300800
LABEL = re.compile(rb"([A-Za-z0-9_][A-Za-z0-9._-]{0,63})?")
ROLE_WHOLE, ROLE_HEAD, ROLE_LATER = 0, 1, 2


@dataclass
class Preamble:
    """FORMAT.md 2.2."""

    uuid: bytes
    created: int
    salt: bytes
    maker: bytes
    epoch: int = 0
    record_size: int = 4194304
    cipher: int = 1
    tree_hash: int = 1
    schedule: int = 1
    content: int = 1
    protection: int = 1
    label: bytes = b""
    body_incompat: int = 0

    @property
    def sealed(self):
        return self.protection == 1

    @property
    def uuid_text(self):
        return uuid_text(self.uuid)

    def emit(self):
        head = (self.uuid + u32(self.epoch) + u32(self.record_size) + u64(self.created)
                + bytes([self.cipher, self.tree_hash, self.schedule, self.content, self.protection,
                         len(self.label), 0, 0])
                + u32(self.body_incompat) + u32(0) + self.salt + self.maker)
        return (head + self.label.ljust(64, b"\0")).ljust(512, b"\0")

    @classmethod
    def parse(cls, raw):
        c = Cursor(raw, "section 2.2")
        uuid, epoch, record_size, created = c.take(16), c.number(4), c.number(4), c.number(8)
        cipher, tree_hash, schedule, content, protection, label_length = c.take(6)
        c.zero(2, "PR-5")
        body_incompat = c.number(4)
        c.zero(4, "PR-5")
        salt, maker, label = c.take(32), c.take(32), c.take(64)
        c.zero(336, "PR-5")
        need(cipher <= 4 and tree_hash == 1 and schedule <= 1 and content in (1, 2)
             and protection in (1, 2) and body_incompat == 0, UNSUPPORTED, "PR-1", "unknown code or bit")
        need(record_size % 4096 == 0 and 4096 <= record_size <= 16777216 and created < MAX_CREATED,
             FORMAT, "PR-2", "record size or creation time out of range")
        want = cipher != 0 and schedule == 1 if protection == 1 else cipher == 0 and schedule == 0
        need(want, FORMAT, "PR-3", "cipher and key schedule do not fit the protection")
        need(label_length <= 64 and LABEL.fullmatch(label[:label_length]), FORMAT, "PR-4", "label")
        need(all_zero(label[label_length:]), FORMAT, "PR-5", "bytes after the label")
        return cls(uuid, created, salt, maker, epoch, record_size, cipher, tree_hash, schedule, content,
                   protection, label[:label_length], body_incompat)


@dataclass
class Superblock:
    """FORMAT.md 2.1. `preamble` is kept as its 512 bytes."""

    preamble: bytes
    role: int = ROLE_WHOLE
    active: int = 0
    volume: int = 1
    slot_size: int = 0
    sequence: int = 1
    envelope_length: int = 0
    envelope_sha256: bytes = bytes(32)
    version: int = 1
    incompat: int = 0
    compat: int = 0
    journal: bytes = bytes(16)

    def emit(self):
        head = (MAGIC + u16(self.version) + u8(self.role) + u8(self.active) + u32(self.incompat)
                + u32(self.compat) + u32(self.volume) + u64(self.slot_size) + u64(self.sequence)
                + u64(self.envelope_length) + self.envelope_sha256 + self.journal)
        block = (head.ljust(512, b"\0") + self.preamble).ljust(4064, b"\0")
        return block + sha256(block)

    @classmethod
    def parse(cls, raw):
        """The fields of a valid copy, or None; ranges are not yet checked."""
        if len(raw) != BLOCK or raw[:8] != MAGIC or sha256(raw[:4064]) != raw[4064:]:
            return None
        c = Cursor(raw[8:], "section 2.1")
        version, role, active, incompat, compat, volume = (c.number(n) for n in (2, 1, 1, 4, 4, 4))
        slot_size, sequence, length = c.number(8), c.number(8), c.number(8)
        return cls(raw[512:1024], role, active, volume, slot_size, sequence, length, c.take(32),
                   version, incompat, compat, c.take(16))

    def check(self, raw):
        """SB-5 for a valid copy whose bytes are `raw`."""
        need(all_zero(self.journal) and all_zero(raw[96:512]) and all_zero(raw[1024:4064]), FORMAT,
             "SB-5", "zero ranges of a superblock")
        if self.role == ROLE_LATER:
            need(self.volume >= 2 and not (self.slot_size or self.envelope_length or self.active)
                 and all_zero(self.envelope_sha256), FORMAT, "SB-5", "later volume with an envelope")
            need(self.volume <= 65535, LIMIT, "SB-5", "volume number")
            return
        need(self.volume == 1 and self.active <= 1, FORMAT, "SB-5", "volume number or active slot")
        need(self.slot_size % 4096 == 0 and 16384 <= self.slot_size <= 16777216
             and 16 <= self.envelope_length <= self.slot_size, FORMAT, "SB-5", "slot size or envelope length")

    @property
    def body_start(self):
        return 2 * BLOCK + 2 * self.slot_size


def choose(raw_a, raw_b):
    """(used superblock, number of its copy, intact) of the two copies (SB-1 to SB-6)."""
    raws, copies = (raw_a, raw_b), (Superblock.parse(raw_a), Superblock.parse(raw_b))
    valid = [i for i in (0, 1) if copies[i] is not None]
    need(valid, FORMAT, "SB-1", "no valid superblock")
    if len(valid) == 2 and raw_a != raw_b:
        a, b = copies
        need(a.sequence != b.sequence, FORMAT, "SB-2", "two superblocks of one sequence differ")
        valid.sort(key=lambda i: -copies[i].sequence)
    used = copies[valid[0]]
    need(used.version == 1 and used.role <= 2 and used.incompat == 0, UNSUPPORTED, "SB-3",
         "version, role or incompat bit")
    if len(valid) == 2:
        a, b = copies
        need((a.role, a.volume, a.slot_size, a.preamble) == (b.role, b.volume, b.slot_size, b.preamble),
             FORMAT, "SB-4", "superblocks disagree")
    for i in valid:
        copies[i].check(raws[i])
    return used, valid[0], raw_a == raw_b


@dataclass
class Envelope:
    """FORMAT.md 2.3: the items in order, as (type, flags, value)."""

    items: list = field(default_factory=list)

    def all(self, kind):
        return [value for t, _, value in self.items if t == kind]

    def one(self, kind):
        found = self.all(kind)
        return found[0] if found else None

    def replaced(self, kind, *values):
        """A copy in which `kind` has these values (none: taken out), in its place."""
        rest = [i for i in self.items if i[0] != kind] + [(kind, CRITICAL, v) for v in values]
        return replace(self, items=sorted(rest, key=lambda i: i[0]))

    def emit(self):
        body = b"".join(u16(t) + u16(f) + u32(len(v)) + v for t, f, v in self.items)
        return ENVELOPE_MAGIC + u64(16 + len(body)) + body

    @classmethod
    def parse(cls, raw, sealed):
        """The envelope that `raw` exactly is (EN-1 to EN-4)."""
        c = Cursor(raw, "EN-1")
        need(c.take(8) == ENVELOPE_MAGIC and c.number(8) == len(raw), FORMAT, "EN-1", "magic or total length")
        items = []
        while c.left():
            kind, flags, value = c.number(2), c.number(2), None
            value = c.take(c.number(4))
            need(value, FORMAT, "EN-1", "empty item")
            need(flags & ~CRITICAL == 0, FORMAT, "EN-3", "item flags")
            need(not items or items[-1][0] <= kind, FORMAT, "EN-2", "types decrease")
            if KEYS <= kind <= MANIFEST:
                need(flags == CRITICAL, FORMAT, "EN-3", "flags of a known type")
            elif flags:
                raise Refused(UNSUPPORTED, "EN-4", f"unknown critical item {kind}")
            items.append((kind, flags, value))
        envelope = cls(items)
        envelope._check_counts(sealed)
        return envelope

    def _check_counts(self, sealed):
        count = {k: len(self.all(k)) for k in range(KEYS, MANIFEST + 1)}
        if sealed:
            need(count[KEYS] == 1 and count[CUSTODY] == 1, FORMAT, "EN-2", "KEYS and CUSTODY once each")
            need(1 <= count[RECIPIENT] <= 256, FORMAT, "EN-2", "number of recipients")
            need(count[HISTORY] <= 4096, LIMIT, "EN-2", "number of HISTORY items")
        else:
            need(not any(count[k] for k in (KEYS, CUSTODY, HISTORY, RECIPIENT)), FORMAT, "EN-2",
                 "signed-only, with items of a sealed backup")
        need(1 <= count[SIGNER] <= 64 and count[MANIFEST] <= 1, FORMAT, "EN-2", "SIGNER or MANIFEST count")


def slot_size_for(envelope_bytes):
    return max(16384, (4 * len(envelope_bytes) + 2048) // 4096 * 4096)


def emit_head(superblock, envelope_bytes):
    """Both superblocks and both slots at rest, with the envelope's length and hash filled in."""
    block = replace(superblock, envelope_length=len(envelope_bytes),
                    envelope_sha256=sha256(envelope_bytes)).emit()
    return block * 2 + envelope_bytes.ljust(superblock.slot_size, b"\0") * 2
