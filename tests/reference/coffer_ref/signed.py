# SPDX-License-Identifier: Apache-2.0
"""CMS SignedData, read strictly and built by hand (FORMAT.md 4.1, SD-1 to SD-12, ST-2)."""

import hashlib
import time

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from . import der
from .certs import strong_signer
from .errors import AUTH, FORMAT, LIMIT, UNSUPPORTED, Refused, need

MAX_STATEMENT = 1048576
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
DIGESTS = {"2.16.840.1.101.3.4.2.1": hashes.SHA256, "2.16.840.1.101.3.4.2.2": hashes.SHA384,
           "2.16.840.1.101.3.4.2.3": hashes.SHA512}
SHA1 = "1.3.14.3.2.26"
DIGEST_OIDS = {cls.name: oid for oid, cls in DIGESTS.items()}
RSA, PSS, MGF1 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
RSA_WITH = {"1.2.840.113549.1.1.11": "sha256", "1.2.840.113549.1.1.12": "sha384",
            "1.2.840.113549.1.1.13": "sha512"}
ECDSA_WITH = {"1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384",
              "1.2.840.10045.4.3.4": "sha512"}
DSA_WITH = {"2.16.840.1.101.3.4.3.2": "sha256"}


class UnknownAlgorithm(Exception):
    """A signature that SD-10 does not let count."""


class SignerInfo:
    """One signer: its identifier (a hint), signed attributes and signature."""

    def __init__(self, node, expected_type):
        kids = list(node.kids)
        self.raw = node.raw
        need(len(kids) == 6 or (len(kids) == 7 and kids[6].tag == 0xA1), FORMAT, "SD-9",
             "a signer without signed attributes, or of another shape")
        version, sid = kids[0].body, kids[1]
        want = b"\x03" if sid.tag == 0x80 else b"\x01"
        need(version == want and sid.tag in (0x80, der.SEQUENCE), FORMAT, "SD-8", "SignerInfo version")
        self.digest_oid = der.oid_text(kids[2][0].body)
        need(self.digest_oid in DIGESTS, UNSUPPORTED, "SD-7", f"digest {self.digest_oid}")
        need(kids[3].tag == 0xA0, FORMAT, "SD-9", "a signer without signed attributes")
        der.check_sorted(kids[3].kids)
        self.signed_bytes = bytes([der.SET]) + kids[3].raw[1:]
        self._check_attributes(kids[3].kids, expected_type)
        self.algorithm, self.signature = kids[4], kids[5].body
        need(kids[5].tag == der.OCTET_STRING, FORMAT, "SD-8", "signature is no octet string")
        unsigned = kids[6].kids if len(kids) == 7 else []
        need(len(kids) == 6 or [der.oid_text(a[0].body) for a in unsigned] == [TIME_STAMP], UNSUPPORTED,
             "SD-11", "unsigned attribute")

    def _check_attributes(self, attributes, expected_type):
        values = {}
        for attribute in attributes:
            name = der.oid_text(attribute[0].body)
            need(name in (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME), FORMAT, "SD-9", f"signed attribute {name}")
            need(name not in values and len(attribute[1]) == 1, FORMAT, "SD-9", "attribute not there once")
            values[name] = attribute[1][0]
        need(CONTENT_TYPE in values and MESSAGE_DIGEST in values, FORMAT, "SD-9", "an attribute is missing")
        need(values[CONTENT_TYPE].raw == der.oid(expected_type), FORMAT, "SD-9",
             "the signed contentType is not the expected one")
        self.message_digest = values[MESSAGE_DIGEST].body
        need(len(self.message_digest) == DIGESTS[self.digest_oid]().digest_size, FORMAT, "SD-9",
             "messageDigest of another length")

    def verifies(self, key):
        """Is this a valid signature by `key`? Raises UnknownAlgorithm (SD-10)."""
        name = der.oid_text(self.algorithm[0].body)
        digest = DIGESTS[self.digest_oid]
        named = {**RSA_WITH, **ECDSA_WITH, **DSA_WITH}.get(name, digest.name)
        if named != digest.name or (name not in (RSA, PSS) and name not in {**RSA_WITH, **ECDSA_WITH, **DSA_WITH}):
            raise UnknownAlgorithm(f"signature algorithm {name} with {digest.name}")
        if not strong_signer(key):
            return False
        try:
            if isinstance(key, rsa.RSAPublicKey) and (name == RSA or name in RSA_WITH):
                key.verify(self.signature, self.signed_bytes, padding.PKCS1v15(), digest())
            elif isinstance(key, rsa.RSAPublicKey) and name == PSS:
                key.verify(self.signature, self.signed_bytes, self._pss(digest), digest())
            elif isinstance(key, ec.EllipticCurvePublicKey) and name in ECDSA_WITH:
                key.verify(self.signature, self.signed_bytes, ec.ECDSA(digest()))
            elif isinstance(key, dsa.DSAPublicKey) and name in DSA_WITH:
                key.verify(self.signature, self.signed_bytes, digest())
            else:
                return False
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True

    def _pss(self, digest):
        want = der.algorithm(DIGEST_OIDS[digest.name]), der.algorithm(DIGEST_OIDS[digest.name], der.null())
        fields = {kid.tag: kid[0] for kid in self.algorithm[1].kids}
        mgf = fields.get(0xA1)
        if 0xA0 not in fields or fields[0xA0].raw not in want or mgf is None \
                or der.oid_text(mgf[0].body) != MGF1 or mgf[1].raw not in want or 0xA3 in fields:
            raise UnknownAlgorithm("PSS parameters")
        if 0xA2 not in fields or fields[0xA2].raw != der.integer(digest().digest_size):
            raise UnknownAlgorithm("PSS salt length")
        return padding.PSS(padding.MGF1(digest()), digest().digest_size)


