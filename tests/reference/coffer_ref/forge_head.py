# SPDX-License-Identifier: Apache-2.0
"""Attacks on superblocks, preamble, envelope slots and tails, and plain damage to them."""

import copy
import os
from dataclasses import replace

from .binary import sha256, u16, u32, u64
from .cases import block_of, flipped, patched, with_blocks
from .forge_good import rotated
from .frames import HEADER, emit_tail
from .head import (BLOCK, CRITICAL, CUSTODY, KEYS, RECIPIENT, SIGNER, Envelope, Preamble,
                   Superblock, emit_head)


def register(reg):
    _superblocks(reg)
    _preambles(reg)
    _envelopes(reg)
    _slots(reg)
    _slots_with_a_damaged_manifest(reg)
    _tails(reg)
    _whole(reg)


def rehashed(block, at, new):
    """A superblock's bytes with `new` at `at` and a right SHA-256."""
    block = patched(block, at, new)[:4064]
    return block + sha256(block)


def _superblocks(reg):
    w = reg.world
    image = w.make().files()[0]
    good = image[:BLOCK]

    def both(name, word, rules, text, **fields):
        raw = replace(block_of(image), **fields).emit()
        reg.everywhere(f"superblock-{name}", with_blocks(image, raw), word, rules, text)

    both("incompat-bit", "UNSUPPORTED", "SB-3", "an incompat bit in both copies", incompat=1)
    both("incompat-high-bit", "UNSUPPORTED", "SB-3", "the highest incompat bit", incompat=1 << 31)
    both("version-2", "UNSUPPORTED", "SB-3", "version 2", version=2)
    both("version-0", "UNSUPPORTED", "SB-3", "version 0", version=0)
    both("role-3", "UNSUPPORTED", "SB-3", "role 3, the rekey journal", role=3)
    both("role-9", "UNSUPPORTED", "SB-3", "an unknown role", role=9)
    both("role-1-with-body", "FORMAT", "GE-3", "a head alone, with a body behind it", role=1)
    both("role-2", "FORMAT", "SB-5", "volume 1 calls itself a later volume", role=2)
    both("volume-2", "FORMAT", "SB-5", "volume number 2 in a whole volume 1", volume=2)
    both("active-2", "FORMAT", "SB-5", "active slot 2", active=2)
    both("slot-size-0", "FORMAT", "SB-5", "no slots", slot_size=0)
    both("slot-size-odd", "FORMAT", "SB-5", "slot size 16,385", slot_size=16385)
    both("slot-size-small", "FORMAT", "SB-5", "slot size 4096", slot_size=4096)
    both("slot-size-huge", "FORMAT|LIMIT", "SB-5 GE-2", "slot size 2^63", slot_size=1 << 63)
    both("slot-size-all-ones", "FORMAT|LIMIT", "SB-5 GE-2", "slot size 2^64 - 4096", slot_size=(1 << 64) - 4096)
    both("slot-size-beyond-file", "FORMAT", "GE-2", "slots beyond the end of the file", slot_size=1 << 24)
    both("envelope-length-0", "FORMAT", "SB-5", "envelope length 0", envelope_length=0)
    both("envelope-length-huge", "FORMAT|LIMIT", "SB-5 GE-2", "envelope length 2^64 - 1", envelope_length=(1 << 64) - 1)
    both("envelope-length-beyond-slot", "FORMAT", "SB-5", "envelope longer than its slot",
         envelope_length=block_of(image).slot_size + 1)
    both("journal", "FORMAT", "SB-5", "a journal pointer", journal=b"\1" * 16)
    for name, at in (("zero-range-1", 200), ("zero-range-2", 2000), ("zero-range-end", 4063)):
        reg.everywhere(f"superblock-{name}", with_blocks(image, rehashed(good, at, b"\1")), "FORMAT", "SB-5",
                       f"byte {at} is not zero, in both copies")
    newer = replace(block_of(image), sequence=2)
    reg.everywhere("superblock-incompat-in-older",
        with_blocks(image, newer.emit(), replace(block_of(image), incompat=1).emit()),
                   "WARN", "SB-6 SB-3", "an incompat bit in the older copy only: not looked at", rotate="OK|WARN")
    reg.everywhere("superblock-incompat-in-newer", with_blocks(image, good, replace(newer, incompat=1).emit()),
        "UNSUPPORTED",
                   "SB-3", "an incompat bit in the newer copy")
    reg.everywhere("superblock-equal-sequence",
        with_blocks(image, good, replace(block_of(image), compat=1).emit()), "FORMAT",
                   "SB-2", "two valid copies of one sequence that differ")
    reg.everywhere("superblock-zero-range-in-older",
        with_blocks(image, newer.emit(), rehashed(good, 2000, b"\1")), "FORMAT",
                   "SB-5", "the older valid copy has a byte in a zero range")
    other = w.make().files()[0]
    reg.everywhere("superblock-preambles-differ", with_blocks(image, newer.emit(), other[:BLOCK]), "FORMAT", "SB-4",
                   "the older copy is that of another backup")
    reg.everywhere("superblock-slot-sizes-differ",
        with_blocks(image, newer.emit(), replace(block_of(image), slot_size=32768).emit()),
                   "FORMAT", "SB-4", "the copies disagree in S")
    for name, a, b in (("a", flipped(good, 40), good), ("b", good, flipped(good, 700)),
            ("a-magic", flipped(good, 0), good),
                       ("b-zero", good, bytes(BLOCK))):
        reg.everywhere(f"superblock-damaged-{name}", with_blocks(image, a, b), "WARN", "SB-6 SB-1",
            f"copy {name[0].upper()} is damaged",
                       rotate="OK|WARN")
    reg.everywhere("superblock-damaged-both", with_blocks(image, flipped(good, 40)), "FORMAT", "SB-1",
        "both copies are damaged")
    reg.everywhere("superblock-newer-damaged", with_blocks(image, good, flipped(newer.emit(), 4063)), "WARN", "SB-6",
                   "a damaged copy of a higher sequence", rotate="OK|WARN")


