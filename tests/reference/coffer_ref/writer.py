# SPDX-License-Identifier: Apache-2.0
"""A writer in two halves: a Draft holds every part of a backup, `files` puts them together.

An honest backup is `make(data, …).files()`. A forger changes parts of the draft
in between and says which of the later parts are made again. Nothing here checks
what it writes: that is the readers' work.
"""

import os
import time
from dataclasses import dataclass, field

from . import codec as codecs
from . import keys, strictjson
from .binary import sha256, time_text, u32
from .frames import (BLOCK_RECORDS, CATALOG, DATA, HEADER, LINEAGE, Frame, TailContent, emit_index, emit_tail,
                     emit_volume_end, leaf, root)
from .head import (CRITICAL, CUSTODY, HISTORY, KEYS, MANIFEST, RECIPIENT, ROLE_LATER, ROLE_WHOLE, SIGNER,
                   Envelope, Preamble, Superblock, emit_head, slot_size_for)
from .schedule import Schedule
from .signed import build
from .statements import CUSTODY_OID, CUSTODY_TYPE, MANIFEST_OID, MANIFEST_TYPE

TOOL = "coffer reference"


@dataclass
class Draft:
    """Every part of a backup, in the order in which they are made."""

    maker: object
    preamble: Preamble
    dek: bytes = b""
    recipients: list = field(default_factory=list)
    records: list = field(default_factory=list)      # (Frame, payload)
    splits: list = field(default_factory=lambda: [0])  # first record of each volume
    keys: bytes = b""
    custody: dict = None
    custody_cms: bytes = b""
    history: list = field(default_factory=list)
    signers: list = field(default_factory=list)      # certificates
    extra_items: list = field(default_factory=list)
    bodies: list = field(default_factory=list)       # up to the tail
    indexes: list = field(default_factory=list)
    manifest: dict = None
    manifest_cms: bytes = b""
    envelope_manifest: bytes = None                  # None: no copy in the envelope
    tail_payload: bytes = None
    slot_size: int = 0
    ancillary: bytes = b""                           # a frame put after every INDEX
    earlier: list = field(default_factory=list)      # manifests of earlier epochs, CMS, newest first
    previous: bytes = None                           # SHA-256 of the JSON of the newest of them

    @property
    def core(self):
        return sha256(self.preamble.emit())

    @property
    def schedule(self):
        return Schedule(self.core, self.dek, self.preamble.cipher)

    # -- records ------------------------------------------------------------

    def content(self, data, codec, pad=0):
        """(codec used, sealed content) of one record."""
        packed = codecs.compress(codec, data)
        if codec and len(packed) >= len(data):
            codec, packed = 0, data
        if pad:
            pad = min(pad, self.preamble.record_size - len(packed))
            packed += bytes(pad) + u32(pad)
        return codec, packed

    def add(self, data, codec=0, pad=0, frame=None, content=None):
        """Append one record of `data`; `frame` and `content` replace the honest ones."""
        number = len(self.records)
        if content is None:
            codec, content = self.content(data, codec, pad)
        tag = 16 if self.preamble.sealed else 0
        last = self.records[-1][0] if self.records else None
        offset = last.offset + last.plain if last else 0
        frame = frame or Frame(DATA, len(content) + tag, codec, 1 if pad else 0, 0, len(data), number, offset)
        self.records.append((frame, self.seal(frame, content)))

    def seal(self, frame, content):
        if not self.preamble.sealed:
            return content
        return self.schedule.seal(frame.number, frame.emit(), content)

    # -- statements ---------------------------------------------------------

    def lock(self, generation=1, previous=None, by=None, reason="created", cek=None, key_tweaks=None,
             keys_raw=None):
        """KEYS, and the custody statement that names it, signed by `by` (the maker)."""
        by = by or self.maker
        self.keys = keys_raw or keys.build(self.recipients, self.dek, cek, tweaks=key_tweaks)
        proof = self.schedule.proof(generation, sha256(self.keys), previous, [c.sha256 for c in self.recipients])
        self.custody = {
            "type": CUSTODY_TYPE, "backup": self.preamble.uuid_text, "epoch": self.preamble.epoch,
            "core": self.core.hex(), "generation": generation, "scheme": "any-of-n",
            "keys": sha256(self.keys).hex(), "commitment": self.schedule.commitment.hex(),
            "proof": proof.hex(), "recipients": [c.summary() for c in self.recipients],
            "previous": previous.hex() if previous else None, "by": by.certificate.spki_sha256.hex(),
            "reason": reason, "time": time_text(self.preamble.created + min(generation, 9))}
        self.sign_custody([by])

    def sign_custody(self, signers, tweaks=None, json=None):
        raw = json if json is not None else strictjson.emit(self.custody)
        self.custody_cms = build(raw, CUSTODY_OID, signers, tweaks)
        self._know(signers)

    def lay_out(self):
        """Bodies and index from the records."""
        self.bodies, self.indexes = [], []
        splits = self.splits + [len(self.records)]
        for volume in range(1, len(self.splits) + 1):
            self.bodies.append(self._body(volume, splits[volume - 1], splits[volume]))

    def _body(self, volume, start, stop):
        body, pending, offset = b"", [], 0
        parts = [body]
        size = 0

        def put(piece):
            nonlocal size
            parts.append(piece)
            size += len(piece)

        def flush(number):
            nonlocal pending
            if pending:
                self.indexes.append((volume, len(pending), size, number - len(pending)))
                put(emit_index(volume, offset, number - len(pending), pending))
                put(self.ancillary)
                pending = []

        for number in range(start, stop):
            if number % BLOCK_RECORDS == 0:
                flush(number)
            frame, payload = self.records[number]
            if not pending:
                offset = size
            pending.append(frame.emit() + sha256(payload))
            put(frame.emit() + payload)
        flush(stop)
        if volume < len(self.splits):
            put(emit_volume_end(volume, stop))
        return b"".join(parts)

    def state(self, by=None):
        """The manifest's members from records and bodies."""
        catalog, lineage = (sum(f.kind == k for f, _ in self.records) for k in (CATALOG, LINEAGE))
        leaves = [leaf(f.emit() + sha256(p)) for f, p in self.records]
        commitment = self.schedule.commitment.hex() if self.preamble.sealed else None
        when = self.preamble.created
        self.manifest = {
            "type": MANIFEST_TYPE, "backup": self.preamble.uuid_text, "epoch": self.preamble.epoch,
            "core": self.core.hex(), "commitment": commitment, "root": root(leaves).hex(),
            "records": len(self.records), "data_records": len(self.records) - catalog - lineage,
            "catalog_records": catalog, "lineage_records": lineage, "plain_bytes": sum(f.plain for f,
                _ in self.records if f.kind == DATA),
            "content": {1: "stream", 2: "tree"}.get(self.preamble.content), "complete": True,
            "volumes": [{"bytes": len(b), "first_record": s} for b, s in zip(self.bodies, self.splits)],
            "started": time_text(when), "finished": time_text(when + 1), "parents": [],
            "previous": self.previous.hex() if self.previous else None,
            "by": (by or self.maker).certificate.spki_sha256.hex(), "tool": TOOL}

    def sign_manifest(self, signers=None, tweaks=None, json=None, copy=True):
        signers = [self.maker] if signers is None else signers
        raw = json if json is not None else strictjson.emit(self.manifest)
        self.manifest_cms = build(raw, MANIFEST_OID, signers, tweaks)
        if copy:
            self.envelope_manifest = self.manifest_cms
        self._know(signers)

    def _know(self, signers):
        for signer in signers:
            if signer.certificate.raw not in [c.raw for c in self.signers]:
                self.signers.append(signer.certificate)

    def finish(self, copy=True, signers=None):
        """Everything after the records: lay out, state, sign."""
        self.lay_out()
        self.state((signers or [self.maker])[0])
        self.sign_manifest(signers, copy=copy)

    # -- bytes --------------------------------------------------------------

    def envelope(self):
        items = []
        if self.preamble.sealed:
            items = [(KEYS, CRITICAL, self.keys), (CUSTODY, CRITICAL, self.custody_cms)]
            items += [(HISTORY, CRITICAL, h) for h in self.history]
            items += [(RECIPIENT, CRITICAL, c.raw) for c in self.recipients]
        items += [(SIGNER, CRITICAL, c.raw) for c in self.signers]
        if self.envelope_manifest:
            items.append((MANIFEST, CRITICAL, self.envelope_manifest))
        return Envelope(items + self.extra_items)

    def tail(self):
        return self.tail_payload or TailContent(self.indexes, [self.manifest_cms] + self.earlier).emit()

    def files(self, envelope=None, superblock=None):
        """The volumes' bytes: [volume 1, volume 2, …]."""
        raw = envelope if envelope is not None else self.envelope().emit()
        size = self.slot_size or slot_size_for(raw)
        block = superblock or Superblock(self.preamble.emit(), ROLE_WHOLE, slot_size=size)
        volumes = [emit_head(block, raw)]
        for number in range(2, len(self.bodies) + 1):
            volumes.append(Superblock(self.preamble.emit(), ROLE_LATER, volume=number).emit() * 2)
        volumes = [head + body for head, body in zip(volumes, self.bodies)]
        volumes[-1] += emit_tail(self.tail(), len(self.bodies[-1]))
        return volumes

    def tail_places(self, image):
        """(first, second, payload length) of the tails in the last volume's bytes, as file offsets."""
        length = len(self.tail())
        second = len(image) - 64 - length - HEADER
        return second - 64 - length - HEADER, second, length


def begin(maker, recipients, *, record_size=4096, cipher=1, label=b"", created=None, content=1, dek=None):
    """A draft with preamble and DEK. No recipients: signed-only."""
    sealed = bool(recipients)
    uuid = bytearray(os.urandom(16))
    uuid[6], uuid[8] = 0x40 | uuid[6] & 0x0F, 0x80 | uuid[8] & 0x3F
    preamble = Preamble(bytes(uuid), int(time.time()) if created is None else created, os.urandom(32),
                        maker.certificate.spki_sha256, 0, record_size, cipher if sealed else 0, 1,
                        1 if sealed else 0, content, 1 if sealed else 2, label)
    return Draft(maker, preamble, (dek or os.urandom(32)) if sealed else b"", list(recipients))


def make(data, maker, recipients, *, codec=0, pad=0, volumes=1, copy=True, **options):
    """An honest draft of `data`. `volumes` splits the records evenly."""
    draft = begin(maker, recipients, **options)
    if recipients:
        draft.lock()
    size = draft.preamble.record_size
    for at in range(0, len(data), size):
        draft.add(data[at:at + size], codec, pad)
    n = len(draft.records)
    draft.splits = [n * i // volumes for i in range(volumes)]
    draft.finish(copy)
    return draft
