"""The page of the fleet's figures, docs/benchmarks-fleet.md: its sections and tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-fleet.md"
MIB = 1024 * 1024


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"|{'|'.join(f' {cell} ' if cell != '---' else cell for cell in line)}|" for line in lines)


def publish(section: str, command: str, note: str, text: str, *, write: bool) -> None:
    """Print a section; with `write` put it into docs/benchmarks-fleet.md in place of the one that is there."""
    day = datetime.now(UTC).date()
    load = os.getloadavg()[0]
    said = f"    {command}\n\n{note} On {machine()}, {day}, load average {load:.0f} at the end.\n\n{text.strip()}"
    print(said)
    if write:
        page = PAGE.read_text(encoding="utf-8")
        begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        if not rest:
            raise SystemExit(f"{PAGE} has no place for {section}")
        PAGE.write_text(f"{before}{begin}\n\n{said}\n\n{end}{after}", encoding="utf-8")


def say(text: str) -> None:
    """Progress, on the error stream."""
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    """What it runs on, in words."""
    memory = psutil.virtual_memory().total / MIB / 1024
    return f"{os.cpu_count()} processors, {memory:.0f} GiB, Python {sys.version.split()[0]}"
