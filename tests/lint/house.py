# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the files of the project, C without its comments, and a TAP report."""

import os
import re
import subprocess
import sys

SKIPPED_FOLDERS = re.compile(r"(^|/)(\.git|build[^/]*|__pycache__)(/|$)")


class Tree:
    """The files of the project below root, as text."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(self._find())

    def _find(self):
        listed = None
        if os.path.exists(os.path.join(self.root, ".git")):
            listed = subprocess.run(
                ["git", "-C", self.root, "-c", "safe.directory=*", "ls-files", "-z",
                 "--cached", "--others", "--exclude-standard"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if listed is not None and listed.returncode == 0 and listed.stdout:
            found = listed.stdout.decode().rstrip("\0").split("\0")
        else:
            found = [os.path.relpath(os.path.join(folder, name), self.root)
                     for folder, _, names in os.walk(self.root) for name in names]
        return [p for p in found
                if not SKIPPED_FOLDERS.search(p) and os.path.isfile(os.path.join(self.root, p))]

    def below(self, *folders, ends=("",)):
        return [p for p in self.paths
                if p.startswith(tuple(f + "/" for f in folders)) and p.endswith(tuple(ends))]

    def bytes(self, path):
        with open(os.path.join(self.root, path), "rb") as f:
            return f.read()

    def text(self, path):
        return self.bytes(path).decode("utf-8", "replace")

    def is_text(self, path):
        return b"\0" not in self.bytes(path)[:8192]


def blank_comments(source, strings=False):
    """C source with its comments (and strings) blanked out, every line still in its place."""
    parts = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        part = match.group(0)
        if part[0] == "/" or strings:
            return re.sub(r"[^\n]", " ", part) if part[0] == "/" else '""'
        return part

    return parts.sub(blank, source)


class Report:
    """Cases in TAP; a case is good if nothing was found for it."""

    def __init__(self):
        self.count = 0
        self.bad = 0

    def case(self, name, findings):
        self.count += 1
        findings = list(findings)
        self.bad += bool(findings)
        print("%s %d - %s" % ("not ok" if findings else "ok", self.count, name))
        for finding in findings:
            print("#   " + finding)

    def end(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.bad else 0)
