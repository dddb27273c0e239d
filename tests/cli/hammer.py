#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes that change the locks of one backup again and again, and three that read it all the
time.

usage: hammer.py COFFER BACKUP PEOPLE SECONDS

A writer ends with 0, or with 11 where the other one kept it waiting; a reader always with 0: without
a warning of damage or of something interrupted, and with ops among the recipients.
"""

import json
import os
import subprocess
import sys
import threading
import time


def main():
    coffer, backup, people, seconds = sys.argv[1:4] + [float(sys.argv[4])]
    person = {name: os.path.join(people, name) for name in ("ops", "rec", "eve")}
    end = time.monotonic() + seconds
    wrong, counts = [], {"rotate": 0, "busy": 0, "info": 0, "verify": 0}

    def call(*args):
        done = subprocess.run([coffer, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def write(name):
        other = False
        while time.monotonic() < end and not wrong:
            other = not other
            sets = ["-r", person["ops"] + ".crt"] + (["-r", person[name] + ".crt"] if other else [])
            code, _, said = call("rotate", "-q", backup, "--drop-history", "--key", person["ops"] + ".key", *sets)
            if code not in (0, 11):
                wrong.append(f"rotate: {code} {said}")
            counts["rotate" if code == 0 else "busy"] += 1

    def read(verb, *options):
        while time.monotonic() < end and not wrong:
            code, out, said = call(verb, *options, backup)
            if code != 0:
                wrong.append(f"{verb}: {code} {said}")
            elif verb == "info" and json.loads(out)["recipients"][0]["subject"] != "CN=ops":
                wrong.append(out)
            counts[verb] += 1

    threads = [threading.Thread(target=write, args=(name,)) for name in ("rec", "eve")]
    threads += [threading.Thread(target=read, args=args)
                for args in (("info", "--json"), ("info", "--json"), ("verify", "-q", "--quick"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(counts)
    print("\n".join(wrong))
    return bool(wrong) or min(counts[k] for k in ("rotate", "info", "verify")) == 0


sys.exit(main())
