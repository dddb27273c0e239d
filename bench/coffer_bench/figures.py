# SPDX-License-Identifier: Apache-2.0
"""Two figures, drawn without anything but text."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 440, 90, 60, 50, 30
OURS, THEIRS, GREY = "#1b6e53", "#b3541e", "#777777"


class Canvas:
    def __init__(self, title, height=HEIGHT):
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
                      'font-family="sans-serif" font-size="13">', "<!-- SPDX-License-Identifier: Apache-2.0 -->",
                      f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
        self.text(WIDTH / 2, 26, title, anchor="middle", size=16)

    def text(self, x, y, words, anchor="start", size=13, colour="#222222"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">'
                          f"{escape(words)}</text>")

    def line(self, points, colour, width=2.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def save(self, path):
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join([*self.parts, "</svg>"]) + "\n")


def amount(value):
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.0f} B"


def rotate(path, sections):
    """Both axes in powers: a flat line against one that rises with the size."""
    if "rotate" not in sections:
        return
    ours, theirs = (table["rows"] for table in sections["rotate"]["tables"])
    series = [("coffer rotate, the whole process", OURS, [(r["bytes"], r["median"]) for r in ours if r["kind"] == "process"]),
              ("decrypt and encrypt again with age", THEIRS, [(r["bytes"], r["median"]) for r in theirs])]
    xs = [math.log2(x) for _, _, points in series for x, _ in points]
    ys = [math.log10(y) for _, _, points in series for _, y in points]
    low_x, high_x = min(xs), max(max(xs), min(xs) + 1)
    low_y, high_y = math.floor(min(ys)), max(math.ceil(max(ys)), math.floor(min(ys)) + 1)
    canvas = Canvas("Time to change the recipients of a backup")

    def place(x, y):
        return (LEFT + (math.log2(x) - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (math.log10(y) - low_y) / (high_y - low_y) * (HEIGHT - BOTTOM - TOP))

    for power in range(low_y, high_y + 1):
        _, y = place(2 ** low_x, 10.0 ** power)
        canvas.line([(LEFT, y), (WIDTH - RIGHT, y)], "#dddddd", 1)
        canvas.text(LEFT - 8, y + 4, f"{10.0 ** power:g} s", anchor="end")
    for x in sorted({x for _, _, points in series for x, _ in points}):
        at, _ = place(x, 10.0 ** low_y)
        canvas.text(at, HEIGHT - BOTTOM + 20, amount(x), anchor="middle")
    canvas.text(WIDTH / 2, HEIGHT - 14, "size of the content", anchor="middle", colour=GREY)
    for number, (name, colour, points) in enumerate(series):
        placed = [place(x, y) for x, y in sorted(points)]
        canvas.line(placed, colour)
        for x, y in placed:
            canvas.dot(x, y, colour)
        canvas.dot(LEFT + 20, TOP + 12 + 20 * number, colour)
        canvas.text(LEFT + 32, TOP + 16 + 20 * number, name)
    canvas.save(path)


def throughput(path, sections):
    """A bar for each contender, by table."""
    groups = [table for name in ("random", "text", "tree") if name in sections for table in sections[name]["tables"]
              if table["amount"]]
    if not groups:
        return
    rows = sum(len(group["rows"]) for group in groups)
    height = TOP + 20 * rows + 34 * len(groups) + 30
    most = max(row["bytes_per_second"] for group in groups for row in group["rows"])
    canvas = Canvas("Throughput, MB of content a second", height)
    y, label = TOP, 270
    for group in groups:
        y += 24
        canvas.text(20, y, group["title"], size=14)
        y += 10
        for row in group["rows"]:
            width = row["bytes_per_second"] / most * (WIDTH - label - 90)
            canvas.text(label - 8, y + 13, row["name"], anchor="end", size=11)
            canvas.bar(label, y + 2, width, 15, OURS if row["name"].startswith("coffer") else THEIRS)
            canvas.text(label + width + 6, y + 14, f"{row['bytes_per_second'] / 1e6:,.0f}")
            y += 20
    canvas.save(path)
