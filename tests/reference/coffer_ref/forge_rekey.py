# SPDX-License-Identifier: Apache-2.0
"""Rekeyed backups: good ones, and those of a rekeyer who is trusted as custodian only and lies.

He can sign as custodian, he knows every data key, and he has written the whole file. What he cannot
do is sign as the first maker.
"""

import os
from dataclasses import replace

from . import strictjson
from .binary import sha256, u64
from .forge_good import rotated
from .lineage import HASHES, item
from .rekey import Rekey, rekeyed
from .signed import build
from .statements import MANIFEST_OID

TRUSTED = "@custodian"  # the one who rekeyed is trusted as maker, and nobody else


def register(reg):
    _good(reg)
    _content(reg)
    _statements(reg)
    _lineage(reg)
    _shape(reg)
    _custody(reg)


def _custodian(w):
    return w.custodian.signer()


def _rekeyed(reg, name, files, text, **others):
    """Good, and by the custodian: without a key nobody can say so."""
    expect = {"quick": "AUTH", "verify": "AUTH", "restore": "OK", "maker": "OK", "rotate": "OK",
              f"verify{TRUSTED}": "OK", f"restore{TRUSTED}": "OK", f"maker{TRUSTED}": "AUTH"}
    expect.update(others)
    reg.add(name, files, "-", text, **{k: v for k, v in expect.items() if v})


def _lie(reg, name, files, rules, text, word="AUTH", **others):
    """Whoever trusts the first maker alone must find it; who trusts the rekeyer takes his word."""
    expect = {"quick": "AUTH", "verify": "AUTH", "restore": word, "maker": word, "rotate": "OK",
              f"verify{TRUSTED}": "OK", f"restore{TRUSTED}": "OK"}
    expect.update(others)
    reg.add(name, files, rules, text, **{k: v for k, v in expect.items() if v})


def _good(reg):
    w = reg.world
    old = w.make()
    once = rekeyed(old, _custodian(w))
    _rekeyed(reg, "good-rekeyed", once.files(), "rekeyed by the custodian", restore_bob="OK", restore_carol="NO_MATCH")
    _rekeyed(reg, "good-rekeyed-cipher", rekeyed(old, _custodian(w), cipher=4).files(), "to ChaCha20-Poly1305")
    _rekeyed(reg, "good-rekeyed-from-aes-128", rekeyed(w.make(cipher=2), _custodian(w), cipher=1).files(),
             "from AES-128-GCM")
    _rekeyed(reg, "good-rekeyed-twice", rekeyed(once, _custodian(w), cipher=3).files(), "rekeyed twice")
    _rekeyed(reg, "good-rekeyed-by-two", rekeyed(rekeyed(old, w.mallory.signer()), _custodian(w)).files(),
             "rekeyed by somebody whom nobody trusts, then by the custodian")
    _rekeyed(reg, "good-rekeyed-compressed", rekeyed(w.make(codec=1, pad=100), _custodian(w)).files(),
             "records compressed and padded: the sealed content is the same")
    _rekeyed(reg, "good-rekeyed-empty", rekeyed(w.make(data=b""), _custodian(w)).files(), "without a record")
    draft = w.begin()
    draft.lock()
    for i in range(4096 + 5):
        draft.add(b"%d" % i)
    draft.finish()
    _rekeyed(reg, "good-rekeyed-4101-records", rekeyed(draft, _custodian(w)).files(), "two items of hashes")
    _rekeyed(reg, "good-rekeyed-volumes", rekeyed(w.make(volumes=3), _custodian(w)).files(), "three volumes",
             **{f"maker{TRUSTED}": None})
    mine = rekeyed(old, w.maker.signer())
    reg.good("good-rekeyed-by-maker", mine.files(), "rekeyed by the maker himself", maker="OK")
    reg.add("good-maker", old.files(), "-", "never rekeyed: the maker is the first maker", maker="OK")
    _rekeyed(reg, "good-rekeyed-rotated", rotated(reg, mine.files()[0], w.recipients()), "rekeyed, then rotated",
             quick="OK", verify="OK", **{f"verify{TRUSTED}": "AUTH", f"restore{TRUSTED}": "AUTH"})
    draft = w.make()
    draft.manifest["complete"] = False
    draft.sign_manifest()
    _rekeyed(reg, "good-rekeyed-incomplete", rekeyed(draft, _custodian(w)).files(), "complete stays false",
             restore="OK|WARN", maker="OK|WARN", rotate="OK|WARN",
             **{f"verify{TRUSTED}": "OK|WARN", f"restore{TRUSTED}": "OK|WARN"})
    stranger = rekeyed(old, w.mallory.signer())
    reg.add("rekeyed-by-stranger", stranger.files(), "LI-4 OP-1",
            "rekeyed by a recipient whom nobody trusts, and otherwise right",
            quick="AUTH", verify="AUTH", restore="AUTH", rotate="AUTH", maker="AUTH")


