# SPDX-License-Identifier: Apache-2.0
"""Custody statement and manifest: members, types and what they must agree with (FORMAT.md 4)."""

import time

from . import keys as keys_module
from . import strictjson
from .binary import HEX_HASH, TIME_TEXT, UUID_TEXT, sha256
from .certs import Certificate
from .errors import AUTH, FORMAT, LIMIT, UNSUPPORTED, Refused, need
from .signed import SignedMessage

ARC = "2.25.54037454755169100369202756945757762599.1."
CUSTODY_OID, MANIFEST_OID = ARC + "1", ARC + "2"
CUSTODY_TYPE, MANIFEST_TYPE = "coffer.custody.v1", "coffer.manifest.v1"


def _text(limit):
    return lambda v: isinstance(v, str) and len(v.encode()) <= limit


def _hash(v):
    return isinstance(v, str) and HEX_HASH.fullmatch(v) is not None


def _hash_or_null(v):
    return v is None or _hash(v)


def _uuid(v):
    return isinstance(v, str) and UUID_TEXT.fullmatch(v) is not None


def _time(v):
    if not isinstance(v, str) or not TIME_TEXT.fullmatch(v):
        return False
    try:
        time.strptime(v, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return False
    return True


def _integer(v):
    return type(v) is int


def _u32(v):
    return type(v) is int and v < 1 << 32


def _list(v):
    return isinstance(v, list)


CUSTODY = {"type": _text(64), "backup": _uuid, "epoch": _u32, "core": _hash, "generation": _integer,
           "scheme": _text(64), "keys": _hash, "commitment": _hash, "proof": _hash, "recipients": _list,
           "previous": _hash_or_null, "by": _hash, "reason": _text(1024), "time": _time}
RECIPIENT = {"sha256": _hash, "spki": _hash, "subject": _text(1024), "not_after": _time, "key": _text(64)}
MANIFEST = {"type": _text(64), "backup": _uuid, "epoch": _u32, "core": _hash, "commitment": _hash_or_null,
            "root": _hash, "records": _integer, "data_records": _integer, "catalog_records": _integer,
            "lineage_records": _integer, "plain_bytes": _integer, "content": _text(64),
            "complete": lambda v: isinstance(v, bool), "volumes": _list, "started": _time, "finished": _time,
            "parents": lambda v: v == [], "previous": _hash_or_null, "by": _hash, "tool": _text(64)}
VOLUME = {"bytes": _integer, "first_record": _integer}


def check_members(value, members, extra=()):
    """ST-3, ST-4: exactly these members, each of its type; `extra` names are allowed besides."""
    need(isinstance(value, dict), FORMAT, "ST-3", "not an object")
    for name in value:
        need(name in members or name in extra, FORMAT, "ST-3", f"unknown member {name[:40]!r}")
    for name, fits in members.items():
        need(name in value, FORMAT, "ST-3", f"member {name} is missing")
        need(fits(value[name]), FORMAT, "ST-4", f"member {name} has another type or form")
    need(isinstance(value.get("x", {}), dict), FORMAT, "ST-3", "x is no object")


class Statement:
    """A statement in its CMS message; `json` is the bytes, `value` the object."""

    def __init__(self, raw, oid, kind, members, most_signers):
        self.message = SignedMessage(raw, oid, most_signers)
        self.json = self.message.content
        self.sha256 = sha256(self.json)
        self.value = strictjson.parse(self.json)
        need(self.value.get("type") == kind, FORMAT, "ST-1", "type of another statement")
        check_members(self.value, members, ("x",))

    def __getitem__(self, name):
        return self.value[name]


class Custody(Statement):
    def __init__(self, raw):
        super().__init__(raw, CUSTODY_OID, CUSTODY_TYPE, CUSTODY, 8)
        need(1 <= len(self["recipients"]) <= 256, FORMAT, "section 4.2", "number of recipients")
        for recipient in self["recipients"]:
            check_members(recipient, RECIPIENT)
        need(self["scheme"] == "any-of-n", UNSUPPORTED, "CU-2", f"scheme {self['scheme'][:40]!r}")
        need(self["generation"] >= 1 and (self["previous"] is None) == (self["generation"] == 1), FORMAT,
             "CU-4", "generation and previous")

    def recipient_hashes(self):
        return [bytes.fromhex(r["sha256"]) for r in self["recipients"]]

    def previous_bytes(self):
        return bytes.fromhex(self["previous"]) if self["previous"] else None


class Manifest(Statement):
    def __init__(self, raw):
        super().__init__(raw, MANIFEST_OID, MANIFEST_TYPE, MANIFEST, 1)
        need(1 <= len(self["volumes"]) <= 65535, FORMAT, "MF-3", "number of volumes")
        for volume in self["volumes"]:
            check_members(volume, VOLUME)
        need(self["records"] == self["data_records"] + self["catalog_records"] + self["lineage_records"],
             FORMAT, "MF-3", "records is not the sum")
        need(self["records"] < 1 << 48, LIMIT, "MF-3", "number of records")
        need((self["lineage_records"] == 0) == (self["epoch"] == 0), FORMAT, "MF-3", "lineage_records")
        firsts = [v["first_record"] for v in self["volumes"]]
        need(firsts[0] == 0 and firsts == sorted(firsts) and firsts[-1] <= self["records"], FORMAT, "MF-3",
             "first_record")


def check_identity(statement, preamble_raw, preamble, rule):
    """backup, epoch and core are those of the preamble (CU-1, MF-1)."""
    agree = (statement["backup"] == preamble.uuid_text and statement["epoch"] == preamble.epoch
             and statement["core"] == sha256(preamble_raw).hex())
    need(agree, AUTH, rule, "the statement belongs to another backup")


class Locks:
    """CUSTODY with KEYS, RECIPIENT and HISTORY items of one envelope, in agreement (CU, KY rules)."""

    def __init__(self, envelope, preamble_raw, preamble):
        keys_raw = envelope.one(1)
        self.keys_sha256 = sha256(keys_raw)
        self.custody = Custody(envelope.one(2))
        check_identity(self.custody, preamble_raw, preamble, "CU-1")
        need(self.custody["keys"] == self.keys_sha256.hex(), AUTH, "CU-1", "keys is not the hash of KEYS")
        self.certificates = self._certificates(envelope.all(4))
        self.keys = keys_module.Keys(keys_raw)
        self.keys.match(self.certificates)
        self.history = [Custody(raw) for raw in envelope.all(3)]
        self._check_history()

    def _certificates(self, items):
        listed = self.custody["recipients"]
        need(len(items) == len(listed), AUTH, "CU-3", "RECIPIENT items and recipients differ in number")
        certificates = []
        for raw, entry in zip(items, listed):
            certificate = Certificate.of(raw)
            need(certificate.sha256.hex() == entry["sha256"], AUTH, "CU-3", "RECIPIENT item has another hash")
            described = dict(certificate.summary(), subject=entry["subject"])
            need(described == entry, AUTH, "CU-3", "recipient is described wrongly")
            certificates.append(certificate)
        return certificates

    def _check_history(self):
        chain = self.history + [self.custody]
        generations = [c["generation"] for c in chain]
        run = generations[1:] if generations[0] == 1 else generations
        contiguous = all(b == a + 1 for a, b in zip(run, run[1:]))
        need(contiguous and (len(generations) == 1 or generations[0] < generations[1]), FORMAT, "CU-7",
             f"HISTORY generations {generations}")
        for earlier, later in zip(chain, chain[1:]):
            need(earlier["backup"] == later["backup"], AUTH, "CU-8", "HISTORY of another backup")
            need(earlier["epoch"] <= later["epoch"], AUTH, "CU-8", "epochs decrease")
            if later["generation"] == earlier["generation"] + 1:
                need(later["previous"] == earlier.sha256.hex(), AUTH, "CU-8", "previous does not link")


def refuse_mixture(manifest, locks, preamble_raw, preamble):
    """MF-1: the manifest is this backup's, and of the same DEK as the custody statement."""
    check_identity(manifest, preamble_raw, preamble, "MF-1")
    content = {1: "stream", 2: "tree"}[preamble.content]
    need(manifest["content"] == content, AUTH, "MF-1", "content")
    expected = locks.custody["commitment"] if locks else None
    if manifest["commitment"] != expected:
        raise Refused(AUTH, "MF-1", "commitment of manifest and custody statement differ")
