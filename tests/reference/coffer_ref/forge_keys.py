# SPDX-License-Identifier: Apache-2.0
"""Attacks on KEYS and on who is a recipient; signed by the maker unless told otherwise."""

import copy
import os

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import der, keys, people, strictjson
from .binary import sha256, time_text
from .cases import flipped
from .two_deks import craft


def register(reg):
    _shape(reg)
    _recipient_infos(reg)
    _recipients(reg)
    _thieves(reg)
    _two_deks(reg)


def locked(w, raw, recipients=None):
    """A backup whose maker signed for these KEYS bytes (a function of the draft)."""
    draft = w.begin()
    if recipients is not None:
        draft.recipients = recipients
    draft.lock(keys_raw=raw(draft))
    draft.add(w.text[:4096])
    draft.add(w.text[4096:6000], 1)
    draft.finish()
    return draft


def parts(draft, cek=None, key_tweaks=None):
    """(RecipientInfos, CEK) for the draft's recipients."""
    cek = cek or os.urandom(32)
    return [keys.wrap_for(c, cek, key_tweaks) for c in draft.recipients], cek


def content(cek, dek, nonce, aad=None):
    sealed = AESGCM(cek).encrypt(nonce, dek, aad)
    return sealed[:-16], sealed[-16:]


def _shape(reg):
    w = reg.world

    def shape(name, rules, text, make, word="FORMAT|UNSUPPORTED"):
        reg.everywhere(f"keys-{name}", locked(w, make).files(), word, rules, text)

    def tagged(size, icv):
        def make(draft):
            infos, cek = parts(draft)
            ciphertext, tag = content(cek, draft.dek, b"n" * 12)
            return keys.message(infos, b"n" * 12, ciphertext, tag[:size], {"icv_len": icv})
        return make

    def honest(draft):
        return keys.build(draft.recipients, draft.dek)

    for size in (4, 8, 12, 15):
        shape(f"short-tag-{size}", "KY-5 KY-6", f"GCM tag cut to {size} bytes, icvLen {size}", tagged(size, size))
        shape(f"short-tag-{size}-icv-16", "KY-6", f"GCM tag cut to {size} bytes, icvLen 16", tagged(size, 16))
    shape("icv-12-tag-16", "KY-5", "icvLen 12 with a whole tag", tagged(16, 12))

    def nonce16(draft):
        infos, cek = parts(draft)
        ciphertext, tag = content(cek, draft.dek, b"n" * 12)
        return keys.message(infos, b"n" * 16, ciphertext, tag)
    shape("nonce-16-trailing", "KY-5", "a 12-byte nonce followed by four more bytes", nonce16)

    def nonce8(draft):
        infos, cek = parts(draft)
        ciphertext, tag = content(cek, draft.dek, b"n" * 8)
        return keys.message(infos, b"n" * 8, ciphertext, tag)
    shape("nonce-8", "KY-5", "an 8-byte nonce", nonce8)

    def cfb(draft):
        infos, cek = parts(draft)
        iv = os.urandom(16)
        e = Cipher(algorithms.AES(cek), modes.CFB(iv)).encryptor()
        cipher = der.algorithm(keys.AES256_CFB, der.octets(iv))
        inner = der.seq(der.oid(keys.DATA), cipher, der.context_primitive(0, e.update(draft.dek)))
        data = der.seq(der.integer(2), der.set_of(*infos), inner)
        return der.seq(der.oid(keys.ENVELOPED), der.context(0, data))
    shape("relabelled-enveloped-cfb", "KY-3 KY-5", "the same recipients in EnvelopedData with AES-256-CFB", cfb)

    def other_cipher(draft):
        infos, cek = parts(draft)
        raw = keys.message(infos, b"n" * 12, *content(cek, draft.dek, b"n" * 12))
        gcm, ccm = der.oid(keys.AES256_GCM), der.oid("2.16.840.1.101.3.4.1.47")
        return raw.replace(gcm, ccm)
    shape("cipher-ccm", "KY-5", "content cipher AES-256-CCM", other_cipher)
    attr = der.seq(der.oid("1.2.840.113549.1.9.3"), der.set_of(der.oid(keys.DATA)))
    for name, tweak, aad in (("auth-attributes", "auth_attrs", der.set_of(attr)),
            ("unauth-attributes", "unauth_attrs", None)):
        shape(name, "KY-4", f"{name.replace('-', ' ')} are there",
              lambda d, t=tweak, a=aad: keys.build(d.recipients, d.dek, tweaks={t: [attr], "aad": a}))

    def originator(draft):
        info = der.parse(honest(draft))
        data = [k.raw for k in info[1][0].kids]
        data.insert(1, der.context(0, der.context(0, draft.maker.certificate.raw)))
        return der.seq(info[0].raw, der.context(0, der.seq(*data)))
    shape("originator-info", "KY-4", "originatorInfo with a certificate", originator)
    shape("content-33", "KY-6", "a content of 33 bytes", lambda d: keys.build(d.recipients, d.dek + b"\0"))
    shape("content-16", "KY-6", "a content of 16 bytes", lambda d: keys.build(d.recipients, d.dek[:16]))
    shape("trailing-byte", "KY-2", "a byte after the message", lambda d: honest(d) + b"\0")
    shape("indefinite-length", "KY-2", "BER with indefinite length",
          lambda d: b"\x30\x80" + der.parse(honest(d))[0].raw + der.parse(honest(d))[1].raw + b"\0\0")
    shape("long-length", "KY-2", "a length in more bytes than needed",
          lambda d: (lambda m: b"\x30\x83\0" + m[2:4] + m[4:])(honest(d)))

    def unsorted(draft):
        info = der.parse(honest(draft))
        data = info[1][0]
        infos = sorted((k.raw for k in data[1].kids), reverse=True)
        return der.seq(info[0].raw,
            der.context(0, der.seq(data[0].raw, der.tlv(der.SET, *infos), data[2].raw, data[3].raw)))
    shape("unsorted-recipients", "KY-2", "RecipientInfos not in DER order", unsorted)
    shape("version-1", "KY-3", "AuthEnvelopedData version 1",
          lambda d: der.parse(honest(d)).raw.replace(der.integer(0) + b"\x31", der.integer(1) + b"\x31", 1))

    def detached(draft):
        info = der.parse(honest(draft))
        data = info[1][0]
        inner = der.seq(data[2][0].raw, data[2][1].raw)
        return der.seq(info[0].raw, der.context(0, der.seq(data[0].raw, data[1].raw, inner, data[3].raw)))
    shape("no-content", "KY-6", "no encrypted content", detached)
    shape("not-der", "KY-2", "noise", lambda d: os.urandom(300))
    draft = w.make()
    for name, at in (("tag", -1), ("content", -30)):
        forged = copy.copy(draft)
        raw = flipped(draft.keys, len(draft.keys) + at)
        forged.lock(keys_raw=raw)
        reg.add(f"keys-damaged-{name}", forged.files(), "KS-1",
            f"one bit of the {name} of KEYS, under the maker's signature",
                quick="OK", verify="OK", restore="AUTH", rotate="AUTH")
    forged = copy.copy(draft)
    forged.keys = flipped(draft.keys, len(draft.keys) - 1)
    reg.everywhere("keys-bit", forged.files(), "AUTH", "CU-1", "one bit of KEYS, the custody statement kept")


