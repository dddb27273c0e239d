# SPDX-License-Identifier: Apache-2.0
"""What attacks share: people with keys, a folder, the command, and TAP."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reference"))
from coffer_ref import writer  # noqa: E402
from coffer_ref.people import Person  # noqa: E402


class Kit:
    def __init__(self, coffer, folder, names):
        self.coffer, self.folder = coffer, folder
        self.number, self.failed = 0, False
        for name in names:
            person = Person(name)
            person.write(folder)
            setattr(self, name, person)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def make(self, recipients, data=b"content"):
        return writer.make(data, self.maker.signer(), [r.certificate for r in recipients])

    def call(self, *args, stdin=subprocess.DEVNULL):
        env = dict(os.environ, COFFER_HOME=self.path("no-home"))
        try:
            return subprocess.run([self.coffer, *args], env=env, stdin=stdin, capture_output=True, text=True,
                                  timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(args, 124, "", "it did not end")

    def check(self, what, done, *expected):
        self.number += 1
        right = done.returncode in expected
        self.failed |= not right
        print(f"{'ok' if right else 'not ok'} {self.number} - {what}")
        if not right:
            print(f"# expected {expected}, got {done.returncode}: {done.stdout} {done.stderr}".replace("\n", " "))
