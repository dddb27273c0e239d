#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which room may include what (the table in CONTRIBUTING.md), and where #if may stand."""

import os
import re
import sys

from house import Report, Tree, blank_comments

# Rooms, and the other rooms that each may include; everything may include libc.
ROOMS = {
    "base": [],
    "os": ["base"],
    "codec": ["base"],
    "wire": ["base"],
    "crypto": ["base"],
    "format": ["base", "wire", "crypto"],
    "store": ["base", "os"],
    "source": ["base", "os"],
    "engine": ["base", "os", "codec", "wire", "crypto", "format", "store", "source"],
}

# Libraries, and the rooms that may include them.
LIBRARIES = [
    (re.compile(r"openssl/"), ["crypto"]),
    (re.compile(r"(zstd|zstd_errors|zdict|lz4|lz4hc|lz4frame|zlib)\.h$"), ["codec"]),
    (re.compile(r"archive(_entry)?\.h$"), ["source"]),
    (re.compile(r"sqlite3(ext)?\.h$"), ["source", "sqlite"]),
    (re.compile(r"jansson\.h$"), ["format", "cli"]),
]

# System headers that reach the machine; base, wire, codec, crypto and format have no business there.
MACHINE = re.compile(r"(sys/(stat|ioctl|mman|socket|statvfs|wait|file|prctl|resource|xattr)"
                     r"|fcntl|dirent|unistd|termios|signal|poll)\.h$")
MACHINE_ROOMS = {
    "base/secret.c",  # locked pages are the point of it
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b[ \t]*(.*)$", re.M)
HEADER_CONDITION = re.compile(r"!?[ \t]*(defined)?[ \t]*\(?(__cplusplus|__GNUC__|__clang__)\)?$")


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else parts[0]


def library_finding(room, name):
    for pattern, rooms in LIBRARIES:
        if pattern.match(name) and room not in rooms:
            return "only %s may include <%s>" % (" and ".join(rooms), name)
    return None


def machine_finding(path, room, name):
    if room in ("wire", "codec", "crypto", "format", "base") and MACHINE.match(name):
        if path[len("src/"):] not in MACHINE_ROOMS:
            return "<%s> reaches the machine: that is for os" % name
    return None


def coffer_finding(room, name):
    allowed = room in ("engine", "cli", "include", "sqlite") or name == "coffer/error.h"
    return None if allowed else "only engine and cli may include <%s>" % name


def own_finding(tree, path, room, name):
    if ".." in name.split("/"):
        return "reaches into another room by \"%s\"" % name
    if os.path.dirname(path) + "/" + name in tree.paths:
        return None
    if room == "cli":
        return "cli includes <coffer/...> and its own headers, not \"%s\"" % name
    if room == "include":
        return "a public header includes <coffer/...> only, not \"%s\"" % name
    other = name.split("/")[0]
    if other != room and other not in ROOMS.get(room, []):
        return "%s may not include %s (\"%s\")" % (room, other, name)
    if "src/" + name not in tree.paths:
        return "\"%s\" is no header of this project" % name
    return None


def includes(tree, path):
    room = room_of(path)
    for mark, name in INCLUDE.findall(blank_comments(tree.text(path))):
        if name.startswith("coffer/"):
            finding = coffer_finding(room, name)
        elif mark == '"':
            finding = own_finding(tree, path, room, name)
        else:
            finding = library_finding(room, name) or machine_finding(path, room, name)
        if finding:
            yield "%s: %s" % (path, finding)


def conditions(tree, path):
    source = blank_comments(tree.text(path))
    guard = re.match(r"\s*#ifndef (\w+)\n#define \1\n", source) if path.endswith(".h") else None
    for number, match in enumerate(CONDITION.finditer(source)):
        if guard and number == 0:
            continue
        if path.endswith(".h") and HEADER_CONDITION.match(match.group(2).strip()):
            continue
        line = source.count("\n", 0, match.start()) + 1
        yield "%s:%d: #%s stands outside src/os" % (path, line, match.group(1))


def guards(tree, path):
    source = blank_comments(tree.text(path))
    if not re.match(r"\s*#ifndef (\w+)\n#define \1\n", source):
        yield "%s: no include guard at its beginning" % path


def main():
    tree = Tree(sys.argv[1])
    report = Report()
    ours = tree.below("src", "cli", "include", "sqlite", ends=(".c", ".h"))
    rooms = list(ROOMS) + ["cli", "include", "sqlite"]
    report.case("every file of src is in a room",
                (p for p in ours if room_of(p) not in rooms))
    for room in rooms:
        files = [p for p in ours if room_of(p) == room]
        report.case("%s includes what it may" % room,
                    (f for p in files for f in includes(tree, p)))
    report.case("#if stands in src/os only",
                (f for p in ours if room_of(p) != "os" for f in conditions(tree, p)))
    report.case("headers are guarded",
                (f for p in ours if p.endswith(".h") for f in guards(tree, p)))
    report.end()


main()
