#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of the manual and the commands of the guides do what they say: each page's, from top
to bottom, in one shell, in a folder of its own that has what the page speaks of.

The shell has a terminal, on which prompts for a passphrase are answered.  Where a page speaks of a
database or of another machine, a small program of that name stands in.

usage: examples.py ROOT COFFER [PAGE]...
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

ANSWER = b"correct horse battery\n"
PATIENCE = 120  # seconds for one page

STAND_INS = {
    "pg_dump": "seq 1000 | sed 's/^/INSERT INTO orders VALUES /'",
    "pg_dumpall": "echo CREATE ROLE shop",
    "psql": "cat >psql.input",
    "ssh": 'shift; exec bash -o pipefail -c "$*"',
}


def man_commands(text):
    """The literal blocks of the section EXAMPLES, prompts and roff taken off."""
    section = re.search(r"^\.Sh EXAMPLES\n(.*?)(?=^\.Sh |\Z)", text, re.S | re.M)
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", section.group(1) if section else "",
                        re.S | re.M)
    plain = "".join(blocks).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
    return "".join(line[2:] if line.startswith("$ ") else line
                   for line in plain.splitlines(keepends=True))


def guide_commands(text):
    return "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M))


class World:
    """A folder with people, data and backups."""

    def __init__(self, coffer):
        self.top = tempfile.mkdtemp(prefix="coffer-docs.")
        self.work = os.path.join(self.top, "work")
        tools = os.path.join(self.top, "bin")
        os.mkdir(tools)
        os.mkdir(self.work)
        os.symlink(os.path.realpath(coffer), os.path.join(tools, "coffer"))
        for name, body in STAND_INS.items():
            with open(os.path.join(tools, name), "w", encoding="utf-8") as f:
                f.write("#!/usr/bin/env bash\n%s\n" % body)
            os.chmod(os.path.join(tools, name), 0o755)
        self.env = {"PATH": tools + ":" + os.environ["PATH"], "HOME": self.top, "LC_ALL": "C.UTF-8",
                    "COFFER_HOME": os.path.join(self.work, "home"), "TERM": "dumb"}
        self.env.update((k, v) for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN")))

    def documents(self):
        self.shell("""
            mkdir -p backups disk1 disk2 documents/cache
            seq 200 >documents/notes.txt
            echo draft >documents/letter.tmp
            echo kept >documents/cache/page
            ln -s notes.txt documents/latest
            sqlite3 library.db "CREATE TABLE book(title); INSERT INTO book VALUES ('Emma')\"""")

    def people(self):
        self.shell("""
            for name in ops recovery auditor ops-2027; do
                coffer keygen "$name" --type p256 --no-passphrase -q
            done
            coffer init --name db1 -r ops.crt -r recovery.crt >init.said
            sed -n 's/.*, \\(SHA256:[0-9A-F:]*\\)  (write.*/\\1/p' init.said >db1.fingerprint
            [ -s db1.fingerprint ]
            cp home/signing.crt db1.crt""")

    def backups(self):
        self.shell("""
            pg_dump shop | coffer backup -q -o shop.cof --label shop -
            pg_dump shop | coffer backup -q -o backups/ --label shop -
            coffer backup -q -o documents.cof --label docs documents
            coffer backup -q -o backups/ --label docs documents""")

    def shell(self, commands):
        subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=self.work, env=self.env,
                       check=True, stdin=subprocess.DEVNULL)

    def on_terminal(self, commands):
        """Status and transcript of commands; each is shown before it runs."""
        path = os.path.join(self.top, "commands")
        with open(path, "w", encoding="utf-8") as f:
            f.write(commands)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.work)
            os.execvpe("bash", ["bash", "-euvo", "pipefail", path], self.env)
        shown, answered, end = b"", 0, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:
                data = b""
            if not data:
                return os.waitpid(pid, 0)[1], shown.decode("utf-8", "replace")
            shown += data
            if re.search(rb"Passphrase for [^\n]*: $", shown[answered:]):
                answered = len(shown)
                os.write(terminal, ANSWER)
        os.close(terminal)  # hangs up
        os.waitpid(pid, 0)
        return -1, shown.decode("utf-8", "replace") + "\n(no end after %d s)" % PATIENCE

    def remove(self):
        shutil.rmtree(self.top)


def prepare(world, page):
    if page == "coffer-keygen.1":
        return
    world.documents()
    if page.endswith(".md") or page == "coffer.1":
        return
    world.people()
    if page == "coffer-init.1":
        world.env["COFFER_HOME"] = os.path.join(world.work, "fresh")
    else:
        world.backups()


def leads_where_it_says(root, page, commands):
    """Guides name files of the project, which must be there."""
    text = open(os.path.join(root, page), encoding="utf-8").read()
    for target in re.findall(r"\]\(([^)#:]+)\)", text) if page.endswith(".md") else []:
        if not os.path.exists(os.path.join(root, os.path.dirname(page), target)):
            yield "there is no " + target
    if not commands.strip():
        yield "no commands found"


def main():
    root, coffer = sys.argv[1:3]
    pages = sorted("man/" + name for name in os.listdir(os.path.join(root, "man"))
                   if name.endswith(".1"))
    pages += ["docs/QUICKSTART.md", "docs/GEMSTONE.md", "docs/ROTATION.md"]
    pages = [page for page in pages if not sys.argv[3:] or page in sys.argv[3:]]
    failed = 0
    for number, page in enumerate(pages, 1):
        text = open(os.path.join(root, page), encoding="utf-8").read()
        commands = man_commands(text) if page.endswith(".1") else guide_commands(text)
        world = World(coffer)
        try:
            prepare(world, os.path.basename(page))
            status, transcript = world.on_terminal(commands)
        finally:
            world.remove()
        findings = list(leads_where_it_says(root, page, commands))
        good = status == 0 and not findings
        failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", number, page), flush=True)
        if not good:
            findings += ["status %d" % status] + transcript.splitlines()[-60:]
            print("\n".join("#   " + line for line in findings), flush=True)
    print("1..%d" % len(pages))
    sys.exit(1 if failed else 0)


main()
