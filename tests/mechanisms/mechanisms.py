#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Take out each mechanism that keeps a promise, and see that a test notices.

Usage: mechanisms.py ROOT [WORD]...      with words only those whose line has one of them

For each mechanism of the list below, in a copy of the tree: what keeps the promise is taken out of the
code, the whole is compiled, and the tests named must fail.  A mechanism that is not found where the
list says, a copy that does not compile, and tests that pass without it are failures.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple

Mechanism = namedtuple("Mechanism", "promise what file old new tests")

MECHANISMS = [
    Mechanism("P1", "the signing key is no recipient of its own backups", "src/engine/decide.c",
              "if (!cof_cert_same_key(cert, signer->cert))", "if (cert != NULL)", ["cli-backup"]),
    Mechanism("P1, P2", "a list of recipients is only believed from somebody who knew the data key",
              "src/engine/unlock.c", "*out = st == COF_OK && cof_equal_consttime(proof, custody->proof, sizeof(proof));",
              "*out = st == COF_OK;", ["attack"]),
    Mechanism("P2", "the wrapped keys are for exactly the people listed", "src/format/custody_check.c",
              "if (!cof_equal_consttime(custody->keys, keys_sha256, COF_SHA256_SIZE))", "if (custody == NULL)", ["attack"]),
    Mechanism("P3", "who signed the manifest must be trusted as maker", "src/engine/judge.c",
              "if (author && (c->items[i].roles & role) != 0)", "if (author)", ["attack"]),
    Mechanism("P3", "a trusted key counts in its role only", "src/engine/judge.c",
              "if (author && (c->items[i].roles & role) != 0)", "if (author && c->items[i].roles != 0)", ["attack"]),
    Mechanism("P3", "the statement's author must be the signer", "src/engine/judge.c",
              "bool author = memcmp(cof_cert_spki_sha256(c->items[i].cert), by, 32) == 0;",
              "bool author = by != NULL;", ["attack"]),
    Mechanism("P4", "a record is compared with its proven entry before it is released", "src/engine/proof.c",
              "if (same && memcmp(sha256, cof_entry_payload_sha256(p->entry), COF_SHA256_SIZE) == 0)",
              "if (same || sha256 != NULL)", ["attack", "fetch_ahead"]),
    Mechanism("P4", "of several threads, what is wrong with a record is seen before those behind it are released",
              "src/os/pool.c", "return p->st;", "return COF_OK;", ["fetch_ahead", "os_pool"]),
    Mechanism("P4", "the entries are proven to be under the signed root", "src/engine/entries.c",
              "memcmp(root, m->root, sizeof(root)) != 0", "m == NULL", ["attack"]),
    Mechanism("P4", "an output appears under its name whole or not at all", "src/engine/restore.c",
              "return st == COF_OK ? cof_sink_publish(sink, err) : st;",
              "(void)!cof_sink_publish(sink, NULL);\n    return st;", ["attack", "cli-restore"]),
    Mechanism("P4", "volume 1 has its name only when those of the others are durable", "src/os/newfile.c",
              "return st == COF_OK ? sync_others(files, count, err) : st;", "return st;", ["fault-publish"]),
    Mechanism("P4", "what a later volume replaces stays until volume 1 has its name", "src/os/newfile.c",
              "        st = set_aside(files[i], err);", "        (void)set_aside;", ["fault-publish"]),
    Mechanism("P4", "a volume on a full disk can be closed: room is kept for that", "src/store/sink.c",
              "(st = cof_file_reserve(present(sink), written + len, keep, &local)) == COF_OK", "(st = COF_OK) == COF_OK",
              ["store_volumes"]),
    Mechanism("P4", "a later volume is still the file that was looked at when it is opened again", "src/store/body.c",
              "if (st == COF_OK && (id.dev != v->id.dev || id.ino != v->id.ino))", "if (id.ino == 0)", ["store_volumes"]),
    Mechanism("P4", "of two files that claim to be one volume none is chosen", "src/engine/volumes.c",
              "if (st != COF_OK || (id.dev == known.dev && id.ino == known.ino))", "if (known.ino != 0)", ["cli-volumes"]),
    Mechanism("P5", "verification compares the content with the signed root", "src/engine/walk.c",
              "memcmp(root, m->root, sizeof(root)) != 0", "m == NULL", ["attack"]),
    Mechanism("P6", "a rotation does not look at the body", "src/engine/rotate.c",
              ".head_only = true,", ".head_only = false,", ["rotate_order"]),
    Mechanism("heads", "one signature does not bring a head back without a key (IM-3)", "src/engine/import.c",
              "custodians >= 2", "custodians >= 1", ["attack-heads"]),
    Mechanism("heads", "what comes back links to what is there (IM-2)", "src/engine/succession.c",
              "if (links(present, next))", "if (present != NULL)", ["attack-heads"]),
    Mechanism("heads", "what an interrupted repair has kept counts only where nothing else is in the head", "src/engine/remains.c",
              "*out &= head.data[i] == before.data[i] || head.data[i] == after.data[i];", "*out = true;", ["cli-repair"]),
    Mechanism("heads", "an interrupted repair is finished by the same command", "src/engine/remains.c",
              "if (!r->unreadable &&", "if (r->unreadable &&", ["fault-repair", "cli-repair"]),
    Mechanism("P13", "what was put back is not rekeyed where something newer is demanded", "src/engine/rekey.c",
              "(st = cof_opened_expect(o, r->options->expected, err)) != COF_OK)", "st != COF_OK)", ["cli-custody"]),
    Mechanism("P13", "an old head is not put back where something newer is demanded", "src/engine/repair.c",
              "(st = expect(r, &o->head, err)) != COF_OK)", "st != COF_OK)", ["cli-repair"]),
    Mechanism("heads", "no generation is skipped (IM-2)", "src/engine/succession.c",
              "(!believed || c->generation == last->custody.generation + 1)", "(believed || !believed)", ["attack-heads"]),
    Mechanism("heads", "the custody verdict on what comes back is good (IM-1)", "src/engine/import.c",
              "if (b->custody_problem[0] != '\\0')", "if (b == NULL)", ["attack-heads", "cli-envelope"]),
    Mechanism("heads", "what comes back tells of the same content (IM-1)", "src/engine/import.c",
              "!cof_slice_equal(cof_signed_content(a->manifest_message),", "!cof_slice_equal(cof_signed_content(b->manifest_message),",
              ["attack-heads"]),
    Mechanism("heads", "an approval takes no history away (IM-2)", "src/engine/envelope.c",
              "const cof_locks *from = to->j->approvals ? to->j->present : to->j->next;",
              "const cof_locks *from = to->j->next;", ["attack-heads"]),
    Mechanism("heads", "a key of the present recipients shows that their list is not proven (CH-8)", "src/engine/import.c",
              "m->junk = st == COF_OK && !proven;", "m->junk = st == COF_OK && o == NULL;", ["attack-heads"]),
    Mechanism("heads", "a made-up generation does not block the way out (CH-8)", "src/engine/succession.c",
              "if (!believed && last >= IMPLAUSIBLE)", "if (!believed && last == 0)", ["attack-heads"]),
    Mechanism("heads", "a head alone ends where it says (GE-3)", "src/engine/head.c",
              "if (size != len)", "if (size < len)", ["attack-heads"]),
    Mechanism("heads", "a head alone holds a manifest (HA-1)", "src/engine/head.c",
              "if (h->locks.envelope.manifest.len == 0)", "if (h == NULL)", ["attack-heads"]),
    Mechanism("custodians", "different keys are counted, not signatures", "src/engine/judge.c",
              "first_of_its_key(c, valid, i, role)", "valid[i]", ["attack-heads"]),
    Mechanism("custodians", "so many must have signed (--min-custodians)", "src/engine/open.c",
              "newest->judgement.trusted_keys < how->min_custodians", "how->min_custodians == 0", ["attack-heads"]),
    Mechanism("P8", "a custodian who rekeyed does not answer for the content", "src/engine/open.c",
              "return o->maker.standing == COF_STANDING_TRUSTED || o->needs_lineage;",
              "return o->maker.standing != COF_STANDING_BAD;", ["attack"]),
    Mechanism("P8", "each record is compared with what the first maker sealed", "src/engine/origin.c",
              "if (!cof_equal_consttime(cof_entry_payload_sha256(again.entry), hash, COF_SHA256_SIZE))",
              "if (hash == NULL)", ["attack"]),
    Mechanism("P8", "the first payloads' hashes are under the first maker's root", "src/engine/origin.c",
              "if (!cof_equal_consttime(root, o->manifest.root, sizeof(root)))", "if (o == NULL)", ["attack"]),
    Mechanism("P8", "the first maker signed the first manifest", "src/engine/origin.c",
              "if (judgement.standing == COF_STANDING_TRUSTED ||", "if (judgement.standing <= COF_STANDING_BAD ||",
              ["attack"]),
    Mechanism("P8", "what is said about the content is carried over", "src/engine/origin.c",
              "if (!same_content(m, &o->opened->manifest))", "if (!same_content(m, m))", ["attack"]),
    Mechanism("P8", "an earlier preamble is this backup's", "src/engine/origin.c",
              "!same_preamble(&p, &o->opened->head.preamble))", "!same_preamble(&p, &p))", ["attack"]),
    Mechanism("P8", "nothing but lineage follows the first records", "src/engine/origin.c",
              "if (m->records != item->first_record)", "if (m == NULL)", ["attack"]),
    Mechanism("P9", "all recipients get the data key that was committed to", "src/engine/unlock.c",
              "st = cof_schedule_check_commitment(*schedule, commitment, err);", "(void)commitment;",
              ["attack"]),
    Mechanism("P12", "stock openssl opens the wrapped key: it has the shape that FORMAT.md says",
              "src/crypto/keys_seal.c", "EVP_aes_256_gcm()", "EVP_aes_192_gcm()", ["crypto_keys", "cli-five_steps"]),
    Mechanism("P13", "it is said that a rotation takes back no copy", "cli/rotate.c",
              "if (!tally->removed_any || ", "if (tally != NULL || !tally->removed_any || ", ["cli-rotate"]),
]


