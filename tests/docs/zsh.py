#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What zsh makes of lines when the tabulator key is pressed behind them.

usage: zsh.py FOLDER-WITH-_coffer LINE...        prints each line as zsh completed it
"""

import os
import pty
import select
import sys
import time

RC = """
PS1='> '
unsetopt zle_bracketed_paste
fpath=(%s $fpath)
autoload -Uz compinit
compinit -u -D
show() { print -r -- "<<$BUFFER>>"; BUFFER=; zle accept-line }
zle -N show
bindkey '^X' show
"""


def read_until(terminal, mark, patience=30):
    data, end = b"", time.monotonic() + patience
    while mark not in data and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data += os.read(terminal, 65536)
            except OSError:
                break
    return data


def main():
    folder, lines = sys.argv[1], sys.argv[2:]
    with open(os.path.join(folder, ".zshrc"), "w", encoding="utf-8") as f:
        f.write(RC % folder)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"ZDOTDIR": folder, "TERM": "dumb", "LC_ALL": "C.UTF-8"})
        os.execvp("zsh", ["zsh", "-d", "-i"])
    read_until(terminal, b"> ")
    for line in lines:
        os.write(terminal, line.encode() + b"\t\x18")
        shown = read_until(terminal, b">>")
        print(shown.rpartition(b"<<")[2].partition(b">>")[0].decode().strip())
    os.close(terminal)
    os.waitpid(pid, 0)


main()
