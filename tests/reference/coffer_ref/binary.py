# SPDX-License-Identifier: Apache-2.0
"""Integers, byte cursors, hashes and words that every other file uses (FORMAT.md, Notation)."""

import hashlib
import hmac
import re
import time

from .errors import FORMAT, Refused, need

HEX_HASH = re.compile(r"[0-9a-f]{64}")
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME_TEXT = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z")


def u8(n):
    return n.to_bytes(1, "big")


def u16(n):
    return n.to_bytes(2, "big")


def u32(n):
    return n.to_bytes(4, "big")


def u64(n):
    return n.to_bytes(8, "big")


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def round_up(n, unit):
    return -(-n // unit) * unit


def all_zero(data):
    return not any(data)


def uuid_text(raw):
    h = raw.hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def time_text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Cursor:
    """Reads big-endian fields; what is not there is refused under `rule` (GE-2)."""

    def __init__(self, data, rule, cls=FORMAT):
        self.data = data
        self.at = 0
        self.rule = rule
        self.cls = cls

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        need(n <= self.left(), self.cls, self.rule, f"{n} bytes wanted, {self.left()} left")
        piece = self.data[self.at:self.at + n]
        self.at += n
        return piece

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def zero(self, n, rule="GE-1"):
        need(all_zero(self.take(n)), FORMAT, rule, "bytes that must be zero are not")

    def end(self, rule="GE-3"):
        if self.left():
            raise Refused(FORMAT, rule, f"{self.left()} bytes too many")
