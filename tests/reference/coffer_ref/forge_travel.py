# SPDX-License-Identifier: Apache-2.0
"""Heads that travel: heads alone, and bundles of them."""

from dataclasses import replace

from . import bundle
from .cases import block_of, flipped, patched
from .forge_good import rotated
from .head import BLOCK, ROLE_HEAD, Superblock, emit_head


def register(reg):
    _alone(reg)
    _bundles(reg)


def head_of(draft, slot_size=16384):
    """The head alone of a draft, at rest."""
    block = Superblock(draft.preamble.emit(), ROLE_HEAD, slot_size=slot_size)
    return emit_head(block, draft.envelope().emit())


def _alone(reg):
    w = reg.world
    reg.add("good-head-alone-larger", head_of(w.make(), 65536), "-", "a head alone with larger slots", quick="OK",
            rotate="OK")
    reg.add("head-alone-without-manifest", head_of(w.make(copy=False)), "HA-1", "a head alone, without MANIFEST",
            quick="FORMAT", rotate="FORMAT")
    reg.add("head-alone-cut", head_of(w.make())[:-1], "GE-2", "a head alone that ends a byte early", quick="FORMAT",
            rotate="FORMAT")
    reg.add("head-alone-volume-2", _reblocked(head_of(w.make()), volume=2), "SB-5", "a head alone of volume 2",
            quick="FORMAT", rotate="FORMAT")
    second = rotated(reg, w.make().files()[0])
    start = block_of(second).body_start
    reg.add("good-head-alone-generation-2", _reblocked(second[:start], role=ROLE_HEAD), "-",
            "the head alone of a rotated backup", quick="OK", rotate="OK")


def _reblocked(head, **fields):
    return replace(block_of(head), **fields).emit() * 2 + head[2 * BLOCK:]


def _bundles(reg):
    w = reg.world
    heads = sorted((head_of(w.make()) for _ in range(3)), key=bundle.core_of)
    good = bundle.emit(heads)

    def add(name, raw, word, rules, text):
        reg.add(f"bundle-{name}", raw, rules, text, quick=word)

    reg.add("good-bundle", good, "-", "a bundle of three heads", quick="OK")
    reg.add("good-bundle-of-one", bundle.emit(heads[:1]), "-", "a bundle of one head", quick="OK")
    add("magic", flipped(good, 0), "FORMAT", "BU-1", "a wrong magic")
    add("version-2", bundle.emit(heads, version=2), "UNSUPPORTED", "BU-1", "version 2")
    for at in (10, 24, 63):
        add(f"zero-range-{at}", _resealed(patched(good, at, b"\1")), "FORMAT", "BU-1", f"byte {at} is not zero")
    add("count-0", bundle.emit(heads, count=0), "FORMAT", "BU-2", "no heads, it says")
    add("count-less", bundle.emit(heads, count=2), "FORMAT", "BU-2", "one head more than it says")
    add("count-more", bundle.emit(heads, count=4), "FORMAT", "BU-2", "one head less than it says")
    add("count-huge", bundle.emit(heads, count=2 ** 32 - 1), "FORMAT|LIMIT", "BU-2", "2^32 - 1 heads, it says")
    add("empty", bundle.emit([]), "FORMAT", "BU-2", "no heads at all")
    for name, length in (("0", 0), ("less", len(good) - 1), ("more", len(good) + 1), ("huge", 2 ** 64 - 1)):
        add(f"length-{name}", bundle.emit(heads, length=length), "FORMAT", "BU-2", f"length {length}, it says")
    add("trailing", good + b"\0", "FORMAT", "BU-2", "a byte behind the end")
    add("trailing-counted", _resealed(patched(good + b"\0", 16, (len(good) + 1).to_bytes(8, "big"))), "FORMAT", "BU-2",
        "a byte behind the heads, counted in the length")
    add("cut", good[:-1], "FORMAT", "BU-2", "a byte too short")
    add("header-only", good[:64], "FORMAT", "BU-2", "nothing but a header")
    add("digest", flipped(good, len(good) - 1), "FORMAT", "BU-3", "a wrong SHA-256")
    add("bit", flipped(good, 64 + 100), "FORMAT", "BU-3 SB-1", "a damaged superblock")
    add("twice", bundle.emit([heads[0], heads[0]]), "FORMAT", "BU-5", "one head twice")
    add("order", bundle.emit(heads[::-1]), "FORMAT", "BU-5", "the heads in another order")
    add("whole-backup", bundle.emit([w.make().files()[0]]), "FORMAT|UNSUPPORTED", "SB-3", "a whole backup in a bundle")
    add("role-0", bundle.emit([_reblocked(heads[0], role=0)]), "UNSUPPORTED|FORMAT", "SB-3", "a head of role 0")
    add("role-2", bundle.emit([Superblock(heads[0][512:1024], 2, volume=2).emit() * 2 + heads[0][2 * BLOCK:]]),
        "UNSUPPORTED|FORMAT", "SB-3", "a later volume's superblocks")
    add("slot-size", bundle.emit([_reblocked(heads[0], slot_size=1 << 24)]), "FORMAT", "BU-2",
        "a slot that reaches beyond the end")
    add("slots-differ", bundle.emit([flipped(heads[0], 2 * BLOCK + 20000)]), "FORMAT", "BU-4", "two slots that differ")
    add("padding", bundle.emit([patched(patched(heads[0], 2 * BLOCK + 16383, b"\1"), len(heads[0]) - 1, b"\1")]), "FORMAT",
        "BU-4", "padding that is not zero, in both slots")
    newer = replace(block_of(heads[0]), sequence=2).emit()
    add("superblocks-differ", bundle.emit([newer + heads[0][BLOCK:]]), "FORMAT", "BU-4", "two superblocks that differ")
    bare = head_of(w.make(copy=False))
    add("without-manifest", bundle.emit([bare]), "FORMAT", "HA-1", "a head without MANIFEST in a bundle")
    stranger = head_of(w.make(maker=w.mallory.signer()))
    add("by-stranger", bundle.emit(sorted([heads[0], stranger], key=bundle.core_of)), "AUTH", "ST-2",
        "a stranger's head among others")


def _resealed(raw):
    return raw[:-32] + bundle.sha256(raw[:-32])
