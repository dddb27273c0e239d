#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments, on the file system of the working directory.

Usage: kill.py COFFER [SEED [ROTATIONS [BACKUPS [RESTORES [REKEYS]]]]]

A rotation that is killed leaves a backup that opens for the old recipient or for the new one, and
says whether something is pending; the next one completes it, and no part of an old wrapped key is
left in the file.  A backup that is killed leaves nothing under its name, or the whole; what it left
under another name goes with prune.  Files that are restored by a process that is killed are there, each
as it was in everything, or not; nothing else is; and the next run, with --force, makes everything as it
was, directories included.  A rekey of several volumes leaves the old set or the new
one, and the same command finishes it, with nothing left.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HEAD = 8192 + 2 * 16384
DAY = 86400


def item(slot, wanted):
    """The first item of a type in an envelope (FORMAT.md, section 2.3)."""
    at = 16
    while at < int.from_bytes(slot[8:16], "big"):
        kind, length = int.from_bytes(slot[at:at + 2], "big"), int.from_bytes(slot[at + 4:at + 8], "big")
        if kind == wanted:
            return slot[at + 8:at + 8 + length]
        at += 8 + length
    raise ValueError("no such item")


def wrapped_keys(path):
    """All runs of 16 bytes of the encrypted keys: of the data key's, and of each recipient's.

    The latter are 40 bytes at the end of a RecipientInfo, with the next one or the encrypted content
    behind them; without that, random bytes would be taken for one now and then, and found again.
    """
    with open(path, "rb") as f:
        keys = item(f.read(HEAD)[8192:], 1)
    places = [at + 2 for at in range(len(keys) - 42)
              if keys[at:at + 2] == b"\x04\x28" and keys[at + 42] in (0xa1, 0x30)]
    parts = [keys[at:at + 40] for at in places] + [keys[-50:-18], keys[-16:]]
    assert places
    return {part[at:at + 16] for part in parts for at in range(len(part) - 15)}


