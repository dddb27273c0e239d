#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each target over its seeds: as they are, varied, and with allocations failing.

usage: run.py COFFER FOLDER-OF-REPLAY-PROGRAMS
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
NO_STARVING = {"options": "the command ends without memory"}
MODES = ((), ("-starve",))


def main():
    coffer, programs = sys.argv[1:]
    number = bad = 0
    with tempfile.TemporaryDirectory() as seeds:
        subprocess.run([os.path.join(HERE, "seeds.py"), coffer, seeds, "few"], check=True)
        for target in sorted(os.listdir(seeds)):
            for mode in MODES:
                if mode and target in NO_STARVING:
                    continue
                done = subprocess.run([os.path.join(programs, "replay-" + target), *mode, os.path.join(seeds, target)],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                text = done.stdout.decode(errors="replace")
                last = text.strip().rsplit("\n", 1)[-1]
                good = done.returncode == 0 and last.endswith(" runs")
                number, bad = number + 1, bad + (not good)
                print("%s %d - %s%s: %s" % ("ok" if good else "not ok", number, target,
                                            ", memory failing" if mode else "", last[:80]), flush=True)
                if not good:
                    print("".join("#   %s\n" % line[:300] for line in text.split("\n")[-60:]), end="")
    print("1..%d" % number)
    sys.exit(bad != 0)


main()
