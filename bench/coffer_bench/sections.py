# SPDX-License-Identifier: Apache-2.0
"""What is measured.  Each section returns its tables, and which bounds of the project hold."""

import json
import os
import re
import statistics

from . import limits
from .world import GIB, MIB, Contender, remove

RESTORE = "$COFFER restore -q --key a.key --trust home/signing.crt"


def bound(text, value, least=None, most=None):
    good = (least is None or value >= least) and (most is None or value <= most)
    limit = f"at least {least:g}" if least is not None else f"at most {most:g}"
    return {"text": text, "value": value, "limit": limit, "good": good}


def table(title, rows, amount=None):
    return {"title": title, "rows": rows, "amount": amount}


def median(rows, name):
    return next(row["median"] for row in rows if row["name"].startswith(name))


def ratio(rows, peer):
    """How many times as long the peer takes as the first, which is coffer."""
    return median(rows, peer) / rows[0]["median"]


def limits_of(world, earlier):
    """Those of this run; of an earlier one only where this run has not measured them."""
    if not hasattr(world, "limits"):
        world.limits = earlier.get("limits", {}).get("limits") or limits.measure(world)
    return world.limits


def do_limits(world, _earlier):
    world.limits = limits.measure(world)
    rows = [{"name": name, "bytes_per_second": value} for name, value in world.limits["speeds"].items()]
    return {"tables": [table(f"This machine, {world.limits['cores']} cores", rows)], "bounds": [], "limits": world.limits}


def do_random(world, earlier):
    file, size = world.random_file()
    backup = world.compare([
        Contender("coffer (sealed, hashed, signed)", f"$COFFER backup -q --compress none -o r.cof - < {file}", "r.cof"),
        Contender("age (sealed)", f"age -R age.pub -o r.age {file}", "r.age"),
        Contender("openssl cms (sealed)", f"openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -recip cms.crt "
                  f"-in {file} -out r.cms", "r.cms"),
        Contender("gpg (sealed, signed)", f"gpg -q --batch --yes --trust-model always -z 0 -r bench -se -o r.gpg {file}", "r.gpg"),
    ], size)
    machine = limits_of(world, earlier)
    least = limits.least_seconds(machine, size)
    restore = world.compare([
        Contender("coffer", f"{RESTORE} r.cof -o out", "out"),
        Contender("age", "age -d -i age.key -o out r.age", "out"),
        Contender("gpg", "gpg -q --batch --yes --trust-model always -d -o out r.gpg", "out"),
    ], size)  # openssl cms holds all of it in memory, and at most 2 GiB
    remove(world.path("out"), *(world.path(f"r.{x}") for x in ("age", "cms", "gpg")))
    return {"tables": [table("Backup of random data, in memory", backup, size), table("Restore of it", restore, size)],
            "bounds": [bound("random data, backup: times as fast as age", ratio(backup, "age"), least=1.3),
                       bound("random data, restore: times as fast as age", ratio(restore, "age"), least=4),
                       bound("random data, restore: part of the limit of reading, AES-GCM, SHA-256 and writing on all cores",
                             least / restore[0]["median"], least=0.8),
                       bound("random data, backup: part of the limit of reading, AES-GCM, SHA-256 and writing on all cores",
                             least / backup[0]["median"], least=0.8)],
            "notes": [what_limits(machine, size, least, median(restore, "age"))]}


def what_limits(machine, size, least, age):
    """Why restoring cannot be as many times as fast as age as one likes."""
    stages = limits.stages(machine, size)
    parts = ", ".join(f"{what.split(',')[0]} {seconds:.2f} s" for what, seconds in stages.items())
    unproven = least - stages["SHA-256, one core"] / machine["cores"]
    return (f"Restoring random data takes, of one core, {parts}: {least:.2f} s on {machine['cores']} cores, if nothing else is done and no "
            f"core ever waits. age needs {age:.2f} s, so whatever proves each record with SHA-256 is at most {age / least:.1f} times "
            f"as fast here; without the hash, which keeps a recipient from changing records, {age / unproven:.1f} times. "
            "(The ratio of 4 was set where age took 6.7 to 7.8 s for this.)")