def _content(reg):
    """He changes what is restored."""
    w = reg.world
    old = w.make()

    def lie(name, rules, text, change, source=old, word="AUTH", **others):
        job = Rekey(source, _custodian(w))
        change(job)
        _lie(reg, f"rekey-{name}", job.draft().files(), rules, text, word, **others)

    def one_byte(job, hashed=False):
        frame, content = job.contents[1]
        job.contents[1] = (frame, bytes([content[0] ^ 1]) + content[1:])
        if hashed:
            job.hashes[1] = sha256(old.seal(*job.contents[1]))
    lie("byte", "LI-1 LI-4", "one byte of a record is another", one_byte)
    lie("byte-hashed", "LI-1 LI-4", "and its hash in the lineage follows", lambda j: one_byte(j, True))

    def everything(job):
        job.contents = [(f, c.replace(b"text", b"TEXT")) for f, c in job.contents]
        job.hashes = [sha256(old.seal(f, c)) for f, c in job.contents]
    lie("everything-hashed", "LI-1", "all records, with their hashes", everything)
    lie("record-added", "LI-1", "a record more, behind the others", lambda j: j.add_content(b"one more"), word="AUTH|FORMAT")
    lie("record-added-hashed", "LI-1", "and its hash",
        lambda j: (j.add_content(b"one more"), j.hashes.append(sha256(old.seal(*j.contents[-1])))))
    lie("record-inserted", "LI-1", "a record more, before the others", lambda j: j.add_content(b"first", 0), word="AUTH|FORMAT")
    lie("record-dropped", "LI-1 LI-2", "the last record is left out", lambda j: j.contents.pop(), word="AUTH|FORMAT")
    lie("record-dropped-hashed", "LI-1", "and its hash", lambda j: (j.contents.pop(), j.hashes.pop()))

    def swap(job):
        job.contents[1], job.contents[2] = job.contents[2], job.contents[1]
        job.renumber()
    lie("records-swapped", "LI-1", "two records in each other's place", swap)
    lie("records-swapped-hashed", "LI-1", "and their hashes",
        lambda j: (swap(j), j.hashes.__setitem__(slice(1, 3), [j.hashes[2], j.hashes[1]])))

    def recompressed(job):
        frame, content = job.contents[0]
        codec, packed = job.old.content(content, 1)
        job.contents[0] = (replace(frame, codec=codec, stored=len(packed) + 16), packed)
    lie("recompressed", "LI-1 RK-2", "a record is compressed, its plaintext the same", recompressed)
    other = w.make(w.text.replace(b"text", b"data"))

    def another_day(job):
        job.preamble = replace(job.preamble, uuid=old.preamble.uuid, created=old.preamble.created)
        job.history = []
    lie("other-day", "LI-1", "the maker's backup of another day under this one's UUID", another_day, source=other)

    def another_lineage(job):
        job.contents = [(f, other.schedule.open(f.number, f.emit(), p)) for f, p in other.records]
    lie("other-day-content", "LI-1", "the content of another day, with this one's lineage", another_lineage)
    draft = w.make()
    draft.manifest["complete"] = False
    draft.sign_manifest()
    lie("complete", "LI-1", "an incomplete backup is made complete",
        lambda j: j.carried.update(complete=True), source=draft)


