# SPDX-License-Identifier: Apache-2.0
"""Opening a backup, in the order of FORMAT.md 7: nothing is believed before its turn."""

from . import certs
from .binary import sha256
from .certs import Certificate, same_key
from .errors import AUTH, FORMAT, UNSUPPORTED, Refused, need
from .head import CUSTODY, ENVELOPE_MAGIC, MANIFEST, ROLE_HEAD, ROLE_LATER, ROLE_WHOLE, SIGNER, Envelope
from .schedule import Schedule
from .signed import refuse_unsigned
from .statements import Custody, Locks, Manifest, refuse_mixture
from .volume import Tail, Volume, later_volumes


class Trust:
    """Public keys that the reader accepts, per role (ST-2).

    Each of `both`, `makers`, `custodians` lists certificate paths, Certificates,
    or SHA-256 fingerprints of a SubjectPublicKeyInfo in hex.
    """

    def __init__(self, both=(), makers=(), custodians=()):
        self._makers, self._custodians = list(both) + list(makers), list(both) + list(custodians)

    def makers(self, envelope):
        return self._resolve(self._makers, envelope)

    def custodians(self, envelope):
        return self._resolve(self._custodians, envelope)

    @property
    def has_custodians(self):
        return bool(self._custodians)

    @staticmethod
    def _resolve(entries, envelope):
        """Certificates; a fingerprint finds its key among the SIGNER items (EN-6)."""
        found = []
        offered = signers(envelope)
        for entry in entries:
            if isinstance(entry, Certificate):
                found.append(entry)
            elif len(entry.replace(":", "")) == 64 and "/" not in entry:
                name = entry.replace(":", "").lower()
                found += [c for c in offered if c.spki_sha256.hex() == name]
            else:
                found.append(certs.load(entry))
        return found


def signers(envelope):
    return [Certificate.of(raw) for raw in envelope.all(SIGNER)]


def valid_signers(statement, certificates):
    """The SPKI hashes (hex) of those certificates whose keys signed `statement`."""
    indexes = statement.message.valid_keys([c.public_key for c in certificates])
    return {certificates[i].spki_sha256.hex() for i in indexes}


