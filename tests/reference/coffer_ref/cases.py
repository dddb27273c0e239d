# SPDX-License-Identifier: Apache-2.0
"""What a forged case is, the people in it, and the register of all cases.

Operations of a case, each with the class word (or words, `A|B`) that a right
reader answers: `quick` opens only; `verify` checks the whole without a key;
`restore` opens with alice's key and decrypts everything (`restore:NAME` with
NAME's); `rotate` changes the recipients to carol with alice's key, signed by
the custodian; `maker` checks the whole with alice's key, and proves the first
maker (LI-1). Of trees: `deep` reads everything with alice's key, `extract`
restores all files into a directory. The trust set: maker.crt as maker and custodian, custodian.crt
as custodian alone.
"""

from dataclasses import dataclass, field

from . import writer
from .certs import Certificate
from .head import BLOCK, Superblock
from .people import Person

USUAL = ("quick", "verify", "restore", "rotate")
OPERATIONS = (*USUAL, "maker")
TREE_OPERATIONS = ("deep", "extract")
TEXT = b"".join(b"line %06d of the text that is backed up\n" % i for i in range(500))


@dataclass
class Case:
    name: str
    rules: str
    description: str
    files: list                 # bytes of volume 1, 2, …; None: that volume is not written
    expect: dict = field(default_factory=dict)


class World:
    """Maker, custodian, recipients and thieves, made once for all cases."""

    def __init__(self):
        self.maker, self.custodian, self.mallory = Person("maker"), Person("custodian"), Person("mallory")
        self.alice, self.bob = Person("alice", "rsa2048"), Person("bob", "p256")
        self.carol = Person("carol", "p384", skid=False)
        self.people = [self.maker, self.custodian, self.mallory, self.alice, self.bob, self.carol]
        self.text = TEXT

    def person(self, name, kind, **options):
        """A further one, whose key and certificate are written out too."""
        made = Person(name, kind, **options)
        self.people.append(made)
        return made

    def begin(self, **options):
        return writer.begin(self.maker.signer(), self.recipients(), **options)

    def make(self, data=None, recipients=None, maker=None, **options):
        recipients = self.recipients() if recipients is None else recipients
        return writer.make(self.text if data is None else data, maker or self.maker.signer(), recipients, **options)

    def recipients(self) -> list[Certificate]:
        return [self.alice.certificate, self.bob.certificate]

    def altered(self, change, before=None, **options):
        """A backup whose maker himself signs a broken body: `before(draft)` works on the
        preamble, `change(draft)` on the sealed records."""
        draft = self.begin(**options)
        if before:
            before(draft)
        draft.lock()
        size = draft.preamble.record_size
        for at in range(0, len(self.text), size):
            draft.add(self.text[at:at + size])
        change(draft)
        draft.finish()
        return draft


class Register:
    """Collects cases; the helpers fill in what is expected where."""

    def __init__(self, world):
        self.world = world
        self.cases = []

    def add(self, name, files, rules, description, **expect):
        """`expect`: operations by name (`restore_bob` for restore:bob)."""
        if isinstance(files, bytes):
            files = [files]
        words = {k.replace("_", ":"): v for k, v in expect.items()}
        assert name not in [c.name for c in self.cases], name
        self.cases.append(Case(name, rules, description, files, words))

    def good(self, name, files, description, rules="-", **others):
        self.everywhere(name, files, "OK", rules, description, **others)

    def everywhere(self, name, files, word, rules, description, **others):
        """The same answer to every operation, but for `others`."""
        expect = dict.fromkeys(USUAL, word)
        expect.update(others)
        self.add(name, files, rules, description, **{k: v for k, v in expect.items() if v})

    def body(self, name, files, word, rules, description, **others):
        """Only who reads the body sees it: opening and rotating go well."""
        expect = {"quick": "OK", "verify": word, "restore": word, "rotate": "OK"}
        expect.update(others)
        self.add(name, files, rules, description, **expect)

    def sealed_body(self, name, files, word, rules, description, **others):
        """Only who decrypts sees it."""
        self.body(name, files, word, rules, description, **{"verify": "OK", **others})

    def custody(self, name, files, rules, description, **others):
        """A bad custody verdict: a warning for readers, fatal for a change."""
        expect = {"quick": "WARN", "verify": "WARN", "restore": "WARN", "rotate": "AUTH"}
        expect.update(others)
        self.add(name, files, rules, description, **expect)


def patched(data, at, new):
    """`data` with `new` written over it at offset `at`."""
    return data[:at] + new + data[at + len(new):]


def flipped(data, at, bit=1):
    return patched(data, at, bytes([data[at] ^ bit]))


def block_of(image, copy=0):
    return Superblock.parse(image[copy * BLOCK:(copy + 1) * BLOCK])


def with_blocks(image, a, b=None):
    """The image with superblock bytes `a` and `b` (the same when left out)."""
    return a + (a if b is None else b) + image[2 * BLOCK:]
