# SPDX-License-Identifier: Apache-2.0
"""Trees: valid ones, and catalogs and archives that a maker with bad intentions signed (FORMAT.md 3.7, 3.8).

The operations of these cases: `deep` opens with alice's key and reads everything; `extract` restores all
files into a directory with it.  Who opens, or verifies without a key, sees nothing wrong.
"""

from dataclasses import replace

from . import tree, writer
from .binary import u8, u16, u32, u64
from .cases import patched
from .frames import DATA, Frame

FILE, DIRECTORY, SYMLINK, HARDLINK, FIFO = 1, 2, 3, 4, 7
PLAIN = {"a": (DIRECTORY, b"", ""), "a/f": (FILE, b"f" * 700, ""), "a/l": (SYMLINK, b"", "f"), "b": (FILE, b"b", ""),
         "c": (HARDLINK, b"", "b"), "d": (FILE, b"", ""), "e": (FILE, b"e" * 5000, "")}
EVIL = (FILE, b"evil\n", "")

# Where the fields of a record of level 0 stand, and those of its first entry.
LEVEL, ZERO, COUNT, POSITION = 0, 1, 4, 8
TYPE, STATE, STREAM, MODE, SIZE, NANOSECONDS, LENGTH, SHARED, REST, TARGET, PATH = (
    16, 17, 18, 20, 30, 46, 50, 58, 60, 62, 64)
LAST = 3  # the top, of level 1 over three records


def register(reg):
    _good(reg)
    _records(reg)
    _entries(reg)
    _paths(reg)
    _links(reg)
    _archive(reg)
    _tree(reg)
    _streams(reg)


def begin(world, recipients=None, record_size=4096):
    draft = writer.begin(world.maker.signer(), world.recipients() if recipients is None else recipients, content=2,
                         record_size=record_size)
    if draft.preamble.sealed:
        draft.lock()
    return draft


def make(world, things, recipients=None, record_size=4096, **how):
    draft = begin(world, recipients, record_size)
    tree.add(draft, things, **how)
    draft.finish()
    return draft.files()


class Trees:
    """Adds cases, all over PLAIN unless told otherwise."""

    def __init__(self, reg):
        self.reg = reg

    def good(self, name, text, things=PLAIN, word="OK", **how):
        key = {} if how.get("recipients") == [] else {"restore_bob": "OK"}
        self.reg.add(f"good-tree{name}", make(self.reg.world, things, **how), "-", text, quick="OK", verify="OK",
                     deep="OK", extract=word, **key)

    def bad(self, name, word, rules, text, things=PLAIN, extract=None, **how):
        self.reg.add(f"tree-{name}", make(self.reg.world, things, **how), rules, text, quick="OK", verify="OK",
                     deep=word, extract=extract or word)

    def patch(self, name, rules, text, at, new, record=0, word="FORMAT", **how):
        """Bytes of one CATALOG record are others."""
        self.bad(name, word, rules, text, mangle=lambda i, p: patched(p, at, new) if i == record else p, **how)

    def entry(self, name, word, rules, text, path, change, **how):
        """The catalog says something else of one path."""
        def alter(level, group):
            return [(p, o, change(f)) if p == path else (p, o, f) for p, o, f in group] if level == 0 else None
        self.bad(name, word, rules, text, alter=alter, **how)

    def rename(self, name, word, rules, text, path, new, **how):
        def alter(level, group):
            return [(new if p == path else p, o, f) for p, o, f in group] if level == 0 else None
        self.bad(name, word, rules, text, alter=alter, **how)


