#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each lint finds what it is there to find: one small tree, spoilt in one way at a time."""

import os
import subprocess
import sys
import tempfile

from house import Report

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
BODY = "void cof_a_b(void)\n{\n    %s\n}\n"


def source(statement="work();", before=""):
    return SPDX + before + BODY % statement


# Lint, file, its content, and a part of what must be found.
SPOILT = [
    ("arrows.py", "src/format/a.c", source(before='#include "store/a.h"\n'), "may not include store"),
    ("arrows.py", "src/format/a.c", source(before='#include "../os/a.h"\n'), "reaches into"),
    ("arrows.py", "src/format/a.c", source(before="#include <fcntl.h>\n"), "reaches the machine"),
    ("arrows.py", "src/engine/a.c", source(before="#include <openssl/evp.h>\n"), "only crypto"),
    ("arrows.py", "src/engine/a.c", source(before="#  include <zstd.h>\n"), "only codec"),
    ("arrows.py", "src/store/a.c", source(before="#include <coffer/backup.h>\n"), "only engine"),
    ("arrows.py", "cli/a.c", source(before='#include "base/a.h"\n'), "its own headers"),
    ("arrows.py", "src/engine/a.c", source(before="#ifdef __linux__\n#endif\n"), "outside src/os"),
    ("arrows.py", "src/attic/a.c", source(), "src/attic/a.c"),
    ("arrows.py", "src/os/b.h", SPDX + "int cof_c(void);\n", "no include guard"),
    ("words.py", "src/base/a.c", source("strcpy(a, b);"), "strcpy"),
    ("words.py", "cli/a.c", source("system (a);"), "system"),
    ("words.py", "src/store/a.c", source("unlink(a);"), "unlink"),
    ("words.py", "src/base/a.c", source("assert(n++ < 3);"), "side effect"),
    ("words.py", "src/base/a.c", source("assert(n = 3);"), "side effect"),
    ("words.py", "src/base/a.c", source("return memcmp(a, b, n);"), "uses of memcmp"),
    ("words.py", "src/base/a.c", BODY % "work();", "no SPDX"),
    ("words.py", "docs/a.md", "SPDX-License-Identifier: Apache-2.0\n/wor" "k/a\n", "docs/a.md:2"),
    ("words.py", "src/base/a.c", source("work(); /* TO" "DO */"), "src/base/a.c:4"),
    ("words.py", "src/base/a.c", source("work(); "), "stray"),
    ("rules.py", "src/format/a.c", source("work(); /* AB-99 */"), "AB-99, cited in src"),
    ("rules.py", "tests/unit/a.c", source("work(); /* AB-99 */"), "AB-99, cited in tests"),
    ("rules.py", "docs/FORMAT.md", "**AB-1** **AB-2**\n", "AB-2"),
    ("rules.py", "src/format/a.c", source(), "AB-1"),
    ("shape.py", "src/base/a.c", source("work();\n" * 61), "cof_a_b has 6"),
    ("shape.py", "src/base/a.c", SPDX + "/* */\n" * 501, "src/base/a.c: 502"),
    ("shape.py", "src/base/a.c", source("work(" + "a" * 100 + ");"), "src/base/a.c:4"),
    ("format.sh", "src/base/a.c", source("work( );"), "src/base/a.c"),
    ("scripts.sh", "scripts/a", "#!/bin/sh\nif\n", "scripts/a"),
    ("scripts.sh", "scripts/a", "#!/bin/sh\nrm $1\n", "SC2086"),
    ("headers.sh", "include/coffer/a.h", SPDX + "size_t cof_d(void);\n", "a.h in c17"),
]

GOOD = {
    "docs/FORMAT.md": "SPDX-License-Identifier: Apache-2.0\n**AB-1**\n",
    "src/format/a.c": source("work(); /* AB-1 */"),
    "tests/unit/a.c": source("work(); /* AB-1 */"),
    "src/base/a.h": SPDX + "#ifndef A_H\n#define A_H\nint cof_c(void);\n#endif\n",
}
MORE = {"format.sh": ["clang-format-14"], "headers.sh": ["cc"]}


def findings(lint, files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
            if text.startswith("#!"):
                os.chmod(full, 0o755)
        run = subprocess.run([os.path.join(HERE, lint), root] + MORE.get(lint, []),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return run.returncode, run.stdout.decode()


def main():
    report = Report()
    clean = {lint: findings(lint, GOOD)[1] for lint in {s[0] for s in SPOILT}}
    for lint, path, text, expected in SPOILT:
        status, output = findings(lint, {**GOOD, path: text})
        problems = []
        if status == 0 or not any(expected in line for line in output.splitlines()
                                  if not line.startswith("ok")):
            problems = ["not found"] + output.splitlines()
        elif any(expected in line for line in clean[lint].splitlines() if line.startswith("#")):
            problems = ["found in the good tree too"]
        report.case("%s finds \"%s\" in %s" % (lint, expected, path), problems)
    report.end()


main()
