# SPDX-License-Identifier: Apache-2.0
"""Attacks on the signed statements: CMS, JSON, members and chain."""

import copy
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from . import der, keys, strictjson
from .binary import sha256
from .cases import block_of
from .forge_good import rotated
from .frames import TailContent
from .head import BLOCK, HISTORY, Envelope, emit_head
from .people import KINDS
from .signed import CONTENT_TYPE, DIGEST_OIDS, SIGNED_DATA, assemble, attribute, build, build_signer
from .statements import CUSTODY_OID, MANIFEST_OID


def register(reg):
    _messages(reg)
    _mixtures(reg)
    _json(reg)
    _members(reg)
    _custody_members(reg)
    _history(reg)


def _messages(reg):
    """The CMS shape: each once on the manifest and once on the custody statement."""
    w = reg.world
    draft = w.make()
    maker = draft.maker

    def both(name, rules, text, make, word, custody_word=None, **others):
        """`make(json, oid)` gives the CMS bytes."""
        forged = copy.copy(draft)
        forged.manifest_cms = forged.envelope_manifest = make(strictjson.emit(draft.manifest), MANIFEST_OID)
        reg.everywhere(f"manifest-{name}", forged.files(), word, rules, text)
        forged = copy.copy(draft)
        forged.custody_cms = make(strictjson.emit(draft.custody), CUSTODY_OID)
        if custody_word == "verdict":
            reg.custody(f"custody-{name}", forged.files(), rules, text)
        else:
            reg.everywhere(f"custody-{name}", forged.files(), custody_word or word, rules, text, **others)

    def tweaked(**tweaks):
        return lambda raw, oid: build(raw, oid, [maker], tweaks)

    other = {MANIFEST_OID: CUSTODY_OID, CUSTODY_OID: MANIFEST_OID}
    both("econtent-type-relabelled", "SD-4", "eContentType of the other statement",
         lambda raw, oid: build(raw, oid, [maker], {"econtent_type": other[oid]}), "FORMAT")
    both("content-type-attribute", "SD-9", "the signed contentType is that of the other statement",
         lambda raw, oid: build(raw, oid, [maker], {"content_type_attr": other[oid]}), "FORMAT")
    both("content-type-data", "SD-4 SD-9", "both types are id-data",
         lambda raw, oid: build(raw, keys.DATA, [maker]), "FORMAT")
    both("certificate-embedded", "SD-5", "the signer's certificate is embedded",
        tweaked(certificates=[maker.certificate.raw]), "FORMAT")
    both("certificate-embedded-strangers", "SD-5 ST-2", "signed by a stranger, whose certificate is embedded",
         lambda raw, oid: build(raw, oid, [w.mallory.signer()],
             {"certificates": [w.mallory.certificate.raw]}), "FORMAT|AUTH")
    extra = attribute("1.2.840.113549.1.9.15", der.seq())
    both("attribute-extra", "SD-9", "a signed attribute more (smimeCapabilities)", tweaked(extra_attrs=[extra]),
        "FORMAT")
    twice = attribute(CONTENT_TYPE, der.oid(keys.DATA))
    both("content-type-twice", "SD-9", "a second contentType attribute", tweaked(extra_attrs=[twice]), "FORMAT")
    both("no-signed-attributes", "SD-9", "a signature without signed attributes", tweaked(no_attrs=True), "FORMAT")
    unsigned = attribute("1.2.840.113549.1.9.6", der.octets(b"countersignature"))
    both("unsigned-attribute", "SD-11", "an unsigned attribute that is no time stamp",
        tweaked(unsigned_attrs=[unsigned]), "UNSUPPORTED|FORMAT")
    both("sha1", "SD-7", "digest SHA-1", lambda raw, oid: build(raw, oid, [_Sha1(maker)]), "UNSUPPORTED|AUTH")
    both("no-signer", "SD-6", "no SignerInfo", lambda raw, oid: build(raw, oid, []), "FORMAT|AUTH|UNSUPPORTED")
    both("trailing-byte", "SD-2", "a byte after the message", lambda raw, oid: build(raw, oid, [maker]) + b"\0",
        "FORMAT")
    both("message-digest-wrong", "SD-12", "messageDigest of another content", lambda raw, oid: assemble(
        raw, oid, [build_signer(maker, raw + b" ", oid)], [DIGEST_OIDS["sha256"]]), "AUTH")
    both("signature-bit", "ST-2", "one bit of the signature", lambda raw,
        oid: _flip_last(build(raw, oid, [maker])), "AUTH", "verdict")
    both("signed-by-stranger", "ST-2", "signed by a stranger", lambda raw,
        oid: build(raw, oid, [w.mallory.signer()]), "AUTH", "verdict")
    both("detached", "SD-4", "the content is not attached", _detached(maker), "FORMAT")
    both("indefinite-length", "SD-2", "BER with indefinite length", lambda raw,
        oid: _indefinite(build(raw, oid, [maker])), "FORMAT")
    both("digests-differ", "SD-7", "digestAlgorithms lists SHA-512, the signer used SHA-256", lambda raw, oid: assemble(
        raw, oid, [build_signer(maker, raw, oid)], [DIGEST_OIDS["sha512"]]), "UNSUPPORTED|FORMAT")
    both("version-1", "SD-3", "SignedData version 1",
         lambda raw, oid: build(raw, oid, [maker]).replace(der.integer(3) + b"\x31", der.integer(1) + b"\x31",
             1), "FORMAT")
    both("empty-content", "ST-3", "an empty content", lambda raw, oid: build(b"", oid, [maker]), "FORMAT")
    two = [maker, w.custodian.signer()]
    forged = copy.copy(draft)
    forged.sign_manifest(two)
    reg.everywhere("manifest-two-signers", forged.files(), "FORMAT", "SD-6", "maker and custodian signed the manifest")
    forged = copy.copy(draft)
    forged.sign_custody([w.mallory.signer() for _ in range(8)] + [maker])
    reg.everywhere("custody-nine-signers", forged.files(), "FORMAT", "SD-6", "nine signers")
    small = rsa.generate_private_key(65537, 1024)
    KINDS["rsa1024"] = lambda: small
    weak = w.person("maker-weak", "rsa1024")
    reg.add("maker-rsa-1024", w.make(maker=weak.signer()).files(), "SD-10", "the maker's key has 1024 bits",
            **{f"{o}@maker-weak": "AUTH|UNSUPPORTED" for o in ("quick", "verify", "restore", "rotate")})