def _recipient_infos(reg):
    w = reg.world

    def infos(name, rules, text, change, word="FORMAT|UNSUPPORTED", recipients=None, **others):
        def make(draft):
            made, cek = parts(draft)
            made = change(made, cek, draft)
            return keys.message(made, b"n" * 12, *content(cek, draft.dek, b"n" * 12))
        reg.everywhere(f"recipient-{name}", locked(w, make, recipients).files(), word, rules, text, **others)

    alice, bob, mallory = w.alice.certificate, w.bob.certificate, w.mallory.certificate
    infos("pkcs1", "KY-9", "key transport with PKCS#1 v1.5",
          lambda m, cek, d: [keys.wrap_for(alice, cek, {"pkcs1": True}), m[1]])

    def oaep_sha1(m, cek, d):
        wrapped = alice.public_key.encrypt(cek, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
        return [der.seq(der.integer(2), der.context_primitive(0, alice.skid), der.algorithm(keys.OAEP, der.seq()),
                        der.octets(wrapped)), m[1]]
    infos("oaep-sha1", "KY-9", "RSAES-OAEP with SHA-1, the default", oaep_sha1)

    def oaep_label(m, cek, d):
        wrapped = alice.public_key.encrypt(cek, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"label"))
        oaep = der.parse(keys.OAEP_ALGORITHM)
        source = der.context(2, der.algorithm("1.2.840.113549.1.1.9", der.octets(b"label")))
        algorithm = der.seq(oaep[0].raw, der.seq(oaep[1][0].raw, oaep[1][1].raw, source))
        return [der.seq(der.integer(2), der.context_primitive(0, alice.skid), algorithm, der.octets(wrapped)), m[1]]
    infos("oaep-label", "KY-9", "RSAES-OAEP with a label", oaep_label)
    infos("hidden", "KY-7 KY-11", "a wrapped key for one who is not listed",
          lambda m, cek, d: m + [keys.wrap_for(mallory, cek)])
    infos("missing", "KY-7 KY-11", "a listed recipient without a wrapped key", lambda m, cek, d: m[:1])
    infos("exchanged", "KY-11", "a wrapped key for one who is not listed, in bob's place",
          lambda m, cek, d: [m[0], keys.wrap_for(mallory, cek)])
    infos("twice", "KY-11", "two wrapped keys for alice, none for bob",
          lambda m, cek, d: [m[0], keys.wrap_for(alice, cek)])

    def password(m, cek, d):
        kek = os.urandom(32)
        kekid = der.seq(der.octets(b"key"))
        return [m[0], der.context(2, der.integer(4), kekid, keys.WRAP_ALGORITHM, der.octets(keywrap.aes_key_wrap(kek, cek)))]
    infos("kek", "KY-8", "a KEKRecipientInfo", password)
    infos("other", "KY-8", "an OtherRecipientInfo",
          lambda m, cek, d: [m[0], der.context(4, der.oid("1.2.840.113549.1.9.16.13.3"), der.octets(b"x"))])

    def agreement(change):
        def make(m, cek, d):
            node = der.parse(m[1])
            fields = [k.raw for k in node.kids]
            return [m[0], der.context(1, *change(fields, node))]
        return make
    infos("ukm", "KY-10", "user keying material",
        agreement(lambda f, n: f[:2] + [der.context(1, der.octets(b"ukm"))] + f[2:]))
    infos("two-keys-in-one", "KY-10", "two encrypted keys in one KeyAgreeRecipientInfo",
          agreement(lambda f, n: f[:3] + [der.seq(n[3][0].raw, n[3][0].raw)]))
    infos("kdf-sha1", "KY-10", "dhSinglePass-stdDH-sha1kdf",
          agreement(lambda f, n: [f[0], f[1], der.algorithm("1.3.133.16.840.63.0.2", keys.WRAP_ALGORITHM), f[3]]))
    infos("wrap-aes128", "KY-10", "id-aes128-wrap",
          agreement(lambda f, n: [f[0], f[1], der.algorithm(keys.ECDH_SHA256, der.algorithm("2.16.840.1.101.3.4.1.5")), f[3]]))
    infos("key-cut", "KY-12", "a wrapped key of 32 bytes",
          agreement(lambda f, n: f[:3] + [der.seq(der.seq(n[3][0][0].raw, der.octets(n[3][0][1].body[:32])))]))
    carol_point = keys.wrap_for(w.carol.certificate, bytes(32))
    infos("other-curve", "KY-10 KY-12", "the ephemeral key is on another curve than the certificate's",
          agreement(lambda f, n: [f[0], der.parse(carol_point)[1].raw, f[2], f[3]]))
    junk = der.context(0, der.context(1, der.algorithm(keys.EC_KEY), der.bits(b"\x04" + b"\x07" * 64)))
    infos("point-off-curve", "KY-10 KS-1", "the ephemeral point is not on the curve",
          agreement(lambda f, n: [f[0], junk, f[2], f[3]]), quick="OK|UNSUPPORTED", verify="OK|UNSUPPORTED",
          restore="OK|UNSUPPORTED", rotate="OK|UNSUPPORTED", restore_bob="AUTH|UNSUPPORTED", word="OK")

    def crossed(m, cek, d):
        a = der.parse(m[0])
        b = der.parse(m[1])
        rsa = der.seq(a[0].raw, der.context_primitive(0, bob.skid), a[2].raw, a[3].raw)
        ec = der.context(1, b[0].raw, b[1].raw, b[2].raw,
                         der.seq(der.seq(der.context(0, der.octets(alice.skid)), b[3][0][1].raw)))
        return [rsa, ec]
    infos("identifiers-crossed", "KY-12", "alice's and bob's identifiers change places", crossed)
    infos("key-transport-cut", "KY-12", "an RSA ciphertext one byte short",
          lambda m, cek, d: [der.seq(*[k.raw for k in der.parse(m[0]).kids[:3]],
              der.octets(der.parse(m[0])[3].body[:-1])), m[1]])
    renewed = w.bob.renewed("bob again").certificate
    infos("same-key-twice", "KY-11", "two certificates of one key", lambda m, cek, d: m,
          recipients=[alice, w.bob.certificate, renewed])
    infos("same-modulus-twice", "KY-11 KY-12", "the same RSA key twice, once in a certificate for RSASSA-PSS",
          lambda m, cek, d: m, recipients=[alice, w.bob.certificate, people.pss_only(w.alice.key, "alice again")])
    infos("junk", "KS-1", "alice's wrapped key is noise; bob's is right",
          lambda m, cek, d: [keys.wrap_for(alice, cek, {"junk": True}), m[1]],
          quick="OK", verify="OK", restore="AUTH", rotate="AUTH", restore_bob="OK")


