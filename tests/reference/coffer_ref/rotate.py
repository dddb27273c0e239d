# SPDX-License-Identifier: Apache-2.0
"""Changing the envelope in place, step by step (FORMAT.md 8)."""

from dataclasses import replace

from . import keys, strictjson
from .binary import sha256, time_text
from .certs import Certificate
from .errors import AUTH, FORMAT, LIMIT, need
from .head import (BLOCK, CRITICAL, CUSTODY, HISTORY, KEYS, MANIFEST, RECIPIENT, SIGNER, Envelope)
from .reader import Backup
from .signed import build
from .statements import CUSTODY_OID, CUSTODY_TYPE

LAST_STEP = 8


class Image:
    """A volume's head as bytes that section 8 writes to; `steps` says how far power lasted."""

    def __init__(self, path, backup):
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        self.block = backup.first.superblock
        self.copy = backup.first.copy
        self.used = backup.used_slot

    def put_block(self, copy, raw):
        self.data[copy * BLOCK:(copy + 1) * BLOCK] = raw

    def put_slot(self, number, envelope):
        at = 2 * BLOCK + number * self.block.slot_size
        self.data[at:at + self.block.slot_size] = envelope.ljust(self.block.slot_size, b"\0")

    def replace_envelope(self, envelope, steps=LAST_STEP):
        """Steps 1 to 8; a fallback is thereby committed with a sequence of its own."""
        need(self.block.sequence < 2 ** 64 - 1, FORMAT, "CH-4", "the sequence cannot go on")
        old, target = self.copy, 1 - self.used
        block = replace(self.block, sequence=self.block.sequence + 1, active=target,
                        envelope_length=len(envelope), envelope_sha256=sha256(envelope))
        equal = self.data[:BLOCK] == self.data[BLOCK:2 * BLOCK]
        older = 0 if equal else 1 - old
        if steps >= 1:
            self.put_slot(target, envelope)
        if steps >= 3:
            self.put_block(older, block.emit())
        if steps >= 5:
            self.put_slot(1 - target, envelope)
        if steps >= 7:
            self.put_block(1 - older, block.emit())
        return bytes(self.data)

    def settle(self, envelope):
        """Step 0: bring slots and superblocks to rest."""
        if sha256(envelope) != self.block.envelope_sha256 or self.used != self.block.active:
            self.replace_envelope(envelope)
            self.block = replace(self.block, sequence=self.block.sequence + 1, active=1 - self.used,
                                 envelope_length=len(envelope), envelope_sha256=sha256(envelope))
            self.used = self.block.active
            self.copy = 0
            return
        self.put_slot(1 - self.used, envelope)
        self.put_block(1 - self.copy, bytes(self.data[self.copy * BLOCK:(self.copy + 1) * BLOCK]))
        self.copy = 0


def new_envelope(backup, recipients, custodian, reason, when, alter=None):
    """The next generation's envelope around the same DEK. `alter` may change the statement."""
    old = backup.locks.custody
    generation = old["generation"] + 1
    wrapped = keys.build(recipients, backup.dek)
    proof = backup.schedule.proof(generation, sha256(wrapped), old.sha256, [c.sha256 for c in recipients])
    value = {"type": CUSTODY_TYPE, "backup": old["backup"], "epoch": old["epoch"], "core": old["core"],
             "generation": generation, "scheme": "any-of-n", "keys": sha256(wrapped).hex(),
             "commitment": old["commitment"], "proof": proof.hex(),
             "recipients": [c.summary() for c in recipients], "previous": old.sha256.hex(),
             "by": custodian.certificate.spki_sha256.hex(), "reason": reason, "time": time_text(when)}
    if alter:
        alter(value)
    signers = backup.envelope.all(SIGNER)
    if custodian.certificate.raw not in signers:
        signers.append(custodian.certificate.raw)
    items = [(KEYS, wrapped), (CUSTODY, build(strictjson.emit(value), CUSTODY_OID, [custodian]))]
    items += [(HISTORY, raw) for raw in backup.envelope.all(HISTORY) + [backup.envelope.one(CUSTODY)]]
    items += [(RECIPIENT, c.raw) for c in recipients] + [(SIGNER, raw) for raw in signers]
    copy = backup.envelope.one(MANIFEST) or (backup.tail.content.manifests[0] if backup.tail else None)
    with_copy = items + ([(MANIFEST, copy)] if copy else [])
    for choice in (with_copy, items):
        raw = Envelope([(kind, CRITICAL, value) for kind, value in choice]).emit()
        if len(raw) <= backup.first.superblock.slot_size:
            return raw
    need(False, LIMIT, "section 2.3", "the new envelope does not fit")


def rotate(path, trust, private, recipients, custodian, *, reason="", when=0, steps=LAST_STEP, alter=None):
    """The file's bytes after a rotation to `recipients`, interrupted after `steps`."""
    backup = Backup(path, trust, need_body=False)
    need(backup.sealed, FORMAT, "section 8", "nothing is locked")
    need(backup.verdict is None, AUTH, "CU-5", "bad custody verdict")
    backup.unlock(private)
    need(backup.verdict is None, AUTH, "CU-6", "bad custody verdict")
    for certificate in recipients:
        need(isinstance(certificate, Certificate), FORMAT, "section 8", "not a certificate")
    image = Image(path, backup)
    image.settle(backup.envelope.emit())
    return image.replace_envelope(new_envelope(backup, recipients, custodian, reason, when, alter), steps)
