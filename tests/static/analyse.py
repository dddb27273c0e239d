#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an analyser says of the code is mended, or answered in the file "answers" beside this one.

An answer covers what one tool says in one function, that many times and not more; one that
answers nothing any more is a failure too.

usage: analyse.py ROOT BUILD cppcheck
"""

import collections
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lint"))
from house import Report  # noqa: E402

FOLDERS = ("src", "cli", "sqlite")
FINDING = re.compile(r"(?P<file>[^:\s]+):(?P<line>\d+):(?P<what>\w+): (?P<said>.*)")
ANSWER = re.compile(r"(?P<tool>\S+) (?P<key>\S+:\S+:\S+) (?P<times>\d+)  # (?P<why>\S.*)")


def function_at(path, line):
    """The function that the line stands in, or "-": its head begins in the first column."""
    with open(path, encoding="utf-8") as source:
        for text in reversed(source.readlines()[:line]):
            head = re.match(r"[a-z_].*?(\w+)\(", text)
            if head:
                return head.group(1)
            if text.startswith("}"):
                break
    return "-"


def answers_for(tool):
    """{file:function:warning: times}"""
    found = {}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "answers"),
              encoding="utf-8") as lines:
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            answer = ANSWER.fullmatch(line.rstrip("\n"))
            if answer is None:
                sys.exit("answers: not \"tool file:function:warning times  # reason\": " + line)
            if answer["tool"] == tool:
                found[answer["key"]] = int(answer["times"])
    return found


def cppcheck(build):
    """Lines "file:line:warning: what it says"; that the tool itself failed ends the test."""
    with open(os.path.join(build, "meson-info", "intro-projectinfo.json"), encoding="utf-8") as info:
        version = re.search(r'"version": "([^"]+)"', info.read()).group(1)
    run = subprocess.run(
        ["cppcheck", "-j", str(os.cpu_count()), "--quiet", "--std=c11", "--error-exitcode=3",
         "--enable=warning,portability,performance", "-Iinclude", "-Isrc", "-D_GNU_SOURCE",
         '-DCOFFER_VERSION="%s"' % version, "--template={file}:{line}:{id}: {message}",
         *FOLDERS],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = [line for line in run.stdout.splitlines() if line.strip()]
    if run.returncode not in (0, 3) or (run.returncode == 3) != bool(lines):
        sys.exit("cppcheck ended with %d: %s" % (run.returncode, run.stdout))
    return lines


TOOLS = {"cppcheck": cppcheck}


def sort_out(lines, answers):
    """What is left over, {file: [finding]}: findings without an answer, answers without a finding."""
    left = collections.defaultdict(list)
    met = collections.Counter()
    for line in lines:
        finding = FINDING.fullmatch(line)
        if finding is None:
            left["-"].append("not understood: " + line)
            continue
        where = function_at(finding["file"], int(finding["line"]))
        key = "%s:%s:%s" % (finding["file"], where, finding["what"])
        met[key] += 1
        if met[key] > answers.get(key, 0):
            left[finding["file"]].append("%s (%s)" % (line, key))
    for key, times in answers.items():
        if met[key] < times:
            left[key.split(":")[0]].append("answered %d times, said %d times: %s"
                                           % (times, met[key], key))
    return left


def main():
    root, build, tool = sys.argv[1:]
    os.chdir(root)
    left = sort_out(TOOLS[tool](build), answers_for(tool))
    report = Report()
    files = sorted(os.path.join(at, name) for folder in FOLDERS for at, _, names in os.walk(folder)
                   for name in names if name.endswith((".c", ".h")))
    for path in files:
        report.case("%s %s" % (tool, path), left.pop(path, []))
    report.case("%s says nothing of other files" % tool, sum(left.values(), []))
    report.end()


main()
