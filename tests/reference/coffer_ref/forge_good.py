# SPDX-License-Identifier: Apache-2.0
"""Cases that break nothing: what every reader must accept."""

import json
import os
import tempfile

from . import der, rotate
from .cases import block_of, patched, with_blocks
from .frames import Frame
from .reader import Trust
from .signed import TIME_STAMP, attribute


def register(reg):
    _kinds(reg)
    _makers(reg)
    _unknown_but_allowed(reg)
    _generations(reg)


def _kinds(reg):
    w = reg.world
    for number, name in enumerate(("none", "zstd", "lz4", "gzip")):
        reg.good(f"good-codec-{name}", w.make(codec=number).files(), f"codec {name}")
    for number, name in enumerate(("aes-256-gcm", "aes-128-gcm", "aes-192-gcm", "chacha20-poly1305"), 1):
        reg.good(f"good-cipher-{name}", w.make(cipher=number).files(), f"cipher {name}")
    reg.good("good-signed-only", w.make(recipients=[], codec=1).files(), "signed-only", rotate=None)
    reg.good("good-no-copy", w.make(copy=False).files(), "no MANIFEST copy in the envelope: it is in the tail")
    reg.good("good-empty", w.make(b"").files(), "no records at all")
    reg.good("good-one-byte", w.make(b"x").files(), "one record of one byte")
    reg.good("good-padded", w.make(codec=1, pad=100).files(), "padded records")
    reg.good("good-padded-none", w.make(pad=100).files(), "padded records, also with no room for pad bytes (p = 0)")
    reg.good("good-label", w.make(label=b"db1.weekly_2026-A" + b"x" * 47).files(), "label of 64 bytes")
    reg.good("good-record-64k", w.make(os.urandom(150000), record_size=65536).files(), "larger records")
    reg.good("good-volumes", w.make(volumes=3).files(), "three volumes")
    reg.good("good-volumes-empty-last", _empty_last(w).files(), "the last volume holds no records")
    draft = w.begin()
    draft.lock()
    for i in range(4096 * 2 + 5):
        draft.add(b"%d" % i)
    draft.finish()
    reg.good("good-8197-records", draft.files(), "two full INDEX frames and a short one")
    draft.splits = [0, 1000, 4096, 5000]
    draft.finish()
    reg.good("good-8197-records-volumes", draft.files(), "aligned blocks that lie in several INDEX frames")


def _empty_last(w):
    draft = w.make()
    draft.splits = [0, len(draft.records)]
    draft.finish()
    return draft


def _makers(reg):
    w = reg.world
    rsa, dsa = w.person("maker-rsa", "rsa2048"), w.person("maker-dsa", "dsa")
    erin = w.person("erin", "p521")
    named, large = w.person("maker-no-skid", "p384", skid=False), w.person("maker-p521", "p521")
    for name, signer in (("rsa", rsa.signer()), ("rsa-pss", rsa.signer(pss=True)),
                         ("rsa-sha512", rsa.signer("sha512")), ("dsa", dsa.signer()),
                         ("p384-sha384-no-skid", named.signer("sha384")),
                         ("p521-sha512", large.signer("sha512")), ("p256-sha512", w.maker.signer("sha512"))):
        person = {"rsa": rsa, "dsa": dsa, "p384": named, "p521": large}.get(name.split("-")[0])
        expect = {"quick": "OK", "verify": "OK", "restore": "OK", "rotate": "OK"}
        if person:
            expect = {f"{k}@{person.name}": "OK" for k in expect}
        reg.add(f"good-maker-{name}", w.make(maker=signer).files(), "-",
                f"signed by {name}" + (f"; trust {person.name}.crt" if person else ""), **expect)
    reg.good("good-recipient-p521", w.make(recipients=w.recipients() + [erin.certificate]).files(),
             "a third recipient, P-521", restore_erin="OK", restore_bob="OK", restore_mallory="NO_MATCH")


