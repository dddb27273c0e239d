#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints how many lines of the code that reads hostile bytes were reached.

usage: cover.py FILE [LEAST]      FILE: what llvm-cov export -summary-only printed
                                  LEAST: fails where it is less, in per cent
"""

import json
import os
import sys

# All of these rooms counts, also what only writes: the targets write again what they have read.
ROOMS = ("src/format/", "src/wire/")

# The half of src/crypto that finds structure in bytes of others: certificates, key files, wrapped keys, signed
# statements.
PARSERS = {"cert.c", "cert_check.c", "cert_list.c", "cert_parse.c", "der.c", "key_cost.c", "key_parse.c", "keys_check.c",
           "keys_open.c", "passphrase.c", "pem.c", "pkcs12.c", "pkey.c", "signed.c", "signed_add.c", "signed_algorithm.c",
           "signed_parse.c", "signed_verify.c"}

# The other half, to which bytes are bytes, or which only makes what the first half reads.
OTHERS = {
    "aead.c": "encrypts and decrypts, whatever it is", "hkdf.c": "derives keys", "hmac.c": "computes a hash",
    "sha256.c": "computes a hash", "random.c": "draws bytes", "crypto.c": "looks at the library that is loaded",
    "memory.c": "is where the library gets memory", "key.c": "holds a key that was read, and writes it",
    "key_generate.c": "makes a key", "cert_self.c": "makes a certificate", "keys_seal.c": "wraps a key",
    "signed_make.c": "makes a statement",
}


def unknown(root):
    """Files of src/crypto of which nobody has said to which half they belong."""
    there = {name for name in os.listdir(os.path.join(root, "src/crypto")) if name.endswith(".c")}
    return sorted(there ^ (PARSERS | set(OTHERS)))


def report(title, files):
    """The share that was reached, in per cent."""
    lines, covered = sum(l for _, l, _ in files), sum(c for _, _, c in files)
    share = 100.0 * covered / max(lines, 1)
    print("%-32s %5d of %5d lines, %5.1f %%" % (title, covered, lines, share))
    return share


def main():
    root = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
    if unknown(root):
        sys.exit("cover.py: parser or not, or no longer there: %s" % ", ".join(unknown(root)))
    with open(sys.argv[1], encoding="utf-8") as f:
        found = json.load(f)["data"][0]["files"]
    files = sorted((os.path.relpath(x["filename"], root), x["summary"]["lines"]["count"],
                    x["summary"]["lines"]["covered"]) for x in found)
    parsers = {"src/crypto/" + name for name in PARSERS}
    print()
    for name, lines, covered in files:
        if covered < lines and (name.startswith(ROOMS) or name in parsers):
            report("  " + name, [(name, lines, covered)])
    shares = [report(room.rstrip("/"), [f for f in files if f[0].startswith(room)]) for room in ROOMS]
    shares.append(report("src/crypto, what parses", [f for f in files if f[0] in parsers]))
    report("all of it", [f for f in files if f[0].startswith(ROOMS) or f[0] in parsers])
    if len(sys.argv) > 2 and min(shares) < float(sys.argv[2]):
        sys.exit("fuzz: less than %s %% of the lines of a room were reached: what is new there needs seeds (fuzz/seeds.py) "
                 "or a target" % sys.argv[2])


main()