class _Sha1:
    """Signs with SHA-1 over everything, as an old tool would."""

    digest = "sha1"

    def __init__(self, signer):
        self.certificate, self.key = signer.certificate, signer.key

    def sign(self, data):
        return der.algorithm("1.2.840.10045.4.1"), self.key.sign(data, ec.ECDSA(hashes.SHA1()))


def _flip_last(raw):
    return raw[:-1] + bytes([raw[-1] ^ 1])


def _indefinite(raw):
    node = der.parse(raw)
    return b"\x30\x80" + b"".join(k.raw for k in node.kids) + b"\0\0"


def _detached(maker):
    def make(raw, oid):
        node = der.parse(build(raw, oid, [maker]))
        data = node[1][0]
        fields = [data[0].raw, data[1].raw, der.seq(der.oid(oid)), data[3].raw]
        return der.seq(der.oid(SIGNED_DATA), der.context(0, der.seq(*fields)))
    return make


def _mixtures(reg):
    """Statements of the wrong kind, and of other backups of the same maker and recipients."""
    w = reg.world
    draft, other = w.make(), w.make()
    head_only = {"rotate": "OK"}

    def with_parts(name, word, rules, text, others=None, **changes):
        forged = copy.copy(draft)
        for part, value in changes.items():
            setattr(forged, part, value)
        reg.everywhere(name, forged.files(), word, rules, text, **(others or {}))

    with_parts("manifest-of-another-backup", "AUTH", "MF-1", "the manifest of another backup, in envelope and tail",
               manifest_cms=other.manifest_cms, envelope_manifest=other.manifest_cms)
    with_parts("manifest-of-another-backup-in-tail", "AUTH", "MF-4", "the tail has another backup's manifest",
               head_only, manifest_cms=other.manifest_cms)
    with_parts("manifest-of-another-backup-in-envelope", "AUTH", "MF-1 MF-4",
            "the envelope has another backup's manifest",
               envelope_manifest=other.manifest_cms)
    with_parts("custody-of-another-backup", "AUTH", "CU-1", "the custody statement of another backup",
            custody_cms=other.custody_cms)
    with_parts("custody-and-keys-of-another-backup", "AUTH", "CU-1", "custody statement and KEYS of another backup",
               custody_cms=other.custody_cms, keys=other.keys)
    with_parts("keys-of-another-backup", "AUTH", "CU-1", "KEYS of another backup", keys=other.keys)
    with_parts("custody-as-manifest", "FORMAT", "SD-4", "the custody statement stands as manifest",
               manifest_cms=draft.custody_cms, envelope_manifest=draft.custody_cms)
    with_parts("manifest-as-custody", "FORMAT", "SD-4", "the manifest stands as custody statement",
            custody_cms=draft.manifest_cms)
    relabelled = _relabel(draft.custody_cms, MANIFEST_OID)
    with_parts("custody-as-manifest-relabelled", "FORMAT", "SD-9",
            "the custody statement with the manifest's eContentType",
               manifest_cms=relabelled, envelope_manifest=relabelled)
    typed = build(strictjson.emit(draft.custody), MANIFEST_OID, [draft.maker])
    with_parts("custody-as-manifest-by-type", "FORMAT", "ST-1", "custody JSON signed with the manifest's types",
               manifest_cms=typed, envelope_manifest=typed)
    lying = build(strictjson.emit(dict(draft.manifest, type="coffer.custody.v1")), MANIFEST_OID, [draft.maker])
    with_parts("manifest-type-lies", "FORMAT", "ST-1", "the manifest's JSON type is the custody statement's",
               manifest_cms=lying, envelope_manifest=lying)
    later = build(strictjson.emit(dict(draft.manifest, finished="2027-01-01T00:00:00Z")), MANIFEST_OID, [draft.maker])
    with_parts("manifests-differ", "AUTH", "MF-4", "two manifests, both signed by the maker", head_only,
            manifest_cms=later)
    again = build(strictjson.emit(draft.manifest), MANIFEST_OID, [draft.maker])
    with_parts("good-manifests-signed-twice", "OK", "-", "the same manifest JSON, signed twice", manifest_cms=again)
    with_parts("manifest-missing", "AUTH|FORMAT", "section 3.6 TL-4 OP-2", "no manifest anywhere",
               envelope_manifest=None, tail_payload=TailContent(draft.indexes, []).emit())
    with_parts("manifest-missing-in-tail", "WARN|FORMAT|AUTH", "section 3.6", "no manifest in the tail",
               {"rotate": "OK"}, tail_payload=TailContent(draft.indexes, []).emit())
    with_parts("manifest-two-in-tail", "WARN|FORMAT|AUTH", "section 3.6", "two manifests in the tail in epoch 0",
               {"rotate": "OK"}, tail_payload=TailContent(draft.indexes, [draft.manifest_cms] * 2).emit())