def do_text(world, _earlier):
    file, size = world.text_file()
    backup = world.compare([
        Contender("coffer (zstd 3, signed)", f"$COFFER backup -q -o t.cof - < {file}", "t.cof"),
        Contender("zstd -3 -T0 | age", f"zstd -3 -T0 -q -c {file} | age -R age.pub -o t.age", "t.age"),
        Contender("gpg (zlib, signed)", f"gpg -q --batch --yes --trust-model always -r bench -se -o t.gpg {file}", "t.gpg"),
    ], size)
    restore = world.compare([
        Contender("coffer", f"{RESTORE} t.cof -o out", "out"),
        Contender("age | zstd", "age -d -i age.key t.age | zstd -d -q -o out", "out"),
        Contender("gpg", "gpg -q --batch --yes --trust-model always -d -o out t.gpg", "out"),
    ], size)
    remove(world.path("out"), world.path("t.cof"), world.path("t.age"), world.path("t.gpg"))
    return {"tables": [table("Backup of text, in memory", backup, size), table("Restore of it", restore, size)], "bounds": []}


def what_a_tree_takes(world, tar):
    """Where the time of restoring it goes, as coffer says."""
    said = world.text(f"{RESTORE} -j 1 --stats tree.cof -C out 2>&1")
    stages = {what: float(value) for what, value in re.findall(r"^ +(\w+) +([\d.]+) s +[\d.]+ [KMG]iB ", said, re.M)}
    cores = len(os.sched_getaffinity(0))
    return (f"Restoring the tree takes {', '.join(f'{value:.2f} s to {what}' for what, value in stages.items())}, of one core: at "
            f"best {sum(stages.values()) / cores:.2f} s on {cores}. `tar x` writes, and nothing else, in {tar:.2f} s; to restore is "
            "limited by what has to be proven, decrypted and decompressed before.")


def do_tree(world, _earlier):
    tree, size, files = world.tree()
    repository = {"restic": lambda: world.quiet("restic init -r restic.repo --no-cache"),
                  "borg": lambda: world.quiet("borg init -e repokey-blake2 borg.repo")}
    backup = world.compare([
        Contender("coffer (zstd 3, signed, index, catalog)", f"$COFFER backup -q -o tree.cof {tree}", "tree.cof"),
        Contender("tar | zstd -3 -T2 | age", f"tar cf - {tree} | zstd -3 -T2 -q | age -R age.pub -o tree.age", "tree.age"),
        Contender("restic", f"restic -q -r restic.repo backup {tree}", "restic.repo", repository["restic"]),
        Contender("borg, lz4", f"borg create -C lz4 borg.repo::one {tree}", "borg.repo", repository["borg"]),
    ], size)
    world.quiet(f"tar cf tree.tar {tree}")
    fresh = lambda: os.mkdir(world.path("out"))  # noqa: E731
    restore = world.compare([
        Contender("coffer", f"{RESTORE} tree.cof -C out", "out"),
        Contender("tar x", "tar xf tree.tar -C out", "out", fresh),
        Contender("age | zstd | tar x", "age -d -i age.key tree.age | zstd -d -q | tar xf - -C out", "out", fresh),
        Contender("restic", "restic -q -r restic.repo restore latest --target out", "out"),
        Contender("borg", "cd out && borg extract ../borg.repo::one", "out", fresh),
    ], size)
    remove(world.path("out"))
    note = what_a_tree_takes(world, median(restore, "tar x"))
    remove(world.path("out"))
    one = world.text(f"find {tree} -type f | sort | sed -n '{files // 2}p'").strip()
    single = world.compare([
        Contender("coffer", f"{RESTORE} tree.cof --stdout {one} > out", "out"),
        Contender("age | zstd | tar x", f"age -d -i age.key tree.age | zstd -d -q | tar xOf - {one} > out", "out"),
        Contender("restic", f"restic -q -r restic.repo dump latest /{one} > out", "out"),
        Contender("borg", f"borg extract --stdout borg.repo::one {one} > out", "out"),
    ])
    remove(*(world.path(name) for name in ("out", "tree", "tree.cof", "tree.tar", "tree.age", "restic.repo",
                                            "borg.repo")))
    return {"tables": [table(f"Backup of a tree of {files:,} files, in memory", backup, size),
                       table("Restore of it", restore, size), table("One file out of it", single)],
            "bounds": [bound("tree, backup: times as fast as tar | zstd | age", ratio(backup, "tar"), least=1.2),
                       bound("tree, backup: size against tar | zstd | age", backup[0]["size"] / backup[1]["size"], most=1.03),
                       bound("tree, backup: times as fast as restic", ratio(backup, "restic"), least=2.5),
                       bound("tree, backup: times as fast as borg", ratio(backup, "borg"), least=3),
                       bound("tree, restore: times as fast as restic", ratio(restore, "restic"), least=2),
                       bound("tree, restore: times as fast as borg", ratio(restore, "borg"), least=2),
                       bound("tree, restore: times as fast as tar x", ratio(restore, "tar x"), least=1)],
            "notes": [note]}