def _good(reg):
    t = Trees(reg)
    t.good("", "files, directories, links, a FIFO; a catalog of two levels",
           {**PLAIN, "p": (FIFO, b"", ""), "q" * 200: (FILE, b"long", ""), "é\udcff": (FILE, b"bytes", "")})
    t.good("-levels", "a catalog of four levels", per_record=2)
    t.good("-one-file", "the top is of level 0", {"only": (FILE, b"only", "")})
    t.good("-top-directory", "the top directory and what is in it", {".": (DIRECTORY, b"", ""), "f": (FILE, b"f", "")})
    t.good("-large-file", "a file in many records", {"f": (FILE, b"0123456789" * 5000, ""), "g": (FILE, b"g", "")})
    t.good("-record-64k", "all of it in one record", record_size=65536)
    t.good("-signed-only", "signed-only", recipients=[])
    t.good("-lost", "what was gone, and what could not be read, when the backup was made", word="OK|WARN",
           lost=(("a/gone", 3), ("x", 2)))


def _records(reg):
    """CA-1: the record itself."""
    t = Trees(reg)
    t.patch("level-16", "CA-1", "a record of level 16", LEVEL, u8(16))
    t.patch("zero-bytes", "CA-1 GE-1", "bytes of a record's header that are not zero", ZERO, b"\0\1\0")
    t.patch("count-zero", "CA-1", "a record that counts no entries", COUNT, u32(0))
    t.patch("count-less", "CA-1 GE-3", "a record that counts one entry less", COUNT, u32(2))
    t.patch("count-more", "CA-1 GE-2", "a record that counts one entry more", COUNT, u32(4))
    t.patch("count-huge", "CA-1 GE-2", "a record that counts 2^32 - 1 entries", COUNT, b"\xff" * 4)
    t.bad("bytes-behind", "FORMAT", "GE-3", "a byte behind a record's last entry",
          mangle=lambda i, p: p + b"\0" if i == 0 else p)
    t.bad("cut", "FORMAT", "CA-1 GE-2", "a record that is cut short", mangle=lambda i, p: p[:-1] if i == 0 else p)
    t.patch("position-first", "CA-1 CA-4", "the first record begins behind the start", POSITION, u64(512),
            word="FORMAT|AUTH")
    t.patch("position-gap", "CA-1 CA-4", "a record does not begin where the one before it ends", POSITION, u64(512),
            record=1, word="FORMAT|AUTH")


def _entries(reg):
    """CA-1: one entry by itself.  The first is a directory, the second a file."""
    t = Trees(reg)
    for name, text, at, new in (
            ("type-8", "a type that does not exist", TYPE, u8(8)),
            ("type-10", "a type that does not exist", TYPE, u8(10)),
            ("state-4", "a state that does not exist", STATE, u8(4)),
            ("stream-1", "a stream of what is no named stream", STREAM, u16(1)),
            ("mode-13-bits", "a mode of more than 12 bits", MODE, u16(0x1000)),
            ("directory-size", "a size of a directory", SIZE, u64(1)),
            ("nanoseconds", "10^9 nanoseconds", NANOSECONDS, u32(10 ** 9)),
            ("length-odd", "a length that is no multiple of 512", LENGTH, u64(1000)),
            ("length-huge", "a length of 2^63 bytes", LENGTH, u64(2 ** 63)),
            ("shared-in-first", "the first path of a record shares bytes with one before it", SHARED, u16(1)),
            ("path-empty", "a path of no byte", REST, u16(0)),
            ("directory-target", "a link target of a directory", TARGET, u16(1))):
        t.patch(name, "CA-1", text, at, new)
    t.entry("length-zero", "FORMAT", "CA-1", "not in the archive, and nothing is said to be wrong with it", b"d",
            lambda f: replace(f, length=0))
    t.entry("vanished-with-length", "FORMAT", "CA-1", "gone, and in the archive", b"d", lambda f: replace(f, state=3))
    t.entry("unknown-with-length", "FORMAT", "CA-1", "of a type unknown, and in the archive", b"d",
            lambda f: replace(f, type=0, state=2))
    t.entry("file-size-huge", "FORMAT|AUTH", "CA-1 CA-2", "a file of 2^63 bytes", b"d", lambda f: replace(f, size=2 ** 63))


