#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of docs/FORMAT.md is cited by code that keeps it and by a test that breaks it."""

import re
import sys

from house import Report, Tree

# Rules of parts that this version neither writes nor reads: it refuses such backups by FR-2 and
# RC-4.  A rule leaves this list in the change that implements it.
NOT_YET = {
}

DEFINED = re.compile(r"\*\*([A-Z]{2}-\d+)\*\*")
CITED = re.compile(r"(?<![A-Za-z0-9-])([A-Z]{2}-\d+)(?![0-9A-Za-z])")
NOT_RULES = {"EC-256", "EC-384", "EC-521"}


def citations(tree, paths):
    found = {}
    for path in paths:
        for rule in CITED.findall(tree.text(path)):
            if rule not in NOT_RULES:
                found.setdefault(rule, path)
    return found


def main():
    tree = Tree(sys.argv[1])
    report = Report()
    page = re.sub(r"\*\*Rules\.\*\*.*?\n\n", "", tree.text("docs/FORMAT.md"), flags=re.S)
    named = DEFINED.findall(page)
    defined = set(named)
    code = citations(tree, tree.below("src", ends=(".c", ".h")))
    tests = citations(tree, [p for p in tree.below("tests") if not p.startswith("tests/lint/")])
    mentioned = set(CITED.findall(page)) - NOT_RULES

    report.case("the page has rules", [] if len(defined) > 40 else ["%d found" % len(defined)])
    report.case("every rule is defined once",
                sorted(r for r in defined if named.count(r) > 1))
    report.case("every rule cited is defined",
                ["%s, cited in %s" % (r, found[r])
                 for found in (code, tests) for r in sorted(found) if r not in defined]
                + ["%s, cited on the page itself" % r for r in sorted(mentioned - defined)])
    report.case("every rule is cited in src/",
                sorted(r for r in defined - set(code) if r not in NOT_YET))
    report.case("every rule is cited in tests/",
                sorted(r for r in defined - set(tests) if r not in NOT_YET))
    report.case("rules that are not yet implemented are defined, and cited nowhere in src/",
                ["%s (%s)" % (r, NOT_YET[r]) for r in NOT_YET if r not in defined or r in code])
    report.end()


main()
