#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing but one fuzz target can leave the checks of signatures and hashes out: the functions that
believe everything (fuzz/unauthenticated.c) are in no program and no library of a build.

usage: authentic.py ROOT PROGRAM-OR-LIBRARY...
"""

import re
import subprocess
import sys

from house import Report, Tree

MAY_WRAP = re.compile(r"^fuzz/|^tests/lint/authentic\.py$")
WRAP = re.compile(r"__wrap_|--wrap|unauthenticated\.c")


def mentions(tree):
    for path in tree.paths:
        if MAY_WRAP.match(path) or not path.endswith((".c", ".h", ".build", ".txt", ".py", ".map")):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if WRAP.search(line):
                yield "%s:%d: %s" % (path, number, line.strip()[:100])


def symbols(path):
    out = subprocess.run(["nm", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
    names = [line.split()[-1] for line in out.splitlines() if line.strip()]
    if not [n for n in names if n.startswith("cof_")]:
        yield "%s: no symbol of coffer in it: stripped?" % path
    for name in names:
        if name.startswith(("__wrap_", "__real_")):
            yield "%s: %s" % (path, name)


def uses(tree):
    """The file that believes everything is linked into the target "file" and nothing else."""
    text = tree.text("fuzz/meson.build")
    if text.count("unauthenticated.c") != 1 or "'file' : ['unauthenticated.c']" not in text:
        yield "fuzz/meson.build: unauthenticated.c is for the target file alone"
    if "if name == 'file'\n    foreach function : fuzz_believe" not in text:
        yield "fuzz/meson.build: fuzz_believe is for the target file alone"
    if re.search(r"\binstall\w*\s*[:(]", text):
        yield "fuzz/meson.build: installs something"


def options(tree):
    text = tree.text("meson_options.txt")
    if not re.search(r"option\('fuzz', type : 'boolean', value : false,", text):
        yield "meson_options.txt: fuzz is not off by default"
    for path in ("scripts/package", "scripts/check", "examples"):
        for found in [path] if path in tree.paths else tree.below(path):
            if "-Dfuzz" in tree.text(found):
                yield "%s: builds with -Dfuzz" % found


def main():
    tree = Tree(sys.argv[1])
    report = Report()
    report.case("functions are replaced by the linker in fuzz/ only", mentions(tree))
    report.case("and those that believe everything in one target", uses(tree))
    report.case("the option is off, and in no package", options(tree))
    for path in sys.argv[2:]:
        report.case("%s is authentic" % path.rsplit("/", 1)[-1], symbols(path))
    report.end()


main()