def _paths(reg):
    """CA-1: paths that lead elsewhere, and their order."""
    t = Trees(reg)
    for name, path in (("dotdot", b"../evil"), ("dotdot-inside", b"a/../../evil"), ("absolute", b"/tmp/evil"),
                       ("dot", b"a/./evil"), ("slashes", b"a//evil"), ("slash-at-end", b"a/evil/"),
                       ("zero-byte", b"a/ev\0il"), ("dotdot-alone", b"..")):
        def alter(level, group, path=path):
            return [(path, o, f) for _, o, f in group] if level == 0 else None
        t.bad(f"path-{name}", "FORMAT", "CA-1", f"a path {ascii(path.decode())}", {"a/evil": EVIL}, alter=alter)
    t.rename("path-twice", "FORMAT", "CA-1", "two entries of one path", b"a/f", b"a")
    t.rename("path-out-of-order", "FORMAT", "CA-1", "a path that comes before the one before it", b"a/l", b"A")
    t.rename("path-between-records", "FORMAT|AUTH", "CA-1 CA-4", "the first path of a record comes before the last one "
             "of the record before", b"b", b"a/a")

    raw = tree.emit_record(0, tree.archive_of({"ab": EVIL, "ac": EVIL})[1])
    at = raw.rindex(u16(1) + u16(1) + u16(0) + b"c")
    less = raw[:at] + u16(0) + u16(2) + u16(0) + b"ac"
    t.bad("path-shares-less", "FORMAT", "CA-1", "a path that shares more than it says", {"ab": EVIL, "ac": EVIL},
          mangle=lambda i, p: less)
    t.bad("path-shares-more", "FORMAT", "CA-1", "a path that shares more than there is", {"ab": EVIL, "ac": EVIL},
          mangle=lambda i, p: patched(p, at, u16(3)))


def _links(reg):
    """CA-1: link targets.  c is a hard link to b."""
    t = Trees(reg)
    t.entry("link-without-target", "FORMAT", "CA-1", "a symbolic link to nothing", b"a/l", lambda f: replace(f, target=b""))
    t.entry("link-zero-byte", "FORMAT", "CA-1", "a zero byte in a link target", b"a/l", lambda f: replace(f, target=b"f\0"))
    t.entry("file-target", "FORMAT", "CA-1", "a link target of a file", b"d", lambda f: replace(f, target=b"b"))
    for name, target in (("to-itself", "c"), ("to-a-later-path", "d"), ("up", "../b"), ("absolute", "/etc/passwd"),
                         ("inside-out", "a/../../b")):
        t.bad(f"hard-link-{name}", "FORMAT", "CA-1", f"a hard link to {target!r}", {**PLAIN, "c": (HARDLINK, b"", target)})
    for name, target, how in (("to-a-directory", "a", {}), ("to-nothing", "a/none", {}),
                              ("to-what-was-lost", "a/gone", {"lost": (("a/gone", 3),)})):
        t.bad(f"hard-link-{name}", "FORMAT", "CA-1", f"a hard link to {target!r}, which is no file of the archive",
              {**PLAIN, "c": (HARDLINK, b"", target)}, extract="FORMAT|IO", **how)
    t.bad("hard-link-to-hard-link", "FORMAT", "CA-1", "a hard link to another hard link",
          {**PLAIN, "cc": (HARDLINK, b"", "c")}, extract="OK|FORMAT")


