#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the targets of fuzz/: a folder for each, made of what the independent forger and the
command make.  Nothing of it is stored in the project.

usage: seeds.py COFFER DIR [few]      few: without those that differ from others in one part only
"""

import datetime
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "reference"))
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

import edits  # noqa: E402
from coffer_ref import bundle, forge, people, rekey, writer  # noqa: E402
from coffer_ref.errors import Refused  # noqa: E402
from coffer_ref.head import CUSTODY, KEYS, MAGIC, RECIPIENT, SIGNER, Envelope  # noqa: E402

BLOCK, HEADER, TRAILER, MOST = 4096, 32, 64, 1 << 18
TARGETS = ("bundle", "catalog", "cert", "custody", "envelope", "file", "frame", "index", "key", "keys", "lineage", "manifest",
           "options", "preamble", "record", "signed", "superblock", "tail", "text")


class Corpus:
    def __init__(self, out):
        self.out = out
        for target in TARGETS:
            os.makedirs(os.path.join(out, target), exist_ok=True)

    def add(self, target, data):
        if len(data) <= MOST:
            name = hashlib.sha256(data).hexdigest()[:16]
            with open(os.path.join(self.out, target, name), "wb") as f:
                f.write(data)


def slot_size(raw):
    return struct.unpack(">Q", raw[24:32])[0]


def frames(raw, at):
    """(offset, header, payload) of the frames from `at` on, as far as they are some."""
    while raw[at:at + 2] == b"\xC0\xFE":
        stored = struct.unpack(">I", raw[at + 12:at + 16])[0]
        end = at + HEADER + stored
        yield at, raw[at:at + HEADER], raw[at + HEADER:end]
        at = end + (TRAILER if raw[at + 2] == 6 else 0)


def statements(raw):
    for match in re.finditer(rb'\{"type":"coffer\.(custody|manifest)\.v1"', raw):
        text = raw[match.start():match.start() + 65536].decode("latin-1")
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            end = min(len(text), 3000)
        yield match.group(1).decode(), raw[match.start():match.start() + end]


def certificates(raw, sealed):
    """Those in an envelope."""
    try:
        envelope = Envelope.parse(raw, sealed)
    except Refused:
        return []
    return envelope.all(RECIPIENT) + envelope.all(SIGNER)


def take_apart(corpus, raw):
    if raw[:8] == bundle.MAGIC or (raw[:8] == MAGIC and raw[10:11] == b"\x01"):
        corpus.add("bundle", raw)
    corpus.add("superblock", raw[:2 * BLOCK])
    corpus.add("preamble", raw[512:1024])
    size = slot_size(raw) if len(raw) > 2 * BLOCK else 0
    if size > 1 << 24:
        return
    for slot in (0, 1):
        at = 2 * BLOCK + slot * size
        length = struct.unpack(">Q", raw[at + 8:at + 16].rjust(8, b"\0"))[0]
        if raw[at:at + 8] == b"COFENV1\n" and length <= size:
            for target in ("envelope", "keys", "signed"):
                corpus.add(target, raw[at:at + length])
            for value in certificates(raw[at:at + length], True) + certificates(raw[at:at + length], False):
                corpus.add("cert", value)
    found = list(statements(raw))
    for target, text in found:
        corpus.add(target, text)
    corpus.add("custody", b"\0".join(dict.fromkeys(text for target, text in found if target == "custody")))
    for number, (at, header, payload) in enumerate(frames(raw, 2 * BLOCK + 2 * size)):
        if number < 6 or header[2] > 3:
            corpus.add("frame", header + payload[:16])
        if header[2] == 4:
            corpus.add("index", payload[:24 + 64 * 40])
        if header[2] == 6:
            corpus.add("tail", raw[at + HEADER:at + HEADER + len(payload) + TRAILER])
        if header[2] in (1, 2, 3) and number < 2:
            corpus.add("record", header[3:5] + header[8:12] + payload)


# ---- what is encrypted in the cases, caught when it is sealed ----

def listen():
    """What writers seal from now on: for each draft its (frame, content)."""
    heard = {}
    seal = writer.Draft.seal

    def sealing(self, frame, content):
        heard.setdefault(id(self), (self, []))[1].append((frame, content))
        return seal(self, frame, content)

    writer.Draft.seal = sealing
    return heard


def contents(corpus, heard):
    for draft, records in heard.values():
        catalog = [content for frame, content in records if frame.kind == 2 and frame.codec == 0]
        corpus.add("catalog", b"".join(b"\xFF" + struct.pack(">I", len(c)) + c for c in catalog))
        lineage = [content for frame, content in records if frame.kind == 3 and 0 < len(content) <= 4096]
        before = min(sum(frame.kind < 3 for frame, _ in records), 0xFFFF)
        if lineage:
            corpus.add("lineage", struct.pack(">BH", (draft.preamble.epoch - 1) & 3, before) +
                       b"".join(struct.pack(">H", len(c) - 1) + c for c in lineage))
        for frame, content in records[:2]:
            corpus.add("record", struct.pack(">BBI", frame.codec & 0xFF, frame.flags & 0xFF, frame.plain & 0xFFFFF) + content)


def lineages(corpus, world):
    """Of backups rekeyed once and twice, of few records and of many."""
    for records in (0, 5, 300):
        draft = world.begin()
        draft.lock()
        for i in range(records):
            draft.add(b"%d" % i)
        draft.finish()
        raw = b""
        for epoch in (0, 1):
            job = rekey.Rekey(draft, world.maker.signer())
            raw += b"".join(struct.pack(">H", len(p) - 1) + p for p in job.pieces(b"".join(job.addition())))
            corpus.add("lineage", bytes([epoch]) + struct.pack(">H", records) + raw)
            draft = job.draft()


# ---- one part is not as it was ----

def private(person):
    return person.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())


def locks(corpus, world, few):
    """Wrapped keys with a private key that opens them, and statements alone."""
    draft = world.make(recipients=[world.alice.certificate, world.carol.certificate])
    signer, carol = world.custodian.signer("sha384"), draft.recipients[1]
    draft.sign_custody([signer, world.alice.signer("sha384", pss=True)])
    whole = draft.envelope()
    for person in (world.alice, world.carol, world.bob):
        corpus.add("keys", whole.emit() + private(person))
    corpus.add("signed", draft.custody_cms)
    corpus.add("signed", draft.manifest_cms)
    if few:
        return
    for keys in edits.of_der(draft.keys):
        corpus.add("keys", whole.replaced(KEYS, keys).emit() + private(world.alice))
    for twice in ([carol.raw] * 2, [draft.recipients[0].raw, world.alice.renewed().certificate.raw]):
        corpus.add("keys", whole.replaced(RECIPIENT, *twice).emit())
    for message in edits.of_der(draft.custody_cms):
        corpus.add("signed", message)
        corpus.add("signed", whole.replaced(CUSTODY, message).emit())
    for signers in ([signer, world.alice.signer("sha256")], [signer] * 8):
        draft.sign_custody(signers)
        corpus.add("signed", draft.custody_cms)
    same_key = [world.alice.certificate, people.certificate(world.alice.key, "a", False)]
    corpus.add("keys", world.make(recipients=same_key).envelope().emit())
    corpus.add("envelope", whole.replaced(RECIPIENT, bytes(65537)).emit())
    for odd in ("3002 0000", "3003 010102", "3003 0101FF", "3002 1000", "3081 01 00", "3082 0001 00", "30", "3080",
                "3004 24020400", "3103 020101 00", "3107 30030201 020500", "30" * 40):
        corpus.add("signed", bytes.fromhex(odd))
    corpus.add("signed", b"".join(b"\x30" + bytes([2 * n]) for n in range(60, -1, -1)))


def chains(corpus, world):
    """Pairs of statements, of which only the first is a chain."""
    draft = world.begin()
    texts = []
    for generation in (1, 2, 3):
        draft.lock(generation, hashlib.sha256(texts[-1]).digest() if texts else None)
        texts.append(next(statements(draft.custody_cms))[1])
    stranger = world.begin()
    stranger.lock()
    other = next(statements(stranger.custody_cms))[1]
    for pair in (texts[:2], texts[::2], texts[1::-1], texts[1:], (other, texts[1]), (texts[0] + b" ", texts[1]),
                 (texts[0].replace(b'"epoch":0', b'"epoch":7'), texts[1])):
        corpus.add("custody", b"\0".join(pair))


def statement_edits(corpus, world):
    draft = world.begin()
    draft.lock(2, bytes(32))
    draft.finish()
    for target, cms in (("custody", draft.custody_cms), ("manifest", draft.manifest_cms)):
        for _, text in statements(cms):
            for other in edits.of_json(text):
                corpus.add(target, other)


# ---- a world in which every hash is zero (unauthenticated.c) ----

def without_hashes(raw):
    """The same backup as that world would have written it."""
    raw = bytearray(raw)
    size = slot_size(raw)
    zero = bytes(32)
    for block in (0, BLOCK):
        raw[block + 48:block + 80] = raw[block + 592:block + 624] = raw[block + 4064:block + 4096] = zero
    for at, header, payload in list(frames(bytes(raw), 2 * BLOCK + 2 * size)):
        if header[2] == 4:
            for entry in range(at + HEADER + 24, at + HEADER + len(payload), 64):
                raw[entry + 32:entry + 64] = zero
        if header[2] == 6:
            end = at + HEADER + len(payload)
            raw[end + 32:end + 64] = zero
    text = re.sub(rb'"[0-9a-f]{64}"', b'"' + b"0" * 64 + b'"', bytes(raw))
    digest = re.compile(rb"(\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04\x31.\x04(.))", re.S)
    raw = bytearray(text)
    for match in digest.finditer(text):
        length = match.group(2)[0]
        raw[match.end():match.end() + length] = bytes(length)
    return bytes(raw)


def believed(corpus, files):
    files = [without_hashes(f) if len(f) > 2 * BLOCK else f for f in files if f]
    if len(files) == 1:
        corpus.add("file", files[0])
    else:
        corpus.add("file", b"".join(struct.pack(">I", len(f)) + f for f in files))


def unsealed(world):
    """Sealed backups whose records are not encrypted at all, as the open world wants them."""
    seal = writer.Draft.seal
    writer.Draft.seal = lambda self, frame, content: content + (bytes(16) if self.preamble.sealed else b"")
    try:
        for codec in (0, 1, 2, 3):
            yield world.make(codec=codec, recipients=[world.alice.certificate], pad=100 * (codec % 2)).files()
        yield world.make(recipients=[world.bob.certificate], volumes=2).files()
        yield world.make(b"", recipients=[world.bob.certificate]).files()
        yield world.make(b"x", recipients=[world.bob.certificate], copy=False).files()
    finally:
        writer.Draft.seal = seal


def volumes(corpus, world):
    """Three volumes, as they are and not as they should be."""
    first, second, third = files = world.make(recipients=[], volumes=3).files()
    index = len(second) - (HEADER + 16) - (HEADER + 24 + 64 * 2)  # about where the last INDEX of volume 2 is
    for others in ((second, third), (third, second), (second, second), (second[:-1], third), (second + b"x", third),
                   (b"x", third), (third[:2 * BLOCK], second), (bytes(BLOCK) + second[BLOCK:], third),
                   (world.make(recipients=[], volumes=3).files()[1], third), (second,), ()):
        believed(corpus, [first, *others])
    for at in range(index, len(second), 8):
        believed(corpus, [first, second[:at] + bytes([second[at] ^ 1]) + second[at + 1:], third])
    for file in files:
        corpus.add("superblock", file[:2 * BLOCK])


# ---- from the command ----

def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)


def tree(top):
    os.makedirs(os.path.join(top, "d", "empty"))
    for name, data in (("a", b"x" * 5000), ("d/b", b""), ("d/c\u00e9", os.urandom(300))):
        with open(os.path.join(top, name), "wb") as f:
            f.write(data)
    with open(os.path.join(top, "sparse"), "wb") as f:
        f.truncate(1 << 20)
        f.seek(1 << 19)
        f.write(b"middle")
    os.symlink("../a", os.path.join(top, "d", "link"))
    os.link(os.path.join(top, "a"), os.path.join(top, "d", "hard"))
    os.mkfifo(os.path.join(top, "fifo"))
    for i in range(60):
        with open(os.path.join(top, "d", "name-%03d" % i), "w") as f:
            f.write("%d" % i)


def command(corpus, coffer, scratch):
    environment = dict(os.environ, COFFER_HOME=os.path.join(scratch, "none"))
    top = os.path.join(scratch, "top")
    tree(top)
    for number, how in enumerate(("none", "zstd", "lz4", "gzip")):
        out = os.path.join(scratch, "%d.cof" % number)
        run(coffer, "backup", "-q", "-o", out, "--sign-only", "--sign-key", os.path.join(scratch, "keys", "maker.key"),
            "--compress", how, "--record-size", "262144", "--", top, env=environment)
        with open(out, "rb") as f:
            raw = f.read()
        take_apart(corpus, raw)
        believed(corpus, [raw])
        if how == "none":
            size = slot_size(raw)
            for _, header, payload in frames(raw, 2 * BLOCK + 2 * size):
                if header[2] == 2:
                    corpus.add("catalog", payload)
                    corpus.add("catalog", b"\xFF" + struct.pack(">I", len(payload)) + payload)


def levels(corpus):
    """Catalogs by hand: of two levels (two records of one entry each, and the item record), in and out
    of order; and of all types of entries with long paths, to be written many times over."""
    def entry(path, length, kind=1, size=5, stream=0, target=b""):
        return struct.pack(">BBHHIIQqIQHHH", kind, 0, stream, 0o644, 0, 0, size, 0, 0, length, 0, len(path),
                           len(target)) + path + target

    def page(level, position, *parts):
        return struct.pack(">B3xIQ", level, len(parts), position) + b"".join(parts)

    a, b = page(0, 0, entry(b"a", 1024)), page(0, 1024, entry(b"b", 512))
    top = page(1, 0, struct.pack(">QQH", 7, 0, 1) + b"a", struct.pack(">QQH", 8, 1024, 1) + b"b")
    long = b"p" * 900
    all_types = page(0, 0, entry(b"a" + long, 1024), entry(b"b", 1024, 2, 0), entry(b"c", 1024, 3, 0, 0, long),
                     entry(b"d", 1024, 4, 0, 0, b"a" + long), entry(b"e", 512, 5, 1 << 40), entry(b"f", 512, 7, 0))
    for records in ((a, b, top), (a, top), (b, a, top), (a, b), (top,), (a, a, top), (a, b, top, top), (all_types,),
                    (page(0, 0, entry(b"s", 5, 9, 5, 1)),), (page(0, 0, entry(b"s" * 1025, 5, 9, 5, 1)),)):
        joined = b"".join(b"\xFF" + struct.pack(">I", len(r)) + r for r in records)
        corpus.add("catalog", joined)
        corpus.add("catalog", b"\xFE" + joined)


# ---- keys and certificates ----

def openssl(*arguments):
    run("openssl", *arguments, "-passout", "pass:secret")


def key_forms(path, out):
    """Files that hold the private key at `path`, one for each way to write it."""
    pkcs8 = ("pkcs8", "-topk8", "-in", path)
    pkcs12 = ("pkcs12", "-export", "-iter", "10", "-inkey", path, "-in", path[:-4] + ".crt")
    for how in ((*pkcs8, "-nocrypt", "-outform", "DER"),
                (*pkcs8, "-v2", "aes-256-cbc", "-iter", "10"),
                (*pkcs8, "-v2", "aes-256-cbc", "-iter", "10", "-outform", "DER"),
                (*pkcs8, "-scrypt", "-scrypt_N", "16", "-outform", "DER"),
                ("pkey", "-in", path, "-traditional"),
                ("pkey", "-in", path, "-traditional", "-aes128"),
                pkcs12, (*pkcs12, "-nomac"), (*pkcs12, "-keypbe", "NONE", "-certpbe", "NONE")):
        openssl(*how, "-out", out)
        with open(out, "rb") as f:
            yield f.read()
    run("openssl", *pkcs12, "-passout", "pass:", "-out", out)
    with open(out, "rb") as f:
        yield f.read()


def usage(*allowed):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in allowed for name in names})


def odd_certificates(signer):
    """Certificates of keys that cannot be used, or not for everything, and with names of all lengths."""
    p256, rsa2048, day = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048), datetime.timedelta(1)
    small, large = dsa.generate_private_key(1024), rsa.RSAPublicNumbers(65537, (1 << 16400) + 1)
    for key, name, extension in (
            (p256, "a", usage("digital_signature")), (p256, "a", usage("key_agreement")),
            (p256, "a", usage("key_agreement", "encipher_only")), (rsa2048, "a", usage("key_encipherment")),
            (rsa2048, "a", usage("crl_sign")), (p256, "", None), (p256, "a" * 64, None), (p256, "\u00e9" * 3, None),
            (p256, "a", x509.SubjectKeyIdentifier(b"x" * 65)), (p256, "a", x509.SubjectKeyIdentifier(b"x" * 64)),
            (small, "a", None), (large, "a", None), (ec.generate_private_key(ec.BrainpoolP256R1()), "a", None),
            (rsa.generate_private_key(65537, 1024), "a", None),
            *((kind.generate(), "a", None) for kind in (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey,
                                                        x25519.X25519PrivateKey, x448.X448PrivateKey))):
        for repeated in (1, 9) if extension is None else (1,):
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] * repeated if name else [])
            builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1 << 100)
                       .public_key(key.public_key()).not_valid_before(datetime.datetime(2026, 1, 1))
                       .not_valid_after(datetime.datetime(2026, 1, 1) + repeated * 365 * day))
            made = builder.add_extension(extension, False) if extension else builder
            yield made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    yield people.pss_only(rsa2048, "a").raw


def credentials(corpus, world, keys, scratch, few):
    for name in sorted(os.listdir(keys)):
        path = os.path.join(keys, name)
        with open(path, "rb") as f:
            data = f.read()
        forms = [data, *(key_forms(path, os.path.join(scratch, "out")) if name.endswith(".key") else ())]
        for form in forms:
            for target in ("cert", "key"):
                corpus.add(target, form)
            corpus.add("key", form + data)
        if name == "alice.key" and not few:
            for form in forms:
                for other in edits.of_der(form) if form[:1] == b"\x30" else ():
                    corpus.add("key", other)
    for made in odd_certificates(world.maker.key):
        corpus.add("cert", made)
    header = b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
    with open(os.path.join(keys, "alice.crt"), "rb") as f:
        first, rest = f.read().split(b"\n", 1)
    corpus.add("cert", first + b"\n" + header + rest)
    corpus.add("cert", (first + b"\n" + rest) * 2)
    corpus.add("cert", bytes(65537))
    if not few:
        with open(os.path.join(keys, "bob.crt"), "rb") as f:
            corpus.add("cert", f.read() * 257)
        for other in edits.of_der(world.alice.certificate.raw) + edits.of_der(world.carol.certificate.raw):
            corpus.add("cert", other)


TEXTS = (b"2026-11-24T10:15:02Z", b"7c9e6679-7425-40de-944b-e07fc1f90ae7", b"0" * 64, b"a/b/ca/b/d", b"..",
         "caf\u00e9 \u202e\u200b\U0001F600\ufffd\u2028".encode(), b"\xff\xfe\x1b[31m\x7f\\x", b"etc/passwdetc/passwe")
OPTIONS = (b"compress zstd:3\n# a comment\n\n--label=db1\nrecipient /a\nrecipient = /b\r\n", b"sign-only\nrecipient x\n",
           b"force\n", b"label\n", b"label a\nlabel b\n", b"unknown x\n", b"compress=\n", b"sign-only x\n", b"\0compress x\n")


def main():
    coffer, out = sys.argv[1:3]
    few = sys.argv[3:] == ["few"]
    corpus = Corpus(out)
    with tempfile.TemporaryDirectory() as scratch:
        heard = listen()
        world, cases = forge.write(scratch)
        contents(corpus, heard)
        for case in cases:
            for raw in case.files:
                if raw:
                    take_apart(corpus, raw)
            if case.name.startswith(("good-signed-only", "good-generation", "good-no-copy", "good-padded")):
                believed(corpus, case.files)
        for files in unsealed(world):
            believed(corpus, files)
        volumes(corpus, world)
        lineages(corpus, world)
        locks(corpus, world, few)
        chains(corpus, world)
        if not few:
            statement_edits(corpus, world)
        command(corpus, coffer, scratch)
        credentials(corpus, world, os.path.join(scratch, "keys"), scratch, few)
    levels(corpus)
    for text in TEXTS:
        corpus.add("text", text)
    for text in OPTIONS:
        corpus.add("options", text)
    for target in TARGETS:
        assert os.listdir(os.path.join(out, target)), target


main()
