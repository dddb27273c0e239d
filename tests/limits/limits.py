#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bounds that do not depend on the speed of a machine: memory and size.

Usage: limits.py COFFER [GIBIBYTES [GIBIBYTES-FOR-FOUR-THREADS]]      (8 and 2)

An 8 GiB stream is backed up, verified, verified deeply and restored on one thread with at most 48
MiB resident, and one of 2 GiB on four with at most 96; a 1 KiB backup takes at most 48 KiB, whatever the kinds of key.
"""

import os
import subprocess
import sys
import tempfile

MIB = 1 << 20
RESIDENT_MAX = {1: 48 * MIB, 4: 96 * MIB}  # threads; promised are 64 MiB + 8 records for each
UNBOUNDED = "COFFER_SLOW" in os.environ  # sanitizers keep what is given back
SMALL_MAX = 48 << 10


class Limits:
    def __init__(self, coffer, folder):
        self.coffer, self.folder = coffer, folder
        self.env = dict(os.environ, COFFER_HOME=os.path.join(folder, "home"))
        self.number = self.failures = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def tell(self, good, what):
        self.number += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {what}", flush=True)

    def start(self, *args, **streams):
        return subprocess.Popen([self.coffer, *args], env=self.env, **streams)

    def peak(self, process):
        """Wait until it has ended well; its peak of resident memory in bytes."""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"coffer {process.args[1]} ended with {process.returncode}")
        return usage.ru_maxrss * 1024

    def run(self, *args, **streams):
        return self.peak(self.start(*args, **streams))

    def keys(self):
        for name, kind in (("ops", "rsa-3072"), ("small", "p256")):
            self.run("keygen", self.path(name), "--type", kind, "--no-passphrase", "-q",
                     stdout=subprocess.DEVNULL)
        self.run("init", "-r", self.path("ops.crt"), "--name", "limits", stdout=subprocess.DEVNULL)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-noenc", "-subj", "/CN=rsa",
                        "-addext", "keyUsage=digitalSignature", "-keyout", self.path("rsa.key"),
                        "-out", self.path("rsa.crt")], check=True, capture_output=True)

    def stream(self, size):
        """Numbers, one a line: compresses as text does, and no two records are the same."""
        return subprocess.Popen(f"seq 1 2000000000 | head -c {size}", shell=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def memory(self, threads, size):
        backup = self.path("big.cof")
        source = self.stream(size)
        with_key = ("-q", "-j", str(threads), "--key", self.path("ops.key"))
        null = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        peaks = {"backup": self.run("backup", "-q", "-j", str(threads), "-o", backup, "-", stdin=source.stdout)}
        source.stdout.close()
        source.wait()
        readers = {"verify": self.start("verify", "-q", "-j", str(threads), backup, **null),
                   "verify --deep": self.start("verify", "--deep", *with_key, backup, **null),
                   "restore": self.start("restore", *with_key, "-o", "-", backup, **null)}
        for name, process in readers.items():
            peaks[name] = self.peak(process)
        for name, peak in peaks.items():
            self.tell(UNBOUNDED or peak <= RESIDENT_MAX[threads],
                      f"{name} by {threads} threads of {size / (1 << 30):.1f} GiB: {peak / MIB:.1f} MiB resident")
        os.unlink(backup)

    def size(self):
        with open(self.path("kib"), "wb") as f:
            f.write(os.urandom(1024))
        for recipient, signer in (("ops", []), ("small", []), ("ops", ["--sign-key", self.path("rsa.key")])):
            out = self.path("kib.cof")
            with open(self.path("kib"), "rb") as f:
                self.run("backup", "-q", "-o", out, "-r", self.path(f"{recipient}.crt"), *signer, "-",
                         stdin=f)
            size = os.path.getsize(out)
            by = "RSA-3072" if signer else "P-256"
            self.tell(size <= SMALL_MAX, f"1 KiB for {recipient}, signed with {by}: {size} bytes")
            os.unlink(out)


def main():
    coffer = os.path.abspath(sys.argv[1])
    gibibytes = [float(a) for a in sys.argv[2:]] + [8, 2][len(sys.argv) - 2:]
    with tempfile.TemporaryDirectory(prefix="coffer-limits-", dir="/dev/shm") as folder:
        limits = Limits(coffer, folder)
        limits.keys()
        limits.size()
        for threads, size in zip(RESIDENT_MAX, gibibytes):
            limits.memory(threads, int(size * (1 << 30)))
    print(f"1..{limits.number}")
    return limits.failures != 0


sys.exit(main())
