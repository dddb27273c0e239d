# SPDX-License-Identifier: Apache-2.0
"""The people of the tests: fresh keys and self-signed certificates."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID

from . import der
from .certs import RSASSA_PSS, Certificate
from .signed import Signer

KINDS = {"rsa2048": lambda: rsa.generate_private_key(65537, 2048),
         "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
         "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
         "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
         "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
         "dsa": lambda: dsa.generate_private_key(2048)}


class Person:
    """A key pair with its certificate, as recipient or as signer."""

    def __init__(self, name, kind="p256", subject=None, skid=True):
        self.name = name
        self.key = KINDS[kind]()
        self.certificate = certificate(self.key, subject or name, skid)

    def signer(self, digest="sha256", pss=False):
        return Signer(self.certificate, self.key, digest, pss)

    def renewed(self, subject=None):
        """The same key in a new certificate."""
        other = object.__new__(Person)
        other.name, other.key = self.name, self.key
        other.certificate = certificate(self.key, subject or self.name, True)
        return other

    def named_by(self, issuer, subject):
        """The same key in a certificate that somebody else signed."""
        other = object.__new__(Person)
        other.name, other.key = self.name, self.key
        other.certificate = certificate(self.key, subject, True, issuer.key)
        return other

    def write(self, directory):
        """NAME.key (PKCS#8, not encrypted) and NAME.crt."""
        path = os.path.join(directory, self.name)
        with open(os.open(path + ".key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
        with open(path + ".crt", "wb") as f:
            f.write(self.certificate.x509.public_bytes(serialization.Encoding.PEM))


def pss_only(key, common_name):
    """A certificate that calls an RSA key one for RSASSA-PSS; nobody looks at its own signature."""
    tbs, algorithm, signature = der.parse(certificate(key, common_name, skid=False).raw).kids
    spki = tbs[6]
    pss = der.seq(der.seq(der.oid(RSASSA_PSS)), spki[1].raw)
    return Certificate(der.seq(der.seq(*[k.raw for k in tbs.kids[:6]], pss), algorithm.raw, signature.raw))


def certificate(key, common_name, skid=True, signer=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(datetime.datetime(2026, 1, 1))
               .not_valid_after(datetime.datetime(2036, 1, 1)))
    if skid:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    made = builder.sign(signer or key, hashes.SHA256())
    return Certificate(made.public_bytes(serialization.Encoding.DER))
