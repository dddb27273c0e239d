# SPDX-License-Identifier: Apache-2.0
"""From numbers to a page."""

import json
import os
import platform
import re
import subprocess
import time

from . import figures

TITLES = {"limits": "What this machine can do", "random": "Random data", "text": "Text",
          "cold": "A tree of files on a disk", "tree": "A tree of files", "verify": "Verify",
          "stream": "One long stream", "rotate": "Rotate against size", "rotate-many": "Rotate many",
          "rekey": "Rekey", "scaling": "Scaling", "recipients": "Recipients"}


def load(folder):
    """The sections of earlier runs, each with the machine that it was measured on."""
    try:
        with open(os.path.join(folder, "results.json"), encoding="utf-8") as f:
            return json.load(f)["sections"]
    except FileNotFoundError:
        return {}


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[0]


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        found = re.search(r"^model name\s*: (.*)$", f.read(), re.M)
    return found.group(1) if found else platform.machine()


def machine(coffer, asked):
    with open("/proc/meminfo", encoding="utf-8") as f:
        memory = int(re.search(r"MemTotal:\s+(\d+)", f.read()).group(1)) // (1 << 20)
    versions = ["age " + first_line("age", "--version"), first_line("restic", "version"), first_line("borg", "--version"),
                first_line("gpg", "--version"), first_line("zstd", "--version").strip("* "), first_line("tar", "--version"),
                first_line("openssl", "version").split(" (")[0]]
    return {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "memory": memory,
            "kernel": platform.release(), "coffer": first_line(coffer, "--version"), "versions": versions,
            "date": time.strftime("%Y-%m-%d", time.gmtime()), "scale": asked.scale, "rounds": asked.rounds}


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def size(value):
    if value is None:
        return ""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value} B"


def cells(row, first):
    out = [row["name"]]
    if "median" in row:
        out += [seconds(row["median"]), f"{seconds(row['least'])} – {seconds(row['most'])}",
                f"{row['median'] / first['median']:.2f}"]
    else:
        out += ["", "", ""]
    speed = row.get("bytes_per_second")
    out.append(f"{speed / 1e6:,.0f} MB/s" if speed else "")
    out.append(size(row.get("resident")) or (seconds(row["each"]) + " each" if "each" in row else ""))
    out.append(size(row.get("size")))
    return out


def emit_table(lines, table):
    head = ["", "median", "spread", "time, first = 1", "speed", "resident", "size"]
    rows = [cells(row, table["rows"][0]) for row in table["rows"]]
    used = [i for i in range(len(head)) if i == 0 or any(row[i] for row in rows)]
    amount = f" ({size(table['amount'])})" if table["amount"] else ""
    lines += [f"**{table['title']}**{amount}", "", "| " + " | ".join(head[i] for i in used) + " |",
              "|" + "|".join("---" if i == 0 else "--:" for i in used) + "|"]
    lines += ["| " + " | ".join(row[i] for i in used) + " |" for row in rows]
    lines.append("")


def conditions(m):
    return (f"{m['date']}, {m['processor']}, {m['cores']} cores, {m['memory']} GiB of memory, Linux {m['kernel']}; {m['coffer']}; "
            + "; ".join(m["versions"]) + f". Every pair side by side, in turn, {m['rounds']} times after a warm-up.")


def emit(sections):
    names = [name for name in TITLES if name in sections]
    m = sections[names[0]]["machine"]
    lines = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", "<!-- Written by scripts/bench; do not edit. -->",
             "# How fast it is", "",
             conditions(m), "",
             "Made by `scripts/bench`, on tmpfs, where a disk would be the limit. Resident memory is that of the largest process. "
             "coffer verifies and signs in every run. A section that was measured at another time or on another machine says so.", ""]
    for scale in {sections[name]["machine"]["scale"] for name in names} - {1}:
        lines += [f"**Sizes were scaled by {scale:g}: these numbers say nothing about speed.**", ""]
    bounds = [b for s in sections.values() for b in s["bounds"]]
    lines += ["| what must hold | limit | found | |", "|---|--:|--:|---|"]
    lines += [f"| {b['text'].replace('|', chr(92) + '|')} | {b['limit']} | {b['value']:.2f} | {'holds' if b['good'] else '**fails**'} |"
              for b in bounds]
    for section in sections.values():
        lines += [line for note in section.get("notes", []) for line in ("", note)]
    lines += ["", "![Time to change the recipients](rotate.svg)", "", "![Throughput](throughput.svg)", ""]
    for name in names:
        lines += [f"## {TITLES[name]}", ""]
        if sections[name]["machine"] != m:
            lines += [conditions(sections[name]["machine"]), ""]
        for table in sections[name]["tables"]:
            emit_table(lines, table)
    return "\n".join(lines)


def escape_names(sections):
    for section in sections.values():
        for table in section["tables"]:
            for row in table["rows"]:
                row["name"] = row["name"].replace("\\|", "|").replace("|", "\\|")


def save(folder, sections):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as f:
        json.dump({"license": "SPDX-License-Identifier: Apache-2.0", "sections": sections}, f, indent=1)
        f.write("\n")
    shown = json.loads(json.dumps(sections))
    escape_names(shown)
    with open(os.path.join(folder, "RESULTS.md"), "w", encoding="utf-8") as f:
        f.write(emit(shown))
    figures.rotate(os.path.join(folder, "rotate.svg"), sections)
    figures.throughput(os.path.join(folder, "throughput.svg"), sections)
