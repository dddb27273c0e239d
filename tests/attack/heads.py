#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on heads that travel, and on who counts as a custodian.

Usage: heads.py COFFER

Somebody holds the storage, or the head on its way, and perhaps one custodian's signing key; he does
not know the data key. None of it may put a head into a backup that does not open, that is older,
that is another's, or that nobody trusted decided on (IM-1 to IM-6, HA-1, HA-2, CH-8, CH-7).
"""

import json
import os
import sys
import tempfile
from dataclasses import replace

from kit import Kit
from coffer_ref import strictjson, writer
from coffer_ref.binary import sha256
from coffer_ref.cases import block_of
from coffer_ref.forge_travel import head_of
from coffer_ref.head import BLOCK, ROLE_HEAD, Superblock, emit_head
from coffer_ref.signed import build
from coffer_ref.statements import CUSTODY_OID

LAST = 2 ** 53 - 1
PEOPLE = ("maker", "custodian", "second", "mallory", "alice", "bob")


def fingerprint(person):
    return "SHA256:" + ":".join(f"{b:02X}" for b in person.certificate.spki_sha256)


class Heads(Kit):
    def __init__(self, coffer, folder):
        super().__init__(coffer, folder, PEOPLE)
        self.trust = ["--trust", self.path("maker.crt"), "--trust-custodian", self.path("custodian.crt"),
                      "--trust-custodian", self.path("second.crt")]
        self.alices = ["--key", self.path("alice.key")]

    def backup(self, draft, name="x.cof"):
        return self.write(name, draft.files()[0])

    def follow(self, draft, signers=None, generation=2, previous=None, cek=None, proof=True, history=True,
               by=None):
        """The head alone of a draft whose locks are changed: the same people, by the custodian."""
        old = draft.custody_cms
        previous = sha256(strictjson.emit(draft.custody)) if previous is None else previous
        by = by or self.custodian.signer()
        dek = draft.dek
        if cek:
            draft.dek = os.urandom(32)  # what a thief has to wrap: he does not know the data key
        draft.lock(generation, previous, by, "changed")
        if cek:
            draft.custody["commitment"] = draft.manifest["commitment"]
            draft.dek = dek
        if not proof:
            draft.custody["proof"] = os.urandom(32).hex()
        draft.sign_custody(signers or [by])
        draft.history = [old] if history else []
        return head_of(draft)

    def bring(self, head, *more, name="x.cof"):
        return self.call("envelope", "import", self.write("h.head", head), self.path(name), *self.trust, *more)

    def refused(self, what, head, status, *more):
        """And not a byte is written, and nothing is kept."""
        before, names = self.read("x.cof"), sorted(os.listdir(self.folder))
        self.check(what, self.bring(head, *more), status)
        same = before == self.read("x.cof") and set(os.listdir(self.folder)) - set(names) <= {"h.head"}
        self.number += 1
        self.failed |= not same
        print(f"{'ok' if same else 'not ok'} {self.number} - and everything is as it was")

    # -- the cases --------------------------------------------------------------

    def honest(self):
        draft = self.make([self.alice, self.bob])
        self.backup(draft)
        head = self.follow(draft)
        self.check("an honest head, opened here", self.bring(head, *self.alices), 0)
        self.check("once more", self.bring(head, *self.alices), 0)
        self.check("is the backup's", self.call("verify", "--deep", "--strict-custody", *self.trust, *self.alices,
                                                self.path("x.cof")), 0)

    def junk(self):
        """IM-3: whoever stole one custodian's key signs a list around keys that open nothing."""
        draft = self.make([self.alice, self.bob])
        self.backup(draft)
        twice = [self.custodian.signer()] * 2
        for name, signers in (("one stolen key", None), ("one stolen key, that signs twice", twice),
                              ("a stolen key and a stranger's", [self.custodian.signer(), self.mallory.signer()])):
            head = self.follow(self.copy(draft), signers, cek=True, proof=False)
            self.refused(f"junk by {name}", head, 3)
            self.refused("and with a key", head, 3, *self.alices)
        head = self.follow(self.copy(draft), twice, proof=False)
        self.refused("good wraps that somebody signed who has no proof, with a key", head, 3, *self.alices)
        head = self.follow(self.copy(draft), cek=True, proof=False)
        done = self.call("envelope", "approve", self.write("h.head", head), *self.trust, "--sign-key",
                         self.path("second.key"), *self.alices)
        self.check("is not approved by who tries his key", done, 3)
        self.check("nor by the same thief again", self.call(
            "envelope", "approve", self.path("h.head"), *self.trust, "--sign-key", self.path("custodian.key")), 0)
        self.refused("and is refused still", self.read("h.head"), 3)
        self.check("unless that is said", self.bring(self.read("h.head"), "--unchecked", "--keep", self.path("kept")), 0)
        done = self.call("restore", self.path("x.cof"), "--envelope", self.path("kept"), *self.trust,
                         *self.alices, "-o", self.path("out"))
        self.check("then the kept head opens it", done, 0)
        kept = self.read("kept")
        self.refused("and does not come back without a key", kept, 3, "--unchecked")
        self.refused("nor does an older one of another", head_of(self.make([self.alice])), 3, *self.alices)
        self.check("but with one", self.bring(kept, *self.alices, "--no-keep"), 9)
        self.check("all is good again", self.call("verify", "--strict-custody", *self.trust, *self.alices,
                                                  self.path("x.cof")), 0)
        self.backup(self.copy(draft))
        self.check("a good list", self.bring(self.follow(self.copy(draft)), *self.alices, "--no-keep"), 0)
        self.refused("is not undone by the head before it", kept, 3, *self.alices)

    def copy(self, draft):
        other = replace(draft)
        other.custody, other.signers = dict(draft.custody), list(draft.signers)
        return other

    def links(self):
        """IM-2: what follows what."""
        draft = self.make([self.alice, self.bob])
        first = self.backup(draft)
        self.refused("a generation that was skipped", self.follow(self.copy(draft), generation=3, history=False), 3,
                     *self.alices)
        self.refused("a link to something else", self.follow(self.copy(draft), previous=bytes(32), history=False), 3,
                     *self.alices)
        self.check("the same generation as now", self.bring(head_of(draft), *self.alices), 0)
        other = self.make([self.alice])
        self.refused("another backup", self.follow(other), 3, *self.alices)
        self.refused("a proven list that somebody signed whom nobody trusts", self.follow(
            self.copy(draft), [self.mallory.signer()]), 3, *self.alices)
        same = writer.begin(self.maker.signer(), [self.alice.certificate, self.bob.certificate], dek=draft.dek)
        same.preamble = replace(draft.preamble)
        same.lock()
        same.add(b"something else")
        same.finish()
        link = sha256(strictjson.emit(draft.custody))
        self.refused("another content under the same preamble and data key", self.follow(
            same, previous=link, history=False), 3, *self.alices)
        self.check("and the right one", self.bring(self.follow(self.copy(draft)), *self.alices), 0)
        self.check("the backup is unharmed", self.call("verify", *self.trust, first), 0)

    def roles(self):
        """SB-3, HA-1: what is no head alone."""
        draft = self.make([self.alice, self.bob])
        self.backup(draft)
        head = self.follow(self.copy(draft))
        for name, role, status in (("role 0", 0, 5), ("role 3", 3, 5)):
            block = replace(block_of(head), role=role).emit()
            self.refused(f"a head of {name}", block * 2 + head[2 * BLOCK:], status, *self.alices)
        later = Superblock(draft.preamble.emit(), 2, volume=2).emit() * 2
        self.refused("a later volume", later, 5, *self.alices)
        self.refused("bytes behind it", head + b"\0", 5, *self.alices)
        bare = self.copy(draft)
        bare.envelope_manifest = None
        self.refused("no manifest in it", self.follow(bare), 5, *self.alices)
        body = self.read("x.cof")
        block = replace(block_of(body), role=ROLE_HEAD).emit()
        self.write("y.cof", block * 2 + body[2 * BLOCK:])
        self.write("h.head", head)
        self.check("a body that calls itself a head", self.call(
            "verify", *self.trust, "--envelope", self.path("h.head"), self.path("y.cof")), 5)

    def elsewhere(self):
        """HA-2: the head of another body, and one with another manifest for the same."""
        draft = self.make([self.alice, self.bob])
        path = self.backup(draft)
        read = ["verify", *self.trust, path, "--envelope", self.path("h.head")]
        self.write("h.head", head_of(self.make([self.alice])))
        self.check("the head of another", self.call(*read), 3)
        changed = self.copy(draft)
        changed.manifest = dict(draft.manifest, complete=False)
        changed.sign_manifest()
        self.write("h.head", head_of(changed))
        self.check("another manifest for the same body", self.call(*read), 3)
        self.write("h.head", self.follow(self.copy(draft)))
        self.check("its own", self.call(*read), 0)
        self.check("which is opened by the key", self.call(
            "restore", path, *self.trust, *self.alices, "--envelope", self.path("h.head"), "-o", self.path("o")), 0)

    def custodians(self):
        """CU-5: distinct keys count, in the role of custodian."""
        draft = self.make([self.alice, self.bob])
        keys = {n: getattr(self, n).signer() for n in ("maker", "custodian", "second", "mallory")}
        roles = ["--trust-maker", self.path("maker.crt"), "--trust-custodian", self.path("custodian.crt")]
        both = ["--trust", self.path("maker.crt"), "--trust-custodian", self.path("custodian.crt")]
        for what, signers, trust, status in (
                ("one key twice", ["custodian", "custodian"], both, 3),
                ("a custodian and a stranger", ["custodian", "mallory"], both, 3),
                ("a custodian and the maker, who is trusted as maker only", ["custodian", "maker"], roles, 3),
                ("two custodians", ["custodian", "maker"], both, 0),
                ("two signatures of one and one of another", ["custodian", "custodian", "maker"], both, 0)):
            changed = self.copy(draft)
            self.follow(changed, [keys[n] for n in signers])
            path = self.backup(changed, "c.cof")
            self.check(f"two custodians demanded: {what}", self.call(
                "verify", "--strict-custody", "--min-custodians", "2", *trust, path), status)
            self.check("and for a rotation", self.call(
                "rotate", "--min-custodians", "2", *trust, *self.alices, "--sign-key", self.path("custodian.key"),
                "--remove", self.path("bob.crt"), "--dry-run", path), status, 9 if status == 0 else status)
        path = self.backup(draft, "c.cof")
        self.check("a custodian is no maker", self.call("verify", "--trust-custodian", self.path("maker.crt"), path), 3)
        self.check("a maker is no custodian", self.call(
            "verify", "--strict-custody", "--trust-maker", self.path("maker.crt"), path), 3)

    def approvals(self):
        """CH-7 and the second half of IM-2: more signatures, and nothing less of the rest."""
        draft = self.make([self.alice, self.bob])
        self.follow(draft)
        self.backup(draft)
        more = self.copy(draft)
        both = [self.custodian.signer(), self.second.signer()]
        more.sign_custody(both)
        full = head_of(more)
        more.history = []
        self.check("an approval in a head that drops the history", self.bring(head_of(more)), 0)
        self.has("costs no history", b'"generation":1,')
        self.backup(draft)
        self.check("an approval", self.bring(full), 0)
        self.check("is taken", self.call("verify", "--strict-custody", "--min-custodians", "2", *self.trust,
                                         self.path("x.cof")), 0)
        before = self.read("x.cof")
        self.check("a head that lacks it", self.bring(head_of(draft), *self.alices), 0)
        self.number += 1
        self.failed |= before != self.read("x.cof")
        print(f"{'ok' if before == self.read('x.cof') else 'not ok'} {self.number} - takes nothing away")
        crowd = self.copy(draft)
        crowd.sign_custody([self.custodian.signer()] * 8)
        path = self.backup(crowd, "c.cof")
        self.check("a ninth signature", self.call("envelope", "approve", path, *self.trust, "--sign-key",
                                                  self.path("second.key")), 5)
        raw = build(strictjson.emit(draft.custody), CUSTODY_OID, [self.mallory.signer()])
        crowd.custody_cms = raw
        path = self.backup(crowd, "c.cof")
        self.check("nobody approves what nobody trusted decided", self.call(
            "envelope", "approve", path, *self.trust, "--sign-key", self.path("second.key")), 3)

    def strangers(self):
        """IM-2: a rotation by a custodian who is not known here is not undone for that."""
        draft = self.make([self.alice, self.bob])
        first = head_of(draft)
        changed = self.copy(draft)
        changed.recipients = [self.bob.certificate]
        self.follow(changed, by=self.mallory.signer())
        self.backup(changed)
        bobs = ["--key", self.path("bob.key")]
        self.refused("by whose key opens only what it replaced", first, 3, *self.alices)
        self.refused("by whose key opens both", first, 3, *bobs)
        self.refused("without a key", first, 3, "--unchecked")
        done = self.bring(first, *self.alices, "--unchecked", "--no-keep")
        self.check("a person may insist", done, 9)
        self.check("and is told", done if "not trusted as custodian" in done.stderr else self.call("nothing"), 9)
        junk = self.copy(draft)
        self.follow(junk, by=self.mallory.signer(), proof=False)
        self.backup(junk)
        self.check("what a key shows to be junk is undone", self.bring(first, *self.alices, "--no-keep"), 9)
        self.backup(changed)
        later = self.copy(changed)
        self.follow(later, generation=3)
        done = self.bring(head_of(later), *bobs, "--no-keep")
        self.check("what follows the stranger's list comes in, with a note", done, 9)

    def has(self, what, piece, name="x.cof"):
        self.number += 1
        there = piece in self.read(name)
        self.failed |= not there
        print(f"{'ok' if there else 'not ok'} {self.number} - {what}")

    def couriers(self):
        """IM-6: what no new signature covers is not taken on a courier's word."""
        by_name = ["--trust", fingerprint(self.maker), "--trust-custodian", fingerprint(self.custodian),
                   "--trust-custodian", fingerprint(self.second)]
        verify = ["verify", "--strict-custody", *by_name, self.path("x.cof")]
        draft = self.make([self.alice, self.bob])
        chain = [draft.custody_cms]
        for generation in (2, 3):
            self.follow(draft, generation=generation, history=False)
            chain.append(draft.custody_cms)
        draft.history = chain[:2]
        self.backup(draft)
        self.check("a backup whose signers are trusted by their fingerprints", self.call(*verify), 0)
        junk = build(strictjson.emit(self.statement(chain[1])), CUSTODY_OID, [self.mallory.signer()])
        for what, history, signers in (
                ("drops the maker's certificate", chain[:2], [self.custodian, self.second]),
                ("has junk in place of a signature in the history", [chain[0], junk], [self.maker, self.custodian, self.second]),
                ("has junk, and a stranger's certificate", [chain[0], junk], [self.mallory, self.custodian, self.second])):
            both = [self.custodian.signer(), self.second.signer()]
            more = self.copy(draft)
            more.sign_custody(both)
            more.history, more.signers = history, [s.certificate for s in signers]
            self.backup(draft)
            self.check(f"an approved head that {what}", self.bring(head_of(more)), 0)
            self.check("harms nothing", self.call(*verify, "--min-custodians", "2"), 0)
            self.has("the history is as it was", chain[1])
            self.has("what was replaced is kept", draft.custody_cms, "x.cof.generation-3.head")
            os.remove(self.path("x.cof.generation-3.head"))
            later = self.copy(draft)
            self.follow(later, both, generation=4, history=False)
            later.history, later.signers = history + [draft.custody_cms], more.signers
            self.backup(draft)
            self.check(f"a changed head that {what}", self.bring(head_of(later)), 0)
            self.check("harms nothing either", self.call(*verify, "--min-custodians", "2"), 0)
            self.has("and the history is as it was", chain[1])
            os.remove(self.path("x.cof.generation-3.head"))
        first = self.make([self.alice, self.bob])
        self.backup(first)
        start = first.custody_cms
        self.follow(first, history=False)
        middle = build(strictjson.emit(first.custody), CUSTODY_OID, [self.mallory.signer()])
        good = first.custody_cms
        self.follow(first, both, generation=3, history=False)
        first.history = [start, middle]
        self.refused("a statement between that its author did not sign", head_of(first), 3, *self.alices)
        first.history = [start, good]
        self.check("and that one as he signed it", self.bring(head_of(first), *self.alices), 0)

    @staticmethod
    def statement(cms):
        start = cms.index(b'{"')
        return json.JSONDecoder().raw_decode(cms[start:].decode("utf-8", "replace"))[0]

    def end_of_numbers(self):
        """CH-8: a generation that somebody made up does not block the way out."""
        for generation, expected in ((LAST, 2), (LAST - 1, 2), (2 ** 32, 2), (2 ** 32 - 1, 2 ** 32), (7, 8)):
            draft = self.make([self.alice, self.bob])
            self.follow(draft, generation=generation, proof=False)
            path = self.backup(draft)
            change = ["rotate", *self.trust, *self.alices, "--sign-key", self.path("second.key"), "--json"]
            self.check(f"a list of generation {generation} without proof stops a rotation", self.call(
                *change, "--add", self.path("bob.crt"), path), 3)
            done = self.call(*change, "-r", self.path("alice.crt"), "--reset-custody", path)
            done.returncode = done.returncode or f'"generation":{expected}' not in done.stdout.replace(" ", "")
            self.check(f"--reset-custody goes on with {expected}", done, 0)
            self.check("and all is good", self.call("verify", "--strict-custody", *self.trust, path), 0)
            self.check("also the next", self.call(*change, "--add", self.path("bob.crt"), path), 0)
        draft = self.make([self.alice, self.bob])
        self.follow(draft, generation=LAST)
        path = self.backup(draft)
        self.check("a proven last generation has no next", self.call(
            *change, "-r", self.path("alice.crt"), "--reset-custody", path), 5)

    def reset_travels(self):
        """The way out is open for a head alone too, and comes back over what was forged."""
        draft = self.make([self.alice, self.bob])
        self.follow(draft, generation=LAST, proof=False)
        path = self.backup(draft)
        head = self.path("r.head")
        self.check("the forged head is exported", self.call("envelope", "export", path, "-o", head), 0)
        self.check("and reset", self.call("rotate", *self.trust, *self.alices, "--sign-key", self.path("second.key"), "-r",
                                          self.path("alice.crt"), "--reset-custody", head), 0)
        self.check("over a list that looks good without a key it is a jump back", self.call(
            "envelope", "import", head, path, *self.trust, "--unchecked"), 3)
        self.check("with a key that opens both it is known to be bad", self.call(
            "envelope", "import", head, path, *self.trust, *self.alices), 9)
        self.check("and all is good", self.call("verify", "--strict-custody", *self.trust, path), 0)


def main():
    with tempfile.TemporaryDirectory(prefix="coffer-heads-") as folder:
        heads = Heads(os.path.abspath(sys.argv[1]), folder)
        for case in (heads.honest, heads.junk, heads.links, heads.roles, heads.elsewhere, heads.custodians,
                     heads.approvals, heads.couriers, heads.strangers, heads.end_of_numbers, heads.reset_travels):
            case()
        print(f"1..{heads.number}")
        return heads.failed


sys.exit(main())
