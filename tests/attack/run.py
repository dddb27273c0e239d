#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run the command on every forged backup, and compare the class of its answer.

Usage: run.py COFFER FORGE

FORGE makes the backups (tests/reference/forge); each breaks something, or nothing.  For every
expectation the exit status must be one of the classes expected, and besides:

  - what is restored is the text that was backed up; on failure there is no output file;
  - a refused rotation leaves every byte as it was; a successful one leaves the body as it was, and
    what the new recipient then restores is the same;
  - files are restored as stock tar and the independent reader have them; after a failure nothing but
    whole files is in the directory, and nothing at all outside of it;
  - nothing ever ends by a signal.
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

STATUS = {
    "OK": 0, "AUTH": 3, "NO_MATCH": 4, "FORMAT": 5, "UNSUPPORTED": 5, "LIMIT": 5, "IO": 6,
    "CERT": 7, "WARN": 9,
}


# Good backups of kinds that this version does not read yet: it must say so, and nothing else.
NOT_YET = ()


COMPARE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "cli", "tree_compare.py")


class Attack:
    def __init__(self, coffer, reader, world, scratch):
        self.coffer, self.reader, self.world, self.scratch = coffer, reader, world, scratch
        with open(os.path.join(world, "text"), "rb") as f:
            self.text = f.read()
        self.env = dict(os.environ, COFFER_HOME=os.path.join(scratch, "no-home"))

    def key(self, name, kind="key"):
        return os.path.join(self.world, "keys", f"{name}.{kind}")

    def call(self, *args):
        done = subprocess.run([self.coffer, *args], env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False)
        return done.returncode, done.stderr.decode("utf-8", "replace").strip()

    def trust(self, maker):
        return ["--trust", self.key(maker, "crt"), "--trust-custodian", self.key("custodian", "crt")]

    def quick(self, path, _who, maker, _case):
        status, said = self.call("verify", "--quick", *self.trust(maker), path)
        return status, said, None

    def verify(self, path, _who, maker, _case):
        status, said = self.call("verify", *self.trust(maker), path)
        return status, said, None

    def maker(self, path, who, maker, _case):
        status, said = self.call("verify", "--maker", *self.trust(maker), "--key",
                                 self.key(who or "alice"), path)
        return status, said, None

    def restore(self, path, who, maker, case, beside=None):
        out = os.path.join(self.scratch, f"{case}-{who}.out")
        status, said = self.call("restore", *self.trust(maker), "--key", self.key(who or "alice"),
                                 *(["--volume-dir", beside] if beside else []), "-o", out, path)
        if status == 2 and "streams with names" in said:
            status, said = self.restore_streams(path, who, maker, out)
        if status in (0, 9):
            with open(out, "rb") as f:
                content = f.read()
            os.unlink(out)
            right = content == self.text or content == self.reference(path, who, maker)
            return status, said, None if right else "other content was restored"
        return status, said, "an output file is left" if os.path.exists(out) else None

    def restore_streams(self, path, who, maker, out):
        """All named streams, one behind the other in the order of their names."""
        with open(out, "xb") as f:
            done = subprocess.run(
                [self.coffer, "restore", *self.trust(maker), "--key", self.key(who or "alice"), "--stdout", path, "."],
                env=self.env, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.PIPE, timeout=60, check=False)
        if done.returncode not in (0, 9):
            os.unlink(out)
        return done.returncode, done.stderr.decode("utf-8", "replace").strip()

    def reference(self, path, who, maker):
        """What the independent reader restores: some cases have a content of their own."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            out = os.path.join(folder, "out")
            subprocess.run([self.reader, path, "--key", self.key(who or "alice"), "--trust",
                            self.key(maker, "crt"), "--trust-custodian",
                            self.key("custodian", "crt"), "-o", out], capture_output=True, check=False)
            if not os.path.exists(out):
                return None
            with open(out, "rb") as f:
                return f.read()

    def deep(self, path, _who, maker, _case):
        status, said = self.call("verify", "--deep", *self.trust(maker), "--key", self.key("alice"), path)
        return status, said, None

    def extract(self, path, _who, maker, case):
        folder = os.path.join(self.scratch, f"{case}.files")
        out = os.path.join(folder, "out")
        os.mkdir(folder)
        try:
            status, said = self.call("restore", *self.trust(maker), "--key", self.key("alice"), "-C", out, path)
            return status, said, self.judge_files(folder, path, maker, status in (0, 9))
        finally:
            shutil.rmtree(folder)

    def judge_files(self, folder, path, maker, good):
        out = os.path.join(folder, "out")
        if set(os.listdir(folder)) - {"out"} or os.path.exists("/tmp/evil"):
            return "something outside was written"
        if any(name.startswith(".coffer-") for _, _, names in os.walk(out) for name in names):
            return "an unfinished file is left"
        if not good:
            return None
        archive = self.reference(path, "alice", maker)
        if archive is None:  # who reads all of it may find what who restores it does not need
            return None
        expected = os.path.join(folder, "expected")
        os.mkdir(expected)
        subprocess.run(["bsdtar", "-xpf", "-", "-C", expected], input=archive, check=True)
        done = subprocess.run([sys.executable, COMPARE, out, expected, "--no-holes"], capture_output=True, check=False)
        return None if done.returncode == 0 else f"other files were restored: {done.stdout}"

    def rotate(self, path, _who, maker, case):
        copy = os.path.join(self.scratch, f"{case}.cof")
        shutil.copyfile(path, copy)
        try:
            status, said = self.call(
                "rotate", *self.trust(maker), "--key", self.key("alice"), "-r", self.key("carol", "crt"),
                "--sign-key", self.key("custodian"), "--sign-cert", self.key("custodian", "crt"), copy)
            return status, said, self.judge_rotation(path, copy, status, maker, case)
        finally:
            os.unlink(copy)

    def judge_rotation(self, path, copy, status, maker, case):
        with open(path, "rb") as f:
            before = f.read()
        with open(copy, "rb") as f:
            after = f.read()
        if status not in (0, 9):
            return None if before == after else "a refused rotation changed the file"
        head = 8192 + 2 * int.from_bytes(after[24:32], "big")
        if before[head:] != after[head:]:
            return "the rotation changed the body"
        status, said, wrong = self.restore(copy, "alice", maker, case, os.path.dirname(path))
        return wrong if status not in (0, 9) else f"the old recipient still opens it: {said}"

    def judge(self, row):
        name, file, operation, expected = row[:4]
        if name.startswith(NOT_YET):
            expected = "UNSUPPORTED"
        operation, _, maker = operation.partition("@")
        operation, _, who = operation.partition(":")
        status, said, wrong = getattr(self, operation)(
            os.path.join(self.world, file), who, maker or "maker", name)
        if status not in {STATUS[word] for word in expected.split("|")}:
            wrong = f"expected {expected}, got status {status}"
        return f"{name} {row[2]}: {expected}", wrong, said


def main():
    coffer, forge = (os.path.abspath(p) for p in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="coffer-attack-") as scratch:
        world = os.path.join(scratch, "world")
        subprocess.run([forge, "--out", world], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(world, "cases.tsv"), encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f][1:]
        attack = Attack(coffer, os.path.join(os.path.dirname(forge), "read"), world, scratch)
        failures = 0
        print(f"1..{len(rows)}")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, (title, wrong, said) in enumerate(pool.map(attack.judge, rows), 1):
                print(f"{'not ok' if wrong else 'ok'} {number} - {title}")
                if wrong:
                    failures += 1
                    print(f"# {wrong}; it said: {said}")
        return failures != 0


sys.exit(main())
