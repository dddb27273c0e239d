# SPDX-License-Identifier: Apache-2.0
"""Attacks on records and frames: by a stranger, by a recipient, and bodies that were made wrong."""

import copy
import os
import struct
import subprocess
from dataclasses import replace

from . import codec as codecs
from .binary import sha256, u32
from .cases import block_of, flipped, patched
from .frames import CATALOG, HEADER, LINEAGE, Frame, emit_index, emit_volume_end
from .head import ROLE_LATER, Superblock
from .people import certificate


def register(reg):
    _stranger(reg)
    _recipient(reg)
    _frames(reg)
    _records(reg)
    _compressed(reg)
    _index_places(reg)
    _volumes(reg)


def relaid(draft, change):
    """The draft's records changed, index and tail made again, the manifest kept."""
    forged = copy.copy(draft)
    forged.records = list(draft.records)
    change(forged.records)
    forged.lay_out()
    return forged.files()


def swap(records):
    records[1], records[2] = records[2], records[1]


def renumber(records):
    for i, (frame, payload) in enumerate(records):
        records[i] = (replace(frame, number=i, offset=i * 4096), payload)


def swap_renumbered(records):
    swap(records)
    renumber(records)


def _stranger(reg):
    w = reg.world
    draft, other = w.make(), w.make()
    image, = draft.files()
    start = block_of(image).body_start
    one = HEADER + 4096 + 16
    a, b = image[start + one:start + 2 * one], image[start + 2 * one:start + 3 * one]
    reg.body("record-swapped-raw", patched(image, start + one, b + a), "AUTH|FORMAT", "RC-1 RC-9 MF-6",
             "records 1 and 2 change places, nothing else")
    reg.body("record-swapped", relaid(draft, swap), "AUTH|FORMAT", "RC-1 MF-6",
             "records 1 and 2 change places; index and tail recomputed")
    reg.body("record-swapped-renumbered", relaid(draft, swap_renumbered), "AUTH", "MF-6 RC-7",
             "records 1 and 2 change places and numbers; index and tail recomputed")
    reg.body("record-duplicated-over", relaid(draft, lambda r: r.__setitem__(2, r[1])), "AUTH|FORMAT",
             "RC-1 MF-6", "record 1 stands again in the place of record 2")
    for name, change, text in (
            ("dropped", lambda r: r.pop(2), "record 2 is left out"),
            ("dropped-renumbered", lambda r: (r.pop(2), renumber(r)), "record 2 is left out, others renumbered"),
            ("dropped-last", lambda r: r.pop(), "the last record is left out"),
            ("duplicated", lambda r: r.insert(2, r[1]), "record 1 is there twice"),
            ("reordered", lambda r: r.reverse(), "records in reverse")):
        reg.everywhere(f"record-{name}", relaid(draft, change), "AUTH|FORMAT", "MF-5 MF-6 RC-1",
                       f"{text}; index and tail recomputed, the original manifest",
                       quick="OK" if name == "reordered" else "FORMAT", rotate="OK")
    reg.body("record-of-another-backup", relaid(draft, lambda r: r.__setitem__(1, other.records[1])), "AUTH",
             "MF-6", "record 1 is that of another backup of the same maker and recipients")
    reg.body("payload-bit", flipped(image, start + one + HEADER + 100), "AUTH", "RC-8 MF-6", "one bit of a payload")
    reg.body("tag-bit", flipped(image, start + 2 * one - 1), "AUTH", "RC-8 MF-6", "one bit of a record's tag")
    for at, what in ((0, "magic"), (2, "kind"), (3, "codec"), (4, "flags"), (5, "zero byte"), (7, "stream"),
                     (11, "plain length"), (15, "stored length"), (23, "number"), (31, "stream offset")):
        reg.body(f"header-bit-{what.replace(' ', '-')}", flipped(image, start + one + at), "AUTH|FORMAT|UNSUPPORTED",
                 "FR-1 FR-2 RC-1 RC-2 RC-3 MF-6", f"one bit of a record header: {what}")
    theirs, = other.files()
    reg.everywhere("body-of-another-backup", image[:start] + theirs[start:], "AUTH", "MF-4",
                   "this head before the body and tail of another backup", rotate="OK")
    length = len(draft.bodies[0])
    reg.body("body-of-another-backup-own-tail", patched(image, start, other.bodies[0][:length]), "AUTH", "MF-6",
             "the other backup's body before this backup's tail")