def _archive(reg):
    """CA-2: the archive says something else."""
    t = Trees(reg)
    t.rename("lie-path", "AUTH", "CA-2", "another path in the archive", b"e", b"e2")
    t.entry("lie-type", "AUTH", "CA-2", "another type in the archive", b"d", lambda f: replace(f, type=DIRECTORY))
    t.entry("lie-size-more", "AUTH", "CA-2", "a larger size in the catalog", b"e", lambda f: replace(f, size=f.size + 1))
    t.entry("lie-size-less", "AUTH", "CA-2", "a smaller size in the catalog", b"e", lambda f: replace(f, size=f.size - 1))
    t.entry("lie-target", "AUTH", "CA-2", "another link target in the archive", b"a/l", lambda f: replace(f, target=b"g"))
    t.entry("lie-hard-target", "AUTH", "CA-2", "another target of a hard link in the archive", b"c",
            lambda f: replace(f, target=b"a/f"))
    t.bad("lie-checksum", "AUTH", "CA-2", "a header in the archive with a wrong sum", touch=lambda a: patched(a, 0, b"b"))
    t.bad("lie-no-header", "AUTH", "CA-2", "zeros in the place of a header", touch=lambda a: bytes(512) + a[512:])
    shift = {"a": (FILE, b"a", ""), "b": (FILE, b"b", "")}

    def longer(level, group):
        a, b = group
        return [(a[0], 0, replace(a[2], length=2048)), (b[0], 2048, replace(b[2], length=0, state=2))]
    t.bad("lie-two-in-one", "AUTH", "CA-2", "an entry that is as long as two in the archive", shift, alter=longer)
    t.bad("end-missing", "FORMAT|AUTH", "CA-1 CA-2", "an archive without its end", end=b"")
    t.bad("end-short", "FORMAT|AUTH", "CA-1 CA-2", "an archive with half of its end", end=bytes(512))
    t.bad("end-long", "FORMAT|AUTH", "CA-1", "more zeros behind the end of the archive", end=bytes(2048))
    t.bad("end-not-zero", "AUTH", "CA-2", "an end of the archive that is not zero", end=bytes(1023) + b"\1")
    hidden = tree.archive_of({"hidden": EVIL})[0]
    t.bad("end-hides-an-entry", "FORMAT|AUTH", "CA-1 CA-2", "a file behind what the catalog lists", end=hidden + bytes(1024))


def _tree(reg):
    """CA-3, CA-4: records that do not make one tree."""
    t = Trees(reg)
    both = "FORMAT|AUTH"

    def items(name, rules, text, change, word=both):
        t.bad(name, word, rules, text, alter=lambda level, group: change(group) if level == 1 else None)
    items("item-missing", "CA-3 CA-1", "the top names one record less", lambda g: g[:-1])
    items("item-first-missing", "CA-3 CA-1", "the top does not name the first record", lambda g: g[1:])
    items("item-twice", "CA-3 CA-1", "the top names a record twice", lambda g: [g[0], g[0], *g[1:]])
    items("items-out-of-order", "CA-3 CA-1", "items change places", lambda g: [g[1], g[0], *g[2:]])
    items("item-path", "CA-3 CA-4", "an item with another path", lambda g: [(b"0", *g[0][1:]), *g[1:]])
    items("item-path-later", "CA-3 CA-4 CA-1", "an item with a later path", lambda g: [*g[:-1], (g[-1][0] + b"x", *g[-1][1:])])
    items("item-position", "CA-3 CA-4 CA-1", "an item with another position",
          lambda g: [g[0], (g[1][0], g[1][1] + 512, g[1][2]), *g[2:]])
    items("item-data", "CA-3 CA-4", "an item that names a DATA record", lambda g: [(*g[0][:2], 0), *g[1:]])
    items("item-other", "CA-3 CA-4", "an item that names the record of its neighbour", lambda g: [(*g[0][:2], g[1][2]), *g[1:]])
    items("item-itself", "CA-3", "the top names itself", lambda g: [*g[:-1], (*g[-1][:2], g[-1][2] + 1)])
    items("item-beyond", "CA-3", "an item that names a record that there is not", lambda g: [*g[:-1], (*g[-1][:2], 2 ** 40)])
    t.patch("level-of-top", "CA-3 CA-4", "a top that says it is of level 2", LEVEL, u8(2), record=LAST, word=both)
    t.bad("record-unnamed", both, "CA-3 CA-1", "the first record of level 0 is left out",
          mangle=lambda i, p: None if i == 0 else p)
    t.bad("top-missing", both, "CA-3 CA-1", "no top: the last record is of level 0",
          mangle=lambda i, p: None if i == LAST else p)

    def behind(name, rules, text, more, word=both):
        draft = begin(reg.world)
        tree.add(draft, PLAIN)
        more(draft)
        draft.finish()
        reg.add(f"tree-{name}", draft.files(), rules, text, quick="OK", verify="OK", deep=word, extract=word)
    one = tree.emit_record(1, [(b"a", 0, 3)])
    behind("top-of-one", "CA-1 CA-3", "a top of level 1 with one item", lambda d: tree.add_catalog(d, one))
    behind("top-twice", "CA-3", "the top stands there twice", lambda d: tree.add_catalog(d, tree.emit_record(
        1, [(b"a", 0, 3), (b"b", 3584, 4)])))
    behind("top-not-last", "CA-3", "a DATA record behind the top", lambda d: tree.add_data(d, bytes(512)))
    draft = begin(reg.world)
    draft.add(tree.archive_of(PLAIN)[0][:4096])
    draft.finish()
    reg.add("tree-without-catalog", draft.files(), "CA-3", "a tree without a catalog", quick="OK", verify="OK",
            deep="FORMAT", extract="FORMAT")