def _recipients(reg):
    """RECIPIENT items and what the custody statement says of them."""
    w = reg.world
    draft = w.make()

    def items(name, rules, text, certificates, word="AUTH|FORMAT"):
        forged = copy.copy(draft)
        forged.recipients = certificates
        reg.everywhere(f"certificates-{name}", forged.files(), word, rules, text)

    alice, bob = draft.recipients
    items("swapped", "CU-3", "RECIPIENT items change places", [bob, alice], "AUTH")
    items("dropped", "CU-3", "a RECIPIENT item is left out", [alice])
    items("added", "CU-3", "a RECIPIENT item too many", [alice, bob, w.mallory.certificate])
    items("replaced", "CU-3", "a RECIPIENT item of somebody else", [alice, w.mallory.certificate], "AUTH")
    items("renewed", "CU-3", "a RECIPIENT item of the same key in another certificate",
        [alice, w.bob.renewed().certificate], "AUTH")
    broken = copy.copy(bob)
    broken.raw = bob.raw + b"\0"
    items("trailing", "EN-6 CU-3", "a byte after a certificate", [alice, broken])
    for member, value in (("spki", "0" * 64), ("subject", "CN=somebody"), ("not_after", "2099-01-01T00:00:00Z"),
                          ("key", "RSA-4096"), ("sha256", "0" * 64)):
        forged = copy.copy(draft)
        forged.custody = dict(draft.custody, recipients=[dict(draft.custody["recipients"][0], **{member: value}),
                                                         draft.custody["recipients"][1]])
        forged.sign_custody([draft.maker])
        word = "OK" if member == "subject" else "AUTH"
        reg.everywhere(f"described-wrongly-{member}", forged.files(), word, "CU-3",
            f"recipients[0].{member} is not the certificate's")