def _recipient(reg):
    """Who knows the DEK seals a content of his own."""
    w = reg.world
    draft = w.make()
    evil = copy.copy(draft)
    evil.records = []
    for at in range(0, len(w.text), 4096):
        evil.add(w.text[at:at + 4096].replace(b"text", b"TEXT"))
    evil.lay_out()
    reg.body("reseal-original-manifest", evil.files(), "AUTH", "MF-6",
        "a recipient seals other content, the manifest kept")
    image, = draft.files()
    frame, payload = draft.records[1]
    forged = draft.seal(frame, w.text[4096:8192].replace(b"text", b"TEXT"))
    assert image.count(payload) == 1
    reg.body("reseal-one-record", image.replace(payload, forged), "AUTH", "RC-8 MF-6",
        "a recipient seals other content in the place of record 1, all else kept, also the index")
    for name, person in (("recipient", w.bob), ("custodian", w.custodian), ("stranger", w.mallory)):
        mine = copy.copy(evil)
        mine.signers = list(draft.signers)
        mine.finish(signers=[person.signer()])
        reg.everywhere(f"reseal-signed-by-{name}", mine.files(), "AUTH", "ST-2 MF-2",
                       f"content sealed anew, the manifest signed by a {name}; certificate in a SIGNER item")
        mine.manifest["by"] = w.maker.certificate.spki_sha256.hex()
        mine.sign_manifest([person.signer()])
        reg.everywhere(f"reseal-signed-by-{name}-in-the-makers-name", mine.files(), "AUTH", "ST-2 MF-2",
                       "the same, and by names the maker")
    mine = copy.copy(evil)
    mine.state()
    mine.sign_manifest([])
    reg.everywhere("reseal-unsigned", mine.files(), "AUTH|FORMAT", "SD-6 OP-2", "content sealed anew, no signer at all")
    double = w.person("maker-double", "p256", subject="maker")
    mine = copy.copy(evil)
    mine.signers = list(draft.signers)
    mine.finish(signers=[double.signer()])
    reg.everywhere("reseal-signed-by-namesake", mine.files(), "AUTH", "ST-2 MF-2",
        "signed by one whose certificate has the maker's name")
    twin = double.signer()
    twin.certificate = certificate(w.maker.key, "maker")
    mine.sign_manifest([twin])
    reg.everywhere("reseal-key-identifier-of-maker", mine.files(), "AUTH", "ST-2",
        "signed by a stranger with the maker's key identifier")
    custodian = w.make(maker=w.custodian.signer())
    reg.everywhere("made-by-custodian", custodian.files(), "AUTH", "MF-2 ST-2",
                   "a backup made whole by the custodian, who is not trusted as maker")
    reg.everywhere("made-by-stranger", w.make(maker=w.mallory.signer()).files(), "AUTH", "MF-2 ST-2",
                   "a valid backup of a maker whom nobody trusts")