def _relabel(raw, oid):
    node = der.parse(raw)
    data = node[1][0]
    content = der.seq(der.oid(oid), data[2][1].raw)
    return der.seq(node[0].raw, der.context(0, der.seq(data[0].raw, data[1].raw, content, data[3].raw)))


def _json(reg):
    """Breakages of JSON itself, under the maker's signature."""
    w = reg.world
    draft = w.make()
    deep = "".join('{"a":' for _ in range(8)) + "1" + "}" * 8
    variants = (
        ("duplicate", lambda t: t.replace('"complete":true', '"complete":true,"complete":true'),
            "a member twice, equal"),
        ("duplicate-differs", lambda t: t.replace('"records":', '"records":1,"records":', 1),
            "a member twice, different"),
        ("duplicate-escaped", lambda t: t[:-1] + ',"\\u0074ool":"x"}', "a member twice, once written with an escape"),
        ("unknown-member", lambda t: t[:-1] + ',"extra":1}', "an unknown member"),
        ("float", lambda t: _number(t, "plain_bytes", "{}.0"), "an integer with a fraction"),
        ("exponent", lambda t: _number(t, "plain_bytes", "{}e0"), "an integer with an exponent"),
        ("big-integer", lambda t: _number(t, "plain_bytes", "9007199254740992"), "2^53"),
        ("huge-integer", lambda t: _number(t, "plain_bytes", "1" + "0" * 400), "an integer of 401 digits"),
        ("negative", lambda t: _number(t, "plain_bytes", "-1"), "a negative integer"),
        ("minus-zero", lambda t: _number(t, "lineage_records", "-0"), "minus zero"),
        ("leading-zero", lambda t: _number(t, "plain_bytes", "0{}"), "a leading zero"),
        ("integer-as-string", lambda t: _number(t, "plain_bytes", '"{}"'), "an integer as a string"),
        ("nan", lambda t: _number(t, "plain_bytes", "NaN"), "NaN"),
        ("deep", lambda t: t[:-1] + ',"x":' + deep + "}", "nested nine deep, under x"),
        ("very-deep", lambda t: t[:-1] + ',"x":' + "[" * 100000 + "]" * 100000 + "}", "nested 100,000 deep"),
        ("duplicate-in-x", lambda t: t[:-1] + ',"x":{"a":1,"a":2}}', "a member twice, under x"),
        ("x-no-object", lambda t: t[:-1] + ',"x":1}', "x is no object"),
        ("x-in-volume", lambda t: t.replace('"first_record":0}', '"first_record":0,"x":{}}'), "x in an inner object"),
        ("boolean-as-integer", lambda t: t.replace('"complete":true', '"complete":1'), "complete is 1"),
        ("null", lambda t: t.replace('"content":"stream"', '"content":null'), "content is null"),
        ("missing", lambda t: t.replace('"complete":true,', ""), "a member is missing"),
        ("bom", lambda t: "\ufeff" + t, "a byte order mark"),
        ("trailing", lambda t: t + "x", "a letter after the object"),
        ("two-objects", lambda t: t + t, "two objects"),
        ("array", lambda t: "[" + t + "]", "the object in an array"),
        ("comment", lambda t: "/**/" + t, "a comment"),
        ("trailing-comma", lambda t: t[:-1] + ",}", "a trailing comma"),
        ("single-quotes", lambda t: t.replace('"', "'"), "single quotes"),
        ("nul-escape", lambda t: t.replace('"tool":"', '"tool":"\\u0000'), "U+0000 in a string"),
        ("surrogate", lambda t: t.replace('"tool":"', '"tool":"\\ud800'), "half a surrogate pair"),
        ("control-raw", lambda t: t.replace('"tool":"', '"tool":"\x1b'), "a raw control character in a string"),
        ("upper-hex", lambda t: t.replace(draft.manifest["root"], draft.manifest["root"].upper()),
            "a hash in upper case"),
        ("short-hash", lambda t: t.replace(draft.manifest["root"], draft.manifest["root"][:-1]),
            "a hash one digit short"),
        ("bad-time", lambda t: t.replace('"finished":"20', '"finished":"+20'), "a time of another form"),
        ("time-offset", lambda t: t.replace('Z","parents"', '+00:00","parents"'), "a time with an offset"),
        ("long-tool", lambda t: t.replace('"tool":"', '"tool":"' + "t" * 64), "tool longer than 64 bytes"),
        ("parents", lambda t: t.replace('"parents":[]', '"parents":["' + "0" * 64 + '"]'), "parents is not empty"),
        ("volumes-empty", lambda t: t[:t.index('"volumes":[')] + '"volumes":[]' + t[t.index(',"started"'):],
            "no volumes"),
    )
    text = strictjson.emit(draft.manifest).decode()
    for name, change, what in variants:
        altered = change(text)
        assert altered != text, name
        forged = copy.copy(draft)
        forged.sign_manifest(json=altered.encode())
        rules = "MF-3" if name == "volumes-empty" else "section 4.3" if name in ("parents",
            "long-tool") else "ST-3 ST-4"
        reg.everywhere(f"json-{name}", forged.files(), "FORMAT|LIMIT", rules, f"manifest: {what}")
    for name, raw, what in (("not-utf8",
            text.replace('"tool":"', '"tool":"\x01').encode().replace(b"\x01", b"\xff"), "not UTF-8"),
                            ("overlong", text.encode().replace(b'"tool":"', b'"tool":"\xc0\xaf'),
                                "an overlong UTF-8 sequence"),
                            ("utf16", text.encode("utf-16"), "UTF-16"),
                            ("nul-byte", text.encode() + b"\0", "a NUL byte after the object")):
        forged = copy.copy(draft)
        forged.sign_manifest(json=raw)
        reg.everywhere(f"json-{name}", forged.files(), "FORMAT", "ST-3", f"manifest: {what}")
    for name, change, what in (("duplicate", lambda t: t.replace('"reason":', '"generation":1,"reason":'),
            "a member twice"),
                               ("unknown-member", lambda t: t[:-1] + ',"extra":{}}', "an unknown member"),
                               ("recipient-member", lambda t: t.replace('"key":"RSA', '"x":{},"key":"RSA'),
                                   "a member more in recipients[0]"),
                               ("float", lambda t: _number(t, "generation", "1.0"), "generation 1.0"),
                               ("long-reason", lambda t: t.replace('"reason":"', '"reason":"' + "r" * 1024),
                                   "reason longer than 1024 bytes")):
        forged = copy.copy(draft)
        forged.sign_custody([draft.maker], json=change(strictjson.emit(draft.custody).decode()).encode())
        reg.everywhere(f"json-custody-{name}", forged.files(), "FORMAT", "ST-3 ST-4", f"custody statement: {what}")


