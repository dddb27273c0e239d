#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Backups of files as only a maker with bad intentions writes them, by the independent writer.

usage: hostile.py DIR VICTIM

Writes DIR/NAME.cof for each case below, DIR/maker.crt, whom to trust, and DIR/alice.key, which opens
them. VICTIM is a file outside of whatever will be restored into.
"""

import os
import sys
from dataclasses import replace

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reference"))
from coffer_ref import tree, writer  # noqa: E402
from coffer_ref.people import Person  # noqa: E402

FILE, DIRECTORY, SYMLINK, HARDLINK, DEVICE, FIFO = 1, 2, 3, 4, 5, 7
EVIL = (FILE, b"evil\n", "")


def facts(change):
    """Alter each entry (path, position, facts) of level 0."""
    return lambda level, group: [change(*g) for g in group] if level == 0 else None


def only(name, change):
    return facts(lambda p, o, f: (p, o, change(f)) if p == name else (p, o, f))


def cases(victim):
    """name: (things, alter)"""
    outside = os.path.dirname(victim)
    deep = "../" * 20
    plain = {"a": (DIRECTORY, b"", ""), "a/f": (FILE, b"f" * 700, ""), "a/l": (SYMLINK, b"", "f"), "b": (FILE, b"b", ""),
             "c": (HARDLINK, b"", "b"), "d": (FILE, b"", ""), "e": (FILE, b"e" * 5000, "")}
    yield "good", plain, None
    yield "dotdot", {"../evil": EVIL}, None
    yield "dotdot-inside", {"a": (DIRECTORY, b"", ""), "a/../../evil": EVIL}, None
    yield "absolute", {victim: EVIL}, None
    yield "link-dir", {"a": (SYMLINK, b"", outside), "a/evil": EVIL}, None
    yield "link-dir-deep", {"a": (SYMLINK, b"", outside), "a/x/y/evil": EVIL}, None
    yield "link-up", {"a": (SYMLINK, b"", deep), "a/evil": EVIL}, None
    yield "link-to-link", {"a": (SYMLINK, b"", "b"), "a/evil": EVIL, "b": (SYMLINK, b"", outside)}, None
    yield "link-case", {"A": (SYMLINK, b"", outside), "a/evil": EVIL}, None
    yield "dir-then-file", {"victim": EVIL, "d/evil": EVIL, "d": (DIRECTORY, b"", "")}, None
    yield "device-then-file", {"x": (DEVICE, b"", ""), "x/evil": EVIL}, None
    yield "fifo-then-file", {"x": (FIFO, b"", ""), "x/evil": EVIL}, None
    yield "hard-up", {"h": (HARDLINK, b"", deep + victim[1:])}, None
    yield "hard-absolute", {"h": (HARDLINK, b"", victim)}, None
    yield "hard-through-link", {"a": (SYMLINK, b"", outside), "b": (HARDLINK, b"", "a/" + os.path.basename(victim))}, None
    yield "hard-to-link", {"a": (SYMLINK, b"", victim), "b": (HARDLINK, b"", "a")}, None
    yield "names", {"new\nline": EVIL, "\x1b[31mred": EVIL, "\x1b]0;title\x07": EVIL, "rtl\u202eexe": EVIL}, None
    # The catalog says something else than the archive.
    yield "lie-path", plain, facts(lambda p, o, f: (b"e2" if p == b"e" else p, o, f))
    yield "lie-type", plain, only(b"d", lambda f: replace(f, type=DIRECTORY))
    yield "lie-size", plain, only(b"e", lambda f: replace(f, size=f.size + 1))
    yield "lie-target", plain, only(b"a/l", lambda f: replace(f, target=b"g"))
    yield "lie-length", plain, only(b"e", lambda f: replace(f, length=f.length + 512))
    yield "lie-order", plain, lambda level, group: list(reversed(group)) if level == 0 else None
    yield "lie-item", plain, lambda level, group: [(b"0", *g[1:]) for g in group[:1]] + group[1:] if level == 1 else None
    yield "lie-place", plain, lambda level, group: [(p, o + 512, n) for p, o, n in group] if level == 1 else None
    yield "lie-missing", plain, lambda level, group: group[:-1] if level == 0 and len(group) == 1 else (
        group[:-1] if level == 1 else None)
    yield "lie-record", plain, lambda level, group: [(p, o, 0) for p, o, n in group] if level == 1 else None


def main():
    directory, victim = sys.argv[1:]
    maker, alice = Person("maker"), Person("alice")
    os.makedirs(directory, exist_ok=True)
    maker.write(directory)
    alice.write(directory)
    for name, things, alter in cases(os.path.realpath(victim)):
        draft = writer.begin(maker.signer(), [alice.certificate], content=2)
        draft.lock()
        tree.add(draft, things, alter=alter)
        draft.finish()
        with open(os.path.join(directory, name + ".cof"), "wb") as f:
            f.write(draft.files()[0])


main()