class Patched(Preamble):
    """A preamble whose bytes are altered at will: the maker signs what it hashes to."""

    patches = ()

    def emit(self):
        raw = super().emit()
        for at, new in self.patches:
            raw = patched(raw, at, new)
        return raw


def _preambles(reg):
    w = reg.world

    def preamble(name, word, rules, text, *patches, signed_only=False):
        draft = w.make() if not signed_only else w.make(recipients=[])
        fields = vars(draft.preamble)
        draft.preamble = Patched(**fields)
        draft.preamble.patches = patches
        if not signed_only:
            draft.lock()
            draft.records = []
            for at in range(0, len(w.text), 4096):
                draft.add(w.text[at:at + 4096])
        draft.finish()
        expect = {o: word for o in ("quick", "verify", "restore") + (() if signed_only else ("rotate",))}
        reg.add(f"preamble-{name}", draft.files(), rules, text, **expect)

    for at, what, value in ((32, "cipher", 5), (32, "cipher", 255), (33, "tree-hash", 2), (33, "tree-hash", 0),
            (34, "key-schedule", 2),
                            (35, "content", 3), (35, "content", 0), (36, "protection", 3), (36, "protection", 0)):
        preamble(f"{what}-{value}", "UNSUPPORTED|FORMAT", "PR-1", f"{what} {value}", (at, bytes([value])))
    preamble("body-incompat", "UNSUPPORTED", "PR-1", "a body_incompat bit", (40, u32(1)))
    preamble("record-size-0", "FORMAT|LIMIT", "PR-2", "record size 0", (20, u32(0)))
    preamble("record-size-odd", "FORMAT", "PR-2", "record size 4097", (20, u32(4097)))
    preamble("record-size-huge", "FORMAT|LIMIT", "PR-2", "record size 2^32 - 4096", (20, u32(2**32 - 4096)))
    preamble("record-size-over", "FORMAT|LIMIT", "PR-2", "record size 16 MiB + 4096", (20, u32(16781312)))
    preamble("created-year-10000", "FORMAT", "PR-2", "created in the year 10000", (24, u64(253402300800)))
    preamble("created-huge", "FORMAT", "PR-2", "created 2^64 - 1", (24, u64(2**64 - 1)))
    preamble("sealed-cipher-0", "FORMAT", "PR-3", "sealed with cipher none", (32, b"\0"))
    preamble("sealed-schedule-0", "FORMAT", "PR-3", "sealed without key schedule", (34, b"\0"))
    preamble("signed-only-cipher-1", "FORMAT", "PR-3", "signed-only with a cipher", (32, b"\1"), signed_only=True)
    preamble("signed-only-schedule-1", "FORMAT", "PR-3", "signed-only with a key schedule", (34, b"\1"),
        signed_only=True)
    for name, label in (("escape", b"\x1b[2J"), ("dot", b".hidden"), ("dash", b"-rf"), ("slash", b"a/b"),
            ("dotdot", b".."),
                        ("space", b"a b"), ("newline", b"a\n"), ("nul", b"a\0b"), ("utf8", "é".encode())):
        preamble(f"label-{name}", "FORMAT", "PR-4", f"label {label!r}", (37, bytes([len(label)])), (112, label))
    preamble("label-long", "FORMAT", "PR-4", "label length 65", (37, b"\x41"), (112, b"a" * 64))
    preamble("label-after", "FORMAT", "PR-5", "bytes after the label", (37, b"\1"), (112, b"ab"))
    for at in (38, 44, 176, 511):
        preamble(f"zero-{at}", "FORMAT", "PR-5", f"byte {at} is not zero", (at, b"\1"))
    sealed, image = w.make(), None
    image = sealed.files()[0]

    def flipped_preamble(name, word, rules, text, *patches):
        block = image[:BLOCK]
        for at, new in patches:
            block = rehashed(block, 512 + at, new)
        reg.everywhere(f"preamble-flipped-{name}", with_blocks(image, block), word, rules, text)

    flipped_preamble("protection", "AUTH|FORMAT", "PR-3", "a sealed backup's protection set to signed-only",
        (36, b"\2"))
    flipped_preamble("to-signed-only", "AUTH|FORMAT", "EN-2 MF-1", "the same, with cipher and key schedule 0",
                     (36, b"\2"), (32, b"\0"), (34, b"\0"))
    flipped_preamble("created", "AUTH", "CU-1 MF-1", "another creation time", (31, b"\x07"))
    flipped_preamble("cipher", "AUTH", "CU-1 MF-1", "another cipher", (32, b"\4"))
    flipped_preamble("maker", "AUTH", "CU-1 MF-1", "another maker", (80, w.mallory.certificate.spki_sha256))
    flipped_preamble("salt", "AUTH", "CU-1 MF-1", "another salt", (48, b"salt"))
    flipped_preamble("epoch", "AUTH|FORMAT", "CU-1 MF-1", "epoch 1", (19, b"\1"))
    stripped = copy.copy(sealed)
    stripped.preamble = replace(sealed.preamble, protection=2, cipher=0, schedule=0)
    reg.add("stripped-to-signed-only", stripped.files(), "MF-1",
        "a sealed backup as signed-only: flags set, locks taken out",
            quick="AUTH", verify="AUTH", restore="AUTH")
    naked = w.make(recipients=[])
    naked.preamble = replace(naked.preamble, protection=1, cipher=1, schedule=1)
    naked.dek, naked.recipients = os.urandom(32), w.recipients()
    naked.lock(by=w.mallory.signer())
    reg.everywhere("signed-only-as-sealed", naked.files(), "AUTH", "MF-1",
        "a signed-only backup as sealed, with a stranger's locks")