def _number(text, member, new):
    value = str(json.loads(text)[member])
    return text.replace(f'"{member}":{value}', f'"{member}":' + new.format(value), 1)


def _members(reg):
    """A manifest that says what is not so, signed by the maker."""
    w = reg.world
    draft = w.make()

    def says(name, word, rules, text, body=False, **members):
        forged = copy.copy(draft)
        forged.manifest = dict(draft.manifest, **members)
        forged.sign_manifest()
        add = reg.body if body else reg.everywhere
        add(f"manifest-{name}", forged.files(), word, rules, text)

    m = draft.manifest
    says("root-wrong", "AUTH", "MF-6", "another root", True, root="0" * 64)
    says("records-more", "AUTH", "MF-6", "one record more", True, records=m["records"] + 1,
        data_records=m["records"] + 1)
    says("catalog-counted", "AUTH|UNSUPPORTED|FORMAT", "MF-6", "a data record counted as catalog", True,
        data_records=m["records"] - 1, catalog_records=1)
    says("plain-bytes-wrong", "AUTH", "MF-6", "plain_bytes one more", True, plain_bytes=m["plain_bytes"] + 1)
    says("sum-wrong", "FORMAT", "MF-3", "records is not the sum", records=m["records"] + 1)
    says("lineage-in-epoch-0", "FORMAT", "MF-3", "lineage_records in epoch 0", lineage_records=1,
        data_records=m["records"] - 1)
    says("first-record", "FORMAT", "MF-3", "the first volume begins at record 1",
        volumes=[dict(m["volumes"][0], first_record=1)])
    says("uuid-wrong", "AUTH", "MF-1", "another backup", backup="00000000-0000-4000-8000-000000000000")
    says("epoch-wrong", "AUTH|FORMAT", "MF-1 MF-3", "another epoch", epoch=1)
    says("core-wrong", "AUTH", "MF-1", "another core", core="0" * 64)
    says("commitment-wrong", "AUTH", "MF-1", "another commitment", commitment="0" * 64)
    says("commitment-null", "AUTH", "MF-1", "a sealed backup without commitment", commitment=None)
    says("content-wrong", "AUTH", "MF-1", "content tree, the preamble says stream", content="tree")
    says("content-unknown", "AUTH|FORMAT", "MF-1", "content of an unknown kind", content="blob")
    says("by-wrong", "AUTH", "MF-2", "by is not the signer", by=w.custodian.certificate.spki_sha256.hex())
    says("previous-set", "FORMAT|AUTH", "section 4.3", "previous in epoch 0", previous="0" * 64)
    forged = copy.copy(draft)
    forged.manifest = dict(m, volumes=[dict(m["volumes"][0], bytes=m["volumes"][0]["bytes"] - 64)])
    forged.sign_manifest()
    reg.everywhere("manifest-body-shorter", forged.files(), "FORMAT", "MF-5", "the body is said to be shorter",
        rotate="OK")
    forged = copy.copy(draft)
    forged.manifest = dict(m, volumes=m["volumes"] + [{"bytes": 0, "first_record": m["records"]}])
    forged.sign_manifest()
    reg.body("manifest-volume-more", forged.files(), "FORMAT", "VO-1 MF-5",
        "a volume more than there is", quick="OK|FORMAT")
    plain = w.make(recipients=[])
    plain.manifest["commitment"] = "0" * 64
    plain.sign_manifest()
    reg.add("signed-only-with-commitment", plain.files(), "MF-1", "a signed-only backup with a commitment",
            quick="AUTH", verify="AUTH", restore="AUTH")
    forged = copy.copy(draft)
    forged.custody = dict(draft.custody, commitment="0" * 64)
    forged.sign_custody([draft.maker])
    reg.everywhere("custody-commitment-wrong", forged.files(), "AUTH", "MF-1",
        "the custody statement commits to another DEK")
    made_up = "1" * 64
    forged.sign_custody([draft.maker])
    forged.manifest = dict(m, commitment=made_up)
    forged.custody = dict(draft.custody, commitment=made_up)
    forged.sign_custody([draft.maker])
    forged.sign_manifest()
    reg.add("commitment-wrong-in-both", forged.files(), "KS-1", "both statements commit to another DEK",
            quick="OK", verify="OK", restore="AUTH", rotate="AUTH")


