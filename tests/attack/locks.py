#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on the chain of custody, and on what a rotation carries over from it.

Usage: locks.py COFFER

A head can be rewritten by whoever can write to the storage: SIGNER certificates are protected by
nothing, and earlier statements only as far as `previous` links them (CH-5).
"""

import copy
import os
import sys
import tempfile

from kit import Kit
from coffer_ref import writer
from coffer_ref.binary import sha256
from coffer_ref.frames import TailContent
from coffer_ref.people import Person


class Locks(Kit):
    def __init__(self, coffer, folder):
        super().__init__(coffer, folder, ("maker", "custodian", "mallory", "alice", "bob"))
        self.file = self.path("x.cof")

    def draft(self, *recipients, data=b"content"):
        return self.make(recipients or [self.alice], data)

    def put(self, draft):
        self.write(self.file, draft.files()[0])

    def verify(self, *more):
        trust = ["--trust", self.path("maker.crt"), "--trust-custodian", self.path("custodian.crt")]
        return self.call("verify", "--strict-custody", *trust, *more, self.file)

    def rotate(self, *change, key="alice", signer="custodian"):
        return self.call("rotate", "--trust", self.path("maker.crt"), "--trust-custodian", self.path("custodian.crt"),
                         "--key", self.path(key + ".key"), "--sign-key", self.path(signer + ".key"), *change, self.file)

    # -- the cases --------------------------------------------------------------

    def reset(self):
        """A list that nobody trusted decided on is replaced as a whole, even by the same names."""
        draft = self.draft(self.alice, self.bob)
        draft.custody = dict(draft.custody, by=self.mallory.certificate.spki_sha256.hex())
        draft.sign_custody([self.mallory.signer()])
        self.put(draft)
        both = ["-r", self.path("alice.crt"), "-r", self.path("bob.crt")]
        self.check("a list by a stranger is a bad verdict", self.verify(), 3)
        self.check("and nothing is carried over", self.rotate(*both), 3)
        self.check("--reset-custody with the same names", self.rotate(*both, "--reset-custody"), 0)
        self.check("makes the verdict good", self.verify(), 0)
        self.check("for the next rotation as well", self.rotate("--remove", self.path("bob.crt")), 0)

    def first_statement(self):
        """Behind a gap nothing links generation 1: it must be the maker's by its signature."""
        draft = self.draft()
        first = dict(draft.custody, reason="forged")
        draft.lock(9, sha256(b"dropped"), reason="ninth")
        for name, by in (("names the maker", self.maker), ("names the forger", self.mallory)):
            forged = copy.copy(draft)
            forged.custody = dict(first, by=by.certificate.spki_sha256.hex())
            forged.sign_custody([self.mallory.signer()])
            forged.history, forged.custody_cms = [forged.custody_cms], draft.custody_cms
            self.put(forged)
            self.check(f"a forged generation 1 that {name}", self.verify(), 3)
            self.check("keeps the list from being carried over", self.rotate("--add", self.path("bob.crt")), 3)
            self.check("until --reset-custody", self.rotate("-r", self.path("alice.crt"), "--reset-custody"), 0)
            self.check("after which all is good", self.verify(), 0)

    def names(self):
        """A certificate that a stranger wrote for the maker's key gives that key no name."""
        draft = self.draft()
        draft.signers = [self.maker.named_by(self.mallory, "all is well").certificate]
        self.put(draft)
        done = self.call("verify", "--trust", self.maker.certificate.spki_sha256.hex(), self.file)
        self.check("a name that a stranger gave", done, 0)
        done.returncode = "a key that calls itself CN=all is well" not in done.stdout
        self.check("is shown as what it is", done, 0)

    def signers(self):
        """Certificates that somebody put in must not fill the head until nobody can rotate."""
        draft = self.draft()
        draft.signers += [Person(f"junk{i}").certificate for i in range(62)]
        draft.signers += [self.maker.renewed("not the maker's name").certificate]
        self.put(draft)
        self.check("64 certificates of signers", self.verify(), 0)
        self.check("do not stop a rotation", self.rotate("--add", self.path("bob.crt")), 0)
        self.check("nor the next one", self.rotate("--remove", self.path("bob.crt")), 0)
        self.check("and the maker's certificate is still there",
                   self.call("verify", "--trust", self.maker.certificate.spki_sha256.hex(), "--trust-custodian",
                             self.path("custodian.crt"), "--strict-custody", self.file), 0)
        self.put(self.draft())
        for i in range(24):
            Person(f"c{i}", "rsa2048").write(self.folder)
            trust = ["--trust-custodian", self.path(f"c{i}.crt")]
            trust += ["--trust-custodian", self.path(f"c{i - 1}.crt")] if i else []
            change = ["--remove" if i % 2 else "--add", self.path("bob.crt")]
            done = self.rotate(*change, *trust, "--drop-history", signer=f"c{i}")
            if done.returncode != 0:
                break
        self.check("two dozen custodians, one after the other", done, 0)

    def claims(self):
        """What only claims to be signed gets no private key to try, and no verdict."""
        self.put(writer.make(b"x", self.mallory.signer(), [self.alice.certificate]))
        done = self.call("info", "--json", "--key", self.path("alice.key"), self.file)
        done.returncode = 1 if '"opened":true' in done.stdout.replace(" ", "") else done.returncode
        self.check("info does not use the key on a stranger's backup", done, 0, 9)

    def tail(self):
        """The manifest at the end is signed by itself; the list of indexes by nobody."""
        draft = self.draft()
        draft.manifest_cms = draft.manifest_cms[:-1] + bytes([draft.manifest_cms[-1] ^ 1])
        self.put(draft)
        self.check("a broken signature at the end is reported", self.verify(), 9)
        self.check("and not received", self.receive(), 3, 5)
        draft = self.draft(data=bytes(4096 * 4097))
        volume, count, offset, first = draft.indexes[1]
        places = [draft.indexes[0], (volume, count, offset + 64, first)]
        draft.tail_payload = TailContent(places, [draft.manifest_cms]).emit()
        self.put(draft)
        self.check("a wrong list of indexes is reported", self.verify(), 9)
        self.check("and not received", self.receive(), 5)

    def receive(self):
        with open(self.file, "rb") as f:
            return self.call("receive", "--force", "-o", self.path("r.cof"), "--trust", self.path("maker.crt"), stdin=f)

    def places(self):
        """A FIFO is refused at once, not waited for."""
        os.mkfifo(self.path("fifo"))
        for verb in ("verify", "info"):
            self.check(f"{verb} of a FIFO", self.call(verb, "--trust", self.path("maker.crt"), self.path("fifo")), 2)


def main():
    with tempfile.TemporaryDirectory(prefix="coffer-locks-") as folder:
        locks = Locks(os.path.abspath(sys.argv[1]), folder)
        for case in (locks.names, locks.reset, locks.first_statement, locks.signers, locks.claims, locks.tail, locks.places):
            case()
        print(f"1..{locks.number}")
        return locks.failed


sys.exit(main())