def _envelopes(reg):
    w = reg.world
    draft = w.make()
    envelope = draft.envelope()
    items = envelope.items

    def made(name, word, rules, text, raw, **others):
        reg.everywhere(f"envelope-{name}", draft.files(raw), word, rules, text, **others)

    def with_items(name, word, rules, text, changed, **others):
        made(name, word, rules, text, Envelope(changed).emit(), **others)

    def without(kind):
        return [i for i in items if i[0] != kind]

    raw = envelope.emit()
    with_items("unknown-critical", "UNSUPPORTED", "EN-4", "an unknown critical item", items + [(7, CRITICAL, b"x")])
    with_items("type-0-critical", "UNSUPPORTED", "EN-4", "a critical item of type 0", [(0, CRITICAL, b"x")] + items)
    with_items("unknown-flag", "FORMAT", "EN-3", "an unknown item with another flag bit", items + [(7, 1, b"x")])
    with_items("known-not-critical", "FORMAT", "EN-3", "a SIGNER item without the critical flag",
               [(t, 0 if t == SIGNER else f, v) for t, f, v in items])
    with_items("known-flag", "FORMAT", "EN-3 GE-1", "KEYS with another flag bit besides",
            [(t, f | (t == KEYS), v) for t, f, v in items])
    with_items("keys-missing", "FORMAT", "EN-2", "no KEYS", without(KEYS))
    with_items("keys-twice", "FORMAT", "EN-2", "KEYS twice", items[:1] + items)
    with_items("custody-missing", "FORMAT", "EN-2", "no CUSTODY", without(CUSTODY))
    with_items("custody-twice", "FORMAT", "EN-2", "CUSTODY twice", items[:2] + items[1:])
    with_items("recipients-missing", "FORMAT|AUTH", "EN-2 CU-3", "no RECIPIENT", without(RECIPIENT))
    with_items("signer-missing", "FORMAT", "EN-2", "no SIGNER", without(SIGNER))
    with_items("manifest-twice", "FORMAT", "EN-2", "MANIFEST twice", items + items[-1:])
    with_items("out-of-order", "FORMAT", "EN-2", "SIGNER before RECIPIENT",
            sorted(items, key=lambda i: {4: 5, 5: 4}.get(i[0], i[0])))
    with_items("empty-item", "FORMAT", "EN-1", "an item without value", items + [(7, 0, b"")])
    with_items("signer-noise", "FORMAT", "EN-6", "a SIGNER item of noise",
            [(t, f, b"noise" if t == SIGNER else v) for t, f, v in items])
    with_items("signer-trailing", "FORMAT", "EN-6", "a byte after a SIGNER certificate",
               [(t, f, v + b"\0" if t == SIGNER else v) for t, f, v in items])
    many = [(SIGNER, CRITICAL, items[-2][2])] * 65
    forged = copy.copy(draft)
    forged.slot_size = 65536
    reg.everywhere("envelope-signers-65",
        forged.files(Envelope(sorted(without(SIGNER) + many, key=lambda i: i[0])).emit()),
                   "FORMAT|LIMIT", "EN-2", "65 SIGNER items")
    with_items("signed-only-items", "FORMAT", "EN-2", "only SIGNER and MANIFEST, in a sealed backup", items[-2:])
    made("magic", "FORMAT", "EN-1 EN-5", "another magic", b"COFENV2\n" + raw[8:])
    made("total-more", "FORMAT", "EN-1", "total length one more", patched(raw, 8, u64(len(raw) + 1)))
    made("total-less", "FORMAT", "EN-1", "total length one less", patched(raw, 8, u64(len(raw) - 1)))
    made("total-huge", "FORMAT|LIMIT", "EN-1 GE-2", "total length 2^64 - 1", patched(raw, 8, b"\xff" * 8))
    made("item-length-more", "FORMAT", "EN-1", "an item longer than the envelope", patched(raw, 20, u32(len(raw))))
    made("item-length-huge", "FORMAT|LIMIT", "EN-1 GE-2", "an item of 2^32 - 1 bytes", patched(raw, 20, b"\xff" * 4))
    tail = raw + u16(7) + u16(0)
    made("cut-item", "FORMAT", "EN-1", "half an item header at the end", patched(tail, 8, u64(len(tail))))
    plain = w.make(recipients=[])
    reg.add("signed-only-with-keys", plain.files(Envelope([items[0]] + plain.envelope().items).emit()), "EN-2",
            "KEYS in a signed-only envelope", quick="FORMAT", verify="FORMAT", restore="FORMAT")