class Kill:
    def __init__(self, coffer, folder, seed):
        self.coffer, self.folder = coffer, folder
        self.random = random.Random(seed)
        self.env = dict(os.environ, COFFER_HOME=os.path.join(folder, "home"))
        self.number = self.failures = 0

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def tell(self, wrong, what):
        self.number += 1
        self.failures += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.number} - {what}", flush=True)
        for line in wrong[:10]:
            print("# " + line)

    def start(self, *args, **streams):
        return subprocess.Popen([self.coffer, *args], env=self.env, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, **streams)

    def call(self, *args):
        return self.start(*args).wait()

    def keys(self):
        for name in ("one", "two"):
            self.call("keygen", self.path(name), "--type", "p256", "--no-passphrase", "-q")
        self.call("init", "-r", self.path("one.crt"), "--name", "kill", "-q")
        with open(self.path("source"), "wb") as f:
            f.write(os.urandom(3 << 20))

    def duration(self, run):
        """How long it takes when nobody kills it."""
        times = []
        for turn in range(5):
            begin = time.monotonic()
            run(turn).wait()
            times.append(time.monotonic() - begin)
        return statistics.median(times)

    def killed(self, process, usual):
        """Kill it somewhere in its usual time; two times of three near the end, where it writes."""
        time.sleep(usual * self.random.uniform(0.6 if self.random.random() < 0.67 else 0, 1.0))
        process.kill()
        return process.wait()

    # ---- rotations ----

    def rotation(self, to):
        return self.start("rotate", self.path("x.cof"), "-q", "-r", self.path(to + ".crt"), "--drop-history",
                          "--key", self.path("one.key"), "--key", self.path("two.key"))

    def opens(self, key):
        status = self.call("restore", self.path("x.cof"), "--key", self.path(key + ".key"), "-q",
                           "-o", self.path("out"), "--force")
        if status in (0, 9):
            with open(self.path("out"), "rb") as out, open(self.path("small"), "rb") as small:
                assert out.read() == small.read()
        return status

    def judge(self, old, new, keys):
        """(what is wrong, what was found) after a killed rotation; then the next one goes on."""
        one, other = self.opens(old), self.opens(new)
        found = "old" if one != 4 else "new"
        if sorted((one, other)) not in ([0, 4], [4, 9]):
            return f"restore ends with {one} for the old recipient, with {other} for the new one", found
        if 9 in (one, other):
            found += ", pending"
        status = self.rotation(new).wait()
        if status != 0 and (status != 9 or "pending" not in found):
            return f"the next rotation ends with {status}", found
        if self.opens(new) != 0:  # 9: something is still pending
            return "the next rotation does not complete it", found
        with open(self.path("x.cof"), "rb") as f:
            data = f.read()
        return ("a part of an old wrapped key is left" if any(k in data for k in keys) else None), found

    def rotations(self, count):
        with open(self.path("small"), "wb") as f:
            f.write(os.urandom(3000))
        with open(self.path("small"), "rb") as f:
            self.start("backup", "-q", "-o", self.path("x.cof"), "-", stdin=f).wait()
        usual = self.duration(lambda turn: self.rotation(("two", "one")[turn % 2]))
        wrong, tally = [], {}
        old, new = "two", "one"
        for turn in range(count):
            keys = wrapped_keys(self.path("x.cof"))
            status = self.killed(self.rotation(new), usual)
            bad, found = self.judge(old, new, keys)
            found = "done" if status == 0 else found
            tally[found] = tally.get(found, 0) + 1
            if bad:
                wrong.append(f"turn {turn}: {bad}")
            old, new = new, old
        self.tell(wrong, f"{count} rotations killed: " + ", ".join(f"{v} {k}" for k, v in sorted(tally.items())))

    # ---- backups ----

    def backup(self, name):
        with open(self.path("source"), "rb") as f:
            return self.start("backup", "-q", "-o", self.path("dir", name), "-", stdin=f)

    def unfinished(self):
        return [n for n in os.listdir(self.path("dir")) if n.startswith(".") and n.endswith(".tmp")]

    def backups(self, count):
        os.mkdir(self.path("dir"))
        usual = self.duration(lambda turn: self.backup(f"whole{turn}.cof"))
        wrong, whole = [], 0
        for turn in range(count):
            name = f"x{turn}.cof"
            self.killed(self.backup(name), usual)
            if not os.path.exists(self.path("dir", name)):
                continue
            whole += 1
            if self.call("verify", "-q", self.path("dir", name)) != 0:
                wrong.append(f"turn {turn}: half a backup has the final name")
            os.unlink(self.path("dir", name))
        left = self.unfinished()
        self.tell(wrong, f"{count} backups killed: {whole} whole, {len(left)} left unfinished files")
        for name in left:
            os.utime(self.path("dir", name), (time.time() - 2 * DAY,) * 2)
        status = self.call("prune", self.path("dir"), "--keep-last", "1", "-q")
        left = self.unfinished() + ([] if status == 0 else [f"prune ends with {status}"])
        self.tell(left, "prune removes what they left")


    # ---- restored files ----

    def tree(self):
        """Small and large files, each of another time and mode."""
        os.makedirs(self.path("tree", "a"))
        for i in range(120):
            name = self.path("tree", *(["a"] if i % 2 else []), f"f{i:03}")
            with open(name, "wb") as f:
                f.write(os.urandom((3 << 20) if i % 20 == 0 else 20000))
            os.chmod(name, 0o400 + i % 2)
            os.utime(name, (0, 1000000000 + i))
        os.chdir(self.folder)
        return self.call("backup", "-q", "-o", self.path("tree.cof"), "tree")

    def restore(self, out, *more):
        return self.start("restore", "-q", self.path("tree.cof"), "--key", self.path("one.key"), "-C", self.path(out),
                          *more)

    def killed_between(self, process, out):
        """Kill it when some of the files are there: by what is seen, since a busy machine has times of its own."""
        wanted = self.random.randrange(1, 119)
        while process.poll() is None and sum(len(names) for _, _, names in os.walk(self.path(out))) < wanted:
            pass
        process.kill()
        return process.wait()

    def differences(self, out, whole=False):
        """(what is not as it was, how many files are there); whole: directories count, too"""
        wrong, found = [], 0
        for folder, folders, names in os.walk(self.path(out)):
            for name in folders if whole else []:
                one = os.stat(os.path.join(folder, name))
                other = os.stat(self.path(os.path.relpath(os.path.join(folder, name), self.path(out))))
                if (one.st_mode, one.st_mtime_ns) != (other.st_mode, other.st_mtime_ns):
                    wrong.append(f"the directory {name} has another time or mode")
            for name in names:
                here = os.path.join(folder, name)
                there = self.path(os.path.relpath(here, self.path(out)))
                found += 1
                if not os.path.exists(there):
                    wrong.append(f"{name} is in no backup")
                    continue
                one, other = os.stat(here), os.stat(there)
                if (one.st_mode, one.st_mtime_ns, one.st_size) != (other.st_mode, other.st_mtime_ns, other.st_size):
                    wrong.append(f"{name} has another size, time or mode")
                with open(here, "rb") as a, open(there, "rb") as b:
                    if a.read() != b.read():
                        wrong.append(f"{name} has another content")
        return wrong, found

    def restores(self, count):
        self.tree()
        usual = self.duration(lambda turn: self.restore(f"whole{turn}"))
        wrong, counts = [], []
        for turn in range(count):
            out = f"out{turn}"
            if turn % 4 == 0:
                self.killed(self.restore(out), usual)
            else:
                self.killed_between(self.restore(out), out)
            bad, found = self.differences(out)
            wrong += [f"turn {turn}: {w}" for w in bad]
            counts.append(found)
            status = self.restore(out, "--force").wait()
            bad, found = self.differences(out, whole=True)
            if status != 0 or bad or found != 120:
                wrong.append(f"turn {turn}: the next run ends with {status}, with {found} files: {bad}")
            shutil.rmtree(self.path(out), ignore_errors=True)
        partly = sum(0 < n < 120 for n in counts)
        if partly < count // 10:
            wrong.append(f"only {partly} were killed between two files")
        self.tell(wrong, f"{count} restores killed: {partly} with a part of the files, each whole")


    # ---- rekeying ----

    def rekey(self, to):
        return self.start("rekey", "-q", self.path("set", "x.cof"), "-r", self.path(to + ".crt"), "--drop-history",
                          "--key", self.path("one.key"), "--key", self.path("two.key"))

    def whole(self, key):
        """Does the set restore with that key, to what was backed up?  The exit status."""
        status = self.call("restore", "-q", self.path("set", "x.cof"), "--key", self.path(key + ".key"), "-o",
                           self.path("out"), "--force")
        if status == 0:
            with open(self.path("out"), "rb") as out, open(self.path("source"), "rb") as source:
                assert out.read() == source.read()
        return status

    def rekeys(self, count):
        """Of three volumes, killed: the old set or the new one; the same command finishes it."""
        os.mkdir(self.path("set"))
        with open(self.path("source"), "rb") as f:
            self.start("backup", "-q", "-o", self.path("set", "x.cof"), "--record-size", "64K", "--volume-size",
                       "1300K", "-", stdin=f).wait()
        names = sorted(os.listdir(self.path("set")))
        usual = self.duration(lambda turn: self.rekey(("two", "one")[turn % 2]))
        wrong, tally, old, new = [] if len(names) == 3 else [f"{names}"], {"old": 0, "new": 0}, "two", "one"
        for turn in range(count):
            self.killed(self.rekey(new), usual)
            found = (self.whole(old), self.whole(new))
            tally["old" if found == (0, 4) else "new"] += 1
            if sorted(found) != [0, 4]:
                wrong.append(f"turn {turn}: restore ends with {found}")
            if self.rekey(new).wait() != 0 or (self.whole(old), self.whole(new)) != (4, 0):
                wrong.append(f"turn {turn}: the same command does not finish it")
            if sorted(os.listdir(self.path("set"))) != names:
                wrong.append(f"turn {turn}: {sorted(os.listdir(self.path('set')))} is left")
            old, new = new, old
        self.tell(wrong, f"{count} rekeys of three volumes killed: {tally['old']} old sets, {tally['new']} new ones")


def main():
    coffer = os.path.abspath(sys.argv[1])
    usual = [20261124, 300, 100, 40, 40]
    seed, rotations, backups, restores, rekeys = [int(a) for a in sys.argv[2:]] + usual[len(sys.argv) - 2:]
    print(f"# seed {seed}")
    with tempfile.TemporaryDirectory(prefix="kill-", dir=".") as folder:
        kill = Kill(coffer, os.path.abspath(folder), seed)
        kill.keys()
        kill.rotations(rotations)
        kill.backups(backups)
        kill.restores(restores)
        kill.rekeys(rekeys)
    print(f"1..{kill.number}")
    return kill.failures != 0


sys.exit(main())
