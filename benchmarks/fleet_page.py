"""The page of the fleet's figures, docs/benchmarks-fleet.md: its sections, tables and plots."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pygal
from pygal.style import Style

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "benchmarks-fleet.md"
MIB = 1024 * 1024


def exponent(points: Mapping[int, float]) -> float:
    """The growth exponent: the slope of a straight line through the points' logarithms."""
    logs = [(math.log(size), math.log(value)) for size, value in points.items()]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


Lines = Mapping[str, Mapping[float, float]]


def plot(name: str, title: str, axes: tuple[str, str], lines: Lines, *, log: bool = False) -> None:
    """Draw lines into docs/NAME.svg, each a mapping of x to y; `axes` are what x and y are called."""
    colours = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#332288")
    style = Style(colors=colours, background="#ffffff", plot_background="#ffffff", font_family="system-ui, sans-serif")
    chart = pygal.XY(
        style=style,
        js=[],
        title=title,
        x_title=axes[0],
        y_title=axes[1],
        logarithmic=log,
        legend_at_bottom=True,
        stroke_style={"width": 3},
        width=900,
        height=520,
    )
    for label, points in lines.items():
        chart.add(label, sorted(points.items()))
    (DOCS / f"{name}.svg").write_bytes(chart.render())


def publish(section: str, command: str, text: str) -> None:
    """Put a section into docs/benchmarks-fleet.md in place of the one that is there, and print it."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    if not rest:
        raise SystemExit(f"{PAGE} has no place for {section}")
    PAGE.write_text(f"{before}{begin}\n\n    {command}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
    print(text)


def say(text: str) -> None:
    """Progress, on the error stream."""
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    """What it runs on, in words."""
    memory = psutil.virtual_memory().total / MIB / 1024
    return f"{os.cpu_count()} processors, {memory:.0f} GiB, Python {sys.version.split()[0]}"