def _custody_members(reg):
    w = reg.world
    draft = w.make()

    def says(name, word, rules, text, **members):
        forged = copy.copy(draft)
        forged.custody = dict(draft.custody, **members)
        forged.sign_custody([draft.maker])
        if word == "verdict":
            reg.custody(f"custody-{name}", forged.files(), rules, text)
        else:
            reg.everywhere(f"custody-{name}", forged.files(), word, rules, text)

    says("uuid-wrong", "AUTH", "CU-1", "another backup", backup="00000000-0000-4000-8000-000000000000")
    says("epoch-wrong", "AUTH", "CU-1", "another epoch", epoch=1)
    says("core-wrong", "AUTH", "CU-1", "another core", core="0" * 64)
    says("keys-wrong", "AUTH", "CU-1", "another KEYS", keys="0" * 64)
    says("scheme", "UNSUPPORTED", "CU-2", "another scheme", scheme="2-of-n")
    says("generation-0", "FORMAT", "CU-4", "generation 0", generation=0)
    says("generation-1-with-previous", "FORMAT", "CU-4", "generation 1 with previous", previous="0" * 64)
    says("generation-2-without-previous", "FORMAT", "CU-4", "generation 2 without previous", generation=2)
    says("by-wrong", "verdict", "CU-5", "by is not the signer", by=w.custodian.certificate.spki_sha256.hex())
    forged = copy.copy(draft)
    forged.lock(by=w.custodian.signer())
    reg.custody("custody-first-by-custodian", forged.files(), "CU-5",
        "generation 1 by the custodian instead of the maker")
    for name, person in (("stranger", w.mallory), ("recipient", w.bob)):
        forged = copy.copy(draft)
        forged.lock(by=person.signer())
        reg.custody(f"custody-first-by-{name}", forged.files(), "CU-5", f"generation 1 by a {name}")
    forged = copy.copy(draft)
    forged.history = [draft.custody_cms]
    forged.lock(2, sha256(strictjson.emit(draft.custody)), by=w.custodian.signer())
    forged.custody["by"] = w.maker.certificate.spki_sha256.hex()
    forged.sign_custody([w.custodian.signer()])
    reg.custody("custody-second-in-the-makers-name", forged.files(), "CU-5",
        "generation 2 by the custodian, which says that it is the maker's")


