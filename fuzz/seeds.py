#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the targets of fuzz/: a folder for each, made of what the independent forger and the
command make.  Nothing of it is stored in the project.

usage: seeds.py COFFER DIR
"""

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
from coffer_ref import bundle, forge, rekey, writer  # noqa: E402
from coffer_ref.head import MAGIC  # noqa: E402

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
    for target, text in statements(raw):
        corpus.add(target, text)
    for number, (at, header, payload) in enumerate(frames(raw, 2 * BLOCK + 2 * size)):
        if number < 6 or header[2] > 3:
            corpus.add("frame", header + payload[:16])
        if header[2] == 4:
            corpus.add("index", payload[:24 + 64 * 40])
        if header[2] == 6:
            corpus.add("tail", raw[at + HEADER:at + HEADER + len(payload) + TRAILER])
        if header[2] in (1, 2, 3) and number < 2:
            corpus.add("record", header[3:5] + header[8:12] + payload)


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
    files = [without_hashes(f) for f in files if f]
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
    """A catalog of two levels, by hand: two records of one entry each, and the item record."""
    def entry(path, shared, rest, length):
        return (struct.pack(">BBHHIIQqIQHHH", 1, 0, 0, 0o644, 0, 0, 5, 0, 0, length, shared, len(rest), 0) + rest)

    a = struct.pack(">B3xIQ", 0, 1, 0) + entry(b"a", 0, b"a", 1024)
    b = struct.pack(">B3xIQ", 0, 1, 1024) + entry(b"b", 0, b"b", 512)
    top = struct.pack(">B3xIQ", 1, 2, 0) + struct.pack(">QQH", 7, 0, 1) + b"a" + struct.pack(">QQH", 8, 1024, 1) + b"b"
    corpus.add("catalog", b"".join(b"\xFF" + struct.pack(">I", len(r)) + r for r in (a, b, top)))


def credentials(corpus, keys, scratch):
    out = os.path.join(scratch, "out")
    for name in sorted(os.listdir(keys)):
        path = os.path.join(keys, name)
        with open(path, "rb") as f:
            data = f.read()
        for target in ("cert", "key"):
            corpus.add(target, data)
        if name.endswith(".crt"):
            run("openssl", "x509", "-in", path, "-outform", "DER", "-out", out)
            forms = [out]
        else:
            forms = []
            for how in (["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"],
                        ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "10", "-passout", "pass:secret"],
                        ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "10", "-passout", "pass:secret",
                         "-outform", "DER"],
                        ["pkey", "-traditional"],
                        ["pkey", "-traditional", "-aes128", "-passout", "pass:secret"]):
                forms.append(out + str(len(forms)))
                run("openssl", *how, "-in", path, "-out", forms[-1])
            forms.append(out + ".p12")
            run("openssl", "pkcs12", "-export", "-iter", "10", "-inkey", path, "-in", path[:-4] + ".crt",
                "-passout", "pass:secret", "-out", forms[-1])
        for form in forms:
            with open(form, "rb") as f:
                made = f.read()
            corpus.add("cert", made)
            corpus.add("key", made)
            corpus.add("key", made + data)


TEXTS = (b"2026-11-24T10:15:02Z", b"7c9e6679-7425-40de-944b-e07fc1f90ae7", b"0" * 64, b"a/b/ca/b/d", b"..",
         "caf\u00e9 \u202e\u200b\U0001F600\ufffd\u2028".encode(), b"\xff\xfe\x1b[31m\x7f\\x", b"etc/passwdetc/passwe")
OPTIONS = (b"compress zstd:3\n# a comment\n\n--label=db1\nrecipient /a\nrecipient = /b\r\n", b"sign-only\nrecipient x\n",
           b"force\n", b"label\n", b"label a\nlabel b\n", b"unknown x\n", b"compress=\n", b"sign-only x\n", b"\0compress x\n")


def main():
    coffer, out = sys.argv[1:]
    corpus = Corpus(out)
    with tempfile.TemporaryDirectory() as scratch:
        world, cases = forge.write(scratch)
        for case in cases:
            for raw in case.files:
                if raw:
                    take_apart(corpus, raw)
            if case.name.startswith(("good-signed-only", "good-generation", "good-no-copy", "good-padded")):
                believed(corpus, case.files)
        for files in unsealed(world):
            believed(corpus, files)
        lineages(corpus, world)
        command(corpus, coffer, scratch)
        credentials(corpus, os.path.join(scratch, "keys"), scratch)
    levels(corpus)
    for text in TEXTS:
        corpus.add("text", text)
    for text in OPTIONS:
        corpus.add("options", text)
    for target in TARGETS:
        assert os.listdir(os.path.join(out, target)), target


main()
