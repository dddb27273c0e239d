#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long functions, files and lines are."""

import re
import sys

from house import Report, Tree

FUNCTION_LINES = 60
FILE_LINES = 500
C_COLUMNS = 100
OTHER_COLUMNS = 140

# Files that are longer, each with its reason.
LONGER_FILES = {
    "scripts/recover.sh": "must work on its own, copied to a machine that has nothing else",
}

# Functions that are longer, each with its reason.
LONGER = {
}

SIGNATURE = re.compile(r"([A-Za-z_]\w*)\s*\(")


def functions(text):
    """Name, first line and length of each function, told by the braces in column one."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            head = "\n".join(lines[max(0, start - 8):start - 1])
            head = re.split(r"\n\s*\n|[;}]\s*\n|\*/", head)[-1]
            name = SIGNATURE.search(head)
            yield (name.group(1) if name else "?"), start, number - start - 1
            start = None


def main():
    tree = Tree(sys.argv[1])
    report = Report()
    c_files = [p for p in tree.paths if p.endswith((".c", ".h"))]
    scripts = [p for p in tree.paths if p.endswith((".py", ".sh", ".bats"))]
    scripts += [p for p in tree.below("scripts", ".ci") if p not in scripts]
    found = [(p, *f) for p in c_files for f in functions(tree.text(p))]

    report.case("functions have at most %d lines" % FUNCTION_LINES,
                ["%s:%d: %s has %d" % (p, line, name, length) for p, name, line, length in found
                 if length > FUNCTION_LINES and (p, name) not in LONGER])
    report.case("the list of longer functions is not longer than needed",
                ["%s: %s" % key for key in LONGER
                 if not any((p, n) == key and length > FUNCTION_LINES
                            for p, n, _, length in found)])
    report.case("files have at most %d lines" % FILE_LINES,
                ["%s: %d" % (p, tree.text(p).count("\n")) for p in c_files + scripts
                 if tree.text(p).count("\n") > FILE_LINES and p not in LONGER_FILES])
    report.case("lines are not too long",
                ["%s:%d" % (p, n) for p in c_files + scripts
                 for n, line in enumerate(tree.text(p).split("\n"), 1)
                 if len(line) > (C_COLUMNS if p.endswith((".c", ".h")) else OTHER_COLUMNS)])
    report.end()


main()
