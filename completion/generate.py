#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Completion for bash, zsh and fish, made from what the command itself says in its help: a verb or
an option that is new in the command is new in all three.

usage: generate.py bash|zsh|fish COFFER        writes to standard output
"""

import re
import subprocess
import sys

# Values that are one of a few words, as the help of the option lists them.
WORDS = re.compile(r"\b(?:zstd|lz4|gzip|none|sha(?:256|384|512)|rsa-\d+|p256|p384|p521|"
                   r"aes-\d+-gcm|chacha20-poly1305)\b")
WORDED = {"METHOD", "NAME", "TYPE", "CIPHER"}
PATHS = re.compile(r"FILE|DIR|CERT|KEY|OLD|NEW|PATH|SOURCE|HEAD|BUNDLE")


def ask(coffer, *arguments):
    done = subprocess.run([coffer, *arguments], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8")
    return done.stdout


def verbs(coffer):
    """(name, summary) of each verb."""
    lines = ask(coffer, "help").split("\n\n")[2].splitlines()
    return [tuple(line.strip().split(None, 1)) for line in lines]


class Option:
    def __init__(self, letter, name, value, text):
        self.letter, self.name, self.value, self.text = letter, name, value, text

    @property
    def spellings(self):
        return ["--" + self.name] + (["-" + self.letter] if self.letter else [])

    @property
    def words(self):
        found = WORDS.findall(self.text) if self.value in WORDED else []
        return list(dict.fromkeys(found))

    @property
    def is_path(self):
        return bool(self.value and not self.words and PATHS.search(self.value))

    @property
    def brief(self):
        """The first clause of the explanation, without what a shell would trip over."""
        return re.sub(r"['\"\[\]:\\`$]", "", self.text.split(";")[0])


def options(coffer, verb):
    text = ask(coffer, verb, "--help").split("\nOptions:\n", 1)[1]
    found = []
    for line in text.splitlines():
        start = re.match(r"  (?:-(\w), |    )--([a-z0-9-]+)(?: (\S+))?(?:  +(.*))?$", line)
        if start:
            found.append(Option(start[1], start[2], start[3], start[4] or ""))
        else:
            found[-1].text = (found[-1].text + " " + line.strip()).strip()
    return found


# ---- the shells ----

BASH = """\
# SPDX-License-Identifier: Apache-2.0
# Completion for bash.  Made by completion/generate.py from the command's help.
_coffer() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local verb options word
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "@VERBS@ --version --help" -- "$current")
        return
    fi
    verb=${COMP_WORDS[1]}
    case $verb in
@OPTIONS@
    help)
        mapfile -t COMPREPLY < <(compgen -W "@VERBS@" -- "$current")
        return
        ;;
    *) return ;;
    esac
    for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        [ "$word" != -- ] || options=
    done
    if [ "$previous" != -- ] && [ -n "$options" ]; then
        case $verb:$previous in
@VALUES@
        esac
    fi
    if [[ $current == -* && -n $options ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _coffer coffer
"""


def bash(table):
    known, values = [], []
    for verb, _, opts in table:
        if verb == "help":
            continue
        spellings = " ".join(s for o in opts for s in o.spellings)
        known.append("    %s) options='%s' ;;" % (verb, spellings))
        plain = []
        for o in opts:
            labels = " | ".join("%s:%s" % (verb, s) for s in o.spellings)
            if o.words:
                values.append("        %s)\n            mapfile -t COMPREPLY < "
                              "<(compgen -W '%s' -- \"$current\")\n            return\n"
                              "            ;;" % (labels, " ".join(o.words)))
            elif o.is_path:
                plain.append((labels, True))
            elif o.value:
                plain.append((labels, False))
        for path in (True, False):
            labels = [label for label, is_path in plain if is_path == path]
            if labels:
                joined = " | \\\n            ".join(labels)
                values.append("        %s)\n            %sreturn\n            ;;" % (
                    joined, "compopt -o filenames 2>/dev/null\n            mapfile -t COMPREPLY < "
                    "<(compgen -f -- \"$current\")\n            " if path else ""))
    return (BASH.replace("@VERBS@", " ".join(v for v, _, _ in table))
            .replace("@OPTIONS@", "\n".join(known)).replace("@VALUES@", "\n".join(values)))


ZSH = """\
#compdef coffer
# SPDX-License-Identifier: Apache-2.0
# Completion for zsh.  Made by completion/generate.py from the command's help.
_coffer() {
    local -a verbs
    verbs=(
@VERBS@
    )
    if (( CURRENT == 2 )); then
        _describe verb verbs
        return
    fi
    local verb=$words[2]
    shift words
    (( CURRENT-- ))
    case $verb in
@CASES@
    help) _describe verb verbs ;;
    esac
}
_coffer "$@"
"""


def zsh(table):
    cases = []
    for verb, _, opts in table:
        if verb == "help":
            continue
        lines = ["    %s)" % verb, "        _arguments -S \\"]
        for o in opts:
            action = ""
            if o.value:
                values = "(%s)" % " ".join(o.words) if o.words else "_files" if o.is_path else " "
                action = ":%s:%s" % (o.value.replace("|", " or "), values)
            for spelling in o.spellings:
                lines.append("            '*%s[%s]%s' \\" % (spelling, o.brief, action))
        lines.append("            '*:file:_files'")
        lines.append("        ;;")
        cases.append("\n".join(lines))
    named = "\n".join("        '%s:%s'" % (v, s.replace("'", "").replace(":", ","))
                      for v, s, _ in table)
    return ZSH.replace("@VERBS@", named).replace("@CASES@", "\n".join(cases))


def fish(table):
    lines = ["# SPDX-License-Identifier: Apache-2.0",
             "# Completion for fish.  Made by completion/generate.py from the command's help.",
             "complete -c coffer -f -n __fish_use_subcommand -l version -d 'Print the version'",
             "complete -c coffer -f -n __fish_use_subcommand -l help -d 'List the verbs'"]
    for verb, summary, _ in table:
        lines.append("complete -c coffer -f -n __fish_use_subcommand -a %s -d '%s'"
                     % (verb, summary.replace("'", "")))
    for verb, _, opts in table:
        here = "complete -c coffer -n '__fish_seen_subcommand_from %s'" % verb
        if verb == "help":
            lines.append("%s -f -a '%s'" % (here, " ".join(v for v, _, _ in table)))
            continue
        for o in opts:
            line = here + (" -s %s" % o.letter if o.letter else "") + " -l %s" % o.name
            if o.words:
                line += " -x -a '%s'" % " ".join(o.words)
            elif o.is_path:
                line += " -r -F"
            elif o.value:
                line += " -x"
            lines.append(line + " -d '%s'" % o.brief)
    return "\n".join(lines) + "\n"


def main():
    shell, coffer = sys.argv[1:3]
    table = [(verb, summary, [] if verb == "help" else options(coffer, verb))
             for verb, summary in verbs(coffer)]
    sys.stdout.write({"bash": bash, "zsh": zsh, "fish": fish}[shell](table))


main()