def _slots(reg):
    w = reg.world
    draft = w.make()
    image = draft.files()[0]
    block = block_of(image)
    a, size = 2 * BLOCK, block.slot_size
    b = a + size
    reg.everywhere("slot-active-damaged", flipped(image, a + 200), "WARN", "EN-5 EN-7",
        "the active slot is damaged: fallback to the other",
                   rotate="OK|WARN")
    reg.everywhere("slot-active-zero", patched(image, a, bytes(size)), "WARN", "EN-5 EN-7",
        "the active slot is zeros", rotate="OK|WARN")
    reg.add("slot-inactive-damaged", flipped(image, b + 200), "EN-7", "the inactive slot is damaged",
            quick="OK|WARN", verify="WARN", restore="OK|WARN", rotate="OK|WARN")
    both = flipped(flipped(image, a + 8), b + 8)
    reg.everywhere("slot-both-damaged", both, "FORMAT", "EN-5", "both slots are damaged")
    for name, places in (("active", (a,)), ("inactive", (b,)), ("both", (a, b))):
        padded = image
        for start in places:
            padded = patched(padded, start + size - 5, b"hello")
        reg.add(f"slot-padding-{name}", padded, "EN-7", f"bytes in the padding of the slots: {name}",
                quick="OK|WARN", verify="WARN", restore="OK|WARN", rotate="OK|WARN")
    first = w.make(copy=False).files()[0]
    second = rotated(reg, first)
    start = 2 * BLOCK + block_of(second).active * block_of(second).slot_size
    reg.everywhere("slot-active-damaged-rotated", flipped(second, start + 200), "WARN", "EN-5",
        "a rotated backup's active slot is damaged",
                   rotate="OK|WARN", restore_carol="WARN", restore_bob="NO_MATCH")
    between = rotated(reg, first, steps=3)
    newer = block_of(between, 0)
    start = 2 * BLOCK + newer.active * newer.slot_size
    reg.everywhere("slot-fallback-to-older", flipped(between, start + 200), "WARN", "EN-5 SB-6",
                   "interrupted after step 3, and the new slot is damaged: the older generation is used",
                   rotate="OK|WARN", restore_bob="WARN", restore_carol="NO_MATCH")
    left, right = rotated(reg, first), rotated(reg, first, [w.alice.certificate, w.bob.certificate])
    one, two = (i[2 * BLOCK:2 * BLOCK + block_of(i).slot_size] for i in (left, right))
    wrong = replace(block_of(left), envelope_sha256=bytes(32)).emit()
    split = wrong * 2 + one + two + left[block_of(left).body_start:]
    reg.everywhere("slot-equal-generation", split, "AUTH", "EN-5",
        "no slot fits the superblock; both hold a generation 2, and they differ")
    kept = first[2 * BLOCK:2 * BLOCK + block_of(first).slot_size]
    older = wrong * 2 + kept + one + left[block_of(left).body_start:]
    reg.everywhere("slot-fallback-higher-generation", older, "WARN", "EN-5",
        "no slot fits the superblock: the higher generation is used",
                   rotate="OK|WARN", restore_carol="WARN")
    stranger = copy.copy(draft)
    stranger.lock(7, b"\1" * 32, by=w.mallory.signer())
    theirs = stranger.envelope().emit().ljust(size, b"\0")
    mixed = patched(image, 0, replace(block, envelope_sha256=bytes(32)).emit() * 2)
    mixed = patched(mixed, b, theirs[:size])
    reg.everywhere("slot-fallback-not-to-stranger", mixed, "WARN", "EN-5",
        "no slot fits the superblock; a stranger's generation 7 is not used",
                   rotate="OK|WARN", restore_bob="WARN")