def _history(reg):
    w = reg.world
    images = [w.make(copy=False).files()[0]]
    for i in range(4):
        images.append(rotated(reg, images[-1], w.recipients() if i % 2 else None))
    image = images[-1]
    block = block_of(image)
    slot = image[2 * BLOCK + block.active * block.slot_size:][:block.envelope_length]
    envelope = Envelope.parse(slot, True)
    h = envelope.all(HISTORY)
    assert len(h) == 4

    def history(name, word, rules, text, items):
        raw = envelope.replaced(HISTORY, *items).emit()
        reg.everywhere(f"history-{name}", emit_head(block, raw) + image[block.body_start:], word, rules, text)

    reg.good("good-generation-5", image, "five generations, HISTORY complete")
    history("good-dropped-all", "OK", "CU-7", "HISTORY was dropped", [])
    history("good-first-and-run", "OK", "CU-7", "generation 1, then 3 and 4", [h[0], h[2], h[3]])
    history("good-run", "OK", "CU-7", "generations 3 and 4", h[2:])
    history("good-first-only", "OK", "CU-7", "generation 1 only", h[:1])
    history("gap", "FORMAT", "CU-7", "generation 3 is missing", [h[0], h[1], h[3]])
    history("last-missing", "FORMAT", "CU-7", "generation 4 is missing", h[:3])
    history("reordered", "FORMAT", "CU-7", "generations 2 and 3 change places", [h[0], h[2], h[1], h[3]])
    history("twice", "FORMAT", "CU-7", "generation 1 twice", [h[0], h[0], h[1], h[2], h[3]])
    history("own-generation", "FORMAT", "CU-7", "the present statement as HISTORY too", h + [envelope.one(2)])
    other = w.make()
    history("of-another-backup", "AUTH", "CU-8", "generation 1 is that of another backup", [other.custody_cms] + h[2:])
    value = json.loads(_content(h[2]))
    forged = build(strictjson.emit(dict(value, reason="forged")), CUSTODY_OID, [w.custodian.signer()])
    history("link-broken", "AUTH", "CU-8", "generation 3 is another statement than 4 links to", h[:2] + [forged, h[3]])
    history("no-statement", "FORMAT", "SD-2", "a HISTORY item of noise", [b"noise"])
    history("manifest", "FORMAT", "SD-4", "a manifest as HISTORY item", [other.manifest_cms] + h[2:])


def _content(cms):
    return der.parse(cms)[1][0][2][1][0].body
