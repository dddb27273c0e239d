#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""restore.py FILE CERTIFICATE KEY: the content of a backup to standard output, by libcoffer through ctypes."""

import ctypes
import os
import sys
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

coffer = ctypes.CDLL(os.environ.get("LIBCOFFER", "libcoffer.so.0"))


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("errno", c_int), ("offset", c_uint64), ("rule", c_char * 16),
                ("message", c_char * 464)]


class Report(ctypes.Structure):
    _fields_ = [("progress", c_void_p), ("warn", c_void_p), ("ctx", c_void_p)]


class OpenOptions(ctypes.Structure):
    """As in coffer/reader.h of this version, member for member."""
    _fields_ = [("path", c_char_p), ("input_fd", c_int), ("spool_dir", c_char_p), ("volume_dirs", c_void_p),
                ("volume_dir_count", c_size_t), ("trust", c_void_p), ("claimed", c_bool), ("keys", c_void_p),
                ("prove_maker", c_bool), ("jobs", c_uint), ("strict_custody", c_bool), ("stats", c_void_p),
                ("min_custodians", c_size_t), ("envelope", c_void_p), ("rescue", c_bool), ("alone", c_bool),
                ("heads", c_void_p), ("head", c_size_t), ("report", Report)]


Write = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, POINTER(Error))


def call(name, *arguments):
    """Call a function of the library; an exception with its sentence where it fails."""
    error = Error()
    if getattr(coffer, name)(*arguments, byref(error)) != 0:
        raise RuntimeError(error.message.decode())


def made(name):
    thing = c_void_p()
    call(name, byref(thing))
    return thing


@Write
def write(_ctx, data, length, _error):
    sys.stdout.buffer.write(ctypes.string_at(data, length))
    return 0


def main(path, certificate, key):
    call("cof_init")
    trust, keys, reader = made("cof_trust_new"), made("cof_keyring_new"), c_void_p()
    call("cof_trust_add", trust, certificate.encode(), 3)
    call("cof_keyring_add", keys, key.encode(), None)
    options = OpenOptions(path=path.encode(), trust=trust, keys=keys)
    call("cof_reader_open", byref(reader), byref(options))
    call("cof_reader_restore", reader, write, None)
    for free, thing in (("reader", reader), ("keyring", keys), ("trust", trust)):
        getattr(coffer, f"cof_{free}_free")(thing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else __doc__)