# ---- named streams ----

STREAMS = {"base": (2, b"b" * 9000), "conf/a": (1, b"a" * 100), "conf/b": (4, b"B" * 4096), "empty": (3, b"")}


def stream_records(draft, streams, split=None):
    """DATA of each stream in the order of their numbers; `split`: streams taken in turns, record by record."""
    size, queue = draft.preamble.record_size, []
    for number, data in sorted(streams.values()):
        pieces = [(at, data[at:at + size]) for at in range(0, len(data), size)]
        queue.append([(number, at, piece) for at, piece in pieces])
    if split:
        queue = [[piece] for turn in zip(*queue) for piece in turn]
    tag = 16 if draft.preamble.sealed else 0
    for number, at, piece in (record for records in queue for record in records):
        frame = Frame(DATA, len(piece) + tag, 0, 0, number, len(piece), len(draft.records), at)
        draft.add(None, frame=frame, content=piece)


def stream_entry(path, before, number, length, kind=9, state=0, size=None):
    shared = tree.common(before, path) if before else 0
    return (u8(kind) + u8(state) + u16(number) + u16(0o600) + u32(0) * 2 + u64(length if size is None else size) + u64(0)
            + u32(0) + u64(length) + u16(shared) + u16(len(path) - shared) + u16(0) + path[shared:])


def stream_catalog(draft, streams, change=None, position=0):
    """`change(path, number, length)`: other (path, number, length[, options])."""
    body, before = b"", None
    for path in sorted(streams):
        facts = (path.encode(), streams[path][0], len(streams[path][1]))
        facts = (change and change(*facts)) or facts
        more = facts[3] if len(facts) > 3 else {}
        body += stream_entry(facts[0], before, facts[1], facts[2], **more)
        before = facts[0]
    tree.add_catalog(draft, u8(0) + bytes(3) + u32(len(streams)) + u64(position) + body)


def make_streams(world, streams=None, recipients=None, content=1, catalog=True, split=None, first=None, **how):
    streams = STREAMS if streams is None else streams
    draft = writer.begin(world.maker.signer(), world.recipients() if recipients is None else recipients, content=content,
                         record_size=4096)
    if draft.preamble.sealed:
        draft.lock()
    if first:
        first(draft)
    stream_records(draft, streams, split)
    if catalog:
        stream_catalog(draft, streams, **how)
    draft.finish()
    return draft.files()