def _slots_with_a_damaged_manifest(reg):
    """EN-5: of two slots that the superblock does not vouch for, only one has a whole MANIFEST."""
    w = reg.world
    for name, image in (("", w.make().files()[0]), ("-signed-only", w.make(recipients=[]).files()[0])):
        block = block_of(image)
        slots = [2 * BLOCK + n * block.slot_size for n in (block.active, 1 - block.active)]
        unknown = patched(image, 0, replace(block, envelope_sha256=bytes(32)).emit() * 2)
        last = block.envelope_length - 8  # in the signature of the last item
        rotate = None if name else "OK|WARN"
        for which, at in zip(("active", "inactive"), slots):
            reg.everywhere(f"slot-manifest-damaged-{which}{name}", flipped(unknown, at + last), "WARN", "EN-5",
                           f"no slot fits the superblock, and the {which} one has a damaged MANIFEST",
                           rotate=rotate)
        both = flipped(flipped(unknown, slots[0] + last), slots[1] + last)
        reg.everywhere(f"slot-manifest-damaged-both{name}", both, "FORMAT|AUTH", "EN-5",
                       "no slot fits the superblock, and both have a damaged MANIFEST", rotate="FORMAT|AUTH")
    between = rotated(reg, w.make().files()[0], steps=3)
    newer = block_of(between, 0)
    last = 2 * BLOCK + newer.active * newer.slot_size + newer.envelope_length - 8
    reg.everywhere("slot-manifest-damaged-newer", flipped(between, last), "WARN", "EN-5 SB-6",
                   "interrupted after step 3, and the MANIFEST of the new slot is damaged: the older is used",
                   rotate="OK|WARN", restore_bob="WARN", restore_carol="NO_MATCH")