def _frames(reg):
    """The maker himself wrote frames that break the rules."""
    w = reg.world

    def frame(name, word, rules, text, **changes):
        def change(draft):
            f, payload = draft.records[1]
            f = replace(f, **changes)
            draft.records[1] = (f, draft.seal(f, w.text[4096:8192]))
        reg.body(name, w.altered(change).files(), word, rules, text)

    frame("frame-kind-unknown", "UNSUPPORTED", "FR-2", "frame kind 7", kind=7)
    frame("frame-kind-zero", "UNSUPPORTED|FORMAT", "FR-2", "frame kind 0", kind=0)
    frame("frame-codec-unknown", "UNSUPPORTED|FORMAT", "FR-2", "codec 4", codec=4)
    frame("frame-flag-unknown", "FORMAT", "FR-1", "an unknown flag bit", flags=2)
    frame("frame-ancillary-among-records", "FORMAT", "FR-3", "an ancillary frame after a record", kind=0x81)
    frame("frame-volume-end-in-body", "FORMAT", "VE-1 FR-1", "VOLUME-END in the place of a record", kind=5)
    frame("frame-tail-in-body", "FORMAT", "FR-1 FR-4", "TAIL in the place of a record", kind=6)
    frame("frame-catalog-stream", "FORMAT", "FR-1", "a CATALOG record in stream 0", kind=CATALOG)
    frame("frame-data-in-catalog-stream", "FORMAT", "FR-1", "a DATA record in stream 0xFFFE", stream=0xFFFE, offset=0)
    frame("frame-further-stream", "FORMAT", "RC-10 RC-2", "a second stream without a catalog", stream=1, offset=0)
    frame("record-number-gap", "FORMAT", "RC-1", "a record number is skipped", number=2)
    frame("record-offset-gap", "FORMAT", "RC-2", "a gap in the stream", offset=4097)
    frame("record-offset-overlap", "FORMAT", "RC-2", "an overlap in the stream", offset=4095)
    frame("record-plain-zero", "FORMAT", "RC-2 RC-3", "plain length 0", plain=0)
    frame("record-plain-too-long", "FORMAT|LIMIT", "RC-2 RC-3", "plain length above R", plain=8192)
    frame("record-lengths-differ", "FORMAT", "RC-3", "codec 0, stored length not plain length + 16", plain=4000)
    frame("record-compressed-not-smaller", "FORMAT", "RC-3", "codec zstd, stored length not below plain length",
        codec=1)

    def lineage(draft):
        f, _ = draft.records[-1]
        f = replace(f, kind=LINEAGE, stream=0xFFFF, offset=0)
        draft.records[-1] = (f, draft.seal(f, bytes(f.plain)))
    draft = w.altered(lineage)
    draft.manifest["lineage_records"], draft.manifest["data_records"] = 0, len(draft.records)
    draft.sign_manifest()
    reg.body("lineage-in-epoch-0-hidden", draft.files(), "FORMAT|AUTH", "RC-4 MF-6",
             "a LINEAGE record in epoch 0, counted as data")
    reg.everywhere("lineage-in-epoch-0", w.altered(lineage).files(), "FORMAT", "MF-3 RC-4",
        "a LINEAGE record in epoch 0")


def _records(reg):
    """Sealed contents that are wrong, under the maker's own signature."""
    w = reg.world

    def content(name, rules, text, make, word="FORMAT", number=1, **changes):
        def change(draft):
            f, _ = draft.records[number]
            raw = make()
            f = replace(f, stored=len(raw) + 16, **changes)
            draft.records[number] = (f, draft.seal(f, raw))
        reg.sealed_body(name, w.altered(change).files(), word, rules, text)

    plain = w.text[4096:8192]
    packed = codecs.compress(1, plain)
    content("pad-not-zero", "RC-6", "pad bytes that are not zero",
            lambda: packed + b"\0\0\1\0" + u32(4), codec=1, flags=1)
    content("pad-length-too-large", "RC-6 RC-5", "pad length beyond the content",
            lambda: packed + bytes(4) + u32(5000), codec=1, flags=1)
    content("pad-length-huge", "RC-6", "pad length 2^32 - 1", lambda: packed + bytes(4) + b"\xff" * 4, codec=1, flags=1)
    content("pad-length-too-small", "RC-5 RC-6", "pad length one short of the zero bytes",
            lambda: packed + bytes(5) + u32(4), codec=1, flags=1)

    def wrong_key(draft):
        f, _ = draft.records[1]
        draft.records[1] = (f, os.urandom(f.stored))
    reg.sealed_body("tag-wrong-but-signed", w.altered(wrong_key).files(), "AUTH", "RC-7",
                    "a payload that the DEK does not open, under a right root")

    def other_nonce(draft):
        f, _ = draft.records[1]
        draft.records[1] = (f, draft.schedule.seal(2, f.emit(), plain))
    reg.sealed_body("sealed-with-other-number", w.altered(other_nonce).files(), "AUTH", "RC-7 section 6",
                    "a record sealed with another record's nonce")

    def no_aad(draft):
        f, _ = draft.records[1]
        draft.records[1] = (f, draft.schedule.seal(1, b"", plain))
    reg.sealed_body("sealed-without-header", w.altered(no_aad).files(), "AUTH", "RC-7 section 3.2",
                    "a record sealed without its header as additional data")

    draft = w.make(recipients=[], codec=1)
    f, payload = draft.records[1]
    draft.records[1] = (replace(f, flags=1, stored=len(payload) + 8), payload + bytes(4) + u32(4))
    draft.finish()
    reg.add("padding-in-signed-only", draft.files(), "RC-3", "a padded record in a signed-only backup",
            quick="OK", verify="FORMAT", restore="FORMAT")


