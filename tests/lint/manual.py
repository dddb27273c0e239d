#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The manual says what the command does: every verb, option, letter and value that --help shows
stands in the man page, and nothing else; and the pages are good mdoc.

usage: manual.py ROOT COFFER
"""

import re
import subprocess
import sys

from house import Report, Tree

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"]
HELPED = re.compile(r"  (?:-(\w), |    )--([a-z0-9-]+)(?: (\S+))?(?:  .*)?$")
PAGED = re.compile(r"\.It (?:Fl (\w) , )?Fl -([a-z0-9-]+)(?: Ar (\S+))?$")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          encoding="utf-8")
    return done.returncode, done.stdout


def verbs(coffer):
    listed = run(coffer, "help")[1].split("\n\n")[2]
    return [line.split()[0] for line in listed.splitlines()]


def helped(coffer, verb):
    """What --help shows: (letter, name, value) of each option."""
    text = run(coffer, verb, "--help")[1].split("\nOptions:\n", 1)[1]
    lines = [line for line in text.splitlines() if re.match(r"  (-| {4}--)", line)]
    return {HELPED.match(line).groups() for line in lines}


def section(page, name):
    found = re.search(r"^\.Sh %s\n(.*?)(?=^\.Sh |\Z)" % name, page, re.S | re.M)
    return found.group(1) if found else ""


def paged(page):
    items = [line for line in section(page, "OPTIONS").splitlines() if line.startswith(".It")]
    return {PAGED.match(line).groups() if PAGED.match(line) else (None, line, None)
            for line in items}


def spelt(option):
    letter, name, value = option
    return "%s--%s%s" % ("-%s, " % letter if letter else "", name, " " + value if value else "")


def drift(coffer, verb, page):
    said, written = helped(coffer, verb), paged(page)
    yield from ("the page lacks: " + spelt(o) for o in sorted(said - written, key=str))
    yield from ("no longer in --help: " + spelt(o) for o in sorted(written - said, key=str))
    if not said:
        yield "--help shows no options"


def form(root, path, page, needed):
    for name in needed:
        if not section(page, name):
            yield "no section " + name
    code, said = run("mandoc", "-Tlint", "-W", "warning", "%s/%s" % (root, path))
    yield from (line for line in said.splitlines() if code)


def main():
    root, coffer = sys.argv[1:3]
    tree = Tree(root)
    report = Report()
    known = verbs(coffer)
    pages = {path: tree.text(path) for path in tree.below("man", ends=(".1",))}
    main_page = pages.get("man/coffer.1", "")

    def compare(said, written, what):
        yield from ("the manual lacks the %s %s" % (what, name) for name in sorted(said - written))
        yield from ("there is no %s %s" % (what, name) for name in sorted(written - said))

    report.case("each verb has a page", compare(
        {"man/coffer.1"} | {"man/coffer-%s.1" % verb for verb in known if verb != "help"},
        set(pages), "page"))
    report.case("coffer(1) lists the verbs", compare(
        set(known), set(re.findall(r"^\.It Cm (\S+)", main_page, re.M)), "verb"))
    report.case("each page is installed", compare(
        {path[4:] for path in pages},
        set(re.findall(r"'([^']+\.1)'", tree.text("man/meson.build"))), "page"))
    for path in sorted(pages):
        verb = path[len("man/coffer-"):-2]
        needed = [s for s in SECTIONS if verb in known or s != "OPTIONS"]
        report.case("%s is good mdoc" % path, form(root, path, pages[path], needed))
        if verb in known:
            report.case("%s agrees with --help" % path, drift(coffer, verb, pages[path]))
    report.end()


main()
