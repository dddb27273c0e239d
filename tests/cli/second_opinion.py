#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Does the independent reader say the same of every backup that tests have left behind?

usage: second_opinion.py COFFER DIR

Each file below DIR that begins as a backup does, damaged ones included, is verified deeply and restored
by the command and by tests/reference, with all certificates below DIR trusted and the first key below
DIR that opens it: both must give the same bytes, or both refuse.  Prints what they disagree about, and
fails then.
"""

import hashlib
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reference"))
from coffer_ref import certs, verify  # noqa: E402
from coffer_ref.errors import Refused  # noqa: E402
from coffer_ref.head import MAGIC, ROLE_WHOLE  # noqa: E402
from coffer_ref.reader import Backup, Trust  # noqa: E402
from coffer_ref.volume import Volume  # noqa: E402


def files(top, *condition):
    """Regular files below top, however deep, each inode once; condition: as find has it."""
    found = subprocess.run(["find", top, "-xdev", "-type", "f", *condition, "-printf", "%i %p\\0"],
                           stdout=subprocess.PIPE, check=True).stdout
    by_inode = dict(line.split(b" ", 1) for line in found.split(b"\0") if line)
    return sorted(os.fsdecode(path) for path in by_inode.values())


def begins_as_a_backup(path):
    with open(path, "rb") as f:
        return f.read(8) == MAGIC or (f.seek(4096) and f.read(8) == MAGIC)


def digest_of(stream):
    digest = hashlib.sha256()
    for piece in iter(lambda: stream.read(1 << 20), b""):
        digest.update(piece)
    return digest.hexdigest()


class People:
    """Every certificate, and every key without a passphrase, once."""

    def __init__(self, top):
        self.certificates, self.keys = {}, {}
        for path in files(top, "-name", "*.crt"):
            try:
                self.certificates.setdefault(certs.load(path).sha256, path)
            except (Refused, ValueError, OSError):
                pass
        for path in files(top, "-name", "*.key"):
            try:
                key = certs.load_key(path, None)
                self.keys.setdefault(key.private_numbers(), (path, key))
            except (Refused, ValueError, TypeError, AttributeError, OSError):
                pass

    def key_for(self, backup):
        return next(((path, key) for path, key in self.keys.values() if backup.opens_with(key)), (None, None))


def theirs(path, people):
    """(what the reference restores, as a hash; None: it refuses, the key's path, its words)"""
    name, words = None, "OK"
    try:
        backup = Backup(path, Trust(list(people.certificates.values())))
        if backup.sealed:
            name, key = people.key_for(backup)
            if key is None:
                return None, None, "no key here"
            backup.unlock(key)
        walk = verify.verify(backup)
        with tempfile.TemporaryFile() as out:
            verify.restore(backup, walk, out)
            out.seek(0)
            return digest_of(out), name, words
    except Refused as refused:
        return None, name, str(refused)


def where(coffer, path, options):
    """How the whole content is had as one stream: named streams in the order of their names."""
    named = subprocess.run([coffer, "restore", "-q", *options, "-o", "-", path], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                           env=dict(os.environ, COFFER_HOME="/nonexistent"))
    return ["--stdout", path, "."] if named.returncode == 2 and b"streams with names" in named.stderr else ["-o", "-", path]


def ours(coffer, path, people, key):
    """The same by the command; without a key for it, any."""
    keys = [key] if key else [path for path, _ in people.keys.values()][:1]
    options = [*(w for c in people.certificates.values() for w in ("--trust", c)), *(w for k in keys for w in ("--key", k))]
    found = None
    with tempfile.TemporaryFile() as said:
        for command in (["verify", "--deep", path], ["restore", *where(coffer, path, options)]):
            process = subprocess.Popen(
                [coffer, *command, "-q", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=said, env=dict(os.environ, COFFER_HOME="/nonexistent"))
            found = digest_of(process.stdout)
            if process.wait() not in (0, 9):
                found = None
                break
        said.seek(0)
        return found, said.read().decode("utf-8", "replace").strip()


def is_later_or_lone(path):
    try:
        return Volume(path).superblock.role != ROLE_WHOLE
    except Refused:
        return False


def main():
    coffer, top = sys.argv[1:]
    people, seen, good, failed = People(top), set(), 0, 0
    for path in files(top, "-size", "+15k"):
        if not begins_as_a_backup(path) or is_later_or_lone(path):
            continue
        with open(path, "rb") as f:
            content = digest_of(f)
        if content in seen:
            continue
        seen.add(content)
        expected, key, words = theirs(path, people)
        found, said = ours(coffer, path, people, key)
        good += found is not None
        if found != expected:
            failed += 1
            print(f"# {ascii(path)}: the reference: {ascii(words)}; the command: {ascii(said) or 'OK'}")
    print(f"# {len(seen)} backups, {good} of them good, read by the reference as well")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