def _compressed(reg):
    w = reg.world
    plain = w.text[4096:8192]
    zstd, lz4, gzip = (codecs.compress(n, plain) for n in (1, 2, 3))
    half = codecs.compress(1, plain[:2048])

    def tool(*options):
        return subprocess.run(["zstd", "-q", "-c", *options], input=plain, stdout=subprocess.PIPE, check=True).stdout
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    variants = (
        ("zstd-more", 1, codecs.compress(1, plain + b"more"), "decompresses to more than the plain length"),
        ("zstd-bomb", 1, codecs.compress(1, bytes(50000000)), "decompresses to 50 MB"),
        ("zstd-less", 1, codecs.compress(1, plain[:-1]), "decompresses to less than the plain length"),
        ("zstd-two-frames", 1, half + codecs.compress(1, plain[2048:]), "two frames that together are right"),
        ("zstd-empty-frame-after", 1, zstd + codecs.compress(1, b""), "an empty frame after the right one"),
        ("zstd-skippable-after", 1, zstd + skippable, "a skippable frame after the right one"),
        ("zstd-skippable-before", 1, skippable + zstd, "a skippable frame before the right one"),
        ("zstd-trailing", 1, zstd + b"\0", "a byte after the frame"),
        ("zstd-cut", 1, zstd[:-3], "the frame is cut short"),
        ("zstd-no-size", 1, tool("--no-check"), "the frame does not state its content size"),
        ("zstd-checksum", 1, tool("--stream-size=4096"), "the frame has a checksum"),
        ("zstd-size-lies", 1, zstd.replace(b"\x60\x00\x0f", b"\x60\x01\x0f", 1), "the content size stated is one more"),
        ("zstd-noise", 1, os.urandom(200), "no frame at all"),
        ("lz4-more", 2, codecs.compress(2, plain + b"more"), "decompresses to more"),
        ("lz4-two-frames", 2, codecs.compress(2, plain[:2048]) + codecs.compress(2, plain[2048:]), "two frames"),
        ("lz4-trailing", 2, lz4 + b"\0", "a byte after the frame"),
        ("gzip-more", 3, codecs.compress(3, plain + b"more"), "decompresses to more"),
        ("gzip-less", 3, codecs.compress(3, plain[:-1]), "decompresses to less"),
        ("gzip-two-members", 3, codecs.compress(3, plain[:2048]) + codecs.compress(3, plain[2048:]), "two members"),
        ("gzip-trailing", 3, gzip + b"\0", "a byte after the member"),
        ("gzip-bad-crc", 3, flipped(gzip, len(gzip) - 5), "a wrong CRC"))
    for name, number, raw, text in variants:
        def change(draft, number=number, raw=raw):
            f, _ = draft.records[1]
            f = replace(f, codec=number, stored=len(raw) + 16)
            draft.records[1] = (f, draft.seal(f, raw))
        assert len(raw) < 4096, (name, len(raw))
        reg.sealed_body(f"codec-{name}", w.altered(change).files(), "FORMAT", "RC-5", f"{text}; signed by the maker")


