# SPDX-License-Identifier: Apache-2.0
"""The reader over everything that writer and forger make, and stock tools over what is valid."""

import io
import os
import subprocess
import tempfile

from . import bundle, forge, rotate, verify
from .cases import OPERATIONS, TREE_OPERATIONS
from .errors import EXIT_STATUS, Refused
from .reader import Backup, Trust


class Judge:
    """Runs an operation of a case and says its class word."""

    def __init__(self, directory, world):
        self.directory, self.people = directory, {p.name: p for p in world.people}
        self.text = world.text

    def trust(self, name):
        if name:
            return Trust([self.people[name].certificate], custodians=[self.people["custodian"].certificate])
        return Trust([self.people["maker"].certificate], custodians=[self.people["custodian"].certificate])

    def run(self, path, operation):
        """(class word, rule or words)."""
        operation, _, trusted = operation.partition("@")
        operation, _, person = operation.partition(":")
        if bundle.is_bundle(path):
            return self.run_bundle(path, operation)
        try:
            backup = Backup(path, self.trust(trusted), need_body=operation != "rotate",
                            need_all=operation != "quick", prove_maker=operation == "maker")
            if operation == "rotate":
                return self.rotate(path, trusted)
            reads = operation in ("restore", *TREE_OPERATIONS)
            if (reads or operation == "maker") and backup.sealed:
                backup.unlock(self.people[person or "alice"].key)
            if operation == "quick" and backup.needs_lineage:
                return "AUTH", "LI-4"
            if operation != "quick":
                walk = verify.verify(backup)
                if reads:
                    out = io.BytesIO()
                    verify.restore(backup, walk, out)
                    self.plain = out.getvalue()
        except Refused as refused:
            return refused.cls, str(refused)
        if backup.warnings:
            return "WARN", "; ".join(f"{rule}: {words}" for rule, words in backup.warnings)
        return "OK", ""

    def run_bundle(self, path, operation):
        """The gravest answer for the heads in a bundle, which has no other operation than `quick`."""
        assert operation == "quick"
        found = ("OK", "")
        try:
            with open(path, "rb") as f:
                heads = bundle.parse(f.read())
        except Refused as refused:
            return refused.cls, str(refused)
        for head in heads:
            with tempfile.NamedTemporaryFile(suffix=".head") as f:
                f.write(head)
                f.flush()
                found = max(found, self.run(f.name, operation), key=lambda answer: answer[0] != "OK")
        return found

    def rotate(self, path, trusted):
        """Rotates to carol, and opens the result with her key."""
        carol, custodian = self.people["carol"], self.people["custodian"]
        image = rotate.rotate(path, self.trust(trusted), self.people["alice"].key, [carol.certificate],
                              custodian.signer(), reason="test", when=1900000000)
        with tempfile.NamedTemporaryFile(suffix=".cof", dir=os.path.dirname(path)) as f:
            f.write(image)
            f.flush()
            again = Backup(f.name, self.trust(trusted), need_body=False)
            again.unlock(carol.key)
            verify.check_slots(again)
            bad = [w for w in again.warnings if w[0] in ("SB-6", "EN-5", "EN-7", "CU-5", "CU-6")]
        return ("WARN", str(bad)) if bad else ("OK", "")


def stock_tools(directory, world, path):
    """Does the openssl command open KEYS and verify both statements? Returns what failed."""
    backup = Backup(path, Trust([world.maker.certificate], custodians=[world.custodian.certificate]))
    failed = []
    keys = os.path.join(directory, "keys")
    for name in ("alice", "bob"):
        person = next(p for p in world.people if p.name == name)
        if not backup.opens_with(person.key):
            continue
        backup.unlock(person.key)
        done = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey",
            f"{keys}/{name}.key",
                               "-recip", f"{keys}/{name}.crt"], input=backup.envelope.one(1), capture_output=True)
        if done.returncode or done.stdout != backup.dek:
            failed.append(f"decrypt for {name}")
    for what, statement in (("custody", backup.locks.custody), ("manifest", backup.manifest)):
        signer = next(p for p in world.people if p.certificate.spki_sha256.hex() == statement["by"])
        done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-nointern",
                               "-certfile", f"{keys}/{signer.name}.crt"], input=statement.message.raw, capture_output=True)
        if done.returncode or done.stdout != statement.json:
            failed.append(f"verify {what}")
    return failed


def stock_statement(directory, world):
    """A manifest signed by the stock command is accepted like our own."""
    from . import strictjson
    from .statements import MANIFEST_OID
    draft = world.make()
    keys = os.path.join(directory, "keys")
    for option in ([], ["-keyid"]):
        draft.manifest_cms = draft.envelope_manifest = subprocess.run(
            ["openssl", "cms", "-sign", "-binary", "-nodetach", "-nocerts", "-nosmimecap", "-econtent_type",
                MANIFEST_OID,
             "-outform", "DER", *option, "-signer", f"{keys}/maker.crt", "-inkey", f"{keys}/maker.key"],
            input=strictjson.emit(draft.manifest), capture_output=True, check=True).stdout
        path = os.path.join(directory, "stock.cof")
        with open(path, "wb") as f:
            f.write(draft.files()[0])
        yield Judge(directory, world).run(path, "restore")


def listed(directory):
    """Is the list of the test vectors, which others rely on, that of these cases?"""
    here = os.path.dirname(os.path.realpath(__file__))
    with open(os.path.join(here, "../../vectors/cases.tsv")) as kept, open(os.path.join(directory, "cases.tsv")) as made:
        return kept.read() == made.read()


def run(report):
    """(passed, failed); `report` prints a line."""
    passed = failed = 0

    def check(good, line):
        nonlocal passed, failed
        passed, failed = passed + bool(good), failed + (not good)
        if not good:
            report(f"FAIL {line}")

    with tempfile.TemporaryDirectory() as directory:
        world, cases = forge.write(directory)
        check(listed(directory), "tests/vectors/cases.tsv is not what the forger makes: run tests/vectors/make --list")
        judge = Judge(directory, world)
        for case in cases:
            path = os.path.join(directory, "cases", case.name, "backup.cof")
            for operation, expected in case.expect.items():
                words = expected.split("|")
                assert all(w in EXIT_STATUS for w in words) and operation.split(":")[0].split("@")[0] in OPERATIONS + TREE_OPERATIONS
                got, detail = judge.run(path, operation)
                check(got in words, f"{case.name} {operation}: {got}, not {expected}: {detail}")
                if got == "OK" and operation == "restore" and case.name.startswith("good-codec"):
                    check(judge.plain == world.text, f"{case.name}: another plaintext")
            usual = case.name.startswith("good-") and case.name not in ("good-approvals", "good-identifier-lies")
            if usual and case.expect.get("restore") == "OK" and case.expect.get("rotate") == "OK":
                for what in stock_tools(directory, world, path):
                    check(False, f"{case.name}: stock openssl: {what}")
                check(True, "")
        for got, detail in stock_statement(directory, world):
            check(got == "OK", f"statement signed by the stock command: {got} {detail}")
    return passed, failed
