#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What may not stand in the project, word by word."""

import re
import sys

from house import Report, Tree, blank_comments

# Functions that cannot be used safely, or that hand work to a shell.
BANNED = ("strcpy strcat sprintf vsprintf gets strtok strncpy strncat stpcpy system popen alloca "
          "tmpnam tempnam mktemp atoi atol atoll sscanf scanf setjmp longjmp rand srand random "
          "asctime ctime gmtime localtime bzero bcmp exec execl execlp execv execvp fork").split()

TESTS_MAY = {"fork", "strcpy", "strcat", "atoi"}  # a test knows its strings, and kills its child

# System calls that only src/os makes, so that tests can let each of them fail.
THROUGH_OS = ("open openat creat close read write pread pwrite readv writev lseek fsync fdatasync "
              "syncfs ftruncate truncate fstat stat lstat statvfs fchmod chmod chown fchown rename "
              "link linkat unlink rmdir mkdir opendir readdir closedir fopen fdopen freopen flock "
              "fcntl clock_gettime gettimeofday time isatty ioctl tcgetattr tcsetattr").split()
CALLBACKS = {("src/engine/restore.c", "write")}  # parameters that happen to have such a name

# Where commands are run: only async-signal-safe calls stand between fork and execvp, no shell.
RUNNERS = {("src/os/process.c", "fork"), ("src/os/keeper.c", "fork"), ("src/os/keeper.c", "execvp")}

# memcmp leaks by its time how far two strings agree: secrets are compared by cof_secret_equal or in
# src/crypto.  Each use here compares public bytes; a number is raised only together with a reason.
MEMCMP = {
    "src/base/buf.c": (1, "cof_slice_equal: parsed, public bytes"),
    "src/crypto/cert_list.c": (1, "hashes of certificates"),
    "src/crypto/signed_add.c": (1, "the order of DER elements of a message that anybody can read"),
    "src/crypto/der.c": (1, "the order of DER elements of a message that anybody can read"),
    "src/engine/change.c": (2, "hash of the envelope, what a head holds already"),
    "src/engine/ending.c": (1, "the two copies of the tail"),
    "src/engine/entries.c": (2, "Merkle roots"),
    "src/engine/examine.c": (1, "hashes of paths"),
    "src/engine/export.c": (3, "hashes of preambles and statements"),
    "src/engine/head.c": (4, "superblocks, hashes of the envelope, of the whole head"),
    "src/engine/heads.c": (6, "superblocks, slots, hashes of envelopes, preambles, bundles"),
    "src/engine/import.c": (1, "hashes of preambles"),
    "src/engine/judge.c": (3, "hashes of public keys"),
    "src/engine/locks.c": (2, "hashes of certificates and public keys"),
    "src/engine/open.c": (4, "hashes of public keys and of preambles"),
    "src/engine/proof.c": (2, "frame header, hash of the ciphertext"),
    "src/engine/remains.c": (3, "preambles, hashes of the envelope and of statements"),
    "src/engine/roster.c": (2, "hashes of certificates and public keys"),
    "src/engine/slot.c": (2, "hashes of public keys and of statements"),
    "src/engine/trust.c": (3, "hashes of certificates and public keys"),
    "src/engine/walk.c": (1, "Merkle root"),
    "src/format/bundle.c": (1, "magic"),
    "src/source/roots.c": (1, "paths"),
    "src/source/tree.c": (1, "the tag of a cache directory"),
}

COMPARED = re.compile(r"[=!<>]=")

# Spelt so that this file does not hold them.
PLACES = re.compile(r"(?:^|[^.\w])/(?:wor" "k|far" "m|roo" r"t)/"
                    r"|https?://[a-z.]*(?:deb" "ian|npm" "js|py" "pi|crat" r"es)\.(?:org|io)")
OPEN = re.compile(r"\b(?:TO" "DO|FIX" "ME|X" "XX|HA" r"CK)\b|not imple" "mented|unimple" "mented")

NO_SPDX = {".gitignore", ".clang-format"}  # settings of tools, without a thought of ours


def calls(tree, path, names):
    source = blank_comments(tree.text(path), strings=True)
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(names))
    for match in call.finditer(source):
        if (path, match.group(1)) in CALLBACKS | RUNNERS:
            continue
        yield "%s:%d: %s" % (path, source.count("\n", 0, match.start()) + 1, match.group(1))


def asserts(tree, path):
    source = blank_comments(tree.text(path), strings=True)
    for match in re.finditer(r"\bassert\s*\(([^;]*)\);", source):
        inner = COMPARED.sub("", match.group(1))
        if "=" in inner or "++" in inner or "--" in inner:
            line = source.count("\n", 0, match.start()) + 1
            yield "%s:%d: assert with a side effect" % (path, line)


def memcmps(tree, paths):
    for path in paths:
        used = sum(1 for _ in calls(tree, path, ["memcmp"]))
        allowed = MEMCMP.get(path, (0, ""))[0]
        if used != allowed:
            yield "%s: %d uses of memcmp, %d allowed; secrets are compared in constant time" % (
                path, used, allowed)


def lines(tree, path, pattern):
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        if pattern.search(line):
            yield "%s:%d: %s" % (path, number, line.strip()[:100])


def spdx(tree, path):
    if path not in NO_SPDX and "SPDX-License-Identifier: Apache-2.0" not in tree.text(path)[:400]:
        yield "%s: no SPDX line at its beginning" % path


def stray(tree, path):
    text = tree.text(path)
    if text and not text.endswith("\n"):
        yield "%s: no newline at the end" % path
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() or "\t" in line and not path.endswith("Makefile"):
            yield "%s:%d: stray blanks or a tab" % (path, number)


def main():
    tree = Tree(sys.argv[1])
    report = Report()
    tables = ("tests/vectors/cases.tsv",)  # for programs: tabs, and nothing but the table
    texts = [p for p in tree.paths if tree.is_text(p) and p != "LICENSE" and p not in tables]
    code = tree.below("src", "cli", "include", "sqlite", ends=(".c", ".h"))
    tests = tree.below("tests", "fuzz", "bench", ends=(".c", ".h"))
    rooms = [p for p in tree.below("src", ends=(".c",)) if not p.startswith("src/os/")]

    def each(check, paths, *more):
        return (finding for path in paths for finding in check(tree, path, *more))

    report.case("no banned function in the code", each(calls, code, BANNED))
    report.case("no banned function in tests",
                each(calls, tests, [name for name in BANNED if name not in TESTS_MAY]))
    report.case("system calls go through src/os", each(calls, rooms, THROUGH_OS))
    report.case("asserts have no side effects", each(asserts, code + tests))
    report.case("memcmp is counted", memcmps(tree, code))
    report.case("every file says its licence", each(spdx, texts))
    report.case("no path of one machine, no package registry", each(lines, texts, PLACES))
    report.case("nothing is left open by its own words", each(lines, texts, OPEN))
    report.case("no stray blanks", each(stray, [p for p in texts if not p.endswith(".md")]))
    report.end()


main()