def _index_places(reg):
    """INDEX frames that lie (hints: reported), and that stand wrong (refused)."""
    w = reg.world
    draft = w.make()
    body, (_, count, at, first), = draft.bodies[0], draft.indexes[0]
    warn = {"verify": "WARN", "restore": "OK|WARN"}

    def lying(name, text, position, new, list_change=None, **expect):
        forged = copy.copy(draft)
        forged.bodies = [patched(body, at + position, new)]
        if list_change:
            forged.indexes = [list_change]
        reg.body(name, forged.files(), "WARN", "IX-3", text, **{**warn, **expect})

    lying("index-lies-volume", "INDEX and tail list name volume 2", HEADER, u32(2), (2, count, at, first))
    lying("index-lies-count", "INDEX counts one record less", HEADER + 4, u32(count - 1))
    lying("index-lies-count-huge", "INDEX counts 2^32 - 1 records", HEADER + 4, b"\xff" * 4)
    lying("index-lies-offset", "INDEX gives another offset", HEADER + 15, b"\x40")
    lying("index-lies-first-record", "INDEX gives another first record", HEADER + 23, b"\x01")
    lying("index-lies-entry-length", "an entry with another stored length", HEADER + 24 + 64 + 14, b"\x11")
    lying("index-lies-entry-number", "an entry with another number", HEADER + 24 + 64 + 23, b"\x07")
    lying("index-lies-entry-hash", "an entry with another hash", HEADER + 24 + 64 + 40, b"\xaa\xbb")
    lying("index-damaged-header", "the INDEX frame's magic is damaged", 0, b"\0\0")
    lying("index-damaged-length", "the INDEX frame's length is damaged", 12, b"\x7f")
    swapped = bytearray(body)
    e0 = at + HEADER + 24
    swapped[e0:e0 + 128] = body[e0 + 64:e0 + 128] + body[e0:e0 + 64]
    forged = copy.copy(draft)
    forged.bodies = [bytes(swapped)]
    reg.body("index-lies-entries-swapped", forged.files(), "WARN", "IX-3", "two entries change places", **warn)
    for name, change, text in (("offset", (1, count, at + 64, first), "offset"),
            ("count", (1, count - 1, at, first), "count"),
                               ("volume", (7, count, at, first), "volume"), ("offset-huge",
                                   (1, count, 2**63, first), "huge offset")):
        forged = copy.copy(draft)
        forged.indexes = [change]
        reg.body(f"tail-list-lies-{name}", forged.files(), "WARN", "IX-3", f"the tail's list lies about the {text}",
                 **{**warn, "quick": "OK|WARN"})
    for name, change in (("first-record", [(1, count, at, 1)]), ("twice", [draft.indexes[0]] * 2)):
        forged = copy.copy(draft)
        forged.indexes = change
        reg.everywhere(f"tail-list-gap-{name}", forged.files(), "FORMAT", "TL-5", f"the tail's list has a gap: {name}",
                       quick="FORMAT|OK|WARN", rotate="OK", verify="FORMAT|WARN", restore="FORMAT|WARN|OK")

    def signed(name, body, text, word="FORMAT"):
        forged = copy.copy(draft)
        forged.bodies = [body]
        forged.indexes = []
        forged.state()
        forged.sign_manifest()
        reg.body(name, forged.files(), word, "IX-1", text)
    signed("index-missing", body[:at], "the maker wrote no INDEX")
    signed("index-twice", body + body[at:], "the maker wrote the INDEX twice")
    half = at // 2 // (HEADER + 4112) * (HEADER + 4112)
    n = half // (HEADER + 4112)
    entries = [f.emit() + sha256(p) for f, p in draft.records]
    middle = body[:half] + emit_index(1, 0, 0, entries[:n]) + body[half:at]
    middle += emit_index(1, half + len(emit_index(1, 0, 0, entries[:n])), n, entries[n:])
    signed("index-too-early", middle, "the maker wrote an INDEX amid the records")
    signed("index-empty", body + emit_index(1, 0, count, []), "the maker added an empty INDEX")


