# SPDX-License-Identifier: Apache-2.0
"""What follows from the DEK: commitment, proof, record keys and nonces (FORMAT.md 6)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from .binary import hmac_sha256, u32, u64
from .errors import AUTH, Refused

KEY_LENGTH = {1: 32, 2: 16, 3: 24, 4: 32}
TAG = 16


def expand(prk, info, length):
    """HKDF-Expand of RFC 5869 with SHA-256."""
    out, block, i = b"", b"", 1
    while len(out) < length:
        block = hmac_sha256(prk, block + info + bytes([i]))
        out, i = out + block, i + 1
    return out[:length]


class Schedule:
    """The keys of one epoch: `core` is SHA-256 of the preamble."""

    def __init__(self, core, dek, cipher):
        self.core, self.cipher = core, cipher
        self.prk = hmac_sha256(core, dek)
        self.commitment = expand(self.prk, b"coffer v1 commitment", 32)
        self._segments = {}

    def proof(self, generation, keys_sha256, previous, recipients):
        """`previous` is 32 bytes or None; `recipients` the certificates' hashes in order."""
        key = expand(self.prk, b"coffer v1 custody", 32)
        return hmac_sha256(key, self.core + u64(generation) + keys_sha256 + (previous or bytes(32))
                           + u32(len(recipients)) + b"".join(recipients))

    def _record(self, number):
        s = number >> 16
        if s not in self._segments:
            key = expand(self.prk, b"coffer v1 record" + u64(s), KEY_LENGTH[self.cipher])
            base = expand(self.prk, b"coffer v1 nonce" + u64(s), 12)
            aead = ChaCha20Poly1305 if self.cipher == 4 else AESGCM
            self._segments[s] = aead(key), int.from_bytes(base, "big")
        aead, base = self._segments[s]
        return aead, (base ^ number).to_bytes(12, "big")

    def seal(self, number, header, content):
        aead, nonce = self._record(number)
        return aead.encrypt(nonce, content, header)

    def open(self, number, header, payload):
        aead, nonce = self._record(number)
        try:
            return aead.decrypt(nonce, payload, header)
        except InvalidTag:
            raise Refused(AUTH, "RC-7", f"record {number}: tag does not match") from None