def do_cold(world, _earlier):
    """The tree, or a backup of it, on a disk, and nothing of it in memory; to forget what is there takes root."""
    tree, size, files = world.tree()
    rounds = min(world.rounds, 3)
    folder = os.path.join(world.disk, "cold")
    world.quiet(f"rm -rf {folder}; mkdir {folder}; cp -a {tree} {folder}/tree; sync")

    def forget():
        world.quiet("sync; echo 3 > /proc/sys/vm/drop_caches")

    def fresh_borg():
        world.quiet("borg init -e repokey-blake2 borg.repo")
        forget()

    def fresh_target():
        """A new one each time: who makes files where many have just been removed waits for ext4."""
        world.quiet(f"ln -sfn $(mktemp -d {folder}/out.XXXXXX) target")
        forget()

    backup = world.compare([
        Contender("coffer", f"$COFFER backup -q -o cold.cof {folder}/tree", "cold.cof", forget),
        Contender("coffer -j 1, where nobody goes ahead", f"$COFFER backup -q -j 1 -o cold.cof {folder}/tree", "cold.cof", forget),
        Contender("tar | zstd -3 -T2 | age",
                  f"tar cf - {folder}/tree 2>said.tar | zstd -3 -T2 -q | age -R age.pub -o cold.age", "cold.age", forget),
        Contender("borg, lz4", f"borg create -C lz4 borg.repo::one {folder}/tree", "borg.repo", fresh_borg),
    ], size, rounds=rounds)
    world.quiet(f"mv cold.cof cold.age {folder} && tar cf {folder}/cold.tar {tree}")
    restore = world.compare([
        Contender("coffer", f"{RESTORE} {folder}/cold.cof -C target/", None, fresh_target),
        Contender("tar x; sync", f"tar xf {folder}/cold.tar -C target/; sync -f target/", None, fresh_target),
        Contender("age | zstd | tar x; sync",
                  f"age -d -i age.key {folder}/cold.age | zstd -d -q | tar xf - -C target/; sync -f target/", None, fresh_target),
    ], size, rounds=rounds)
    remove(folder, *(world.path(name) for name in ("borg.repo", "said.tar", "target")))
    return {"tables": [table(f"Backup of a tree of {files:,} files that is on a disk and not in memory", backup, size),
                       table("Restore of it, from the disk to the disk, until it is there to stay", restore, size)],
            "bounds": [bound("tree on a disk, restore: times as fast as tar x", ratio(restore, "tar x"), least=1)]}


def do_verify(world, _earlier):
    file, size = world.random_file()
    if not os.path.exists(world.path("r.cof")):
        world.quiet(f"$COFFER backup -q --compress none -o r.cof - < {file}")
    rows = world.compare([
        Contender("coffer verify", "$COFFER verify -q --trust home/signing.crt r.cof"),
        Contender("coffer verify --deep", "$COFFER verify -q --deep --key a.key --trust home/signing.crt r.cof"),
        Contender("openssl dgst -sha256", f"openssl dgst -sha256 {file}"),
    ], size)
    cores = len(os.sched_getaffinity(0))
    return {"tables": [table("Verify, without a key", rows, size)],
            "bounds": [bound(f"verify: part of {cores} times `openssl dgst -sha256`", ratio(rows, "openssl") / cores, least=0.85)]}