def _volumes(reg):
    w = reg.world
    draft, other = w.make(volumes=3), w.make(volumes=3)
    one, two, three = draft.files()
    reg.good("volumes-under-other-names", [one, three, two], "volumes 2 and 3 have each other's name", "VO-1")
    stray = Superblock(draft.preamble.emit(), ROLE_LATER, volume=9).emit() * 2
    reg.good("volume-stray", [one, two, three, stray], "a volume with a number that the manifest does not list", "VO-1")
    for name, files, text in (
            ("missing-middle", [one, None, three], "volume 2 is not there"),
            ("missing-last", [one, two], "the last volume is not there"),
            ("missing-all", [one], "no later volume is there"),
            ("of-another-backup", [one, other.files()[1], three], "volume 2 is that of another backup")):
        reg.body(f"volume-{name}", files, "FORMAT", "VO-1", text)
    late = w.make(volumes=3, copy=False).files()
    reg.add("volumes-manifest-in-the-last", late, "VO-3", "no copy of the manifest in the head", quick="OK", verify="OK",
            restore="OK")
    reg.everywhere("volume-missing-with-the-manifest", late[:2], "FORMAT", "VO-1 VO-3",
                   "the last volume is missing, and the head has no manifest")
    reg.everywhere("volume-missing-before-the-manifest", [late[0], None, late[2]], "FORMAT", "VO-1",
                   "volume 2 is missing, and the head has no manifest", quick="OK", rotate=None)
    reg.body("volume-twice", [one, two, three, two], "FORMAT", "VO-2", "volume 2 is there twice", quick="FORMAT")
    reg.body("volume-twice-one-cut-off", [one, two, three, two[:9000]], "FORMAT", "VO-2",
             "volume 2 is there twice, once cut off", quick="FORMAT")
    for name, raw, rules, text in (
            ("cut-off", two[:-1], "MF-5", "the last byte of volume 2 is missing"),
            ("cut-off-at-a-frame", two[:8192 + HEADER + 4096 + 16], "MF-5", "volume 2 ends after its first record"),
            ("only-its-head", two[:8192], "MF-5", "volume 2 ends with its head"),
            ("trailing-bytes", two + b"\0", "GE-3", "a byte after VOLUME-END"),
            ("trailing-frame", two + Frame(0x90, 4).emit() + b"more", "GE-3", "a frame after VOLUME-END")):
        reg.body(f"volume-{name}", [one, raw, three], "FORMAT", rules, text, quick="FORMAT")
    reg.body("volume-cut-off-in-its-head", [one, two[:5000], three], "FORMAT", "VO-1 MF-5",
             "volume 2 ends inside its head", quick="OK|FORMAT")
    reg.body("volume-first-cut-off", [one[:-1], two, three], "FORMAT", "MF-5", "the last byte of volume 1 is missing",
             quick="FORMAT")
    reg.body("volume-last-cut-off", [one, two, three[:8192 + 100]], "FORMAT", "MF-5",
             "the last volume ends inside its first record", quick="FORMAT")
    start = 8192
    reg.body("volume-body-of-another-backup", [one, two[:start] + other.bodies[1], three], "AUTH", "MF-6",
             "volume 2 holds another backup's body under its own head")
    even = w.make(w.text[:8 * 4096 // 2], volumes=4)
    first, b, c, last = even.files()
    assert len(b) == len(c)
    reg.body("volume-heads-swapped", [first, c[:start] + b[start:], b[:start] + c[start:], last], "AUTH|FORMAT",
             "RC-1 MF-6", "volumes 2 and 3 say that they are each other")
    _volume_ends(reg, draft)
    _volume_lists(reg, draft)


def _volume_ends(reg, draft):
    """VOLUME-END is redundant; where the maker himself put frames wrongly, the body is refused."""
    one, two, three = draft.files()
    for name, new, text in (("number", emit_volume_end(3, 4), "volume number"),
                            ("record", emit_volume_end(2, 99), "next record")):
        body = two[:-len(new)] + new
        reg.body(f"volume-end-lies-{name}", [one, body, three], "WARN", "VE-1",
                 f"VOLUME-END lies about the {text}", restore="OK|WARN")
    reg.body("volume-end-bit", [one, flipped(two, len(two) - 48), three], "WARN", "VE-1", "one bit of VOLUME-END",
             restore="OK|WARN")

    def signed(name, change, rules, text):
        forged = copy.copy(draft)
        forged.bodies, forged.indexes = list(draft.bodies), list(draft.indexes)
        change(forged)
        forged.state()
        forged.sign_manifest()
        reg.body(name, forged.files(), "FORMAT", rules, text)

    def more(extra):
        def change(d):
            d.bodies[1] += extra
        return change

    def no_end(d):
        d.bodies[1] = d.bodies[1][:-48]

    def crossing(d):
        """The INDEX of volume 2 stands in volume 3, whose own follows."""
        volume, count, at, first = d.indexes[1]
        index = d.bodies[1][at:-48]
        d.bodies[1] = d.bodies[1][:at] + d.bodies[1][-48:]
        d.bodies[2] = index + d.bodies[2]
        d.indexes[1] = (3, count, 0, first)
        d.indexes[2] = (3, d.indexes[2][1], d.indexes[2][2] + len(index), d.indexes[2][3])

    signed("volume-frame-behind-end", more(Frame(0x90, 4).emit() + b"more"), "VE-1 FR-3",
           "an ancillary frame after VOLUME-END, within what was signed")
    signed("volume-end-twice", more(emit_volume_end(2, draft.splits[2])), "VE-1", "two VOLUME-END frames")
    signed("volume-without-end", no_end, "VE-1 IX-1", "volume 2 has no VOLUME-END")
    signed("volume-index-in-the-next", crossing, "IX-1", "the INDEX of the records of volume 2 stands in volume 3")


def _volume_lists(reg, draft):
    """The manifest, signed by the maker, lists other volumes than there are."""
    one = draft.manifest["volumes"]

    def listed(volumes):
        forged = copy.copy(draft)
        forged.manifest = dict(draft.manifest, volumes=volumes)
        forged.sign_manifest()
        return forged.files()

    second = dict(one[1], first_record=one[1]["first_record"] + 1)
    reg.body("volume-first-record-lies", listed([one[0], second, one[2]]), "AUTH", "MF-6",
             "the manifest gives another first_record for volume 2")
    reg.everywhere("volume-first-record-falls", listed([one[0], one[2], one[1]]), "FORMAT", "MF-3",
                   "first_record decreases")
    reg.body("volume-list-short", listed(one[:2]), "FORMAT|AUTH", "MF-5 MF-6", "the manifest lists two of three volumes",
             quick="OK|WARN|FORMAT")
    reg.body("volume-list-long", listed(one + [{"bytes": 0, "first_record": draft.manifest["records"]}]), "FORMAT",
             "VO-1 MF-5", "the manifest lists a volume more than there is", quick="OK|WARN|FORMAT")
    reg.body("volume-without-room-for-its-end", listed([one[0], dict(one[1], bytes=47), one[2]]), "FORMAT", "MF-5 GE-3",
             "a volume that is not the last, of 47 bytes", quick="FORMAT")
    many = [one[0]] + [{"bytes": 48, "first_record": 9}] * 65535
    reg.everywhere("volume-list-too-long", listed(many), "LIMIT|FORMAT", "MF-3 SD-1", "65,536 volumes")