class SignedMessage:
    """A statement's CMS message: `content`, and its `signers`. Nothing is verified yet."""

    def __init__(self, raw, expected_type, most_signers):
        need(1 <= len(raw) <= MAX_STATEMENT, LIMIT, "SD-1", "statement too large")
        try:
            self._read(der.parse(raw), expected_type, most_signers)
        except (der.DerError, IndexError, TypeError) as e:
            raise Refused(FORMAT, "SD-2", f"no SignedData of the right shape: {e}") from None
        self.raw = bytes(raw)

    def _read(self, info, expected_type, most_signers):
        need(info.tag == der.SEQUENCE and der.oid_text(info[0].body) == SIGNED_DATA and len(info) == 2
             and info[1].tag == 0xA0 and len(info[1]) == 1 and info[1][0][0].body == b"\x03",
             FORMAT, "SD-3", "not SignedData, version 3")
        data = info[1][0]
        content = data[2]
        need(len(content) == 2 and content[1].tag == 0xA0 and len(content[1]) == 1
             and content[1][0].tag == der.OCTET_STRING, FORMAT, "SD-4", "content is not attached")
        need(der.oid_text(content[0].body) == expected_type, FORMAT, "SD-4", "eContentType")
        need(len(data) == 4 and data[1].tag == der.SET and data[3].tag == der.SET, FORMAT, "SD-5",
             "certificates, revocation lists or another shape")
        self.content = content[1][0].body
        need(1 <= len(data[3]) <= most_signers, FORMAT, "SD-6", f"{len(data[3])} signers")
        self.signers = [SignerInfo(n, expected_type) for n in data[3].kids]
        listed = [der.oid_text(a[0].body) for a in data[1].kids]
        need(sorted(listed) == sorted({s.digest_oid for s in self.signers}), UNSUPPORTED, "SD-7",
             "digest algorithms of message and signers differ")
        need(len(listed) == 1, FORMAT, "section 4.2", "signers with different digests")
        digest = hashlib.new(DIGESTS[listed[0]].name, self.content).digest()
        need(all(s.message_digest == digest for s in self.signers), AUTH, "SD-12", "messageDigest is wrong")

    def valid_keys(self, keys):
        """The indexes of those of `keys` that made a valid signature (ST-2).

        A list of keys, since every trusted key is tried whatever the identifier
        says. `unknown` tells that some signature was of a kind that cannot count.
        """
        found, self.unknown = set(), None
        for signer in self.signers:
            for i, key in enumerate(keys):
                try:
                    if i not in found and signer.verifies(key):
                        found.add(i)
                except UnknownAlgorithm as e:
                    self.unknown = str(e)
        return sorted(found)