def do_stream(world, _earlier):
    size = world.scaled(8 * GIB, 16 * MIB)
    file, part = world.random_file()
    source = f"(for i in $(seq {size // part}); do cat {file}; done; head -c {size % part} {file}) |"
    threads = len(os.sched_getaffinity(0))
    rows = world.compare([
        Contender("coffer, no compression", f"{source} $COFFER backup -q --compress none -o - - | cat > /dev/null"),
        Contender("coffer, zstd 3", f"{source} $COFFER backup -q -o - - | cat > /dev/null"),
        Contender("age", f"{source} age -R age.pub | cat > /dev/null"),
        Contender("zstd -3 -T0 | age", f"{source} zstd -3 -T0 -q | age -R age.pub | cat > /dev/null"),
    ], size, rounds=min(world.rounds, 3))
    most = 64 * MIB + 8 * 4 * MIB * threads
    return {"tables": [table("One stream, from a pipe to a pipe", rows, size)],
            "bounds": [bound("stream: resident memory, of 64 MiB + 8 records a thread",
                             max(row["resident"] for row in rows[:2]) / most, most=1)]}


def rotations(world, names, rounds):
    """Rotate all in turn; for each the times in the engine and as a process, in milliseconds."""
    times = {name: ([], []) for name in names}
    for turn in range(rounds + 2):
        old, new = ("b", "c") if turn % 2 == 0 else ("c", "b")
        for name in names:
            seconds, _ = world.watch(f"$COFFER rotate {name} --json --drop-history --key a.key --trust home/signing.crt "
                                     f"--replace {old}.crt --with {new}.crt")
            if turn >= 2:
                with open(world.path("said"), encoding="utf-8") as said:
                    engine = next(json.loads(line) for line in said if line.startswith("{"))["nanoseconds"]
                times[name][0].append(engine / 1e9)
                times[name][1].append(seconds)
    return times


def spread(name, values, **more):
    return {"name": name, "median": statistics.median(values), "least": min(values), "most": max(values), **more}


def do_rotate(world, _earlier):
    sizes = {}
    for size in (MIB, 64 * MIB, GIB, 2 * GIB):
        if size == MIB or size <= 2 * GIB * world.scale:
            sizes[f"of-{size // MIB}.cof"] = size
    for name, size in sizes.items():
        world.quiet(f"head -c {size} /dev/zero | openssl enc -aes-128-ctr -nosalt -pass pass:x -pbkdf2 -iter 1 | "
                    f"$COFFER backup -q --compress none -r a.crt -r b.crt -o {name} -")
    large = world.scaled(64 * GIB, 64 * MIB)
    world.quiet(f"head -c {large} /dev/zero | $COFFER backup -q --compress lz4 -r a.crt -r b.crt -o zeros.cof -")
    times = rotations(world, [*sizes, "zeros.cof"], 4 * world.rounds)
    rows, again = [], []
    for name, size in [*sizes.items(), ("zeros.cof", large)]:
        label = f"{size / MIB:,.0f} MiB" + (", of zeros" if name == "zeros.cof" else "")
        rows.append(spread(f"coffer rotate, {label}: engine", times[name][0], bytes=size, kind="engine"))
        rows.append(spread(f"coffer rotate, {label}: process", times[name][1], bytes=size, kind="process"))
    for size in sizes.values():
        world.quiet(f"head -c {size} /dev/zero | openssl enc -aes-128-ctr -nosalt -pass pass:x -pbkdf2 -iter 1 | age -R age.pub -o x.age")
        [row] = world.compare([Contender(f"age -d | age, {size / MIB:,.0f} MiB", "age -d -i age.key x.age | age -R age2.pub -o y.age",
                                         "y.age")], size, rounds=min(world.rounds, 3))
        again.append({**row, "bytes": size})
    remove(*(world.path(name) for name in [*sizes, "zeros.cof", "x.age", "y.age"]))
    engine = [row["median"] for row in rows if row["kind"] == "engine"]
    process = [row["median"] for row in rows if row["kind"] == "process"]
    return {"tables": [table("Change the recipients", rows), table("Decrypt and encrypt again", again)],
            "bounds": [bound("rotate: milliseconds in the engine, of whatever size", 1000 * max(engine), most=20),
                       bound("rotate: the slowest size against the smallest backup", max(process) / process[0], most=1.5)]}