class Backup:
    """An opened backup. `warnings` lists (rule, words); `verdict` is None for good custody."""

    def __init__(self, path, trust, volumes=(), need_body=True, need_all=True, prove_maker=False, envelope=None):
        """`volumes`: files and directories to look in for later volumes; `need_all`: none may be missing;
        `envelope`: the head alone that counts."""
        self.trust, self.prove_maker = trust, prove_maker
        self.warnings = []
        self.body = Volume(path)
        self.first = self._elsewhere(envelope) if envelope else self.body
        need(self.first.superblock.role != ROLE_LATER, FORMAT, "section 1", "a later volume alone")
        self.preamble, self.preamble_raw = self.first.preamble, self.first.preamble_raw
        self.core, self.sealed = self.first.core, self.first.preamble.sealed
        if not self.first.intact:
            self.warn("SB-6", "the two superblocks differ")
        self.envelope = self._envelope()
        need(self.first.superblock.role != ROLE_HEAD or self.envelope.one(MANIFEST), FORMAT, "HA-1", "no manifest")
        signers(self.envelope)
        self.locks = Locks(self.envelope, self.preamble_raw, self.preamble) if self.sealed else None
        self._volumes(volumes, need_body, need_all)
        self._manifest()
        self.verdict = self._custody_verdict() if self.sealed else None
        if self.verdict:
            self.warn(*self.verdict)
        self.schedule = None

    def warn(self, rule, words):
        self.warnings.append((rule, words))

    def _elsewhere(self, path):
        """HA-2: the head alone that counts in place of the body's own."""
        head = Volume(path)
        need(head.superblock.role == ROLE_HEAD, UNSUPPORTED, "SB-3", "no head alone")
        need(self.body.superblock.role == ROLE_WHOLE, FORMAT, "HA-2", "no whole volume 1")
        need(head.preamble_raw == self.body.preamble_raw, AUTH, "HA-2", "the head of another backup")
        return head

    # -- envelope -----------------------------------------------------------

    def _envelope(self):
        """EN-5: the active slot, its copy in the other, or the better of what can be saved."""
        block = self.first.superblock
        for self.used_slot in (block.active, 1 - block.active):
            raw = self.first.slot(self.used_slot)[:block.envelope_length]
            if sha256(raw) == block.envelope_sha256:
                return Envelope.parse(raw, self.sealed)
            if self.used_slot == block.active:
                self.warn("EN-5", "the active envelope is damaged")
        slots = [1 - block.active, block.active]
        parsed = [(n, e) for n in slots for e in [self._salvage(n)] if e is not None]
        if self.sealed:
            parsed = self._by_generation(parsed)
        need(parsed, FORMAT, "EN-5", "no usable envelope")
        self.used_slot = parsed[0][0]
        return parsed[0][1]

    def _salvage(self, number):
        slot = self.first.slot(number)
        length = int.from_bytes(slot[8:16], "big")
        if slot[:8] != ENVELOPE_MAGIC or not 16 <= length <= len(slot):
            return None
        try:
            envelope = Envelope.parse(slot[:length], self.sealed)
            known = signers(envelope) + self.trust.makers(envelope)
            copy = envelope.one(MANIFEST)
            manifest = Manifest(copy) if copy else None
            if manifest and manifest["by"] not in valid_signers(manifest, known):
                return None
            return envelope
        except Refused:
            return None

    def _by_generation(self, parsed):
        ranked = []
        for number, envelope in parsed:
            try:
                custody = Custody(envelope.one(CUSTODY))
                keys = self.trust.custodians(envelope) if self.trust.has_custodians else signers(envelope)
                count = len(valid_signers(custody, keys))
                Locks(envelope, self.preamble_raw, self.preamble)
            except Refused:
                continue
            if count:
                ranked.append((custody["generation"], count, number, envelope, custody.json))
        ranked.sort(key=lambda r: r[:2], reverse=True)
        if len(ranked) == 2 and ranked[0][0] == ranked[1][0] and ranked[0][4] != ranked[1][4]:
            raise Refused(AUTH, "EN-5", "two custody statements of one generation differ")
        return [(r[2], r[3]) for r in ranked]

    # -- manifest -----------------------------------------------------------

    def _volumes(self, paths, need_body, need_all):
        """Volumes by number, and the tail; that is None where it is elsewhere."""
        self.tail, self.volumes = None, {1: self.body}
        copy = self.envelope.one(MANIFEST)
        if self.body.superblock.role != ROLE_WHOLE or (copy and not need_body):
            return
        known = Manifest(copy) if copy else None
        wanted = len(known["volumes"]) if known else None
        self.volumes.update(later_volumes(self.body, paths, wanted))
        last = wanted or max(self.volumes)
        missing = [n for n in range(1, last + 1) if n not in self.volumes]
        need(not missing or not need_all, FORMAT, "VO-1", f"volumes {missing} of {last} are missing")
        for number, volume in self.volumes.items():
            if number > 1 and not volume.intact:
                self.warn("SB-6", f"the two superblocks of volume {number} differ")
        if last in self.volumes:
            self._tail(self.volumes[last], known)

    def _tail(self, volume, known):
        try:
            tail = Tail(volume, known)
            tail.parse()
        except Refused as refused:
            if known is None or refused.rule == "GE-3":
                raise
            self.warn("TL-4", "no usable tail; the envelope's manifest is used")
            return
        self.tail = tail
        self.warnings += tail.damage

    def _lengths(self):
        """MF-5, GE-3: each volume ends where the manifest says; the last one's end is its tail's concern."""
        parts = self.manifest["volumes"]
        for number, volume in self.volumes.items():
            size = parts[number - 1]["bytes"]
            need(volume.body_size >= size, FORMAT, "MF-5", f"volume {number} is cut off")
            need(volume.body_size == size or number == len(parts), FORMAT, "GE-3",
                 f"bytes after the end of volume {number}")

    def _manifest(self):
        """MF-4, then the signature, MF-1, MF-2 and MF-5."""
        copy = self.envelope.one(MANIFEST)
        at_end = self.tail.content.manifests[0] if self.tail else None
        need(copy or at_end, FORMAT, "TL-4", "no manifest")
        self.manifest = Manifest(copy or at_end)
        if copy and at_end:
            need(Manifest(at_end).json == self.manifest.json, AUTH, "MF-4", "two different manifests")
        makers = self.trust.makers(self.envelope)
        self._trusted_signer(makers)
        if self.preamble.epoch == 0:
            need(self.manifest["by"] == self.preamble.maker.hex(), AUTH, "MF-2", "the signer is not the maker")
        need((self.manifest["previous"] is None) == (self.preamble.epoch == 0), FORMAT, "section 4.3", "previous")
        self.maker = self.manifest["by"]
        refuse_mixture(self.manifest, self.locks, self.preamble_raw, self.preamble)
        if self.tail or len(self.volumes) > 1:
            need(max(self.volumes) <= len(self.manifest["volumes"]), FORMAT, "MF-5", "number of volumes")
            self._lengths()
        if self.tail:
            need(self.tail.volume is self.volumes[len(self.manifest["volumes"])], FORMAT, "MF-5", "the tail's volume")
            need(self.tail.first == self.manifest["volumes"][-1]["bytes"], FORMAT, "MF-5", "place of the tail")

    def _trusted_signer(self, makers):
        """MF-2; in epoch 1 and later a custodian will do, if the lineage is proven (LI-4, OP-1)."""
        valid, first = valid_signers(self.manifest, makers), self.preamble.maker.hex()
        self.needs_lineage = False
        if self.preamble.epoch and (self.prove_maker or self.manifest["by"] not in valid):
            self.needs_lineage = first in [c.spki_sha256.hex() for c in makers]
            if self.manifest["by"] in valid:
                need(self.needs_lineage, AUTH, "LI-4", "the first maker is not trusted as maker")
            elif self.needs_lineage:
                valid = valid_signers(self.manifest, self.trust.custodians(self.envelope))
        if not valid:
            refuse_unsigned(self.manifest.message, "the manifest")
        need(self.manifest["by"] in valid, AUTH, "MF-2", "by is not the signer")

    # -- custody ------------------------------------------------------------

    def _custody_verdict(self):
        """CU-5; None is good."""
        custody = self.locks.custody
        self.approvals = valid_signers(custody, self.trust.custodians(self.envelope))
        if custody["by"] not in self.approvals:
            return "CU-5", "the custody statement is not signed by a trusted custodian"
        chain = self.locks.history + [custody]
        if chain[0]["generation"] == 1 and chain[0]["by"] != self.preamble.maker.hex():
            return "CU-5", "the first custodian is not the maker"
        for before, statement in zip([None] + chain, chain):
            begins = before is None or before["epoch"] < statement["epoch"]
            known = statement["generation"] == (before["generation"] + 1 if before else 1)
            if begins and known and statement["epoch"] == self.preamble.epoch and statement["by"] != self.maker:
                return "CU-5", "the first custodian of the epoch is not the manifest's signer"
        return None

    def unlock(self, private):
        """The private key's turn: unwrap, KS-1, CU-6."""
        need(self.sealed, FORMAT, "section 7", "a signed-only backup needs no key")
        dek = self.locks.keys.open(private, self.locks.certificates)
        schedule = Schedule(self.core, dek, self.preamble.cipher)
        need(schedule.commitment.hex() == self.manifest["commitment"], AUTH, "KS-1",
             "the wrapped key cannot be opened")
        custody = self.locks.custody
        proof = schedule.proof(custody["generation"], self.locks.keys_sha256, custody.previous_bytes(),
                               custody.recipient_hashes())
        if proof.hex() != custody["proof"]:
            self.verdict = self.verdict or ("CU-6", "the proof of the custody statement is wrong")
            self.warn("CU-6", "the proof of the custody statement is wrong")
        self.schedule, self.dek = schedule, dek

    def opens_with(self, private):
        return any(same_key(private.public_key(), c.public_key) for c in self.locks.certificates)
