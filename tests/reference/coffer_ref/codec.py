# SPDX-License-Identifier: Apache-2.0
"""Compressed data of one record: exactly one frame, exactly the plain length (FORMAT.md 3.2, RC-5)."""

import subprocess
import zlib

from .binary import Cursor
from .errors import FORMAT, need
from .frames import GZIP, NONE, ZSTD


def compress(codec, data):
    """`data` under `codec`; may be longer than `data`."""
    if codec == NONE:
        return data
    if codec == GZIP:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        return packer.compress(data) + packer.flush()
    zstd = ["zstd", "-q", "-3", "--no-check", f"--stream-size={len(data)}", "-c"]
    command = zstd if codec == ZSTD else ["lz4", "-q", "-c"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def decompress(codec, data, plain):
    """The `plain` bytes that `data` stands for; anything else is refused."""
    if codec == NONE:
        out = data
    elif codec == GZIP:
        out = _gunzip(data, plain)
    else:
        if codec == ZSTD:
            _one_zstd_frame(data, plain)
        else:
            _one_lz4_frame(data)
        out = _run(["zstd", "-q", "-d", "-c"] if codec == ZSTD else ["lz4", "-q", "-d", "-c"], data)
    need(len(out) == plain, FORMAT, "RC-5", f"decompresses to {len(out)} bytes, not {plain}")
    return out


def _run(command, data):
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    need(done.returncode == 0, FORMAT, "RC-5", "does not decompress")
    return done.stdout


def _gunzip(data, plain):
    unpacker = zlib.decompressobj(31)
    try:
        out = unpacker.decompress(data, plain + 1)
    except zlib.error as e:
        need(False, FORMAT, "RC-5", f"gzip: {e}")
    need(unpacker.eof and not unpacker.unused_data, FORMAT, "RC-5", "not exactly one gzip member")
    return out


def _one_zstd_frame(data, plain):
    """RFC 8878 3.1.1: one frame that states its size, no dictionary or checksum, nothing after it."""
    c = Cursor(data, "RC-5")
    need(c.take(4) == bytes.fromhex("28b52ffd"), FORMAT, "RC-5", "no zstd frame")
    descriptor = c.number(1)
    single, size_flag = descriptor >> 5 & 1, descriptor >> 6
    need(descriptor & 7 == 0, FORMAT, "RC-5", "zstd dictionary or checksum")
    window = c.number(0 if single else 1)
    size = int.from_bytes(c.take([single, 2, 4, 8][size_flag]), "little") + (256 if size_flag == 1 else 0)
    need((single or size_flag) and size == plain, FORMAT, "RC-5", "zstd content size is not the plain length")
    base = 1 << 10 + (window >> 3)
    need(base + (base >> 3) * (window & 7) <= 1 << 27 or single, FORMAT, "RC-5", "zstd window")
    last = False
    while not last:
        block = int.from_bytes(c.take(3), "little")
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        c.take(1 if kind == 1 else size)
    c.end("RC-5")


def _one_lz4_frame(data):
    """The LZ4 frame format 1.6: one frame, no dictionary, nothing after it."""
    c = Cursor(data, "RC-5")
    need(c.take(4) == bytes.fromhex("04224d18"), FORMAT, "RC-5", "no LZ4 frame")
    flags = c.number(1)
    c.take(1)
    need(flags & 1 == 0, FORMAT, "RC-5", "LZ4 dictionary")
    c.take((8 if flags & 8 else 0) + 1)
    while True:
        size = int.from_bytes(c.take(4), "little") & 0x7FFFFFFF
        if size == 0:
            break
        c.take(size + (4 if flags & 16 else 0))
    c.take(4 if flags & 4 else 0)
    c.end("RC-5")
