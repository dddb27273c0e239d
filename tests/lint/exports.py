#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Headers, symbol map, shared library and command agree about what the library offers.

usage: exports.py ROOT LIBRARY FOLDER-OF-COMMAND-OBJECTS
"""

import glob
import os
import re
import subprocess
import sys

from house import Report, Tree, blank_comments


def declarations(text):
    """Names of the functions that a header declares, each with the offset of its declaration."""
    code = blank_comments(text)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)),
                  code, flags=re.M)
    code = code.replace('extern "C" {', " " * len('extern "C" {'))
    while re.search(r"\{[^{}]*\}", code):
        code = re.sub(r"\{[^{}]*\}", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)
    offset = 0
    for part in code.split(";"):
        name = re.search(r"\b(cof_\w+)\s*\(", part)
        if name and not part.lstrip(" \n}").startswith("typedef"):
            yield name.group(1), offset + len(part) - len(part.lstrip())
        offset += len(part) + 1


def documented(text, offset):
    """Whether a comment stands before the declaration: directly, or before the group it is in."""
    before = text[:offset].rstrip(" ")
    while before and not before.endswith("\n\n"):
        if before.rstrip().endswith("*/"):
            return True
        before = before[:before.rstrip().rfind("\n") + 1]
        if not before.endswith("\n"):
            return False
    return False


# What needs no words of its own: a _free frees what its _new made, a _count counts, and so on.
PLAIN = re.compile(r"_(free|wipe|count|new|info)$")


def symbols(*arguments):
    run = subprocess.run(["nm", *arguments], stdout=subprocess.PIPE, check=True)
    return [line.split() for line in run.stdout.decode().splitlines() if line.strip()]


def difference(a, b):
    return sorted(set(a) - set(b))


def main():
    root, library, built = sys.argv[1:]
    objects = glob.glob(os.path.join(built, "**", "*.o"), recursive=True)
    tree = Tree(root)
    report = Report()
    declared, bare = [], []
    for path in tree.below("include/coffer", ends=(".h",)):
        text = tree.text(path)
        for name, offset in declarations(text):
            declared.append(name)
            if not PLAIN.search(name) and not documented(text, offset):
                bare.append("%s: %s" % (path, name))
    mapped = re.findall(r"^\s+(cof_\w+);", tree.text("src/coffer.map"), re.M)
    exported = [s[-1].split("@")[0] for s in symbols("-D", "--defined-only", library)
                if s[-2] != "A"]
    used = {s[-1] for o in objects for s in symbols("--undefined-only", o)
            if s[-1].startswith("cof_")}
    own = {s[-1] for o in objects for s in symbols("--defined-only", o)}

    report.case("headers declare functions", [] if len(declared) > 20 else ["few: %s" % declared])
    report.case("every function has a contract", bare)
    report.case("nothing is declared twice",
                sorted({n for n in declared if declared.count(n) > 1}))
    report.case("the map lists what is declared, and nothing else",
                ["missing: " + n for n in difference(declared, mapped)]
                + ["too many: " + n for n in difference(mapped, declared)])
    report.case("the map is in order", [] if mapped == sorted(mapped) else ["src/coffer.map"])
    report.case("the library exports what is declared, and nothing else",
                ["missing: " + n for n in difference(declared, exported)]
                + ["too many: " + n for n in difference(exported, declared)])
    report.case("the command has no private door",
                sorted(used - own - set(declared)) if used else ["it calls nothing"])
    report.end()


main()