def do_rotate_many(world, _earlier):
    count = world.scaled(2000, 20)
    os.mkdir(world.path("many"))
    world.quiet("head -c 1000 /dev/zero | $COFFER backup -q -r a.crt -r b.crt -o many/00000.cof -")
    world.quiet(f"for i in $(seq -f %05g 1 {count - 1}); do head -c 1000 /dev/zero | "
                "$COFFER backup -q -r a.crt -r b.crt -o many/$i.cof -; done")
    swap = ["b", "c"]

    def turn():
        swap.reverse()

    rows = []
    for jobs in sorted({1, len(os.sched_getaffinity(0))}):
        values = []
        for i in range(1 + min(world.rounds, 3)):
            turn()
            seconds, _ = world.watch(f"$COFFER rotate many -q -j {jobs} --drop-history --key a.key --trust home/signing.crt "
                                     f"--replace {swap[1]}.crt --with {swap[0]}.crt")
            if i > 0:
                values.append(seconds)
        rows.append(spread(f"coffer rotate of {count:,} backups, -j {jobs}", values, each=statistics.median(values) / count))
        print(f"   {rows[-1]['name']:44} {rows[-1]['median']:9.3f} s", flush=True)
    remove(world.path("many"))
    return {"tables": [table("Many backups", rows)], "bounds": []}


def do_rekey(world, _earlier):
    file, size = world.random_file()
    if not os.path.exists(world.path("r.cof")):
        world.quiet(f"$COFFER backup -q --compress none -o r.cof - < {file}")
    world.quiet(f"age -R age.pub -o r.age {file}")
    rows = world.compare([
        Contender("coffer rekey (verified, signed)", "$COFFER rekey r.cof -q --key a.key --trust home/signing.crt -r b.crt -o k.cof",
                  "k.cof"),
        Contender("age -d | age", "age -d -i age.key r.age | age -R age2.pub -o k.age", "k.age"),
    ], size)
    remove(world.path("k.cof"), world.path("k.age"), world.path("r.age"))
    return {"tables": [table("A new data key", rows, size)], "bounds": []}


def do_scaling(world, _earlier):
    file, size = world.text_file()
    cores = sorted(os.sched_getaffinity(0))
    counts = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= len(cores)]
    jobs = []
    for n in counts:
        pinned = "taskset -c " + ",".join(map(str, cores[:n]))
        jobs += [Contender(f"backup, zstd 3, {n} processors", f"{pinned} $COFFER backup -q -o s{n}.cof - < {file}", f"s{n}.cof",
                           threads=n),
                 Contender(f"verify, {n} processors", f"{pinned} $COFFER verify -q --trust home/signing.crt s{n}.cof"),
                 Contender(f"restore, {n} processors", f"{pinned} {RESTORE} s{n}.cof -o out", "out")]
    rows = world.compare(jobs, size)
    remove(world.path("out"), *(world.path(f"s{n}.cof") for n in counts))
    bounds = []
    if len(counts) > 1:
        bounds = [bound("two processors against one, zstd", median(rows, "backup, zstd 3, 1 ") / median(rows, "backup, zstd 3, 2 "),
                        least=1.8)]
    return {"tables": [table("Scaling with processors", rows, size)], "bounds": bounds}


def do_recipients(world, _earlier):
    most = 64
    world.quiet(f"mkdir -p many-keys; for i in $(seq {most}); do [ -e many-keys/$i.crt ] || "
                "$COFFER keygen many-keys/$i --type p256 --no-passphrase; done; head -c 100000 /dev/urandom > small")
    jobs = []
    for count in (1, 4, 16, 64):
        who = " ".join(f"-r many-keys/{i}.crt" for i in range(1, count + 1))
        jobs.append(Contender(f"backup of 100 kB for {count} recipients", f"$COFFER backup -q {who} -o w{count}.cof - < small",
                              f"w{count}.cof"))
        jobs.append(Contender(f"restore, one of {count}", f"$COFFER restore -q --key many-keys/1.key --trust home/signing.crt "
                              f"w{count}.cof -o out", "out"))
    rows = world.compare(jobs)
    return {"tables": [table("Number of recipients", rows)], "bounds": []}


SECTIONS = {"limits": do_limits, "random": do_random, "text": do_text, "cold": do_cold, "tree": do_tree, "verify": do_verify,
            "stream": do_stream, "rotate": do_rotate, "rotate-many": do_rotate_many, "rekey": do_rekey,
            "scaling": do_scaling, "recipients": do_recipients}