class Tree:
    """A copy of the project, built once, in which one thing at a time is changed."""

    def __init__(self, root, folder):
        self.top = os.path.join(folder, "tree")
        os.mkdir(self.top)
        files = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True)
        for name in filter(None, files.stdout.decode().split("\0")):
            if os.path.exists(os.path.join(root, name)):
                os.makedirs(os.path.join(self.top, os.path.dirname(name)), exist_ok=True)
                shutil.copy(os.path.join(root, name), os.path.join(self.top, name))

    def quiet(self, *command):
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True, check=False)
        return done.returncode, (done.stdout + done.stderr).splitlines()[-12:]

    def set_up(self):
        status, said = self.quiet("meson", "setup", "build")
        return (status, said) if status != 0 else self.build()

    def build(self):
        return self.quiet("ninja", "-C", "build")

    def test(self, names):
        return self.quiet("meson", "test", "-C", "build", "--no-rebuild", *names)

    def without(self, mechanism):
        """None if its tests notice, else what is wrong, as lines."""
        path = os.path.join(self.top, mechanism.file)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if text.count(mechanism.old) != 1:
            return [f"{mechanism.file} has this {text.count(mechanism.old)} times: {mechanism.old}"]
        try:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(mechanism.old, mechanism.new))
            status, said = self.build()
            if status != 0:
                return ["it does not compile without it:"] + said
            blind = [name for name in mechanism.tests if self.test([name])[0] == 0]
            return ["passes without it: " + ", ".join(blind)] if len(blind) == len(mechanism.tests) else None
        finally:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)


def main():
    root, words = sys.argv[1], sys.argv[2:]
    chosen = [m for m in MECHANISMS if not words or any(w in " ".join(m[:3]) for w in words)]
    failures = 0
    print(f"1..{len(chosen) + 1}", flush=True)
    with tempfile.TemporaryDirectory(prefix="coffer-mechanisms-") as folder:
        tree = Tree(root, folder)
        status, said = tree.set_up()
        if status == 0:
            status, said = tree.test(sorted({name for m in chosen for name in m.tests}))
        print(f"{'ok' if status == 0 else 'not ok'} 1 - with everything in its place all tests pass", flush=True)
        failures += status != 0
        for line in said if status != 0 else []:
            print("#   " + line)
        for number, mechanism in enumerate(chosen, 2):
            wrong = tree.without(mechanism)
            failures += wrong is not None
            print(f"{'ok' if wrong is None else 'not ok'} {number} - {mechanism.promise}: {mechanism.what}", flush=True)
            for line in wrong or []:
                print("#   " + line)
    return failures != 0


sys.exit(main())
