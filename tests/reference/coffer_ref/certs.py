# SPDX-License-Identifier: Apache-2.0
"""What a certificate says, as custody statements repeat it (FORMAT.md 4.2, CU-3)."""

import calendar
import functools
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from . import der
from .binary import sha256, time_text
from .errors import FORMAT, LIMIT, Refused, need

MAX_CERTIFICATE = 65536
CURVES = {"secp256r1": "EC-P-256", "secp384r1": "EC-P-384", "secp521r1": "EC-P-521"}
SKI_OID = "2.5.29.14"
RSASSA_PSS = "1.2.840.113549.1.1.10"


class Certificate:
    """A certificate in strict DER (EN-6): its bytes, public key and names."""

    def __init__(self, raw, rule="EN-6"):
        need(len(raw) <= MAX_CERTIFICATE, LIMIT, rule, "certificate too large")
        try:
            node = der.parse(raw)
            fields = list(node[0].kids)
            if fields[0].tag == 0xA0:
                fields.pop(0)
            self.serial, self.issuer, self.spki = fields[0].raw, fields[2].raw, fields[5].raw
            self.x509 = x509.load_der_x509_certificate(raw)
            self.public_key = self.x509.public_key()
            self.skid = self._key_identifier(fields)
        except (der.DerError, ValueError, IndexError, TypeError) as e:
            raise Refused(FORMAT, rule, f"not one certificate in strict DER: {e}") from None
        self.raw = bytes(raw)
        self.sha256 = sha256(raw)
        self.spki_sha256 = sha256(self.spki)

    @classmethod
    @functools.lru_cache(maxsize=None)
    def of(cls, raw):
        """The same, remembered."""
        return cls(raw)

    @staticmethod
    def _key_identifier(fields):
        for field in fields[6:]:
            if field.tag != 0xA3:
                continue
            for extension in field[0].kids:
                if der.oid_text(extension[0].body) == SKI_OID:
                    return der.parse(extension[-1].body).body
        return None

    def identifier(self):
        """How CMS names this certificate: key identifier, else issuer and serial."""
        if self.skid is not None:
            return ("skid", self.skid)
        return ("issuer", self.issuer + self.serial)

    def subject(self):
        return _subject(self.raw)

    def not_after(self):
        return time_text(calendar.timegm(self.x509.not_valid_after.timetuple()))

    @property
    def signs_only(self):
        """Is it an RSA key that may sign with PSS and do nothing else?"""
        return der.oid_text(der.parse(self.spki)[0][0].body) == RSASSA_PSS

    def key_word(self):
        """`RSA-3072`, `EC-P-256` …; None for a key that cannot be a recipient's."""
        key = self.public_key
        if isinstance(key, rsa.RSAPublicKey) and not self.signs_only:
            return f"RSA-{key.key_size}"
        if isinstance(key, ec.EllipticCurvePublicKey):
            return CURVES.get(key.curve.name)
        return None

    def summary(self):
        """The element of `recipients` for this certificate (FORMAT.md 4.2)."""
        return {"sha256": self.sha256.hex(), "spki": self.spki_sha256.hex(),
                "subject": self.subject(), "not_after": self.not_after(), "key": self.key_word()}


@functools.lru_cache(maxsize=None)
def _subject(raw):
    out = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject",
                          "-nameopt", "RFC2253,utf8,-esc_msb"],
                         input=raw, stdout=subprocess.PIPE, check=True).stdout.decode()
    need(out.startswith("subject=") and out.endswith("\n"), FORMAT, "CU-3", "no subject printed")
    return out[len("subject="):-1]


def load(path):
    """The certificate in a PEM or DER file."""
    with open(path, "rb") as f:
        data = f.read()
    if b"-----BEGIN" in data:
        data = x509.load_pem_x509_certificate(data).public_bytes(serialization.Encoding.DER)
    return Certificate(data)


def load_key(path, password=None):
    with open(path, "rb") as f:
        return serialization.load_pem_private_key(f.read(), password)


def same_key(a, b):
    """Do two public keys (of cryptography) mean the same key?"""
    if type(a) is not type(b):
        return False
    return a.public_numbers() == b.public_numbers()


def strong_signer(key):
    """ST-4: the keys whose signatures may count at all."""
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)):
        return 2048 <= key.key_size <= (16384 if isinstance(key, rsa.RSAPublicKey) else 4096)
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
