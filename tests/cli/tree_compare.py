#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What differs between two trees, to the last attribute and hole.

usage: tree_compare.py A B [--no-holes] [--no-xattrs]

Prints one line for each difference, and fails if there is one.  Sockets do not count.  Works below
open directories, so that no path is too long.
"""

import hashlib
import os
import stat
import sys

NO_HOLES = "--no-holes" in sys.argv
NO_XATTRS = "--no-xattrs" in sys.argv
BLOCK = 1 << 20


def extents(fd, size):
    """The parts of a file that are no holes."""
    found, at = [], 0
    while at < size:
        try:
            begin = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, begin, os.SEEK_HOLE)
        found.append((begin, min(at, size)))
    return found


def content(fd, size):
    """A hash of the bytes, in which zeros do not depend on whether they are holes."""
    digest = hashlib.sha256()
    for begin, end in extents(fd, size):
        while begin < end:
            data = os.pread(fd, min(BLOCK, end - begin), begin)
            if not data:
                break
            if data.count(0) != len(data):
                digest.update(b"%d:" % begin + data)
            begin += len(data)
    return digest.hexdigest()


def xattrs(fd, name, info):
    # A directory or file by descriptor; what cannot be opened by the kernel's name for it.
    path = b"/proc/self/fd/%d/%s" % (fd, name)
    return sorted((k, os.getxattr(path, k, follow_symlinks=False))
                  for k in os.listxattr(path, follow_symlinks=False))


def describe(fd, name, path, inodes):
    info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    about = {
        "type": stat.S_IFMT(info.st_mode), "mode": oct(stat.S_IMODE(info.st_mode)),
        "owner": (info.st_uid, info.st_gid), "mtime": info.st_mtime_ns,
        "same file as": inodes.setdefault((info.st_dev, info.st_ino), path),
    }
    if stat.S_ISREG(info.st_mode):
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
        about["size"] = info.st_size
        about["content"] = content(file, info.st_size)
        if not NO_HOLES:
            about["holes"] = extents(file, info.st_size)
        os.close(file)
    elif stat.S_ISLNK(info.st_mode):
        about["target"] = os.readlink(name, dir_fd=fd)
    elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
        about["device"] = info.st_rdev
    if not NO_XATTRS:
        about["xattrs"] = xattrs(fd, name, info)
    return about


def walk(top):
    """Path -> description, of everything below top; one open directory at a time."""
    found, inodes = {}, {}
    fd = os.open(top, os.O_RDONLY)
    stack = [(b"", sorted(os.listdir(fd)))]
    while stack:
        prefix, names = stack[-1]
        if not names:
            stack.pop()
            up = os.open("..", os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = up
            continue
        name = os.fsencode(names.pop(0))
        path = prefix + name
        mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
        if stat.S_ISSOCK(mode):
            continue
        found[path] = describe(fd, name, path, inodes)
        if stat.S_ISDIR(mode):
            down = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = down
            stack.append((path + b"/", sorted(os.listdir(fd))))
    os.close(fd)
    return found


def main():
    a, b = [walk(arg) for arg in sys.argv[1:] if not arg.startswith("--")]
    different = 0
    for path in sorted(set(a) | set(b)):
        if path not in a or path not in b:
            print("%r is only in %s" % (path[-200:], "the first" if path in a else "the second"))
            different += 1
            continue
        for key in a[path]:
            if a[path][key] != b[path].get(key):
                print("%r: %s: %.300r and %.300r" % (path[-200:], key, a[path][key], b[path].get(key)))
                different += 1
    if not a:
        print("the first is empty")
    sys.exit(1 if different or not a else 0)


main()
