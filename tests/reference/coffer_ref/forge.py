# SPDX-License-Identifier: Apache-2.0
"""All forged cases, and their files on disk."""

import os

from . import (forge_body, forge_good, forge_head, forge_keys, forge_rekey, forge_statements,
               forge_travel, forge_trees)
from .cases import Register, World

COLUMNS = "name\tfile\toperation\texpected\trules\tdescription\n"


def all_cases():
    """(World, cases), made fresh."""
    register = Register(World())
    for part in (forge_good, forge_body, forge_keys, forge_statements, forge_head, forge_trees, forge_rekey, forge_travel):
        part.register(register)
    return register.world, register.cases


def write(directory):
    """Keys, cases and cases.tsv under `directory`. Each case has a folder of its own,
    since volumes are found beside the first by what they contain."""
    os.makedirs(os.path.join(directory, "keys"), exist_ok=True)
    world, cases = all_cases()
    for person in world.people:
        person.write(os.path.join(directory, "keys"))
    with open(os.path.join(directory, "fingerprints.tsv"), "w") as f:
        f.writelines(f"{p.name}\t{p.certificate.spki_sha256.hex()}\n" for p in world.people)
    with open(os.path.join(directory, "text"), "wb") as f:
        f.write(world.text)
    with open(os.path.join(directory, "cases.tsv"), "w") as table:
        table.write(COLUMNS)
        for case in cases:
            first = write_case(directory, case)
            for operation, word in case.expect.items():
                table.write("\t".join((case.name, first, operation, word, case.rules, case.description)) + "\n")
    return world, cases


def write_case(directory, case):
    """The case's volumes; returns the first one's path relative to `directory`."""
    folder = os.path.join("cases", case.name)
    os.makedirs(os.path.join(directory, folder), exist_ok=True)
    for number, raw in enumerate(case.files, 1):
        name = "backup.cof" if number == 1 else f"backup.{number}.cof"
        if raw is not None:
            with open(os.path.join(directory, folder, name), "wb") as f:
                f.write(raw)
    return os.path.join(folder, "backup.cof")
