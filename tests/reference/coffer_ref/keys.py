# SPDX-License-Identifier: Apache-2.0
"""KEYS: the CMS AuthEnvelopedData around the DEK (FORMAT.md 5), read and built by hand."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import der
from .binary import u32
from .certs import CURVES, same_key
from .errors import AUTH, FORMAT, LIMIT, NO_MATCH, UNSUPPORTED, Refused, need

MAX_KEYS = 262144
AUTH_ENVELOPED, ENVELOPED = "1.2.840.113549.1.9.16.1.23", "1.2.840.113549.1.7.3"
DATA = "1.2.840.113549.1.7.1"
AES256_GCM, AES256_CFB = "2.16.840.1.101.3.4.1.46", "2.16.840.1.101.3.4.1.44"
OAEP, SHA256, MGF1 = "1.2.840.113549.1.1.7", "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.8"
RSA_PKCS1 = "1.2.840.113549.1.1.1"
EC_KEY, ECDH_SHA256, AES256_WRAP = "1.2.840.10045.2.1", "1.3.132.1.11.1", "2.16.840.1.101.3.4.1.45"
WRAP_ALGORITHM = der.algorithm(AES256_WRAP)
OAEP_ALGORITHM = der.algorithm(OAEP, der.seq(
    der.context(0, der.algorithm(SHA256)), der.context(1, der.algorithm(MGF1, der.algorithm(SHA256)))))
ECDH_ALGORITHM = der.algorithm(ECDH_SHA256, WRAP_ALGORITHM)
ONE_REFUSAL = "the wrapped key cannot be opened"   # KS-1: one message for every cause


class Wrap:
    """One RecipientInfo: `kind` "rsa" or "ec", the identifier, and what unwrapping needs."""

    def __init__(self, node):
        if node.tag == der.SEQUENCE:
            self._transport(node)
        elif node.tag == 0xA1:
            self._agreement(node)
        else:
            raise Refused(UNSUPPORTED, "KY-8", "neither key transport nor key agreement")

    def _transport(self, node):
        need(len(node) == 4 and node[3].tag == der.OCTET_STRING, FORMAT, "KY-8", "KeyTrans shape")
        skid = node[1].tag == 0x80
        need(node[0].body == (b"\x02" if skid else b"\x00"), FORMAT, "KY-8", "KeyTrans version")
        self.kind = "rsa"
        self.identifier = ("skid", node[1].body) if skid else _issuer_serial(node[1])
        need(node[2].raw == OAEP_ALGORITHM, UNSUPPORTED, "KY-9", "not RSAES-OAEP with SHA-256 throughout")
        self.encrypted = node[3].body

    def _agreement(self, node):
        need(len(node) == 4 and node[0].body == b"\x03" and node[1].tag == 0xA0 and len(node[1]) == 1
             and node[1][0].tag == 0xA1 and len(node[1][0]) == 2, UNSUPPORTED, "KY-10", "KeyAgree shape")
        self.kind = "ec"
        originator = node[1][0]
        need(originator[0].raw == der.algorithm(EC_KEY), UNSUPPORTED, "KY-10", "originator algorithm")
        need(originator[1].tag == der.BIT_STRING and originator[1].body[0] == 0, UNSUPPORTED, "KY-10", "point")
        self.point = originator[1].body[1:]
        need(node[2].raw == ECDH_ALGORITHM, UNSUPPORTED, "KY-10", "not ECDH with SHA-256 KDF and AES-256 wrap")
        need(len(node[3]) == 1 and len(node[3][0]) == 2, UNSUPPORTED, "KY-10", "not one encrypted key")
        rid, key = node[3][0][0], node[3][0][1]
        need(key.tag == der.OCTET_STRING and len(key.body) == 40, FORMAT, "KY-12", "wrapped key length")
        if rid.tag == 0xA0:
            need(len(rid) == 1 and rid[0].tag == der.OCTET_STRING, FORMAT, "KY-8", "recipient identifier")
            self.identifier = ("skid", rid[0].body)
        else:
            self.identifier = _issuer_serial(rid)
        self.encrypted = key.body

    def fits(self, certificate):
        key = certificate.public_key
        if self.kind == "rsa":
            return isinstance(key, rsa.RSAPublicKey) and not certificate.signs_only \
                and len(self.encrypted) == (key.key_size + 7) // 8
        return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES \
            and len(self.point) == 1 + 2 * ((key.key_size + 7) // 8)

    def unwrap(self, private):
        """The content encryption key, 32 bytes; ValueError or InvalidUnwrap otherwise."""
        if self.kind == "rsa":
            return private.decrypt(self.encrypted, _oaep())
        peer = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, self.point)
        kek = _kdf(private.exchange(ec.ECDH(), peer))
        return keywrap.aes_key_unwrap(kek, self.encrypted)


def _issuer_serial(node):
    need(node.tag == der.SEQUENCE and len(node) == 2, FORMAT, "KY-8", "recipient identifier")
    return ("issuer", node[0].raw + node[1].raw)


def _oaep():
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def _kdf(shared):
    """ANSI X9.63 KDF with SHA-256 over ECC-CMS-SharedInfo (RFC 5753 7.2)."""
    info = der.seq(WRAP_ALGORITHM, der.context(2, der.octets(u32(256))))
    return X963KDF(hashes.SHA256(), 32, info).derive(shared)


class Keys:
    """The KEYS item in its exact shape (KY-1 to KY-10); nothing is decrypted yet."""

    def __init__(self, raw):
        need(1 <= len(raw) <= MAX_KEYS, LIMIT, "KY-1", "KEYS too large")
        try:
            self._read(der.parse(raw))
        except (der.DerError, IndexError, TypeError) as e:
            raise Refused(FORMAT, "KY-2", f"no AuthEnvelopedData of the right shape: {e}") from None

    def _read(self, info):
        need(len(info) == 2 and der.oid_text(info[0].body) == AUTH_ENVELOPED, FORMAT, "KY-3",
             "not AuthEnvelopedData")
        data = info[1][0]
        need(len(info[1]) == 1 and len(data) == 4 and data[0].body == b"\x00" and data[1].tag == der.SET
             and data[3].tag == der.OCTET_STRING, FORMAT, "KY-4", "attributes or another shape")
        content = data[2]
        need(len(content) == 3 and der.oid_text(content[0].body) == DATA, UNSUPPORTED, "KY-5", "content type")
        cipher = content[1]
        need(der.oid_text(cipher[0].body) == AES256_GCM, UNSUPPORTED, "KY-5", "content cipher")
        need(len(cipher) == 2 and len(cipher[1]) == 2 and cipher[1][0].tag == der.OCTET_STRING
             and len(cipher[1][0].body) == 12 and cipher[1][1].raw == der.integer(16), UNSUPPORTED, "KY-5",
             "GCM parameters: 12-byte nonce and 16-byte tag")
        need(content[2].tag == 0x80 and len(content[2].body) == 32, FORMAT, "KY-6", "content is not 32 bytes")
        need(len(data[3].body) == 16, FORMAT, "KY-6", "tag is not 16 bytes")
        self.nonce, self.sealed = cipher[1][0].body, content[2].body + data[3].body
        need(1 <= len(data[1]) <= 256, FORMAT, "KY-7", "number of recipients")
        self.wraps = [Wrap(n) for n in data[1].kids]

    def match(self, certificates):
        """KY-7, KY-11, KY-12: one RecipientInfo for each certificate and the other way round."""
        need(len(self.wraps) == len(certificates), FORMAT, "KY-7", "recipients and certificates differ in number")
        by_name = {w.identifier: w for w in self.wraps}
        names = {c.identifier() for c in certificates}
        need(len(by_name) == len(self.wraps) == len(names), FORMAT, "KY-11", "a recipient is named twice")
        for i, certificate in enumerate(certificates):
            need(not any(same_key(certificate.public_key, c.public_key) for c in certificates[:i]), FORMAT, "KY-11",
                 "a key is there twice")
        for certificate in certificates:
            wrap = by_name.get(certificate.identifier())
            need(wrap is not None, FORMAT, "KY-11", "a certificate without its wrapped key")
            need(wrap.fits(certificate), FORMAT, "KY-12", "wrapped key and certificate are of different kinds")

    def open(self, private, certificates):
        """The DEK with private key `private`; `certificates` are the RECIPIENT items."""
        for certificate in certificates:
            if same_key(private.public_key(), certificate.public_key):
                break
        else:
            raise Refused(NO_MATCH, "section 5", "no recipient of this backup has this key")
        wrap = {w.identifier: w for w in self.wraps}[certificate.identifier()]
        try:
            return AESGCM(wrap.unwrap(private)).decrypt(self.nonce, self.sealed, None)
        except (ValueError, InvalidTag, keywrap.InvalidUnwrap):
            raise Refused(AUTH, "KS-1", ONE_REFUSAL) from None


def wrap_for(certificate, cek, tweaks=None):
    """A RecipientInfo for `certificate`. `tweaks`: pkcs1 (use PKCS#1 v1.5), junk (wrap noise)."""
    tweaks = tweaks or {}
    key = certificate.public_key
    cek = os.urandom(32) if tweaks.get("junk") else cek
    skid = certificate.skid
    if isinstance(key, rsa.RSAPublicKey):
        rid = der.context_primitive(0, skid) if skid is not None else der.seq(certificate.issuer, certificate.serial)
        pkcs1 = tweaks.get("pkcs1")
        algorithm = der.algorithm(RSA_PKCS1, der.null()) if pkcs1 else OAEP_ALGORITHM
        encrypted = key.encrypt(cek, padding.PKCS1v15() if pkcs1 else _oaep())
        return der.seq(der.integer(2 if skid is not None else 0), rid, algorithm, der.octets(encrypted))
    ephemeral = ec.generate_private_key(key.curve)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    kek = _kdf(ephemeral.exchange(ec.ECDH(), key))
    rid = der.context(0, der.octets(skid)) if skid is not None else der.seq(certificate.issuer, certificate.serial)
    originator = der.context(0, der.context(1, der.algorithm(EC_KEY), der.bits(point)))
    encrypted = der.seq(der.seq(rid, der.octets(keywrap.aes_key_wrap(kek, cek))))
    return der.context(1, der.integer(3), originator, ECDH_ALGORITHM, encrypted)


def message(recipient_infos, nonce, ciphertext, tag, tweaks=None):
    """AuthEnvelopedData around ready parts. `tweaks`: auth_attrs, unauth_attrs, icv_len."""
    tweaks = tweaks or {}
    parameters = der.seq(der.octets(nonce), der.integer(tweaks.get("icv_len", len(tag))))
    content = der.seq(der.oid(DATA), der.algorithm(AES256_GCM, parameters), der.context_primitive(0, ciphertext))
    auth = [der.context(1, *tweaks["auth_attrs"])] if "auth_attrs" in tweaks else []
    unauth = [der.context(2, *tweaks["unauth_attrs"])] if "unauth_attrs" in tweaks else []
    data = der.seq(der.integer(0), der.set_of(*recipient_infos), content, *auth, der.octets(tag), *unauth)
    return der.seq(der.oid(AUTH_ENVELOPED), der.context(0, data))


def build(certificates, dek, cek=None, nonce=None, tweaks=None):
    """KEYS for `certificates`. `tweaks` as in wrap_for (for every recipient) and message."""
    cek, nonce = cek or os.urandom(32), nonce or os.urandom(12)
    infos = [wrap_for(c, cek, tweaks) for c in certificates]
    sealed = AESGCM(cek).encrypt(nonce, dek, (tweaks or {}).get("aad"))
    return message(infos, nonce, sealed[:-16], sealed[-16:], tweaks)
