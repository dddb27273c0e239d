#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make NAME.key and NAME.crt as coffer itself would not: expired, weak, for another purpose."""

import argparse
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

USAGES = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
          "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]


def make_key(kind):
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "secp256k1":
        return ec.generate_private_key(ec.SECP256K1())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, int(kind[len("rsa"):]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--cn")
    parser.add_argument("--type", default="p256")
    parser.add_argument("--from-day", type=int, default=-10, help="first day, from today")
    parser.add_argument("--to-day", type=int, default=365, help="last day, from today")
    parser.add_argument("--usage", action="append", choices=USAGES)
    options = parser.parse_args()

    key = make_key(options.type)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, options.cn or options.name)])
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now + datetime.timedelta(days=options.from_day))
               .not_valid_after(now + datetime.timedelta(days=options.to_day)))
    if options.usage:
        builder = builder.add_extension(
            x509.KeyUsage(**{usage: usage in options.usage for usage in USAGES}), critical=True)
    digest = None if options.type == "ed25519" else hashes.SHA256()
    with open(options.name + ".crt", "wb") as f:
        f.write(builder.sign(key, digest).public_bytes(serialization.Encoding.PEM))
    with open(options.name + ".key", "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))


main()