def refuse_unsigned(message, what):
    """No signature counts: AUTH, or UNSUPPORTED where one is of an unknown kind."""
    if message.unknown:
        raise Refused(UNSUPPORTED, "SD-10", f"{what}: {message.unknown}")
    raise Refused(AUTH, "ST-2", f"{what} is not signed by a trusted key")


class Signer:
    """A signing key with its certificate, and how it signs."""

    def __init__(self, certificate, key, digest="sha256", pss=False):
        self.certificate, self.key, self.digest, self.pss = certificate, key, digest, pss

    def sign(self, data):
        """(AlgorithmIdentifier, signature) over `data`."""
        h = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
             "sha512": hashes.SHA512}[self.digest]()
        if isinstance(self.key, rsa.RSAPrivateKey) and self.pss:
            one = der.algorithm(DIGEST_OIDS[self.digest], der.null())
            parameters = der.seq(der.context(0, one), der.context(1, der.algorithm(MGF1, one)),
                                 der.context(2, der.integer(h.digest_size)))
            pad = padding.PSS(padding.MGF1(h), h.digest_size)
            return der.algorithm(PSS, parameters), self.key.sign(data, pad, h)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return der.algorithm(RSA, der.null()), self.key.sign(data, padding.PKCS1v15(), h)
        if isinstance(self.key, dsa.DSAPrivateKey):
            return der.algorithm("2.16.840.1.101.3.4.3.2"), self.key.sign(data, h)
        oid = {v: k for k, v in ECDSA_WITH.items()}[self.digest]
        return der.algorithm(oid), self.key.sign(data, ec.ECDSA(h))


def attribute(oid, *values):
    return der.seq(der.oid(oid), der.set_of(*values))


def build_signer(signer, content, content_type, tweaks=None):
    """One SignerInfo. `tweaks` may hold: content_type_attr, extra_attrs, no_attrs, unsigned_attrs."""
    tweaks = tweaks or {}
    digest_oid = SHA1 if signer.digest == "sha1" else DIGEST_OIDS[signer.digest]
    attrs = [attribute(CONTENT_TYPE, der.oid(tweaks.get("content_type_attr", content_type))),
             attribute(SIGNING_TIME, der.tlv(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime()).encode())),
             attribute(MESSAGE_DIGEST, der.octets(hashlib.new(signer.digest, content).digest()))]
    attrs = sorted(attrs + tweaks.get("extra_attrs", []))
    signed = content if tweaks.get("no_attrs") else der.tlv(der.SET, *attrs)
    algorithm, signature = signer.sign(signed)
    certificate = signer.certificate
    if certificate.skid is not None:
        head = der.integer(3), der.context_primitive(0, certificate.skid)
    else:
        head = der.integer(1), der.seq(certificate.issuer, certificate.serial)
    parts = [*head, der.algorithm(digest_oid)]
    parts += [] if tweaks.get("no_attrs") else [der.context(0, *attrs)]
    parts += [algorithm, der.octets(signature)]
    if tweaks.get("unsigned_attrs"):
        parts.append(der.context(1, *sorted(tweaks["unsigned_attrs"])))
    return der.seq(*parts)


def assemble(content, content_type, signer_infos, digest_oids, certificates=()):
    """ContentInfo(SignedData) around ready SignerInfos."""
    certs = [der.context(0, *sorted(certificates))] if certificates else []
    data = der.seq(der.integer(3), der.set_of(*[der.algorithm(o) for o in digest_oids]),
                   der.seq(der.oid(content_type), der.context(0, der.octets(content))),
                   *certs, der.set_of(*signer_infos))
    return der.seq(der.oid(SIGNED_DATA), der.context(0, data))


def build(content, content_type, signers, tweaks=None):
    """A statement's CMS message. `tweaks` as in build_signer, and: certificates, econtent_type."""
    tweaks = tweaks or {}
    infos = [build_signer(s, content, content_type, tweaks) for s in signers]
    oids = sorted({SHA1 if s.digest == "sha1" else DIGEST_OIDS[s.digest] for s in signers})
    return assemble(content, tweaks.get("econtent_type", content_type), infos, oids,
                    tweaks.get("certificates", ()))
