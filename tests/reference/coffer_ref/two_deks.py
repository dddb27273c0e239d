# SPDX-License-Identifier: Apache-2.0
"""One AES-GCM ciphertext that is authentic under two keys (FORMAT.md KS-1 must stop it).

GCM does not commit to its key: the tag is linear in the ciphertext blocks, so
one block can be solved for such that both keys give the same tag.
"""

import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_R = 0xE1 << 120


def _multiply(x, y):
    """Product in GF(2^128) with GCM's bit order."""
    z = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            z ^= y
        y = (y >> 1) ^ (_R if y & 1 else 0)
    return z


def _inverse(x):
    """x^(2^128 - 2)."""
    result, power = 1 << 127, x
    for i in range(128):
        if i:
            result = _multiply(result, power)
        power = _multiply(power, power)
    return result


def _block(key, block):
    e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return int.from_bytes(e.update(block) + e.finalize(), "big")


def _stream(key, nonce, data):
    e = Cipher(algorithms.AES(key), modes.CTR(nonce + (2).to_bytes(4, "big"))).encryptor()
    return e.update(data) + e.finalize()


def craft():
    """(cek1, cek2, nonce, ciphertext, tag, dek1, dek2): 32-byte contents that differ."""
    cek1, cek2, nonce = os.urandom(32), os.urandom(32), os.urandom(12)
    second = int.from_bytes(os.urandom(16), "big")
    length = 32 * 8
    sums, cubes = [], []
    for cek in (cek1, cek2):
        h = _block(cek, bytes(16))
        square = _multiply(h, h)
        cubes.append(_multiply(square, h))
        mask = _block(cek, nonce + (1).to_bytes(4, "big"))
        sums.append(_multiply(second, square) ^ _multiply(length, h) ^ mask)
    first = _multiply(sums[0] ^ sums[1], _inverse(cubes[0] ^ cubes[1]))
    tag = _multiply(first, cubes[0]) ^ sums[0]
    ciphertext = first.to_bytes(16, "big") + second.to_bytes(16, "big")
    return (cek1, cek2, nonce, ciphertext, tag.to_bytes(16, "big"),
            _stream(cek1, nonce, ciphertext), _stream(cek2, nonce, ciphertext))
