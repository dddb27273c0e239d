# SPDX-License-Identifier: Apache-2.0
"""What this machine can do: the bounds that any program has here."""

import os
import re
import time

from .world import MIB, remove

PIECE = 128 << 10


def speed(world, algorithm, processes=1):
    """Bytes a second of a library call on pieces that fit into a cache."""
    multi = f"-multi {processes}" if processes > 1 else ""
    said = world.text(f"openssl speed -seconds 2 -bytes {PIECE} {multi} -evp {algorithm} 2>/dev/null")
    return float(re.findall(r"([\d.]+)k\s*$", said.strip())[-1]) * 1000


def best(function, rounds=3):
    return max(function() for _ in range(rounds))


def write(path, size, sync):
    data = os.urandom(MIB) * 4
    remove(path)
    start = time.perf_counter()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    for _ in range(max(1, size // len(data))):
        os.write(fd, data)
    if sync:
        os.fsync(fd)
    seconds = time.perf_counter() - start
    os.close(fd)
    return os.path.getsize(path) / seconds


def read(path, cold):
    fd = os.open(path, os.O_RDONLY)
    if cold:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    buffer, done = bytearray(4 * MIB), 0
    start = time.perf_counter()
    while n := os.readv(fd, [buffer]):
        done += n
    seconds = time.perf_counter() - start
    os.close(fd)
    return done / seconds


def zstd(world, file):
    seconds, _ = world.watch(f"zstd -3 -q --single-thread -c {file} > /dev/null")
    return os.path.getsize(world.path(file)) / seconds


def measure(world):
    cores = len(os.sched_getaffinity(0))
    size = world.scaled(1 << 30, 16 * MIB)
    text, _ = world.text_file()
    found = {
        "AES-256-GCM, one core": speed(world, "aes-256-gcm"),
        "AES-256-GCM, all cores": speed(world, "aes-256-gcm", cores),
        "SHA-256, one core": speed(world, "sha256"),
        "SHA-256, all cores": speed(world, "sha256", cores),
        "zstd -3, one core": best(lambda: zstd(world, text)),
        "write, memory": best(lambda: write(world.path("limit"), size, False)),
        "read, memory": best(lambda: read(world.path("limit"), False)),
        "write and fsync, disk": best(lambda: write(os.path.join(world.disk, "limit"), size, True)),
        "read, disk": best(lambda: read(os.path.join(world.disk, "limit"), True)),
    }
    remove(world.path("limit"), os.path.join(world.disk, "limit"))
    return {"cores": cores, "speeds": found}


def stages(limits, size):
    """Seconds of one core to read, encrypt or decrypt, hash and write so much, each by its name."""
    return {what: size / limits["speeds"][what]
            for what in ("read, memory", "AES-256-GCM, one core", "SHA-256, one core", "write, memory")}


def least_seconds(limits, size):
    """The same together, with all cores busy all the time."""
    return sum(stages(limits, size).values()) / limits["cores"]
