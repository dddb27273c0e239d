#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where in the memory of the command are its secrets, while it works and at the end?

While it works: passphrases, private keys, the data key and what is derived from it only in memory that
core dumps leave out (AT_WORK has what the library cannot be made to keep there).  At the end: nowhere.  And never in what is printed.

usage: memory.py COFFER
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "reference"))
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

from coffer_ref import certs  # noqa: E402
from coffer_ref.binary import u64  # noqa: E402
from coffer_ref.reader import Backup, Trust  # noqa: E402
from coffer_ref.schedule import expand  # noqa: E402

COFFER = os.path.abspath(sys.argv[1])
# What stands in other memory while it is worked with: the cipher's key in its context, and the primes of
# an RSA key as moduli of the library's arithmetic.
AT_WORK = re.compile(r"record key$| [pq] \(as computed with\)$")


class Test:
    def __init__(self):
        self.count = self.bad = 0

    def case(self, name, findings):
        self.count += 1
        self.bad += bool(findings)
        print("%s %d - %s" % ("not ok" if findings else "ok", self.count, name), flush=True)
        for finding in findings:
            print("#   " + finding)


def both_ways(name, number, length):
    """A number as files and as the library's arithmetic hold it; without the ends, which it may cut."""
    big = number.to_bytes(length, "big")
    return [(name, big[4:36]), (name + " (as computed with)", big[::-1][4:36])]


def of_key(path, passphrase):
    key = certs.load_key(path, passphrase.encode() if passphrase else None)
    numbers = key.private_numbers()
    name = os.path.basename(path)
    if isinstance(key, rsa.RSAPrivateKey):
        half = key.key_size // 16
        found = both_ways(name + " d", numbers.d, key.key_size // 8)
        for part in ("p", "q", "dmp1", "dmq1", "iqmp"):
            found += both_ways(name + " " + part, getattr(numbers, part), half)
        return found
    big = numbers.private_value.to_bytes(key.key_size // 8, "big")
    found = [(name + " scalar", big[2:30]), (name + " scalar (as computed with)", big[::-1][2:30])]
    if not passphrase:
        with open(path, "rb") as f:
            found.append((name + " file", f.read().split(b"\n")[1][10:60]))
    return found


def of_backup(path, key, passphrase, trust, name=""):
    backup = Backup(path, Trust([trust], [], []), [], prove_maker=False)
    private = certs.load_key(key, passphrase.encode() if passphrase else None)
    backup.unlock(private)
    dek = backup.locks.keys.open(private, backup.locks.certificates)
    prk = backup.schedule.prk
    return [(name + "data key", dek), (name + "PRK", prk),
            (name + "custody key", expand(prk, b"coffer v1 custody", 32)),
            (name + "record key", expand(prk, b"coffer v1 record" + u64(0), 32))]


def mappings(path):
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        head = re.match(rb"MAP (\d+) (\d) (\w+)\n", data[at:at + 80])
        at += head.end()
        length = int(head.group(1))
        yield head.group(3).decode(), head.group(2) == b"1", data[at:at + length]
        at += length


def search(test, what, dump, printed, wanted):
    lost, left, hidden, points = set(), set(), set(), set()
    for point, is_hidden, memory in mappings(dump):
        points.add(point)
        for name, value in wanted:
            if value not in memory:
                continue
            if point == "end":
                left.add(name)
            elif is_hidden:
                hidden.add(name)
            elif not AT_WORK.search(name):
                lost.add(name)
    test.case(what + ": memory was seen at work and at the end", [] if points == {"work", "end"} else [str(points)])
    test.case(what + ": what is searched for can be found", [] if hidden else ["nothing was"])
    test.case(what + ": at work only in memory that is locked and not dumped", sorted(lost))
    test.case(what + ": nowhere at the end", sorted(left))
    test.case(what + ": not printed", sorted({n for n, v in wanted if v in printed or v.hex().encode() in printed}))


class World:
    def __init__(self, folder, so):
        self.folder, self.so = folder, so
        self.phrases = {}
        os.chdir(folder)
        os.environ["COFFER_HOME"] = os.path.join(folder, "home")
        with open("content", "wb") as f:
            f.write(os.urandom(1 << 20))
        self.make("ops", "rsa-2048", True)
        self.make("ec", "p256", False)
        self.run("init", "--name", "db1", "--type", "p256", "-r", "ops.crt", "-r", "ec.crt", "-q")

    def make(self, name, kind, protected):
        options = ["--no-passphrase"]
        if protected:
            self.phrases[name] = secrets.token_hex(20)
            with open(os.open(name + ".pass", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
                f.write(self.phrases[name] + "\n")
            options = ["--new-passphrase-file", name + ".pass"]
        return self.run("keygen", name, "--type", kind, "-q", *options)

    def run(self, *arguments):
        dump = os.path.join(self.folder, "dump")
        environment = dict(os.environ, LD_PRELOAD=self.so, SECRETS_DUMP=dump)
        with open("content", "rb") as content:
            done = subprocess.run([COFFER, *arguments], env=environment, stdin=content, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=120, check=False)
        if done.returncode != 0:
            sys.exit("coffer %s: %s" % (" ".join(arguments), done.stdout.decode()))
        return dump, done.stdout

    def key(self, name):
        phrase = self.phrases.get(name)
        found = of_key(name + ".key", phrase)
        return found + ([(name + " passphrase", phrase.encode())] if phrase else [])


def main():
    test = Test()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        so = os.path.join(folder, "dump.so")
        subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", so, os.path.join(HERE, "dump.c"), "-ldl"],
                       check=True)
        world = World(folder, so)
        trust = "home/signing.crt"
        signing = of_key("home/signing.key", None)
        ops = ("--key", "ops.key", "--key-passphrase-file", "ops.pass")

        def look(what, wanted, *arguments, more=lambda: []):
            dump, printed = world.run(*arguments)
            search(test, what, dump, printed, wanted + more())

        def data_key(path, name=""):
            return of_backup(path, "ops.key", world.phrases["ops"], trust, name)

        dump, printed = world.make("other", "rsa-2048", True)
        search(test, "keygen", dump, printed, world.key("other"))
        dump, printed = world.make("bare", "p384", False)
        search(test, "keygen --no-passphrase", dump, printed, world.key("bare"))
        look("backup", signing, "backup", "-o", "a.cof", "-", more=lambda: data_key("a.cof"))
        look("restore with RSA", world.key("ops") + data_key("a.cof"), "restore", "a.cof", *ops, "-o", "one")
        look("restore with EC", world.key("ec") + data_key("a.cof"), "restore", "a.cof", "--key", "ec.key", "-o", "two")
        look("rotate", signing + world.key("ops") + data_key("a.cof"), "rotate", "a.cof", *ops, "--add", "other.crt",
             "--check-key", "other.key", "--check-key-passphrase-file", "other.pass", more=lambda: world.key("other"))
        old = data_key("a.cof", "old ")
        look("rekey", signing + world.key("ops") + old, "rekey", "a.cof", *ops, "-r", "ops.crt",
             more=lambda: data_key("a.cof", "new "))
        world.run("backup", "-q", "-o", "b.cof", "--record-size", "64K", "-")
        old = data_key("b.cof", "old ")
        world.run("rekey", "-q", "b.cof", *ops, "-r", "ops.crt")
        look("restore what was rekeyed", world.key("ops") + old + data_key("b.cof"), "restore", "b.cof", *ops,
             "--jobs", "4", "-o", "three")
        os.chdir("/")
    print("1..%d" % test.count)
    sys.exit(test.bad != 0)


main()
