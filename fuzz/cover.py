#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints how many lines of the code that reads hostile bytes were reached.

usage: cover.py FILE      what llvm-cov export -summary-only printed
"""

import json
import os
import sys

# Files of these rooms that only write, which no hostile byte reaches.
WRITERS = {"src/format/json_emit.c", "src/format/schedule.c", "src/wire/put.c"}
ROOMS = ("src/format/", "src/wire/")
PARSERS = ["src/crypto/" + name for name in (
    "cert_check.c", "cert_list.c", "cert_parse.c", "cert.c", "der.c", "key_parse.c", "keys_check.c", "pem.c",
    "passphrase.c", "pkcs12.c", "pkey.c", "signed_algorithm.c", "signed_parse.c", "signed_verify.c")]


def report(title, files):
    lines, covered = sum(l for _, l, _ in files), sum(c for _, _, c in files)
    print("%-32s %5d of %5d lines, %5.1f %%" % (title, covered, lines, 100.0 * covered / max(lines, 1)))


def main():
    root = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
    with open(sys.argv[1], encoding="utf-8") as f:
        found = json.load(f)["data"][0]["files"]
    files = [(os.path.relpath(x["filename"], root), x["summary"]["lines"]["count"], x["summary"]["lines"]["covered"])
             for x in found]
    print()
    for name, lines, covered in sorted(files):
        if covered < lines and (name.startswith(ROOMS) or name in PARSERS):
            report("  " + name, [(name, lines, covered)])
    report("src/format", [f for f in files if f[0].startswith("src/format/")])
    report("src/wire", [f for f in files if f[0].startswith("src/wire/")])
    report("src/crypto, what parses", [f for f in files if f[0] in PARSERS])
    report("all of it, what reads", [f for f in files
                                     if (f[0].startswith(ROOMS) or f[0] in PARSERS) and f[0] not in WRITERS])


main()