def _statements(reg):
    """He changes what is said about the content."""
    w = reg.world
    old = w.make()

    def says(name, text, **members):
        _lie(reg, f"rekey-says-{name}", Rekey(old, _custodian(w)).draft(**members).files(), "LI-1 MF-6", text)
    says("started", "another time of beginning", started="2020-01-01T00:00:00Z")
    says("finished", "another time of end: an old backup looks new", finished="2030-01-01T00:00:00Z")
    size = len(w.text)
    _lie(reg, "rekey-says-plain-bytes", Rekey(old, _custodian(w)).draft(plain_bytes=size + 1).files(), "LI-1 MF-6",
         "other plain_bytes", **{f"verify{TRUSTED}": "AUTH", f"restore{TRUSTED}": "AUTH"})
    long = w.make(w.text * 20)  # so that there are two LINEAGE records
    counts = rekeyed(long, _custodian(w)).manifest
    lying = {"data_records": counts["data_records"] + 1, "lineage_records": counts["lineage_records"] - 1}
    _lie(reg, "rekey-says-lineage-less", Rekey(long, _custodian(w)).draft(**lying).files(), "LI-1 MF-6",
         "a LINEAGE record is counted as data", word="AUTH|FORMAT",
         **{f"verify{TRUSTED}": "AUTH", f"restore{TRUSTED}": "AUTH"})
    lying = {"data_records": counts["data_records"] - 1, "lineage_records": counts["lineage_records"] + 1}
    _lie(reg, "rekey-says-lineage-more", Rekey(long, _custodian(w)).draft(**lying).files(), "LI-1 MF-6",
         "a DATA record is counted as lineage", word="AUTH|FORMAT",
         **{f"verify{TRUSTED}": "AUTH", f"restore{TRUSTED}": None})
    says("previous", "previous links to nothing", previous="00" * 32)
    for name, changed in (("label", {"label": b"db2"}), ("created", {"created": old.preamble.created + 86400}),
                          ("uuid", {"uuid": os.urandom(6) + b"\x40\0\x80" + os.urandom(7)})):
        job = Rekey(old, _custodian(w))
        job.preamble, job.history = replace(job.preamble, **changed), []
        _lie(reg, f"rekey-preamble-{name}", job.draft().files(), "LI-1 RK-1", f"{name} of the preamble is another")
    job = Rekey(old, _custodian(w))
    job.preamble = replace(job.preamble, maker=w.custodian.certificate.spki_sha256)
    reg.add("rekey-preamble-maker", job.draft().files(), "LI-1 LI-4", "the preamble calls the rekeyer the first maker",
            quick="AUTH", verify="AUTH", restore="AUTH", maker="AUTH", rotate="AUTH",
            **{f"maker{TRUSTED}": "AUTH"})


def _resigned(old, signer, **members):
    """The old manifest with other members, signed by somebody else; returns CMS and JSON."""
    raw = strictjson.emit(dict(old.manifest, **members))
    return build(raw, MANIFEST_OID, [signer]), raw


def _lineage(reg):
    """He changes what is in the lineage."""
    w = reg.world
    old, other = w.make(), w.make()

    def lie(name, text, change, rules="LI-1", source=old, **others):
        job = Rekey(source, _custodian(w))
        change(job)
        _lie(reg, f"lineage-{name}", job.draft().files(), rules, text, **others)

    def takes(**attributes):
        return lambda job: [setattr(job, k, v) for k, v in attributes.items()]

    def swap_hashes(job):
        job.hashes[0], job.hashes[1] = job.hashes[1], job.hashes[0]
    lie("hashes-swapped", "two hashes in each other's place", swap_hashes)
    lie("hashes-of-another-backup", "the hashes of another backup", takes(hashes=[sha256(p) for _, p in other.records]))
    lie("dek", "another first data key", takes(first_dek=os.urandom(32)))
    lie("dek-of-another-backup", "the data key of another backup", takes(first_dek=other.dek))
    lie("preamble-of-another-backup", "the preamble of another backup", takes(first_preamble=other.preamble.emit()))
    lie("preamble-salt", "the preamble with another salt",
        takes(first_preamble=replace(old.preamble, salt=os.urandom(32)).emit()))
    lie("preamble-epoch", "the preamble says epoch 1", takes(first_preamble=replace(old.preamble, epoch=1).emit()))
    lie("preamble-none", "no preamble at all", takes(first_preamble=os.urandom(512)))
    lie("manifest-of-another-backup", "the manifest of another backup", takes(
        manifest_cms=other.manifest_cms, previous=sha256(strictjson.emit(other.manifest))))
    lie("manifest-none", "no manifest at all", takes(manifest_cms=b"manifest"))
    mine, raw = _resigned(old, _custodian(w), root=other.manifest["root"])
    lie("manifest-resigned", "a first manifest in the maker's name, signed by the rekeyer",
        takes(manifest_cms=mine, previous=sha256(raw)))
    mine, raw = _resigned(old, _custodian(w), by=w.custodian.certificate.spki_sha256.hex())
    lie("manifest-by-rekeyer", "a first manifest by the rekeyer", takes(manifest_cms=mine, previous=sha256(raw)))
    whole = w.make(maker=_custodian(w))

    def own(job):
        job.preamble = replace(job.preamble, maker=old.preamble.maker)
    lie("own-backup", "a backup of the rekeyer's own under the maker's name", own, source=whole, rotate="OK|AUTH",
        **{f"verify{TRUSTED}": "OK|WARN", f"restore{TRUSTED}": "OK|WARN"})
    once = rekeyed(old, _custodian(w))
    job = Rekey(once, _custodian(w))
    job.manifest_cms, raw = _resigned(once, _custodian(w), previous="11" * 32)
    job.previous = sha256(raw)
    _lie(reg, "lineage-second-previous", job.draft().files(), "LI-1", "manifest 1 does not link to manifest 0")
    job = Rekey(once, _custodian(w))
    job.manifest_cms, raw = _resigned(once, _custodian(w), finished="2030-01-01T00:00:00Z")
    job.previous = sha256(raw)
    _lie(reg, "lineage-second-finished", job.draft(finished="2030-01-01T00:00:00Z").files(), "LI-1",
         "manifests 1 and 2 agree on another time than manifest 0")
    job = Rekey(once, _custodian(w))
    job.manifest_cms, raw = _resigned(once, _custodian(w), records=once.manifest["records"] + 1,
                                      lineage_records=once.manifest["lineage_records"] + 1)
    job.previous = sha256(raw)
    _lie(reg, "lineage-second-records", job.draft().files(), "LI-1", "manifest 1 counts a record more than there were")
    job = Rekey(once, _custodian(w))
    job.first_preamble = replace(once.preamble, label=b"other").emit()
    _lie(reg, "lineage-second-preamble", job.draft().files(), "LI-1", "preamble 1 is another")


