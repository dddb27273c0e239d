#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run a command on a terminal of its own and answer its prompts.

usage: terminal.py [--answer TEXT]... [--kill] [--slowly SECONDS] COMMAND...

Each answer is typed when another prompt (a text that ends in ": ") has been shown; with --kill, the
command gets SIGTERM at the first one.  What the terminal shows goes to standard output.  With
--slowly the command's standard input is a pipe into which a megabyte is written, with a pause in
the middle.  The exit status is the command's, 128 + signal if it was killed.
"""

import argparse
import os
import pty
import select
import signal
import sys
import threading
import time


def feed(fd, pause):
    half = os.urandom(512 * 1024)
    os.write(fd, half[:4096])
    for part in (half, half):
        while part:
            part = part[os.write(fd, part):]
        time.sleep(pause)
    os.close(fd)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--answer", action="append", default=[])
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--slowly", type=float)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    source, sink = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.close(sink)
        if options.slowly is not None:
            os.dup2(source, 0)
        os.execvp(options.command[0], options.command)
    os.close(source)
    if options.slowly is not None:
        threading.Thread(target=feed, args=(sink, options.slowly), daemon=True).start()

    answers = list(options.answer)
    shown = b""
    since = 0
    while True:
        ready, _, _ = select.select([terminal], [], [], 30)
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:
            data = b""
        if not data:
            break
        shown += data
        if options.kill and shown.endswith(b": "):
            os.kill(pid, signal.SIGTERM)
        if answers and shown[since:].endswith(b": "):
            since = len(shown)
            os.write(terminal, answers.pop(0).encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    sys.stdout.buffer.write(shown)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


main()
