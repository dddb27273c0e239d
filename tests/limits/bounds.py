#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever a file holds, at most 256 MiB and 2 s of processor are spent before a trusted signature was
verified: files made to cost as much as they can.

usage: bounds.py COFFER
"""

import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "reference"))
from coffer_ref import der, strictjson  # noqa: E402
from coffer_ref.binary import sha256  # noqa: E402
from coffer_ref.cases import World, block_of, patched, with_blocks  # noqa: E402
from coffer_ref.head import CRITICAL, CUSTODY, HISTORY, SIGNER, Envelope  # noqa: E402
from coffer_ref.signed import assemble, build, build_signer  # noqa: E402
from coffer_ref.statements import CUSTODY_OID  # noqa: E402

MEMORY, SECONDS = 256 << 20, 2.0
SLACK = 4.0 if os.environ.get("COFFER_SLOW") else 1.0  # a build with sanitizers
DSA_SHA256 = "2.16.840.1.101.3.4.3.2"


class Bounds:
    def __init__(self, coffer, folder):
        self.coffer, self.folder = os.path.abspath(coffer), folder
        self.env = dict(os.environ, COFFER_HOME=os.path.join(folder, "none"))
        self.number = self.bad = 0

    def file(self, data, name="x.cof"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def run(self, what, *arguments, status=(3, 5), stdin=subprocess.DEVNULL):
        """The command refuses, with one of these statuses, and within the bounds."""
        process = subprocess.Popen([self.coffer, *arguments], env=self.env, stdin=stdin, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)))
        said = process.stderr.read().decode(errors="replace")
        _, ended, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
        seconds = usage.ru_utime + usage.ru_stime
        memory = usage.ru_maxrss * 1024
        good = process.returncode in status and seconds <= SECONDS * SLACK and memory <= MEMORY * SLACK
        self.number, self.bad = self.number + 1, self.bad + (not good)
        print("%s %d - %s, %s: %.2f s, %d MiB, status %d" % ("ok" if good else "not ok", self.number, arguments[0], what,
                                                            seconds, memory >> 20, process.returncode), flush=True)
        if not good:
            print("# " + said[-300:].replace("\n", "\n# "))

    def readers(self, what, data, **more):
        path = self.file(data)
        trust = os.path.join(self.folder, "maker.crt")
        self.run(what, "verify", "--trust", trust, path, **more)
        self.run(what, "info", path, **{"status": (0, 3, 5, 9), **more})
        self.run(what, "receive", "--trust", trust, "--force", "-o", os.path.join(self.folder, "received"),
                 stdin=open(path, "rb"), **more)


def heavy_key(bits, rng):
    """SubjectPublicKeyInfo of a DSA key that nobody has: its numbers are only large."""
    def odd(n):
        return rng.getrandbits(n) | 1 << (n - 1) | 1

    params = der.seq(der.integer(odd(bits)), der.integer(odd(256)), der.integer(odd(bits - 1)))
    return der.seq(der.seq(der.oid("1.2.840.10040.4.1"), params), der.tlv(3, b"\0" + der.integer(odd(bits - 1))))


def with_key(certificate, spki):
    """The same certificate around another key, unsigned."""
    node = der.parse(certificate.raw)
    fields = [k.raw for k in node[0].kids]
    at = 6 if node[0][0].tag == 0xA0 else 5
    fields[at] = spki
    return der.seq(der.seq(*fields), node[1].raw, node[2].raw)


def many_signatures(w, bits):
    """8 signers, each of whom might be any of 64 certificates with the slowest keys that count."""
    rng = random.Random(1)
    draft = w.make()
    statement = strictjson.emit(draft.custody)
    parts = []
    for _ in range(8):
        info = der.parse(build_signer(w.maker.signer(), statement, CUSTODY_OID))
        kids = [k.raw for k in info.kids]
        kids[4] = der.algorithm(DSA_SHA256)
        kids[5] = der.octets(der.seq(der.integer(rng.getrandbits(250)), der.integer(rng.getrandbits(250))))
        parts.append(der.seq(*kids))
    digest = "2.16.840.1.101.3.4.2.1"
    cms = assemble(statement, CUSTODY_OID, sorted(parts), [digest])
    signers = [with_key(w.maker.certificate, heavy_key(bits, rng)) for _ in range(63)]
    items = [(t, f, cms if t == CUSTODY else v) for t, f, v in draft.envelope().items if t != SIGNER]
    items += [(SIGNER, CRITICAL, c) for c in signers + [w.maker.certificate.raw]]
    envelope = Envelope(sorted(items, key=lambda i: i[0])).emit()
    draft.slot_size = (len(envelope) + 4095) & ~4095
    return draft.files(envelope=envelope)[0]


def long_history(w, count):
    draft = w.make()
    history = [draft.custody_cms] * count
    items = draft.envelope().items
    envelope = Envelope(sorted(items + [(HISTORY, CRITICAL, h) for h in history], key=lambda i: i[0])).emit()
    draft.slot_size = (len(envelope) + 4095) & ~4095
    return draft.files(envelope=envelope)[0]


def deep(w, opening, closing, depth):
    """A signed statement whose JSON is nested."""
    draft = w.make()
    text = b'{"type":"coffer.custody.v1","x":' + opening * depth + closing * depth + b"}"
    draft.custody_cms = build(text, CUSTODY_OID, [w.maker.signer()])
    return draft.files()[0]


def deep_der(w, depth):
    draft = w.make()
    body = b""
    for _ in range(depth):
        body = der.seq(body)
    draft.custody_cms = body
    return draft.files()[0]


def head_fields(image, **fields):
    block = replace(block_of(image), **fields).emit()
    return with_blocks(image, block)


def claims(w):
    """What lengths and counts may say without any byte being there."""
    image = w.make().files()[0]
    yield "a slot of 16 MiB that is not there", head_fields(image, slot_size=1 << 24)
    yield "an envelope as long as the largest slot", head_fields(image, slot_size=1 << 24, envelope_length=1 << 24)
    tail = image[-64:]
    yield "a tail of 64 MiB in the trailer", image[:-64] + patched(tail, 24, struct.pack(">Q", 1 << 26))
    yield "a tail of 2^63 bytes", image[:-64] + patched(tail, 24, struct.pack(">Q", 1 << 63))
    draft = w.make()
    for n in (1 << 20, 0xFFFFFFFF):
        draft.tail_payload = b"COFTAIL\n" + struct.pack(">II", n, 1)
        yield "a tail of %d indexes" % n, draft.files()[0]
    draft = w.make()
    draft.manifest["records"] = draft.manifest["data_records"] = 1 << 47
    draft.manifest["plain_bytes"] = 1 << 52
    draft.sign_manifest()
    yield "2^47 records in the manifest", draft.files()[0]
    draft = w.make()
    draft.manifest["volumes"] = [{"bytes": 4096, "first_record": 0}] * 9000
    draft.sign_manifest()
    yield "9,000 volumes in the manifest", draft.files()[0]


def many_recipients(w):
    draft = w.make()
    items = [i for i in draft.envelope().items if i[0] != 4]
    items += [(4, CRITICAL, w.alice.certificate.raw)] * 3000
    envelope = Envelope(sorted(items, key=lambda i: i[0])).emit()
    draft.slot_size = (len(envelope) + 4095) & ~4095
    yield "3,000 certificates of recipients", draft.files(envelope=envelope)[0]
    draft = w.make()
    kids = der.parse(draft.keys)
    data = kids[1][0]
    one = data[1][0].raw
    many = der.seq(kids[0].raw, der.context(0, der.seq(data[0].raw, der.set_of(*[one] * 800), data[2].raw, data[3].raw)))
    draft.keys = many[:262144]
    draft.custody = dict(draft.custody, keys=sha256(draft.keys).hex())
    draft.sign_custody([w.maker.signer()])
    yield "800 wrapped keys for nobody", draft.files()[0]


def odd_files(bounds, w):
    folder = bounds.folder
    good = w.make().files()[0]
    sparse = bounds.file(good, "sparse.cof")
    os.truncate(sparse, 1 << 42)
    trust = os.path.join(folder, "maker.crt")
    bounds.run("4 TiB of holes behind a backup", "verify", "--trust", trust, sparse)
    zeros = os.path.join(folder, "zeros.cof")
    with open(zeros, "wb"):
        os.truncate(zeros, 1 << 42)
    bounds.run("4 TiB of holes", "verify", "--trust", trust, zeros)
    fifo = os.path.join(folder, "fifo.cof")
    os.mkfifo(fifo)
    bounds.run("a FIFO", "verify", "--trust", trust, fifo, status=(2, 5))
    bounds.run("a device", "verify", "--trust", trust, "/dev/zero", status=(2, 5))
    os.mkdir(os.path.join(folder, "loop"))
    for name, to in (("a.cof", "b.cof"), ("b.cof", "a.cof"), ("x.002.cof", "x.002.cof"), ("dir", ".")):
        os.symlink(to, os.path.join(folder, "loop", name))
    two = w.make(volumes=2).files()
    bounds.file(two[0], "loop/x.cof")
    bounds.run("volumes that are links to themselves", "verify", "--trust", trust, os.path.join(folder, "loop"),
               status=(3, 5, 6))
    for i in range(3000):
        bounds.file(two[1][:8192] if i % 2 else good[:8192], "loop/%d.cof" % i)
    bounds.run("3,000 files that might be its second volume", "verify", "--trust", trust,
               os.path.join(folder, "loop", "x.cof"), status=(3, 5, 6))
    with open("/dev/zero", "rb") as endless:
        bounds.run("zeros without end", "receive", "--trust", trust, "-o", os.path.join(folder, "r"), stdin=endless)


def main():
    with tempfile.TemporaryDirectory() as folder:
        bounds = Bounds(sys.argv[1], folder)
        w = World()
        for person in w.people:
            person.write(folder)
        bounds.readers("64 signers with DSA keys of 4,096 bits", many_signatures(w, 4096), status=(3, 5, 9))
        bounds.readers("64 signers with DSA keys of 10,000 bits", many_signatures(w, 10000), status=(3, 5, 9))
        bounds.readers("4,096 statements of history", long_history(w, 4096))
        bounds.readers("JSON nested in arrays", deep(w, b"[", b"]", 100000))
        bounds.readers("JSON nested in objects", deep(w, b'{"a":', b"}", 60000).replace(b'{"a":}', b'{"a":1'))
        bounds.readers("DER 10,000 deep", deep_der(w, 10000))
        for what, data in list(claims(w)) + list(many_recipients(w)):
            bounds.readers(what, data, status=(0, 3, 5, 9))
        odd_files(bounds, w)
    print("1..%d" % bounds.number)
    sys.exit(bounds.bad != 0)


main()