def _streams(reg):
    """RC-10, CA-1, CA-2 for named streams; what needs no key to be seen is refused by everybody."""
    w = reg.world

    def good(name, text, **how):
        key = {} if how.get("recipients") == [] else {"restore_bob": "OK"}
        reg.add(f"good-streams{name}", make_streams(w, **how), "-", text, quick="OK", verify="OK", deep="OK", **key)

    def seen(name, text, rules="RC-10", **how):
        reg.add(f"streams-{name}", make_streams(w, **how), rules, text, quick="OK", verify="FORMAT", deep="FORMAT",
                restore="FORMAT")

    def bad(name, word, rules, text, **how):
        reg.add(f"streams-{name}", make_streams(w, **how), rules, text, quick="OK", verify="OK", deep=word)

    def of(path, *facts):
        return lambda p, n, length: (p, *facts) if p == path else None

    good("", "four named streams, one of them empty")
    good("-one", "one named stream", streams={"only": (1, b"x" * 5000)})
    good("-signed-only", "named streams, signed only", recipients=[])
    good("-number-gap", "stream numbers are not consecutive", streams={"a": (7, b"a"), "b": (65533, b"b")})
    seen("without-catalog", "named streams and no catalog", catalog=False)
    seen("in-turns", "records of two streams stand in turns", split=True,
         streams={"a": (1, b"a" * 9000), "b": (2, b"b" * 9000)})
    seen("and-stream-0", "stream 0 before named streams", rules="RC-10", first=lambda d: tree.add_data(d, b"zero"))
    seen("in-a-tree", "DATA of a named stream in a tree", content=2)
    reg.add("streams-stream-0-listed", _only_stream_0(w), "RC-10", "a catalog, and nothing but stream 0", quick="OK", verify="FORMAT",
            deep="FORMAT", restore="FORMAT")
    bad("named-twice", "FORMAT", "RC-10", "two names for one stream", change=of(b"conf/a", 2, 9000))
    bad("not-named", "FORMAT", "RC-10", "a stream has no name", change=of(b"conf/b", 9, 0))
    bad("file-among", "FORMAT", "RC-10 CA-1", "a file in the catalog of named streams", change=of(b"conf/a", 0, 0, {"kind": 1, "state": 2}))
    bad("length-less", "AUTH", "CA-2", "the catalog says less than the stream has", change=of(b"base", 2, 8999))
    bad("length-more", "AUTH", "CA-2", "the catalog says more than the stream has", change=of(b"base", 2, 9001))
    bad("empty-is-not", "AUTH", "CA-2", "the catalog gives bytes to an empty stream", change=of(b"empty", 3, 5))
    bad("size-not-length", "FORMAT", "CA-1", "size and length of a named stream differ", change=of(b"base", 2, 9000, {"size": 1}))
    bad("number-0", "FORMAT", "CA-1", "a named stream of number 0", change=of(b"empty", 0, 0))
    bad("number-catalog", "FORMAT", "CA-1", "a named stream with the number of the catalog", change=of(b"empty", 0xFFFE, 0))
    bad("state-2", "FORMAT", "CA-1", "a named stream that could not be read", change=of(b"empty", 3, 0, {"state": 2}))
    bad("position", "FORMAT", "CA-1", "a position in stream 0, of which there is none", position=512)
    bad("name-long", "FORMAT", "CA-1", "a name of 1025 bytes", change=of(b"empty", 3, 0), streams={
        **{k: v for k, v in STREAMS.items() if k != "empty"}, "e" * 1025: (3, b"")})
    bad("name-up", "FORMAT", "CA-1", "a name that leads out", streams={"../x": (1, b"x")})


def _only_stream_0(world):
    draft = writer.begin(world.maker.signer(), world.recipients(), content=1, record_size=4096)
    draft.lock()
    tree.add_data(draft, b"zero")
    stream_catalog(draft, {"a": (1, b"zero")})
    draft.finish()
    return draft.files()