def _tails(reg):
    w = reg.world
    with_copy, without = w.make(), w.make(copy=False)
    for suffix, draft, has_copy in (("", with_copy, True), ("-no-copy", without, False)):
        image = draft.files()[0]
        first, second, length = draft.tail_places(image)
        lone = {"rotate": "OK" if has_copy else "OK|WARN"}
        reg.add(f"tail-first-damaged{suffix}", flipped(image, first + HEADER + 20), "TL-3",
            "the first tail copy is damaged",
                quick="OK|WARN", verify="WARN", restore="OK|WARN", **lone)
        reg.add(f"tail-first-header-damaged{suffix}", flipped(image, first), "TL-3",
            "the first TAIL frame's magic is damaged",
                quick="OK|WARN", verify="WARN", restore="OK|WARN", **lone)
        reg.add(f"tail-first-trailer-damaged{suffix}", flipped(image, first + HEADER + length + 40), "TL-3",
            "the first trailer is damaged",
                quick="OK|WARN", verify="WARN", restore="OK|WARN", **lone)
        reg.add(f"tail-second-damaged{suffix}", flipped(image, second + HEADER + 20), "TL-3",
            "the second tail copy is damaged",
                quick="OK|WARN", verify="WARN", restore="OK|WARN", **lone)
        for name, at in (("magic", -60), ("first", -50), ("second", -41), ("length", -38), ("hash", -1)):
            reg.add(f"tail-second-trailer-{name}{suffix}", flipped(image, len(image) + at), "TL-3 TL-1",
                    f"the second trailer is damaged: {name}", quick="OK|WARN", verify="WARN", restore="OK|WARN", **lone)
        both = flipped(flipped(image, first + HEADER + 20), second + HEADER + 20)
        word = "WARN|FORMAT" if has_copy else "FORMAT"
        reg.everywhere(f"tail-both-damaged{suffix}", both, word, "TL-4", "both tail copies are damaged",
            rotate="OK" if has_copy else "FORMAT")
        reg.everywhere(f"tail-none{suffix}", image[:first], word, "TL-4", "the file ends where the tail should begin",
                       rotate="OK" if has_copy else "FORMAT")
        reg.everywhere(f"tail-cut{suffix}", image[:-100], word if has_copy else "FORMAT|WARN", "TL-1",
            "the file is cut inside the second tail",
                       rotate="OK" if has_copy else "FORMAT|WARN|OK")
        reg.everywhere(f"tail-one-only{suffix}", image[:second], word if has_copy else "FORMAT|WARN", "TL-1",
            "the file ends after the first trailer",
                       rotate="OK" if has_copy else "FORMAT|WARN|OK")
        for name, more in (("byte", b"\0"), ("trailer", image[-64:]), ("tail", image[second:]),
                ("kilobytes", b"x" * 5000)):
            reg.everywhere(f"trailing-{name}{suffix}", image + more, "FORMAT", "GE-3 TL-1",
                f"more after the second trailer: {name}",
                           rotate="OK" if has_copy else "FORMAT")
        reg.everywhere(f"cut-in-body{suffix}", image[:first - 5000], "FORMAT", "MF-5 TL-4",
            "the file is cut inside the body",
                       quick="FORMAT|WARN" if has_copy else "FORMAT", rotate="OK" if has_copy else "FORMAT",
                       restore="FORMAT|WARN" if has_copy else "FORMAT")

    def payload(name, word, rules, text, raw, **others):
        forged = copy.copy(without)
        forged.tail_payload = raw
        reg.everywhere(f"tail-{name}", forged.files(), word, rules, text, **others)

    raw = without.tail()
    payload("magic", "FORMAT", "section 3.6", "another magic in both tails", b"COFTAIX\n" + raw[8:])
    payload("trailing", "FORMAT", "GE-3", "a byte after the manifest", raw + b"\0")
    payload("index-count-huge", "FORMAT|LIMIT", "GE-2", "2^32 - 1 INDEX frames listed", patched(raw, 8, b"\xff" * 4))
    payload("manifest-length-huge", "FORMAT|LIMIT", "GE-2", "a manifest of 2^32 - 1 bytes",
        patched(raw, 40, b"\xff" * 4))
    later = copy.copy(without)
    later.manifest = dict(without.manifest, finished="2027-01-01T00:00:00Z")
    later.sign_manifest(copy=False)
    while len(later.tail()) != len(without.tail()):  # an ECDSA signature in DER varies in length
        later.sign_manifest(copy=False)
    image, at = without.files()[0], len(without.bodies[0])
    one, two = emit_tail(without.tail(), at), emit_tail(later.tail(), at)
    forged = image[:-len(one)] + one[:len(one) // 2] + two[len(one) // 2:]
    reg.add("tail-copies-differ", forged, "TL-3 MF-4",
            "the two tail copies are whole and hold different manifests of the maker",
            quick="OK|WARN|AUTH", verify="WARN|AUTH", restore="OK|WARN|AUTH", rotate="OK|WARN|AUTH")


def _whole(reg):
    w = reg.world
    image = w.make().files()[0]
    for name, raw in (("empty", b""), ("magic-only", image[:8]), ("one-superblock", image[:BLOCK]),
            ("superblocks-only", image[:2 * BLOCK]),
                      ("cut-in-slot", image[:20000]), ("zeros", bytes(50000)), ("noise",
                          os.urandom(50000)), ("text", w.text)):
        reg.everywhere(f"file-{name}", raw, "FORMAT", "SB-1 GE-2", f"no backup: {name}")
    start = block_of(image).body_start
    alone = replace(block_of(image), role=1).emit() * 2 + image[2 * BLOCK:start]
    reg.add("good-head-alone", alone, "-", "a head alone, with MANIFEST", quick="OK|WARN", rotate="OK")
    reg.add("head-alone-trailing", alone + b"\0", "GE-3", "a byte after a head alone", quick="FORMAT", rotate="FORMAT")
    later = w.make(volumes=2).files()
    reg.everywhere("later-volume-alone", later[1], "FORMAT|IO", "section 1", "volume 2 without volume 1",
        rotate="FORMAT|IO")
    draft = w.make()
    raw = draft.envelope().emit()
    big = Superblock(draft.preamble.emit(), slot_size=262144)
    reg.good("good-larger-slots", emit_head(big, raw) + image_body(draft), "a head with larger slots")


def image_body(draft):
    """Body and tail of the draft's only volume."""
    return draft.bodies[0] + emit_tail(draft.tail(), len(draft.bodies[0]))
