#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an analyser says of the code is mended, or answered in the file "answers" beside this one.

An answer covers what one tool says in one function, that many times and not more; one that
answers nothing any more is a failure too.

usage: analyse.py ROOT BUILD cppcheck|clang-tidy|gcc
"""

import collections
from concurrent.futures import ThreadPoolExecutor
import json
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lint"))
from house import Report  # noqa: E402

FOLDERS = ("src", "cli", "sqlite")
FINDING = re.compile(r"(?P<file>[^:\s]+):(?P<line>\d+):(?P<what>[\w.,-]+): (?P<said>.*)")
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
    with open(os.path.join(HERE, "answers"), encoding="utf-8") as lines:
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            answer = ANSWER.fullmatch(line.rstrip("\n"))
            if answer is None:
                sys.exit("answers: not \"tool file:function:warning times  # reason\": " + line)
            if answer["tool"] == tool:
                found[answer["key"]] = int(answer["times"])
    return found


def cppcheck(_root, build):
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


# These define what failures.h says more of.
DEFINE_FAILURES = ("src/base/error.c", "cli/say.c")
DIAGNOSTIC = re.compile(r"(?P<file>[^:]+):(?P<line>\d+):\d+: (?:warning|error): (?P<said>.*)")
NAMED = re.compile(r"(?P<said>.*) \[(?:-W)?(?P<what>[\w.,-]+)\]")


def compilations(root, build):
    """{file: arguments}, as the project compiles them; but warnings are no errors, and functions
    are called by their names and not in the variants that check lengths."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as commands:
        entries = json.load(commands)
    found = {}
    for entry in entries:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), root)
        if path.split(os.sep)[0] not in FOLDERS or path in found:
            continue
        words = shlex.split(entry["command"])
        words = words[2 if words[0] == "ccache" else 1:]
        for option in "-MQ", "-MF", "-o", "-c":
            at = words.index(option)
            del words[at:at + 2]
        words.remove("-MD")
        if path not in DEFINE_FAILURES:
            words += ["-include", os.path.join(HERE, "failures.h")]
        found[path] = words + ["-Wno-error", "-Wno-unused-value", "-U_FORTIFY_SOURCE"]
    return found


def each_compilation(root, build, command_for):
    """Lines as of cppcheck(), of a command for each file and its arguments."""
    def run(item):
        return subprocess.run(command_for(os.path.join(root, item[0]), item[1]), cwd=build,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)

    diagnostics = {}  # a header is met more than once
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for ended in pool.map(run, compilations(root, build).items()):
            if ended.returncode != 0:
                sys.exit("%s ended with %d: %s" % (" ".join(ended.args), ended.returncode,
                                                   ended.stdout))
            diagnostics.update((line, DIAGNOSTIC.fullmatch(line))
                               for line in ended.stdout.splitlines())
    return [in_one_form(root, build, match) for match in diagnostics.values() if match]


def in_one_form(root, build, diagnostic):
    named = NAMED.fullmatch(diagnostic["said"])
    path = os.path.relpath(os.path.normpath(os.path.join(build, diagnostic["file"])), root)
    return "%s:%s:%s: %s" % (path, diagnostic["line"], named["what"] if named else "unnamed",
                             named["said"] if named else diagnostic["said"])


def clang_tidy(root, build):
    """Its rules are in ROOT/.clang-tidy."""
    return each_compilation(root, build,
                            lambda path, words: ["clang-tidy-14", "--quiet", path, "--", *words])


def gcc(root, build):
    """All that -fanalyzer looks for, without the path to it."""
    options = ["-fanalyzer", "-fdiagnostics-plain-output", "-fanalyzer-verbosity=0"]
    return each_compilation(root, build, lambda path, words: [
        "gcc", *words, *options, "-c", "-o", os.devnull, path])


TOOLS = {"cppcheck": cppcheck, "clang-tidy": clang_tidy, "gcc": gcc}


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
    left = sort_out(TOOLS[tool](root, build), answers_for(tool))
    report = Report()
    files = sorted(os.path.join(at, name) for folder in FOLDERS for at, _, names in os.walk(folder)
                   for name in names if name.endswith((".c", ".h")))
    for path in files:
        report.case("%s %s" % (tool, path), left.pop(path, []))
    report.case("%s says nothing of other files" % tool, sum(left.values(), []))
    report.end()


main()
