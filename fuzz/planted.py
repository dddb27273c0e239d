#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Can the fuzzers find anything?  Three mistakes, each planted into a copy of the source, have to be
found within a minute.

usage: planted.py ROOT
"""

import os
import shutil
import subprocess
import sys
import tempfile

SECONDS = 60

# What it is, the target that must find it, the file, what stands there, what is put in its place.
PLANTED = [
    ("an off-by-one in the index parser", "index", "src/format/index.c",
     "len != COF_INDEX_HEADER_SIZE + (uint64_t)index.count * COF_ENTRY_SIZE",
     "len < COF_INDEX_HEADER_SIZE + (uint64_t)(index.count - 1) * COF_ENTRY_SIZE"),
    ("a missing length check", "tail", "src/wire/get.c",
     "    if (len > g->left)\n        return COF_FORMAT;\n", ""),
    ("a use after free", "signed", "src/crypto/signed_parse.c",
     "    *out = s;\n    s = NULL; /* transferred */\n", "    *out = s;\n"),
]


class Copy:
    def __init__(self, root, folder):
        self.source, self.build = os.path.join(folder, "source"), os.path.join(folder, "build")
        shutil.copytree(root, self.source, symlinks=True,
                        ignore=lambda path, names: [n for n in names if n == ".git" or n.startswith("build")])
        clang = shutil.which("clang-14") or "clang"
        self.run(["meson", "setup", self.build, self.source, "-Dfuzz=true", "-Dtests=false",
                  "-Db_sanitize=address,undefined", "-Db_lundef=false"], env=dict(os.environ, CC=clang))

    def run(self, command, **more):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
        if done.returncode != 0:
            sys.exit("%s: %s" % (" ".join(command), done.stdout.decode(errors="replace")[-3000:]))

    def compile(self, target):
        self.run(["ninja", "-C", self.build, "fuzz/fuzz-" + target, "cli/coffer"])

    def spoil(self, path, old, new):
        """Returns what stood there before."""
        text = self.read(path)
        if text.count(old) != 1:
            sys.exit("%s: what is to be spoilt stands there %d times" % (path, text.count(old)))
        self.write(path, text.replace(old, new))
        return text

    def read(self, path):
        with open(os.path.join(self.source, path), encoding="utf-8") as f:
            return f.read()

    def write(self, path, text):
        with open(os.path.join(self.source, path), "w", encoding="utf-8") as f:
            f.write(text)

    def fuzz(self, target, seeds, seconds):
        """What libFuzzer says, and whether it found something."""
        found = os.path.join(self.build, "found-")
        done = subprocess.run([os.path.join(self.build, "fuzz", "fuzz-" + target), "-max_total_time=%d" % seconds,
                               "-artifact_prefix=" + found, "-max_len=65536", os.path.join(seeds, target)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode != 0, done.stdout.decode(errors="replace")


def main():
    number = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(os.path.abspath(sys.argv[1]), folder)
        seeds = os.path.join(folder, "seeds")
        copy.compile("index")
        copy.run([os.path.join(copy.source, "fuzz", "seeds.py"), os.path.join(copy.build, "cli", "coffer"), seeds])
        for what, target, path, old, new in PLANTED:
            copy.compile(target)
            before, said = copy.fuzz(target, seeds, 3)
            text = copy.spoil(path, old, new)
            copy.compile(target)
            after, found = copy.fuzz(target, seeds, SECONDS)
            copy.write(path, text)
            good = not before and after and "AddressSanitizer" in found
            number, bad = number + 1, bad + (not good)
            print("%s %d - %s is found, and nothing without it" % ("ok" if good else "not ok", number, what), flush=True)
            if not good:
                print("".join("#   %s\n" % line for line in (said if before else found).split("\n")[-30:]), end="")
    print("1..%d" % number)
    sys.exit(bad != 0)


main()
