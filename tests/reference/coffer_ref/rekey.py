# SPDX-License-Identifier: Apache-2.0
"""Rekeying (FORMAT.md 9), by a writer who may be a forger: he knows both data keys.

`Rekey(old, signer)` holds everything that goes into the new epoch before any of
it becomes bytes; `draft()` makes these. A forger changes what he likes in between.
"""

import copy
import os
from dataclasses import replace

from . import strictjson
from .binary import sha256
from .frames import DATA, LINEAGE, Frame
from .lineage import DEK, MANIFEST, PREAMBLE, hash_items, item


class Rekey:
    """From the Draft `old` to one of the next epoch, signed by `signer`."""

    def __init__(self, old, signer, recipients=None, cipher=None):
        self.old, self.signer = old, signer
        self.preamble = replace(old.preamble, epoch=old.preamble.epoch + 1, salt=os.urandom(32),
                                cipher=cipher or old.preamble.cipher)
        self.dek = os.urandom(32)
        self.recipients = recipients or old.recipients
        self.contents = [(f, old.schedule.open(f.number, f.emit(), p)) for f, p in old.records]
        self.first_dek, self.first_preamble = old.dek, old.preamble.emit()
        self.manifest_cms, self.manifest_json = old.manifest_cms, strictjson.emit(old.manifest)
        self.hashes = [sha256(p) for _, p in old.records]
        self.carried = {k: old.manifest[k] for k in ("complete", "started", "finished")}
        self.previous, self.custodian = sha256(self.manifest_json), signer
        self.history = old.history + [old.custody_cms]
        self.lineage_codec = 0

    def addition(self):
        """The items that this rekey appends."""
        items = [item(PREAMBLE, self.first_preamble), item(MANIFEST, self.manifest_cms)]
        if self.old.preamble.epoch == 0:
            items = [item(DEK, self.first_dek)] + items + hash_items(self.hashes)
        return items

    def pieces(self, plain):
        size = self.preamble.record_size
        return [plain[i:i + size] for i in range(0, len(plain), size)]

    def add_content(self, data, at=None):
        """One more DATA record, last or in another place; all behind it get new numbers."""
        where = len(self.contents) if at is None else at
        self.contents.insert(where, (Frame(DATA, len(data) + 16, plain=len(data)), data))
        self.renumber()

    def renumber(self):
        """Numbers and offsets of all records, in the order in which they stand."""
        ends = {}
        for number, (frame, content) in enumerate(self.contents):
            offset = ends.get(frame.stream, 0)
            self.contents[number] = (replace(frame, number=number, offset=offset), content)
            ends[frame.stream] = offset + frame.plain

    def draft(self, pieces=None, **members):
        """The new backup; `pieces` replaces the plaintexts of the LINEAGE records that are added,
        `members` those of the manifest."""
        new = copy.copy(self.old)
        new.preamble, new.dek, new.recipients = self.preamble, self.dek, self.recipients
        new.maker, new.signers, new.tail_payload = self.signer, list(self.old.signers), None
        new.records = [(f, new.seal(f, c)) for f, c in self.contents]
        self._lineage(new, self.pieces(b"".join(self.addition())) if pieces is None else pieces)
        new.history = self.history
        new.lock(self.old.custody["generation"] + 1, sha256(strictjson.emit(self.old.custody)), self.custodian,
                 "rekeyed")
        new.earlier, new.previous = [self.manifest_cms] + self.old.earlier, self.previous
        new.splits = self.old.splits
        new.lay_out()
        new.state(self.signer)
        new.manifest.update(self.carried)
        new.manifest.update(members)
        new.sign_manifest([self.signer])
        return new

    def _lineage(self, new, pieces):
        offset = sum(f.plain for f, _ in self.contents if f.kind == LINEAGE)
        for piece in pieces:
            codec, content = new.content(piece, self.lineage_codec)
            frame = Frame(LINEAGE, len(content) + 16, codec, 0, 0xFFFF, len(piece), len(new.records), offset)
            new.records.append((frame, new.seal(frame, content)))
            offset += len(piece)


def rekeyed(old, signer, **options):
    """An honest rekey."""
    return Rekey(old, signer, **options).draft()