def _shape(reg):
    """The lineage is not what section 3.9 says, whatever it proves."""
    w = reg.world
    old = w.make()
    good = b"".join(Rekey(old, _custodian(w)).addition())
    items = Rekey(old, _custodian(w)).addition()

    def lie(name, text, pieces=None, plain=None, rules="LI-2", source=old, codec=0, **others):
        job = Rekey(source, _custodian(w))
        job.lineage_codec = codec
        _lie(reg, f"lineage-{name}", job.draft(pieces=pieces if plain is None else job.pieces(plain)).files(), rules,
             text, word="FORMAT", **others)

    lie("item-missing", "no hashes", plain=b"".join(items[:-1]))
    lie("item-twice", "the data key twice", plain=items[0] + good)
    lie("items-disordered", "preamble before the data key", plain=b"".join([items[1], items[0]] + items[2:]))
    lie("item-unknown", "an item of type 5", plain=good + item(5, b"x"), rules="LI-2 LI-3")
    lie("item-flags", "an item whose zero bytes are not", plain=good[:2] + b"\0\1" + good[4:])
    lie("item-length", "a data key of 33 bytes", plain=item(1, bytes(33)) + b"".join(items[1:]))
    lie("hashes-first-record", "hashes that begin with record 1",
        plain=b"".join(items[:-1]) + item(HASHES, u64(1) + items[-1][16:]))
    lie("hashes-too-few", "a hash too few", plain=b"".join(items[:-1]) + item(HASHES, items[-1][8:-32]))
    lie("hashes-too-many", "a hash too many", plain=b"".join(items[:-1]) + item(HASHES, items[-1][8:] + bytes(32)))
    lie("cut", "the last byte is missing", plain=good[:-1])
    lie("bytes-behind", "a byte behind the last item", plain=good + b"\0", rules="LI-2 LI-3")
    lie("record-behind", "a record behind the last item", pieces=[good, b"\0"])
    half = len(good) // 2
    lie("border", "a record that is not full in the middle", pieces=[good[:half], good[half:]], rules="LI-3")
    lie("compressed", "a compressed LINEAGE record", plain=good, rules="LI-3", codec=1, verify="FORMAT|AUTH",
        **{f"verify{TRUSTED}": "FORMAT", f"restore{TRUSTED}": "FORMAT"})
    once = rekeyed(old, _custodian(w))
    last, payload = once.records[-1]
    plain = once.schedule.open(last.number, last.emit(), payload)
    job = Rekey(once, _custodian(w))
    second = b"".join(job.addition())
    job.contents[-1] = (replace(last, stored=last.stored + len(second), plain=last.plain + len(second)), plain + second)
    _lie(reg, "lineage-second-in-the-same-record", job.draft(pieces=[]).files(), "LI-3",
         "the second addition does not begin with a record", word="FORMAT")
    _lie(reg, "lineage-second-missing", Rekey(once, _custodian(w)).draft(pieces=[]).files(), "LI-2",
         "the second addition is missing", word="FORMAT")


def _custody(reg):
    w = reg.world
    old = w.make()
    job = Rekey(old, w.maker.signer())
    job.custodian = _custodian(w)
    reg.custody("rekey-recipients-by-another", job.draft().files(), "CU-5",
                "the first list of the epoch is not by the manifest's signer")
    draft = w.make()
    draft.history = []
    draft.lock(by=_custodian(w))
    reg.custody("rekey-first-list-by-another", rekeyed(draft, w.maker.signer()).files(), "CU-5",
                "generation 1 is not by the first maker")
    job = Rekey(rekeyed(old, w.maker.signer()), w.maker.signer())
    back = job.draft()
    back.custody = dict(back.custody, epoch=1)
    back.sign_custody([w.maker.signer()])
    reg.everywhere("rekey-custody-of-the-epoch-before", back.files(), "AUTH", "CU-1",
                   "a custody statement that names the epoch before")