def _unknown_but_allowed(reg):
    w = reg.world
    draft = w.make()
    draft.extra_items = [(7, 0, b"from the future"), (7, 0, b"twice"), (0x9000, 0, b"later")]
    reg.good("good-unknown-item", draft.files(), "unknown envelope items without the critical flag")
    draft = w.make()
    draft.ancillary = Frame(0x80, 5, 7, 0xFF, 9, 1, 2, 3).emit() + b"12345" + Frame(0xFF, 0).emit()
    draft.finish()
    reg.good("good-ancillary", draft.files(), "ancillary frames after INDEX")
    image = w.make().files()[0]
    block = block_of(image)
    block.compat = 0x80000001
    reg.good("good-compat-bits", with_blocks(image, block.emit()), "unknown compat bits")
    block = block_of(image)
    block.sequence = 2 ** 40
    reg.good("good-high-sequence", with_blocks(image, block.emit()), "a high superblock sequence")
    block = block_of(image)
    block.sequence = 2 ** 64 - 1
    reg.add("superblock-sequence-end", with_blocks(image, block.emit()), "CH-4", "a sequence that cannot go on",
            quick="OK", verify="OK", restore="OK", rotate="FORMAT")
    draft = w.make()
    draft.manifest["x"] = {"note": ["any", {"thing": None}], "flag": True}
    draft.sign_manifest()
    reg.good("good-member-x", draft.files(), "the optional member x in the manifest")
    draft = w.make()
    draft.sign_manifest(json=json.dumps(draft.manifest, indent=2).encode() + b"\n")
    reg.good("good-json-spaces", draft.files(), "a manifest with white space")
    draft = w.make()
    token = attribute(TIME_STAMP, der.seq(der.integer(1)))
    draft.sign_custody([draft.maker], {"unsigned_attrs": [token]})
    reg.good("good-time-stamp", draft.files(), "an unsigned time stamp attribute on the custody statement")
    draft = w.make()
    draft.sign_custody([draft.maker, w.custodian.signer(), w.mallory.signer()])
    reg.good("good-approvals", draft.files(), "maker, custodian and a stranger signed the custody statement")
    draft = w.make()
    lying = w.maker.signer()
    lying.certificate = w.mallory.certificate
    draft.sign_manifest([lying])
    reg.good("good-identifier-lies", draft.files(), "the manifest's signer is named by a stranger's key identifier")
    odd = w.person("odd", "rsa2048", subject="\x1b[2J\x1b]0;gone\x07 \u202etxt, \"é\"")
    draft = w.begin()
    draft.recipients.append(odd.certificate)
    draft.lock(reason="\x1b[31mred\x1b[0m\r\nOK\u202e")
    draft.add(w.text[:4000])
    draft.finish()
    reg.good("good-terminal-escapes", draft.files(), "escapes in a subject and in reason: shown safely",
        restore_odd="OK")
    draft = w.make()
    draft.manifest["complete"] = False
    draft.sign_manifest()
    reg.everywhere("good-incomplete", draft.files(), "OK|WARN", "-", "complete is false", rotate="OK|WARN")


def rotated(reg, image, recipients=None, by=None, steps=8, alter=None, key=None):
    """`image` after a rotation (to carol and alice unless told) by the custodian."""
    w = reg.world
    with tempfile.NamedTemporaryFile(suffix=".cof") as f:
        f.write(image)
        f.flush()
        trust = Trust([w.maker.certificate], custodians=[w.custodian.certificate])
        return rotate.rotate(f.name, trust, (key or w.alice).key,
                             recipients or [w.carol.certificate, w.alice.certificate],
                             (by or w.custodian).signer(), reason="test", when=1800000000, steps=steps, alter=alter)


def _generations(reg):
    w = reg.world
    first = w.make(copy=False).files()[0]
    second = rotated(reg, first)
    reg.good("good-generation-2", second, "rotated once, by the custodian", restore_carol="OK",
             restore_bob="NO_MATCH")
    third = rotated(reg, second, w.recipients())
    reg.good("good-generation-3", third, "rotated twice: HISTORY of two", restore_bob="OK")
    start = block_of(first).body_start
    reg.good("good-old-envelope", first[:start] + third[start:],
             "the first head put back before a rotated backup's body: valid, its generation is shown")
    for step in (1, 3, 5):
        image = rotated(reg, first, steps=step)
        early = "OK|WARN" if step < 3 else "WARN"
        reg.add(f"interrupted-step-{step}", image, "SB-6 EN-7", f"a rotation interrupted after step {step}",
                quick=early, verify="WARN", restore="OK|WARN" if step < 3 else "WARN", rotate="OK|WARN",
                restore_carol="NO_MATCH" if step < 3 else "WARN", restore_bob="NO_MATCH" if step >= 3 else "OK|WARN")
    torn = patched(rotated(reg, first, steps=1), 2 * 4096 + block_of(first).slot_size + 300, bytes(4096))
    reg.add("interrupted-torn-slot", torn, "EN-7", "a rotation interrupted while it wrote the inactive slot",
            quick="OK|WARN", verify="WARN", restore="OK|WARN", rotate="OK|WARN")
    done = rotated(reg, first, steps=3)
    torn = patched(done, 4096 + 512, bytes(512))
    reg.add("interrupted-torn-superblock", torn, "SB-6", "after step 3 the older superblock is damaged too",
            quick="WARN", verify="WARN", restore="WARN", rotate="OK|WARN")