def _thieves(reg):
    """A stolen signing key without the DEK, and the DEK without a signing key."""
    w = reg.world
    draft = w.make()

    def statement(forged, generation, proof):
        value = dict(draft.custody)
        value.update(generation=generation, keys=sha256(forged.keys).hex(), proof=proof.hex(),
                     previous=sha256(strictjson.emit(draft.custody)).hex(), reason="yearly renewal",
                     recipients=[c.summary() for c in forged.recipients], time=time_text(draft.preamble.created + 9))
        forged.custody, forged.history = value, [draft.custody_cms]

    forged = copy.copy(draft)
    forged.recipients = draft.recipients + [w.mallory.certificate]
    node = der.parse(draft.keys)[1][0]
    infos = [k.raw for k in node[1].kids] + [keys.wrap_for(w.mallory.certificate, bytes(32), {"junk": True})]
    forged.keys = der.seq(der.oid(keys.AUTH_ENVELOPED), der.context(0, der.seq(
        node[0].raw, der.set_of(*infos), node[2].raw, node[3].raw)))
    statement(forged, 2, os.urandom(32))
    forged.sign_custody([draft.maker])
    reg.add("thief-adds-himself", forged.files(), "CU-6",
            "the maker's signing key is stolen: a junk wrap for the thief, a made-up proof",
            quick="OK", verify="OK", restore="WARN", rotate="AUTH", restore_mallory="AUTH")
    forged = copy.copy(forged)
    forged.custody = dict(forged.custody, by=w.custodian.certificate.spki_sha256.hex())
    forged.sign_custody([w.custodian.signer()])
    reg.add("thief-of-the-custodian-adds-himself", forged.files(), "CU-6", "the same with the custodian's key",
            quick="OK", verify="OK", restore="WARN", rotate="AUTH")
    forged = copy.copy(draft)
    forged.recipients = [w.mallory.certificate]
    forged.keys = keys.build(forged.recipients, os.urandom(32))
    statement(forged, 2, os.urandom(32))
    forged.sign_custody([draft.maker])
    reg.add("thief-locks-all-out", forged.files(), "KS-1",
        "a stolen signing key: KEYS of another DEK, for the thief alone",
            quick="OK", verify="OK", restore="NO_MATCH", rotate="NO_MATCH", restore_mallory="AUTH")
    forged = copy.copy(draft)
    forged.recipients = draft.recipients + [w.mallory.certificate]
    forged.lock(2, sha256(strictjson.emit(draft.custody)), by=w.bob.signer())
    forged.history = [draft.custody_cms]
    reg.custody("recipient-adds-another", forged.files(), "CU-5",
        "a recipient, who knows the DEK, adds another: proof right, signer untrusted")
    forged = copy.copy(forged)
    forged.custody = dict(forged.custody, by=w.custodian.certificate.spki_sha256.hex())
    forged.sign_custody([w.bob.signer()])
    reg.custody("recipient-adds-another-in-the-custodians-name", forged.files(), "CU-5",
        "the same, and by names the custodian")
    wrong = copy.copy(draft)
    wrong.custody = dict(draft.custody, proof="0" * 64)
    wrong.sign_custody([draft.maker])
    reg.custody("custody-proof-wrong", wrong.files(), "CU-6", "proof of zeros, signed by the maker", quick="OK",
        verify="OK")
    for name, generation, previous in (("generation", 3, None), ("previous", 2, b"\1" * 32)):
        wrong = copy.copy(draft)
        link = sha256(strictjson.emit(draft.custody))
        wrong.lock(2, link)
        wrong.history = []
        proof = wrong.schedule.proof(generation, sha256(wrong.keys), previous or link,
            [c.sha256 for c in wrong.recipients])
        wrong.custody["proof"] = proof.hex()
        wrong.sign_custody([draft.maker])
        reg.custody(f"custody-proof-other-{name}", wrong.files(), "CU-6", f"the proof is over another {name}",
            quick="OK", verify="OK")
    wrong = copy.copy(draft)
    wrong.custody = dict(draft.custody, proof=wrong.schedule.proof(1, sha256(draft.keys), None,
                                                                   [c.sha256 for c in reversed(draft.recipients)]).hex())
    wrong.sign_custody([draft.maker])
    reg.custody("custody-proof-other-order", wrong.files(), "CU-6",
        "the proof is over the recipients in another order", quick="OK", verify="OK")


def _two_deks(reg):
    """The maker gives two recipients different keys."""
    w = reg.world
    cek1, cek2, nonce, ciphertext, tag, dek1, dek2 = craft()
    assert AESGCM(cek1).decrypt(nonce, ciphertext + tag, None) == dek1 != dek2
    assert AESGCM(cek2).decrypt(nonce, ciphertext + tag, None) == dek2
    infos = [keys.wrap_for(w.alice.certificate, cek1), keys.wrap_for(w.bob.certificate, cek2)]
    raw = keys.message(infos, nonce, ciphertext, tag)
    for name, dek, alice, bob in (("first", dek1, "OK", "AUTH"), ("second", dek2, "AUTH", "OK")):
        draft = w.begin(dek=dek)
        draft.lock(keys_raw=raw)
        draft.add(w.text[:4096])
        draft.finish()
        reg.add(f"two-deks-{name}", draft.files(), "KS-1", f"one KEYS opens to two DEKs; the {name} is committed to",
                quick="OK", verify="OK", restore=alice, restore_bob=bob, rotate=alice)
