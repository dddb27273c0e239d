# SPDX-License-Identifier: Apache-2.0
"""Keys, data and the stop-watch."""

import os
import random
import shutil
import statistics
import subprocess
import sysconfig
import time

MIB = 1 << 20
GIB = 1 << 30


class Contender:
    """One way to do a piece of work: a shell command, and what has to be there before each run."""

    def __init__(self, name, command, output=None, before=None, threads=None):
        self.name, self.command, self.output = name, command, output
        self.before, self.threads = before, threads
        self.times, self.resident, self.size = [], 0, None

    def row(self, amount):
        row = {"name": self.name, "median": statistics.median(self.times), "least": min(self.times),
               "most": max(self.times), "resident": self.resident, "size": self.size}
        if amount:
            row["bytes_per_second"] = amount / row["median"]
        return row


def size_of(path):
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)


def remove(*paths):
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)


class World:
    def __init__(self, coffer, memory, disk, scale, rounds):
        self.coffer, self.memory, self.disk, self.scale, self.rounds = coffer, memory, disk, scale, rounds
        self.env = dict(os.environ, COFFER=coffer, COFFER_HOME=self.path("home"), GNUPGHOME=self.path("gnupg"),
                        RESTIC_PASSWORD="bench", RESTIC_CACHE_DIR=self.path("restic-cache"), BORG_PASSPHRASE="bench",
                        BORG_BASE_DIR=self.path("borg-base"), BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes",
                        BORG_RELOCATED_REPO_ACCESS_IS_OK="yes", LC_ALL="C.UTF-8")
        self.made = set()
        self.keys()

    def path(self, *names):
        return os.path.join(self.memory, *names)

    # ---- running ----

    def call(self, command, **more):
        return subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=self.memory, env=self.env, check=True,
                              stdin=subprocess.DEVNULL, **more)

    def quiet(self, command):
        self.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def text(self, command):
        return self.call(command, stdout=subprocess.PIPE, encoding="utf-8").stdout

    def watch(self, command):
        """(seconds, most bytes resident of one process)"""
        with open(self.path("said"), "wb") as said:
            start = time.perf_counter()
            process = subprocess.run(["/usr/bin/time", "-q", "-f", "%M", "-o", "resident", "bash", "-eo", "pipefail", "-c", command],
                                     cwd=self.memory, env=self.env, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                     check=False)
            seconds = time.perf_counter() - start
        if process.returncode != 0:
            with open(self.path("said"), encoding="utf-8", errors="replace") as said:
                raise SystemExit(f"bench: this ended with {process.returncode}: {command}\n{said.read()[-2000:]}")
        with open(self.path("resident"), encoding="utf-8") as f:
            return seconds, int(f.read()) * 1024

    def take_memory(self, amount):
        """Take so much and give it back: what a virtual machine had lent to its host would cost whoever comes first."""
        with open(self.path("taken"), "wb") as f:
            os.posix_fallocate(f.fileno(), 0, amount)
        remove(self.path("taken"))

    def compare(self, contenders, amount=None, rounds=None):
        """Run all in turn: first to warm up, then for the record.  Their rows, ours first."""
        for turn in range(1 + (rounds or self.rounds)):
            for c in contenders:
                if c.output:
                    remove(self.path(c.output))
                if c.before:
                    c.before()
                if amount:
                    self.take_memory(min(amount, 3 * GIB))
                seconds, resident = self.watch(c.command)
                if turn > 0:
                    c.times.append(seconds)
                    c.resident = max(c.resident, resident)
                if c.output:
                    c.size = size_of(self.path(c.output))
        for c in contenders:
            print(f"   {c.name:44} {statistics.median(c.times):9.3f} s", flush=True)
        return [c.row(amount) for c in contenders]

    # ---- what is worked with ----

    def keys(self):
        for name in ("a", "b", "c"):
            self.quiet(f"$COFFER keygen {name} --type rsa-3072 --no-passphrase")
        self.quiet("$COFFER init -r a.crt --name bench --type rsa-3072")
        for name in ("age", "age2"):
            self.quiet(f"age-keygen -o {name}.key && age-keygen -y {name}.key > {name}.pub")
        os.mkdir(self.path("gnupg"), 0o700)
        self.quiet("gpg --batch --passphrase '' --quick-gen-key bench rsa3072 cert,sign never && "
                   "gpg --batch --passphrase '' --quick-add-key "
                   "$(gpg --list-keys --with-colons bench | awk -F: '/^fpr/ {print $10; exit}') rsa3072 encr never")
        self.quiet("openssl req -x509 -newkey rsa:3072 -noenc -subj /CN=cms -keyout cms.key -out cms.crt -days 30")

    def scaled(self, size, least):
        return max(int(size * self.scale), least)

    def once(self, name):
        first = name not in self.made
        self.made.add(name)
        return first

    def random_file(self):
        size = self.scaled(2 * GIB, 4 * MIB)
        if self.once("random"):
            self.quiet(f"head -c {size} /dev/zero | openssl enc -aes-128-ctr -nosalt -pass pass:bench -pbkdf2 -iter 1 > random")
        return "random", size

    def corpus(self):
        folder, found, size = sysconfig.get_path("stdlib"), [], 0
        for place, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                if name.endswith(".py") and size < 24 * MIB:
                    with open(os.path.join(place, name), "rb") as f:
                        found.append(f.read())
                    size += len(found[-1])
        return b"".join(found)

    def text_file(self):
        """Program text in an order of its own: it compresses about as text does."""
        size = self.scaled(2 * GIB, 4 * MIB)
        if self.once("text"):
            chance, corpus, left = random.Random(1), self.corpus(), size
            with open(self.path("text"), "wb") as f:
                while left > 0:
                    at, length = chance.randrange(len(corpus) - 1), chance.randrange(200, 60000)
                    left -= f.write(corpus[at:at + min(length, left)])
        return "text", size

    def tree(self):
        """72,000 files of 2.2 GB in all, most of them small; about a seventh does not compress."""
        files = self.scaled(72000, 200)
        if self.once("tree"):
            chance, corpus = random.Random(2), self.corpus()
            for i in range(files):
                folder = self.path("tree", f"d{i // 1000:03}", f"s{i // 50 % 20:02}")
                os.makedirs(folder, exist_ok=True)
                size = min(int(chance.lognormvariate(8.6, 1.85)), 64 * MIB)
                with open(os.path.join(folder, f"file-{i:06}"), "wb") as f:
                    if chance.random() < 0.14:
                        f.write(chance.randbytes(size))
                    while f.tell() < size:
                        at = chance.randrange(len(corpus) - 1)
                        f.write(corpus[at:at + min(chance.randrange(200, 40000), size - f.tell())])
        return "tree", size_of(self.path("tree")), files

    def close(self):
        self.quiet("gpgconf --kill all || true")
